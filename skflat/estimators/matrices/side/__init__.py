"""What is known of users and items in addition to their observations: features, and times."""

from ._described import Described, coefficients, with_described
from ._times import Timed

__all__ = ["Described", "Timed", "coefficients", "with_described"]
