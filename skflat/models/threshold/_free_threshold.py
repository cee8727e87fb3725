"""The rows of a perceptron whose threshold is free."""

import numpy as np

from ._patterns import Patterns
from ._threshold import best_threshold, least_violated

N_BITS = 6  # of a threshold that is made up of weights


class FreeThreshold(Patterns):
    """Rows of a perceptron beside whose weights there is a threshold, any real number.

    The fields are those without it. Weights violate as many rows as they do with the threshold that
    is best for them.

    Parameters
    ----------
    xi : ndarray of shape (1, n_rows, n_inputs)
        Inputs times label.
    labels : ndarray of shape (n_rows,)
        -1 or +1: what the threshold counts in each row.
    bar : float, default=0.0
    weight : ndarray of shape (n_rows,), default=1.0
    """

    def __init__(self, xi, labels, bar=0.0, weight=1.0):
        super().__init__(xi, bar=bar, weight=weight)
        self.labels = labels

    def n_short(self, fields):
        return least_violated(self.labels * fields[0], self.labels > 0, self.bar, self.weight)

    def leads(self, fields):
        positive = self.labels > 0
        threshold = best_threshold(self.labels * fields[0], positive, self.bar, self.weight)
        return fields + threshold * self.labels - self.bar

    def in_bits(self):
        """The same for a solver that knows weights only."""
        return _ThresholdInBits(self)


class _ThresholdInBits(Patterns):
    """The threshold as further weights, with constant inputs; they do not count in the end."""

    def __init__(self, free):
        bits = threshold_bits(free.shape[1]).astype(free.xi.dtype) * free.labels[:, None]
        xi = np.concatenate([free.xi, bits[None]], axis=2)
        super().__init__(xi, bar=free.bar, weight=free.weight)
        self.free = free

    def n_violated(self, w):
        return self.free.n_violated(np.ravel(w)[: self.free.shape[1]])


def threshold_bits(n_inputs, n_bits=N_BITS):
    """Values of the constant inputs that make up a threshold: a binary fraction of sqrt(n)."""
    return np.sqrt(n_inputs) * 0.5 ** np.arange(1, n_bits + 1)
