"""Measures of weights in {-1, +1}."""

from ._flip_distance import FlipDistance, flip_distance
from ._flip_energy import FlipEnergy, flip_energy, is_binary
from ._local_entropy import LocalEntropy, local_entropy

__all__ = [
    "FlipDistance",
    "FlipEnergy",
    "LocalEntropy",
    "flip_distance",
    "flip_energy",
    "is_binary",
    "local_entropy",
]
