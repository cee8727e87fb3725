"""Measures of recommendations: how many of the held-out items are among the first ``k``."""

from numbers import Integral

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d

from ._entries import entries_of, sorted_codes


def _precision(hits, n_relevant):
    return hits.mean(axis=1)


def _recall(hits, n_relevant):
    return hits.sum(axis=1) / n_relevant


def _hit_rate(hits, n_relevant):
    return hits.any(axis=1)


def _ndcg(hits, n_relevant):
    gains = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    best = np.cumsum(gains)[np.minimum(n_relevant, hits.shape[1]) - 1]
    return hits @ gains / best


def _average_precision(hits, n_relevant):
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return (precision * hits).sum(axis=1) / np.minimum(n_relevant, hits.shape[1])


#: Name to a function of the hits, an array of bool of shape (n_users, k), and of the number of
#: relevant items of every user. It returns a value for every user.
RANKING_MEASURES = {
    "precision": _precision,
    "recall": _recall,
    "ndcg": _ndcg,
    "map": _average_precision,
    "hit_rate": _hit_rate,
}


def ranking_report(estimator, X, y=None, *, k=10, threshold=None):
    """All ranking measures of a fitted estimator on held-out entries.

    The relevant items of a user are the user's held-out items, or those with values of at least
    ``threshold``. The estimator recommends ``k`` items to every user with relevant items, without
    those that the user has seen in training. Measures are means over these users:

    * ``precision``: the share of the ``k`` items that are relevant (hits);
    * ``recall``: the share of the relevant items that are hits;
    * ``ndcg``: the sum of ``1 / log2(1 + rank)`` over the hits, divided by the largest possible
      sum;
    * ``map``: the sum over the hits of the precision up to their rank, divided by the largest
      possible number of hits;
    * ``hit_rate``: the share of users with a hit.

    All are in [0, 1], and greater is better. An item that no training entry has cannot be
    recommended, but it counts as relevant. So does an item that the user has seen in training, if
    the data have the same entry twice.

    Parameters
    ----------
    estimator : object
        Fitted, with ``recommend(users, n)``. `FlatMatrixFactorization` needs ``keep_seen=True``.
    X : array-like of shape (n_observations, n_kinds)
        Held-out entries: users are in the first column and items in the second.
    y : array-like of shape (n_observations,), default=None
        Values. Used only with ``threshold``.
    k : int, default=10
        Number of recommendations.
    threshold : float, default=None
        The smallest relevant value.

    Returns
    -------
    dict of str to float
        The keys are those of ``RANKING_MEASURES``.

    Raises
    ------
    ValueError
        If no entry is relevant, or if ``y`` or ``k`` is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import FlatMatrixFactorization
    >>> from skflat.model_selection import LeaveKOut, ranking_report
    >>> X = np.argwhere(np.random.default_rng(0).random((40, 20)) < 0.3)
    >>> model = FlatMatrixFactorization(2, feedback="implicit", keep_seen=True, random_state=0)
    >>> train, test = next(LeaveKOut(random_state=0).split(X))
    >>> report = ranking_report(model.fit(X[train], np.ones(len(train))), X[test], k=5)
    >>> sorted(report)
    ['hit_rate', 'map', 'ndcg', 'precision', 'recall']
    """
    _check_number(k)
    users, relevant = _relevant(*entries_of(X), y, threshold)
    found = estimator.recommend(users, n=int(k))[0]
    hits = np.zeros((len(users), k), bool)
    for row, ids, items in zip(hits, _plain(found), relevant, strict=True):
        row[: len(ids)] = [item in items for item in ids]
    n_relevant = np.array([len(items) for items in relevant])
    return {
        name: float(np.mean(measure(hits, n_relevant)))
        for name, measure in RANKING_MEASURES.items()
    }


class RankingScorer:
    """A scorer of recommendations for ``scoring=`` of scikit-learn's searches.

    `LeaveKOut` and `LeaveLastOut` hold out entries of every user.

    Parameters
    ----------
    measure : {'ndcg', 'precision', 'recall', 'map', 'hit_rate'}, default='ndcg'
        The measure, see `ranking_report`.
    k : int, default=10
        Number of recommendations.
    threshold : float, default=None
        The smallest relevant value. None makes all held-out entries relevant.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skflat import FlatMatrixFactorization
    >>> from skflat.model_selection import LeaveKOut, RankingScorer
    >>> X = np.argwhere(np.random.default_rng(0).random((40, 20)) < 0.3)
    >>> model = FlatMatrixFactorization(2, feedback="implicit", keep_seen=True, random_state=0)
    >>> splits = LeaveKOut(n_splits=2, random_state=0)
    >>> search = GridSearchCV(
    ...     model, {"rho": [0.05, 0.2]}, scoring=RankingScorer("ndcg", k=5), cv=splits
    ... )
    >>> bool(0 <= search.fit(X, np.ones(len(X))).best_score_ <= 1)
    True
    """

    def __init__(self, measure="ndcg", k=10, threshold=None):
        if measure not in RANKING_MEASURES:
            raise ValueError(f"measure must be one of {list(RANKING_MEASURES)}, got {measure!r}.")
        _check_number(k)
        self.measure = measure
        self.k = k
        self.threshold = threshold

    def __call__(self, estimator, X, y=None):
        """The measure of a fitted estimator on held-out entries, a float in [0, 1]."""
        report = ranking_report(estimator, X, y, k=self.k, threshold=self.threshold)
        return report[self.measure]

    def __repr__(self):
        return f"RankingScorer({self.measure!r}, k={self.k!r}, threshold={self.threshold!r})"


def _check_number(k):
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be a positive whole number, got {k!r}.")


def _relevant(users, items, y, threshold):
    """The users with relevant items, and for each the set of these."""
    if threshold is not None:
        if y is None:
            raise ValueError(f"threshold={threshold!r} is a bound of y, but y is None.")
        y = column_or_1d(y, dtype=float)
        assert_all_finite(y, input_name="y")
        check_consistent_length(users, y)
        kept = y >= threshold
        users, items = users[kept], items[kept]
    if not len(users):
        raise ValueError(f"No held-out entry is relevant: none is at least {threshold!r}.")
    names, codes = sorted_codes(users, "Users")
    relevant = [set() for _ in names]
    for code, item in zip(codes.tolist(), _plain(items), strict=True):
        relevant[code].add(item)
    return names, relevant


def _plain(values):
    """A list of Python objects, where equal dates of different units are equal."""
    is_date = values.dtype.kind in "mM"
    return (values.astype(f"{values.dtype.kind}8[us]") if is_date else values).tolist()
