"""Measures of the second derivatives."""

from ._dominant_subspace import DominantSubspace, dominant_subspace
from ._eigenvalues import (
    HessianEigenvalues,
    HessianProduct,
    eigenpairs,
    hessian_eigenvalues,
    products,
)
from ._flat_minimum import FlatMinimum, flat_minimum
from ._gradient_noise import GradientNoise, gradient_noise
from ._hessian_diagonal import Diagonal, hessian_diagonal
from ._hessian_trace import HessianTrace, hessian_trace
from ._lanczos import lanczos, largest_ritz
from ._orbit import OrbitMinimal, OrbitTrace, orbit_minimal, orbit_trace
from ._relative_flatness import RelativeFlatness, relative_flatness
from ._soft_rank import SoftRank, soft_rank
from ._spectral_density import SpectralDensity, spectral_density
from ._takeuchi import TakeuchiCriterion, takeuchi_criterion

__all__ = [
    "Diagonal",
    "DominantSubspace",
    "FlatMinimum",
    "GradientNoise",
    "HessianEigenvalues",
    "HessianProduct",
    "HessianTrace",
    "OrbitMinimal",
    "OrbitTrace",
    "RelativeFlatness",
    "SoftRank",
    "SpectralDensity",
    "TakeuchiCriterion",
    "dominant_subspace",
    "eigenpairs",
    "flat_minimum",
    "gradient_noise",
    "hessian_diagonal",
    "hessian_eigenvalues",
    "hessian_trace",
    "lanczos",
    "largest_ritz",
    "orbit_minimal",
    "orbit_trace",
    "products",
    "relative_flatness",
    "soft_rank",
    "spectral_density",
    "takeuchi_criterion",
]
