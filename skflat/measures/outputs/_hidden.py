"""The last hidden layer on the rows, a chunk at a time."""

import numpy as np
from scipy import sparse

from ...objective import CHUNK, HiddenLayer
from .._memory import at_once


def dense(a):
    """A dense array. Without a hidden layer, sparse inputs take its place.

    Parameters
    ----------
    a : ndarray or sparse matrix

    Returns
    -------
    ndarray
    """
    return a.toarray().astype(float) if sparse.issparse(a) else a.astype(float, copy=False)


def hidden_width(objective, w):
    """Units of the last hidden layer."""
    return len(objective.capability(HiddenLayer).head(w))


def hidden_range(objective, w):
    """Least and greatest value of every unit of the last hidden layer."""
    least, greatest = np.inf, -np.inf
    for piece in objective.data.pieces(at_once(hidden_width(objective, w), CHUNK)):
        a = dense(objective.capability(HiddenLayer).features(w, piece.X))
        least, greatest = np.minimum(least, a.min(axis=0)), np.maximum(greatest, a.max(axis=0))
    return least, greatest


class Features:
    """The outputs of a function on the rows of a batch, in pieces and never as a whole.

    Parameters
    ----------
    outputs : callable
        From inputs to an array of shape (n_rows, width).
    width : int
    batch : Batch
    """

    def __init__(self, outputs, width, batch):
        self.outputs, self.width, self.batch = outputs, width, batch

    def covariance(self):
        """Weighted covariance, shape (width, width)."""
        # Two passes: the mean first. The one-pass formula ``E a^2 - (E a)^2`` would cancel.
        mean = self._mean()
        return sum((a.T * weight) @ a for a, weight in self._pieces(mean))

    def gram(self, normalize=False):
        """Inner products of the centred rows, each times the root of its weight.

        Up to zeros, the eigenvalues of this matrix are those of the covariance. If there are fewer
        rows than features, this matrix is smaller. With ``normalize`` the features are first
        divided by their standard deviations.
        """
        # Blocks of rows against blocks of rows; symmetry gives the other half.
        mean, scale = self._mean(), 1.0
        if normalize:
            spread = np.sqrt(sum(weight @ a**2 for a, weight in self._pieces(mean)))
            scale = 1 / np.where(spread == 0, 1.0, spread)
        products, start = np.empty((len(self.batch),) * 2), 0
        for left in self._weighted(mean, scale):
            end, place = start + len(left), 0
            for right in self._weighted(mean, scale):
                if place > start:
                    break
                block = slice(start, end), slice(place, place + len(right))
                products[block] = left @ right.T
                products[block[::-1]] = products[block].T
                place += len(right)
            start = end
        return products

    def _mean(self):
        return sum(weight @ a for a, weight in self._pieces(0.0))

    def _weighted(self, mean, scale):
        for a, weight in self._pieces(mean):
            a *= scale
            a *= np.sqrt(weight)[:, None]
            yield a

    def _pieces(self, mean):
        """The features around a mean, and the rows' shares of the whole weight, by chunks."""
        for share, piece in self.batch.shares(at_once(self.width, CHUNK)):
            weight = np.ones(len(piece)) if piece.weight is None else piece.weight
            yield self.outputs(piece.X) - mean, share * weight / (weight.sum() or 1.0)
