"""The effect of random flips on a machine with weights in {-1, +1}."""

import numpy as np
from scipy.special import ndtr

from ._patterns import majority


class Flips:
    """The probability that each row is violated after random flips of the weights.

    By the central limit theorem the field of every unit is approximately normal. ``distance`` is
    the probability that a weight flips. The mean of the field is ``(1 - 2 distance) xi @ w`` and
    its variance is ``4 distance (1 - distance) xi @ xi``. The units are independent, and the
    majority is computed exactly.

    The products with the patterns are computed once for all distances.

    Parameters
    ----------
    patterns : Patterns
    w : ndarray of shape (n_units, n_inputs)
    """

    def __init__(self, patterns, w):
        xi = patterns.xi
        self.fields = patterns.fields(w).astype(float)
        squares = np.einsum("kri,kri->kr", xi, xi).astype(float)
        # A row of zeros has the variance 0, which is kept positive for the division.
        self.squares = np.maximum(squares, np.finfo(float).tiny)
        # The inputs of many problems together would not fit into memory.
        self.patterns = patterns.without_inputs()

    def error(self, distance):
        """Probability that each row is violated; ``distance`` is in [0, 1/2]."""
        patterns = self.patterns
        if distance == 0:
            return 1.0 - patterns.satisfied(self.fields)
        # Thresholds do not flip, so the offset stays out of the shrinking part of the field.
        mean = (1 - 2 * distance) * (self.fields - patterns.offset) + patterns.offset
        sd = np.sqrt(4 * distance * (1 - distance) * self.squares)
        if patterns.n_units == 1:
            return ndtr((patterns.bar - mean[0]) / sd[0])
        return 1 - majority(ndtr(mean / sd))[0]


def flip_error(patterns, w, distance):
    """Probability that each row is violated if each weight is flipped with some probability.

    Parameters
    ----------
    patterns : Patterns
    w : ndarray of shape (n_units, n_inputs)
    distance : float
        The probability of a flip, in [0, 1/2].

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    return Flips(patterns, w).error(distance)
