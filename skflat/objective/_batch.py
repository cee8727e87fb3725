"""Batches: the rows on which a loss and its gradient are taken."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(slots=True)
class Batch:
    """Some rows of the training data, with their weights.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        Inputs.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Targets in the form that the loss expects.
    weight : ndarray of shape (n_rows,) or None
        None means that every row has weight 1.
    whole : float or None
        If these rows are a part of a batch, the total weight of that batch. A penalty depends on
        the whole batch.
    """

    X: object
    y: np.ndarray
    weight: np.ndarray | None = None
    whole: float | None = None

    def __len__(self):
        return self.X.shape[0]

    @property
    def total_weight(self):
        """Sum of the weights, the divisor of a mean over the rows."""
        return len(self) if self.weight is None else float(self.weight.sum())

    def mean(self, values):
        """Weighted mean of one value per row. It is 0 if all weights are 0."""
        if self.weight is None:
            return float(values.mean())
        total = self.total_weight
        return float(values @ self.weight) / total if total > 0 else 0.0

    def pieces(self, size):
        """Consecutive pieces of at most ``size`` rows, as views."""
        for start in range(0, len(self), size):
            yield self.part(slice(start, start + size))

    def part(self, rows):
        """A slice of the rows, as views."""
        weight = None if self.weight is None else self.weight[rows]
        whole = self.total_weight if self.whole is None else self.whole
        return Batch(self.X[rows], self.y[rows], weight, whole)

    def shares(self, size):
        """The pieces, each with its share of the total weight. Shares are 0 if all weights are."""
        if len(self) <= size:
            yield 1.0, self
            return
        total = self.total_weight
        for piece in self.pieces(size):
            yield (piece.total_weight / total if total > 0 else 0.0), piece


def joined(arrays):
    """The rows of several arrays in one array. It is sparse if they are."""
    if len(arrays) == 1:
        return arrays[0]
    return sparse.vstack(arrays) if sparse.issparse(arrays[0]) else np.concatenate(arrays)


def take_rows(array, rows, name, work):
    """Rows of an array. A slice gives a view, indices of a dense array a copy in the workspace."""
    if array is None or isinstance(rows, slice) or sparse.issparse(array) or work is None:
        return None if array is None else array[rows]
    out = work.array(name, (len(rows), *array.shape[1:]), array.dtype)
    # mode="clip" lets numpy write straight into ``out``; the rows are known to be valid.
    return array.take(rows, axis=0, out=out, mode="clip")
