"""The rows of a perceptron with a free threshold."""

import numpy as np

from ._patterns import Patterns
from ._threshold import best_threshold, least_violated

N_BITS = 6  # number of weights that represent a threshold


class FreeThreshold(Patterns):
    """Rows of a perceptron that has a threshold, any real number, in addition to its weights.

    The fields do not include the threshold. The number of rows that weights violate is counted with
    the best threshold for these weights.

    Parameters
    ----------
    xi : ndarray of shape (1, n_rows, n_inputs)
        Inputs times label.
    labels : ndarray of shape (n_rows,)
        Labels -1 or +1. They are the coefficients of the threshold.
    bar : float, default=0.0
        The least field, see `Patterns`.
    weight : ndarray of shape (n_rows,), default=1.0
        How much every row counts, see `Patterns`.
    """

    def __init__(self, xi, labels, bar=0.0, weight=1.0):
        super().__init__(xi, bar=bar, weight=weight)
        self.labels = labels

    def n_short(self, fields):
        # The fields are times label. Another product with the label removes it.
        return least_violated(self.labels * fields[0], self.labels > 0, self.bar, self.weight)

    def leads(self, fields):
        positive = self.labels > 0
        threshold = best_threshold(self.labels * fields[0], positive, self.bar, self.weight)
        return fields + threshold * self.labels - self.bar

    def in_bits(self):
        """The same rows for a solver that has only weights."""
        return _ThresholdInBits(self)


class _ThresholdInBits(Patterns):
    """The threshold as further weights with constant inputs.

    They serve the search only. The result is counted with the best real threshold.
    """

    def __init__(self, free):
        bits = threshold_bits(free.shape[1]).astype(free.xi.dtype) * free.labels[:, None]
        xi = np.concatenate([free.xi, bits[None]], axis=2)
        super().__init__(xi, bar=free.bar, weight=free.weight)
        self.free = free

    def n_violated(self, w):
        return self.free.n_violated(np.ravel(w)[: self.free.shape[1]])


def threshold_bits(n_inputs, n_bits=N_BITS):
    """Values of the constant inputs that represent a threshold: a binary fraction of sqrt(n).

    Parameters
    ----------
    n_inputs : int
    n_bits : int, default=6

    Returns
    -------
    ndarray of shape (n_bits,)
    """
    # The field has the size sqrt(n), and so has the range of the threshold.
    return np.sqrt(n_inputs) * 0.5 ** np.arange(1, n_bits + 1)


def nearest_bits(thresholds, n_inputs, n_bits=N_BITS):
    """The bits, -1 or +1, whose sum with the values of `threshold_bits` is nearest to a threshold.

    Parameters
    ----------
    thresholds : ndarray
        Real thresholds, of any shape.
    n_inputs : int
    n_bits : int, default=6

    Returns
    -------
    ndarray of shape (..., n_bits)
    """
    rest = np.array(thresholds, float)
    bits = np.empty((*rest.shape, n_bits))
    for k, value in enumerate(threshold_bits(n_inputs, n_bits)):
        bits[..., k] = np.where(rest >= 0, 1, -1)
        rest -= value * bits[..., k]
    return bits
