"""Measures that search for the worst displacement."""

from ._adaptive_sharpness import AdaptiveSharpness, adaptive_sharpness
from ._flatter import FlatnessOrder, flatter
from ._level_set import LevelSetDistance, level_set_distance
from ._maximal_variation import MaximalVariation, maximal_variation

__all__ = [
    "AdaptiveSharpness",
    "FlatnessOrder",
    "LevelSetDistance",
    "MaximalVariation",
    "adaptive_sharpness",
    "flatter",
    "level_set_distance",
    "maximal_variation",
]
