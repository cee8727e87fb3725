"""What is known of users and items in addition to their observations: features, and times."""

from ._described import Described, coefficients, with_described
from ._times import Timed, in_bins, without_times

__all__ = ["Described", "Timed", "coefficients", "in_bins", "with_described", "without_times"]
