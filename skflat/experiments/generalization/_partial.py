"""Partial rank correlations."""

import numpy as np
from scipy.stats import rankdata


def partial_rank(first, second, given):
    """Spearman's correlation of two columns, others held fixed.

    Parameters
    ----------
    first, second : ndarray of shape (n,)
    given : sequence of ndarray of shape (n,)

    Returns
    -------
    float
        NaN if the others explain all of one of the two.
    """
    if len(first) < 2:
        return np.nan
    ranks = rankdata(np.stack([first, second, *given]), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    pair, fixed = ranks[:2], ranks[2:]
    # Collinear columns do no harm to least squares by the singular values.
    rest = pair - (np.linalg.lstsq(fixed.T, pair.T, rcond=1e-10)[0].T @ fixed if len(fixed) else 0)
    left, before = np.sum(rest**2, axis=1), np.sum(pair**2, axis=1)
    if not (left > 1e-9 * before).all():
        return np.nan
    return float(rest[0] @ rest[1] / np.sqrt(left.prod()))
