"""Checks of the arguments."""

import math
from numbers import Real

import numpy as np
from sklearn.utils import check_scalar


def check_real(name, value, low, high, closed="both"):
    """Return a number as a float. Outside the bounds, or if it is NaN, there is an error."""
    check_scalar(value, name, Real, min_val=low, max_val=high, include_boundaries=closed)
    if math.isnan(value):
        raise ValueError(f"{name} == nan, must be a number.")
    return float(value)


def check_reals(name, values, low, high, closed="neither"):
    """Apply `check_real` to every entry of an array of any shape. Return the array."""
    array = np.asarray(values, dtype=float)
    for value in array.ravel():
        check_real(name, value, low, high, closed)
    return array


def check_option(name, value, options):
    """Return the value if it is one of the options. Otherwise there is an error."""
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}; got {value!r}.")
    return value
