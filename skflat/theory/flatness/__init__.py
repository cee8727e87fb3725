"""Rules and closed forms of flatness: how the variation of a function follows from its parts.

The variation ``f°(x, r)`` is the most that ``f`` changes within the distance ``r`` of a point
``x``, as a function of ``r`` (Josz, arXiv:2509.11386).
"""

from ._calculus import (
    composed_variation,
    level_distance,
    linear_variation,
    quadratic_variation,
    scaled_variation,
    separable_variation,
    sum_bound,
    variation_through,
)
from ._deep_linear import (
    balanced_spectrum,
    balanced_variation,
    deep_linear_spectrum,
    deep_linear_trace,
    deep_scalar_variation,
)

__all__ = [
    "balanced_spectrum",
    "balanced_variation",
    "composed_variation",
    "deep_linear_spectrum",
    "deep_linear_trace",
    "deep_scalar_variation",
    "level_distance",
    "linear_variation",
    "quadratic_variation",
    "scaled_variation",
    "separable_variation",
    "sum_bound",
    "variation_through",
]
