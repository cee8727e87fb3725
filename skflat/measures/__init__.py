"""What was found, in numbers: functions over fitted estimators, and scorer classes.

A new measure is one new file and one line in the registry, ``_registry.py``.
"""

from ._adaptive_sharpness import AdaptiveSharpness, adaptive_sharpness
from ._base import Measure, not_measured, sample_rows
from ._dominant_subspace import DominantSubspace, dominant_subspace
from ._effective_rank import EffectiveRank, effective_rank
from ._eigenvalues import (
    HessianEigenvalues,
    HessianProduct,
    eigenpairs,
    hessian_eigenvalues,
)
from ._extension import extension_size
from ._flip_distance import FlipDistance, flip_distance
from ._flip_energy import FlipEnergy, flip_energy
from ._gradient_noise import GradientNoise, gradient_noise
from ._hessian_trace import HessianTrace, hessian_trace
from ._learning_coefficient import LearningCoefficient, learning_coefficient
from ._level_set import LevelSetDistance, level_set_distance
from ._live_units import LiveUnits, live_units
from ._local_energy import LocalEnergy, local_energy
from ._local_entropy import LocalEntropy, local_entropy
from ._local_volume import LocalVolume, local_volume
from ._margins import Margins, margins
from ._maximal_variation import MaximalVariation, maximal_variation
from ._measurement import Measurement
from ._noise_stability import NoiseStability, noise_stability
from ._normalized_margin import NormalizedMargin, normalized_margin
from ._open_pairs import OpenPairs, open_pairs
from ._pac_bayes import PacBayesBound, pac_bayes_bound
from ._registry import BINARY_MEASURES, MEASURES
from ._relative_flatness import RelativeFlatness, relative_flatness
from ._report import Comparison, Report, check_measures, compare, flatness_report
from ._spectral_density import SpectralDensity, spectral_density
from ._weakness import Weakness, weakness
from ._witnesses import Refutation

__all__ = [
    "BINARY_MEASURES",
    "MEASURES",
    "AdaptiveSharpness",
    "Comparison",
    "DominantSubspace",
    "EffectiveRank",
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
    "pac_bayes_bound",
    "relative_flatness",
    "sample_rows",
    "spectral_density",
    "weakness",
]
