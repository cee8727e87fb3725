"""Measures of fitted estimators, as functions and as scorer classes.

A new measure is one new file and one line in the registry, ``_registry.py``.
"""

from ..objective import at_home
from ._frames import pandas_for
from ._measure import Measure, drawn_rows, not_measured, sample_rows
from ._measurement import Measurement
from ._monitor import FlatnessMonitor
from ._registry import BINARY_MEASURES, MEASURES
from ._report import Comparison, Report, check_measures, compare, flatness_report
from .binary import (
    FlipDistance,
    FlipEnergy,
    LocalEntropy,
    flip_distance,
    flip_energy,
    local_entropy,
)
from .curvature import (
    DominantSubspace,
    GradientNoise,
    HessianEigenvalues,
    HessianProduct,
    HessianTrace,
    OrbitMinimal,
    OrbitTrace,
    RelativeFlatness,
    SpectralDensity,
    dominant_subspace,
    eigenpairs,
    gradient_noise,
    hessian_eigenvalues,
    hessian_trace,
    orbit_minimal,
    orbit_trace,
    relative_flatness,
    spectral_density,
)
from .feasibility import OpenPairs, Refutation, open_pairs
from .noise import (
    LearningCoefficient,
    LocalEnergy,
    LocalVolume,
    NoiseStability,
    PacBayesBound,
    learning_coefficient,
    local_energy,
    local_volume,
    noise_stability,
    pac_bayes_bound,
)
from .outputs import (
    EffectiveRank,
    LiveUnits,
    Margins,
    NormalizedMargin,
    effective_rank,
    live_units,
    margins,
    normalized_margin,
)
from .search import (
    AdaptiveSharpness,
    LevelSetDistance,
    MaximalVariation,
    adaptive_sharpness,
    level_set_distance,
    maximal_variation,
)
from .weakness import Weakness, extension_size, weakness

__all__ = [
    "BINARY_MEASURES",
    "MEASURES",
    "AdaptiveSharpness",
    "Comparison",
    "DominantSubspace",
    "EffectiveRank",
    "FlatnessMonitor",
    "FlipDistance",
    "FlipEnergy",
    "GradientNoise",
    "HessianEigenvalues",
    "HessianProduct",
    "HessianTrace",
    "LearningCoefficient",
    "LevelSetDistance",
    "LiveUnits",
    "LocalEnergy",
    "LocalEntropy",
    "LocalVolume",
    "Margins",
    "MaximalVariation",
    "Measure",
    "Measurement",
    "NoiseStability",
    "NormalizedMargin",
    "OpenPairs",
    "OrbitMinimal",
    "OrbitTrace",
    "PacBayesBound",
    "Refutation",
    "RelativeFlatness",
    "Report",
    "SpectralDensity",
    "Weakness",
    "adaptive_sharpness",
    "check_measures",
    "compare",
    "dominant_subspace",
    "drawn_rows",
    "effective_rank",
    "eigenpairs",
    "extension_size",
    "flatness_report",
    "flip_distance",
    "flip_energy",
    "gradient_noise",
    "hessian_eigenvalues",
    "hessian_trace",
    "learning_coefficient",
    "level_set_distance",
    "live_units",
    "local_energy",
    "local_entropy",
    "local_volume",
    "margins",
    "maximal_variation",
    "noise_stability",
    "normalized_margin",
    "not_measured",
    "open_pairs",
    "orbit_minimal",
    "orbit_trace",
    "pac_bayes_bound",
    "pandas_for",
    "relative_flatness",
    "sample_rows",
    "spectral_density",
    "weakness",
]

at_home(__name__, globals())
