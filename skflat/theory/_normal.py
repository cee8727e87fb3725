"""Averages over standard normal variables, and the functions under them."""

import functools

import numpy as np
from scipy.special import entr, erfcx, log_ndtr

from ._checks import check_reals


@functools.cache
def normal_grid(reach, n_nodes):
    """Nodes in ``[-reach, reach]`` and the weights that average over a standard normal variable.

    The rule is the trapezoidal rule. For functions analytic in a strip around the real axis its
    error falls exponentially with the number of nodes. It also works for ``q`` near 1, where
    Gauss-Hermite nodes are too sparse near 0.
    """
    z, step = np.linspace(-reach, reach, n_nodes, retstep=True)
    weights = step * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    for array in (z, weights):
        array.flags.writeable = False  # the cache returns the same arrays to every caller
    return z, weights


def crowded_grid(centres, width, reach=9, n_nodes=121):
    """Nodes that are dense around each centre, one row per centre, and their weights.

    They are for functions that change within ``width`` of the centre. The nodes are
    ``centre + width sinh(y)`` with ``y`` evenly spaced, out to ``reach`` in both directions. The
    weights are those of the trapezoidal rule divided by ``sqrt(2 pi)``. The caller supplies the
    factor ``exp(-z^2 / 2)``.
    """
    end = np.arcsinh((reach + np.abs(centres).max()) / width)
    y, step = np.linspace(-end, end, n_nodes, retstep=True)
    return (
        centres[:, None] + width * np.sinh(y),
        step * width * np.cosh(y) / np.sqrt(2 * np.pi),
    )


def log_tail(x):
    """``ln H(x)`` with ``H`` the upper tail of the standard normal distribution."""
    return log_ndtr(-x)


def tail(x):
    """``H(x)``."""
    return np.exp(log_tail(x))


def hazard(x):
    """``G(x) / H(x)``, with ``G`` the standard normal density: minus the slope of `log_tail`."""
    # The scaled function erfcx: density and tail both underflow for large x, their ratio does not.
    return np.sqrt(2 / np.pi) / erfcx(x / np.sqrt(2))


def log_2cosh(x):
    """``ln(2 cosh(x))`` without overflow."""
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))


def weighted_mean(log_weight, *values):
    """``ln sum(w)`` over the last axis, and the means of some values under the weights ``w``."""
    top = log_weight.max(axis=-1, keepdims=True)
    weight = np.exp(log_weight - top)
    total = weight.sum(axis=-1)
    means = [(weight * value).sum(axis=-1) / total for value in values]
    return np.log(total) + top[..., 0], *means


def hamming_entropy(distance):
    """Log-number, per weight, of binary weights at a distance: ``-d ln d - (1-d) ln(1-d)``.

    Parameters
    ----------
    distance : float or array-like
        Share of weights that differ, in [0, 1].

    Returns
    -------
    entropy : float or ndarray
        In natural units: ``ln 2`` at a half.

    Examples
    --------
    >>> from skflat.theory import hamming_entropy
    >>> hamming_entropy([0.1, 0.5]).round(4)
    array([0.3251, 0.6931])
    """
    d = check_reals("distance", distance, 0, 1, closed="both")
    return (entr(d) + entr(1 - d))[()]
