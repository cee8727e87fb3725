"""What random flips do to a machine with weights in {-1, +1}."""

import numpy as np
from scipy.special import ndtr

from ._patterns import majority


class Flips:
    """Patterns and a machine: how probable each row is to be violated after random flips.

    By the central limit theorem for the field of every unit: where ``distance`` is the
    probability to flip, its mean is ``(1 - 2 distance) xi @ w`` and its variance
    ``4 distance (1 - distance) xi @ xi``. Units are independent, and their majority is exact.

    The products with the patterns are made once, whatever the number of distances.

    Parameters
    ----------
    patterns : Patterns
    w : ndarray of shape (n_units, n_inputs)
    """

    def __init__(self, patterns, w):
        xi = patterns.xi
        self.fields = patterns.fields(w).astype(float)
        squares = np.einsum("kri,kri->kr", xi, xi).astype(float)
        self.squares = np.maximum(squares, np.finfo(float).tiny)
        self.patterns = patterns.without_inputs()  # of many problems all would not fit into memory

    def error(self, distance):
        """Probability of every row to be violated; ``distance`` is in [0, 1/2]."""
        patterns = self.patterns
        if distance == 0:
            return 1.0 - patterns.satisfied(self.fields)
        mean = (1 - 2 * distance) * (self.fields - patterns.offset) + patterns.offset
        sd = np.sqrt(4 * distance * (1 - distance) * self.squares)
        if patterns.n_units == 1:
            return ndtr((patterns.bar - mean[0]) / sd[0])
        return 1 - majority(ndtr(mean / sd))[0]


def flip_error(patterns, w, distance):
    """Probability of every row to be violated when each weight is flipped with some probability.

    Parameters
    ----------
    patterns : Patterns
    w : ndarray of shape (n_units, n_inputs)
    distance : float
        In [0, 1/2].

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    return Flips(patterns, w).error(distance)
