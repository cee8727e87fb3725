"""The granulated coefficient: how a measure ranks networks that differ in one hyper-parameter."""

import numpy as np

from ._pairs import pair_mean


def along(levels, seeds):
    """The pairs of networks that differ on one axis only, by axis.

    Parameters
    ----------
    levels : ndarray of int of shape (n_axes, n)
        The place of every network on each axis.
    seeds : ndarray of shape (n,)
        Both of a pair have the same seed, so they started alike if their shapes allow it.

    Returns
    -------
    list of tuple of ndarray of int of shape (n_pairs,)
        For each axis the first and the second networks.
    """
    differs = levels[:, :, None] != levels[:, None, :]
    n_differences = differs.sum(axis=0) + (seeds[:, None] != seeds[None, :])
    return [np.nonzero(np.triu(each & (n_differences == 1))) for each in differs]


def granulated(agreement, axes, weights=None):
    """Mean agreement along every axis, and the mean of these over the axes.

    Parameters
    ----------
    agreement : ndarray of shape (n, n)
        As in `pair_mean`.
    axes : list of tuple of ndarray
        From `along`.
    weights : ndarray of shape (n_resamples, n), default=None

    Returns
    -------
    by_axis : ndarray of shape (n_axes, n_resamples)
        NaN for an axis without pairs.
    mean : ndarray of shape (n_resamples,)
        NaN if no axis has pairs.
    """
    n_resamples = 1 if weights is None else len(weights)
    by_axis = np.array([pair_mean(agreement, pairs, weights) for pairs in axes])
    by_axis = by_axis.reshape(len(axes), n_resamples)
    n_known = np.isfinite(by_axis).sum(axis=0)
    total = np.nansum(by_axis, axis=0)
    return by_axis, np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)
