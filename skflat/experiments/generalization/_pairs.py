"""Signs of differences between networks, and sums over pairs of them that a bootstrap weights."""

import numpy as np
from scipy.stats import rankdata

N_RESAMPLES = 500
#: Ends of a 95 % percentile interval.
ENDS = (2.5, 97.5)


def signs(values):
    """Sign of every difference ``values[j] - values[i]``, shape (n, n); infinities are equal."""
    ranks = rankdata(values).astype(np.float32)
    return np.sign(ranks[None, :] - ranks[:, None])


def resamples(groups):
    """How often each network is in every bootstrap sample, shape (n_resamples, n).

    Whole groups are drawn with replacement. The networks of one setting stay together, since they
    are no independent evidence about the settings. A single group is divided into its networks.

    Parameters
    ----------
    groups : ndarray of int of shape (n,)
        The group of every network, numbered from 0.
    """
    groups = groups if groups.max(initial=0) > 0 else np.arange(len(groups))
    n_groups = groups.max(initial=0) + 1
    rng = np.random.default_rng(0)  # the same runs always have the same interval
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=N_RESAMPLES)
    return drawn[:, groups].astype(np.float32)


def interval(draws):
    """The two ends of a percentile interval; NaN if the statistic has a value in no draw."""
    known = draws[np.isfinite(draws)]
    return tuple(np.percentile(known, ENDS).tolist()) if len(known) else (np.nan, np.nan)


def tau_b(measure, outcome, weights=None):
    """Kendall's tau-b from two tables of signs: pairs that agree, corrected for ties.

    Parameters
    ----------
    measure, outcome : ndarray of shape (n, n)
        From `signs`.
    weights : ndarray of shape (n_resamples, n), default=None
        How often each network counts. None counts each once.

    Returns
    -------
    ndarray of shape (n_resamples,)
        NaN if one of the two is constant. Without weights there is one value.
    """
    weights = np.ones((1, len(measure)), np.float32) if weights is None else weights
    both, one, other = (
        # ``c' M c``. The entries and partial sums are integers, which float32 holds exactly.
        np.einsum("bi,bi->b", weights @ matrix, weights, dtype=float)
        for matrix in (measure * outcome, measure**2, outcome**2)
    )
    return _ratio(both, np.sqrt(one * other))


def pair_mean(agreement, pairs, weights=None):
    """Mean of some pairs' agreement.

    Parameters
    ----------
    agreement : ndarray of shape (n, n)
        The product of the two signs of a pair: 1 if both agree, -1 if not, 0 for a tie.
    pairs : tuple of ndarray of int of shape (n_pairs,)
        The networks of every pair.
    weights : ndarray of shape (n_resamples, n), default=None
        As in `tau_b`.

    Returns
    -------
    ndarray of shape (n_resamples,)
        NaN if there is no pair. Without weights there is one value.
    """
    first, second = pairs
    weights = np.ones((1, len(agreement)), np.float32) if weights is None else weights
    counts = (weights[:, first] * weights[:, second]).astype(float)
    return _ratio(counts @ agreement[first, second].astype(float), counts.sum(axis=1))


def _ratio(above, below):
    """The ratio, NaN where its denominator is 0."""
    return np.where(below > 0, above / np.where(below > 0, below, 1), np.nan)
