"""Rank correlations, and bootstrap intervals of them and of other statistics."""

import numpy as np
from scipy.stats import bootstrap, rankdata

N_BOOTSTRAP = 2000


def partial_spearman(*columns, axis=-1):
    """Rank correlation of the first two columns, the others held fixed; vectorised."""
    ranks = rankdata(np.stack(np.broadcast_arrays(*columns), axis=-2), axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    # What is left of a correlation is read off the inverse, pseudo where a column is constant.
    precision = np.linalg.pinv(ranks @ ranks.swapaxes(-1, -2), hermitian=True)
    if len(columns) == 2:
        products = ranks @ ranks.swapaxes(-1, -2)
        scale = np.sqrt(products[..., 0, 0] * products[..., 1, 1])
        return products[..., 0, 1] / np.where(scale > 0, scale, 1)
    scale = np.sqrt(precision[..., 0, 0] * precision[..., 1, 1])
    return -precision[..., 0, 1] / np.where(scale > 0, scale, 1)


def with_interval(statistic, columns, paired=True):
    """A statistic of columns and its 95 % percentile interval."""
    columns = [np.asarray(column, dtype=float) for column in columns]
    found = bootstrap(
        columns,
        statistic,
        paired=paired,
        vectorized=True,
        n_resamples=N_BOOTSTRAP,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return float(statistic(*columns)), float(low), float(high)
