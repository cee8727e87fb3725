"""One-vs-rest problems on the same rows, to solve together."""

import numpy as np

from ._free_threshold import FreeThreshold, threshold_bits
from ._patterns import Patterns
from ._threshold import least_violated_of_each


class Problems(Patterns):
    """The `Patterns` of several problems that have all rows in common, and differ in the labels.

    Arrays of weights, fields and counts have the problems as their first axis. The rows are stored
    once, without labels. So a product for all problems is one product of two matrices.

    Parameters
    ----------
    X : ndarray of shape (n_units, n_rows, n_inputs)
        Inputs without labels. If the first axis has length 1, all units see the same inputs.
    signs : ndarray of shape (n_problems, n_rows)
        Labels -1 or +1.
    n_units, bar, weight
        As in `Patterns`.
    is_free : bool, default=False
        Whether there is a threshold beside the weights, see `FreeThreshold`.
    """

    def __init__(self, X, signs, n_units=None, bar=0.0, weight=1.0, is_free=False):
        super().__init__(X, n_units, bar, weight=weight)
        self.signs, self.is_free = signs, is_free
        self.labels = signs if is_free else None

    def __len__(self):
        return len(self.signs)

    def __getitem__(self, k):
        """The patterns of one problem."""
        xi = self.signs[k][:, None] * self.xi
        if self.is_free:
            return FreeThreshold(xi, self.signs[k], self.bar, self.weight)
        return Patterns(xi, self.n_units, self.bar, weight=self.weight)

    def only(self, some):
        """Some of the problems."""
        signs = self.signs[some]
        return Problems(self.xi, signs, self.n_units, self.bar, self.weight, self.is_free)

    def in_bits(self):
        """The same problems for a solver that has only weights."""
        return _ProblemsInBits(self)

    def repeated(self, start):
        return np.repeat(start[None], len(self), axis=0)

    def take(self, rows):
        weight = self.weight if np.ndim(self.weight) == 0 else self.weight[rows]
        return Problems(self.xi[:, rows], self.signs[:, rows], self.n_units, self.bar, weight)

    def inputs(self, rows):
        return self.signs[:, None, rows, None] * self.xi[:, rows]

    def row(self, row):
        return self.signs[:, row, None] * self.matrix[row]

    def projections(self, a, rows=slice(None)):
        return self.signs[:, rows] * (a @ self.matrix[rows].T)

    def fields(self, w):
        w = np.reshape(w, (len(self), *self.shape)).astype(self.xi.dtype, copy=False)
        if len(self.xi) == 1:
            fields = w @ self.matrix.T
        else:  # every unit has a matrix of its own
            fields = np.matmul(w.swapaxes(0, 1), self.xi.swapaxes(1, 2)).swapaxes(0, 1)
        return self.signs[:, None] * fields

    def columns(self, g, rows=slice(None)):
        return (self.signs[:, rows] * g) @ self.matrix[rows]

    def columns_of_units(self, g):
        g = self.signs[:, None] * g
        if len(self.xi) == 1:
            return g @ self.matrix
        return np.matmul(g.swapaxes(0, 1), self.xi).swapaxes(0, 1)

    def satisfied(self, fields):
        return super().satisfied(fields.swapaxes(0, 1))

    def n_short(self, fields):
        if not self.is_free:
            return self.count(~self.satisfied(fields))
        positive = self.signs > 0
        return least_violated_of_each(self.signs * fields[:, 0], positive, self.bar, self.weight)


class _ProblemsInBits(Problems):
    """Thresholds as further weights with constant inputs, for the search only."""

    def __init__(self, free):
        bits = threshold_bits(free.shape[1]).astype(free.xi.dtype)
        constants = np.broadcast_to(bits, (1, free.n_rows, len(bits)))
        X = np.concatenate([free.xi, constants], axis=2)
        super().__init__(X, free.signs, bar=free.bar, weight=free.weight)
        self.free = free

    def n_violated(self, w):
        n_inputs = self.free.shape[1]
        return self.free.n_violated(np.reshape(w, (len(self), -1))[:, :n_inputs])
