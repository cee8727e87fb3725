"""What the order by a measure tells of the order by an outcome, hyper-parameters being known."""

from itertools import combinations

import numpy as np


def conditional_information(measure, outcome, levels, most=2):
    """Normalised mutual information of the two orders, given the worst hyper-parameters.

    For a pair of networks let ``V`` be the sign of the difference in the measure and ``G`` that in
    the outcome. The result is the least of ``I(V; G | U) / H(G | U)`` over all sets ``U`` of at
    most ``most`` hyper-parameters, whose values are known of both networks.

    Parameters
    ----------
    measure, outcome : ndarray of shape (n, n)
        Signs of differences. A pair that ties in the outcome is left out. One that ties in the
        measure is a third value of ``V``.
    levels : ndarray of int of shape (n_axes, n)
        The place of every network on each axis.

    Returns
    -------
    float
        Between 0 and 1. NaN if the outcome has no order left that could be told.
    """
    # A sign of the outcome is one of two, so a pair and its mirror image say the same: both are in.
    pairs = outcome != 0
    symbols = (3 * (outcome[pairs] > 0) + measure[pairs] + 1).astype(np.intp)
    found = [
        _share_told(symbols, _known(levels[list(chosen)], pairs))
        for size in range(most + 1)
        for chosen in combinations(range(len(levels)), size)
    ]
    found = [each for each in found if np.isfinite(each)]
    return float(min(found)) if found else np.nan


def _known(levels, pairs):
    """One number for what is known of both networks of every pair."""
    _, code = np.unique(levels, axis=1, return_inverse=True)
    code = code.ravel() if len(levels) else np.zeros(levels.shape[1], np.intp)
    n_codes = code.max(initial=0) + 1
    return (code[:, None] * n_codes + code[None, :])[pairs]


def _share_told(symbols, known):
    """``I(V; G | U) / H(G | U)`` from six symbols of (G, V), and the number of each pair's U."""
    counts = np.bincount(6 * known + symbols, minlength=6 * (known.max(initial=0) + 1))
    table = counts.reshape(-1, 2, 3).astype(float)  # of (U, G, V)
    left = _entropy(table.sum(axis=2)) - _entropy(table.sum(axis=(1, 2))[:, None])
    if left <= 1e-9 * counts.sum():
        return np.nan
    told = _entropy(table.reshape(len(table), -1)) - _entropy(table.sum(axis=1))
    return max(0.0, 1 - told / left)


def _entropy(counts):
    """``-sum n log n``: joint entropies up to factors that a ratio does not have."""
    counts = counts[counts > 0]
    return -float(counts @ np.log(counts))
