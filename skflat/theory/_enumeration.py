"""Exact geometry of the solutions of small perceptrons, by enumeration."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_X_y

from ._checks import check_real

MOST_WEIGHTS = 24
TIE = 1e-9  # sums that differ from the bound by less than this count as equal to it
CHUNK = 2**22  # pairs of solutions compared at a time


@dataclass(frozen=True)
class ExactSolutions:
    """All binary weights that classify some patterns with a margin.

    Attributes
    ----------
    weights : ndarray of shape (n_solutions, n_features), dtype int8
        One solution in each row, with entries -1 and +1. The rows are in binary order. +1 stands
        for the digit 1, and the first weight is the least significant digit.
    stability : ndarray of shape (n_solutions,)
        The least ``y w.x / sqrt(n_features)`` of each solution.
    """

    weights: np.ndarray
    stability: np.ndarray

    def __len__(self):
        return len(self.weights)

    def n_at_distance(self):
        """Number of solutions at each Hamming distance from each solution.

        Returns
        -------
        counts : ndarray of shape (n_solutions, n_features + 1)
            The first column is 1, for the solution itself. The cost is
            ``n_solutions^2 n_features``.
        """
        n_solutions, n = self.weights.shape
        W = self.weights.astype(np.float32)
        counts = np.empty((n_solutions, n + 1), dtype=int)
        rows = max(1, CHUNK // max(n_solutions, 1))
        for start in range(0, n_solutions, rows):
            distance = ((n - W[start : start + rows] @ W.T) / 2).astype(int)
            # One histogram for all rows: each row has its own range of bins.
            own = distance + (n + 1) * np.arange(len(distance))[:, None]
            histogram = np.bincount(own.ravel(), minlength=(n + 1) * len(distance))
            counts[start : start + rows] = histogram.reshape(-1, n + 1)
        return counts


def enumerate_solutions(X, y, margin=0.0):
    """All binary weights that classify the rows of ``X`` with a margin.

    For few weights, this is the exact counterpart of `typical_solutions` and `franz_parisi`. If the
    sign of a column changes or columns are permuted, the solutions change alike and all counts stay
    the same.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Patterns with at most 24 features.
    y : array-like of shape (n_samples,)
        Labels -1 and +1.
    margin : float, default=0.0
        Least stability ``y w.x / sqrt(n_features)``. With 0, stabilities must be above 0.

    Returns
    -------
    solutions : ExactSolutions
        The time is proportional to ``2^n_features n_samples``: 0.1 s for 20 features and 10 rows.

    Examples
    --------
    >>> from skflat.datasets import make_perceptron_storage
    >>> from skflat.theory import enumerate_solutions
    >>> X, y = make_perceptron_storage(15, alpha=0.4, random_state=0)
    >>> solutions = enumerate_solutions(X, y)
    >>> n_neighbours = solutions.n_at_distance()[:, 1]
    >>> len(solutions), int((n_neighbours == 0).sum())
    (897, 332)
    """
    X, y = check_X_y(X, y, dtype=float)
    n = X.shape[1]
    if n > MOST_WEIGHTS:
        raise ValueError(f"X has {n} features, must have <= {MOST_WEIGHTS} to enumerate weights.")
    if not np.isin(y, (-1, 1)).all():
        raise ValueError(f"y must be -1 and +1, got {np.unique(y)!r}.")
    margin = check_real("margin", margin, -np.inf, np.inf, closed="neither")
    fields, needed = y[:, None] * X, margin * np.sqrt(n)
    # Every weight vector is a first half and a second half. So the fields of 2^n vectors are sums
    # of two tables of 2^(n/2) columns each.
    low, high = _all_weights(n // 2), _all_weights(n - n // 2)
    from_low, from_high = fields[:, : n // 2] @ low.T, fields[:, n // 2 :] @ high.T
    index, stability = [], []
    for j, field in enumerate(from_high.T):
        least = (from_low + field[:, None]).min(axis=0)
        found = np.flatnonzero(least > TIE if margin == 0 else least >= needed - TIE)
        index.append(found + (j << (n // 2)))
        stability.append(least[found])
    bits = np.concatenate(index)[:, None] >> np.arange(n) & 1
    weights = (2 * bits - 1).astype(np.int8)
    return ExactSolutions(weights, np.concatenate(stability) / np.sqrt(n))


def _all_weights(n):
    return 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1
