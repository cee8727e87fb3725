"""Sign errors over environments: pairs of settings that differ in one hyper-parameter."""

from itertools import combinations

import numpy as np


def clear_pairs(outcome, error, n_errors=2):
    """Which pairs of networks differ in the outcome by more than the chance of the test rows.

    Parameters
    ----------
    outcome : ndarray of shape (n,)
    error : ndarray of shape (n,)
        Standard errors. NaN counts as 0: then all pairs but ties are clear.
    n_errors : float, default=2

    Returns
    -------
    ndarray of bool of shape (n, n)
    """
    error = np.nan_to_num(error)
    both = np.hypot(error[:, None], error[None, :])
    # Equal infinities differ by NaN, which is not clear.
    return np.abs(outcome[:, None] - outcome[None, :]) > n_errors * both


def environments(levels):
    """The environments of some networks.

    Parameters
    ----------
    levels : ndarray of int of shape (n_axes, n)
        The place of every network on each axis.

    Yields
    ------
    axis : int
    ends : tuple of int
        The two places on the axis.
    others : tuple of int
        The places on all other axes.
    first, second : ndarray of int
        Indices of the networks with each of the two settings, of all seeds.
    """
    for axis in range(len(levels)):
        others = np.delete(levels, axis, axis=0)
        groups, group = np.unique(others, axis=1, return_inverse=True)
        for number in range(groups.shape[1]):
            inside = np.flatnonzero(group.ravel() == number)
            places = np.unique(levels[axis, inside])
            for ends in combinations(places.tolist(), 2):
                first, second = (inside[levels[axis, inside] == end] for end in ends)
                yield axis, ends, tuple(groups[:, number].tolist()), first, second


def sign_error(agreement, clear, first, second):
    """Share of the clear pairs that a measure orders wrongly; a tie is half an error.

    Returns
    -------
    error : float
        NaN if there is no clear pair.
    n_pairs : int
    """
    inside = clear[np.ix_(first, second)]
    n_pairs = int(inside.sum())
    if not n_pairs:
        return np.nan, 0
    return float((1 - agreement[np.ix_(first, second)][inside].mean()) / 2), n_pairs
