"""What is known of users and items in addition to their observations: features."""

from ._described import Described, coefficients, with_described

__all__ = ["Described", "coefficients", "with_described"]
