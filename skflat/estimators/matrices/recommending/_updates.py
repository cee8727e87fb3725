"""Updates of a factorization by alternating least squares: what they need and what they touch."""

import numpy as np

from ....solvers import ALS
from ..._pipeline import is_stochastic


def updates(estimator):
    """Whether ``partial_fit`` is available. This is the condition for ``available_if``.

    Parameters
    ----------
    estimator : FlatMatrixFactorization

    Returns
    -------
    bool
    """
    if not isinstance(estimator._solver(), ALS):
        return is_stochastic(estimator)
    if not estimator.keep_seen:
        raise AttributeError(
            "partial_fit of 'als' needs all observations of what it solves for: set keep_seen=True "
            "before the first call, or take a stochastic optimizer."
        )
    return True


def touched_by(codes, sizes):
    """A mask for every kind: the entities that occur in some observations.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_kinds)
    sizes : sequence of int

    Returns
    -------
    list of ndarray of bool
    """
    return [
        np.bincount(column, minlength=size) > 0 for column, size in zip(codes.T, sizes, strict=True)
    ]
