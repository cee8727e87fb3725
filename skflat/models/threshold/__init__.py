"""Threshold units with weights on a sphere or in {-1, +1}, and message passing on them."""

from ._committee import Committee
from ._flips import Flips, flip_error
from ._free_threshold import N_BITS, FreeThreshold, nearest_bits, threshold_bits
from ._max_sum import max_sum_messages
from ._messages import BeliefPropagation
from ._patterns import Patterns, counting_weight, majority
from ._problems import Problems
from ._sphere import Cube, Sphere
from ._stability_loss import StabilityLoss
from ._threshold import best_threshold, winning_threshold

__all__ = [
    "N_BITS",
    "BeliefPropagation",
    "Committee",
    "Cube",
    "Flips",
    "FreeThreshold",
    "Patterns",
    "Problems",
    "Sphere",
    "StabilityLoss",
    "best_threshold",
    "counting_weight",
    "flip_error",
    "majority",
    "max_sum_messages",
    "nearest_bits",
    "threshold_bits",
    "winning_threshold",
]
