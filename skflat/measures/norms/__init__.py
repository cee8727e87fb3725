"""Norms of the parameters, most of them of what no rescaling changes."""

from ._fisher_rao import FisherRaoNorm, fisher_rao_norm
from ._path_norm import PathNorm, path_norm
from ._spectral_norms import SpectralNorms, spectral_norms

__all__ = [
    "FisherRaoNorm",
    "PathNorm",
    "SpectralNorms",
    "fisher_rao_norm",
    "path_norm",
    "spectral_norms",
]
