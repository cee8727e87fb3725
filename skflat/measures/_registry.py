"""The measures by name."""

from .binary import FlipDistance, FlipEnergy, LocalEntropy
from .curvature import (
    DominantSubspace,
    GradientNoise,
    HessianEigenvalues,
    HessianTrace,
    OrbitTrace,
    RelativeFlatness,
    SoftRank,
    SpectralDensity,
    TakeuchiCriterion,
)
from .noise import (
    LearningCoefficient,
    LocalEnergy,
    LocalVolume,
    MagnitudeSharpness,
    NoiseStability,
    PacBayesBound,
)
from .norms import FisherRaoNorm, PathNorm, SpectralNorms
from .outputs import EffectiveRank, LiveUnits, Margins, NormalizedMargin
from .search import AdaptiveSharpness, LevelSetDistance, MaximalVariation
from .weakness import Weakness

#: From the names in an estimator's ``measures`` to classes.
MEASURES = {
    "adaptive_sharpness": AdaptiveSharpness,
    "dominant_subspace": DominantSubspace,
    "effective_rank": EffectiveRank,
    "fisher_rao_norm": FisherRaoNorm,
    "flatness": LevelSetDistance,
    "gradient_noise": GradientNoise,
    "hessian_eigenvalues": HessianEigenvalues,
    "learning_coefficient": LearningCoefficient,
    "live_units": LiveUnits,
    "local_energy": LocalEnergy,
    "local_volume": LocalVolume,
    "magnitude_sharpness": MagnitudeSharpness,
    "margins": Margins,
    "maximal_variation": MaximalVariation,
    "noise_stability": NoiseStability,
    "normalized_margin": NormalizedMargin,
    "orbit_trace": OrbitTrace,
    "pac_bayes_bound": PacBayesBound,
    "path_norm": PathNorm,
    "relative_flatness": RelativeFlatness,
    "sharpness": HessianTrace,
    "soft_rank": SoftRank,
    "spectral_density": SpectralDensity,
    "spectral_norms": SpectralNorms,
    "takeuchi_criterion": TakeuchiCriterion,
    "weakness": Weakness,
}

#: The same for weights in {-1, +1}, which have neither a Hessian nor level sets.
BINARY_MEASURES = {
    "flatness": FlipDistance,
    "local_entropy": LocalEntropy,
    "sharpness": FlipEnergy,
}
