"""Splitters and scorers of recommendations."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate

from skflat import FlatMatrixFactorization
from skflat.model_selection import (
    RANKING_MEASURES,
    LeaveKOut,
    LeaveLastOut,
    RankingScorer,
    ranking_report,
)

RNG = np.random.default_rng(0)
USERS, ITEMS = 30, 15
LEFT, RIGHT = RNG.normal(size=(USERS, 2)), RNG.normal(size=(ITEMS, 2))
X = np.argwhere(LEFT @ RIGHT.T + 0.3 * RNG.normal(size=(USERS, ITEMS)) > 0.8)
X = X[RNG.permutation(len(X))]
TIMES = RNG.integers(50, size=len(X))
COUNTS = np.bincount(X[:, 0], minlength=USERS)
MODEL = FlatMatrixFactorization(
    2, feedback="implicit", keep_seen=True, alpha=1.0, measures=None, random_state=0
)


class Fixed:
    """Recommends the same items to everybody, and knows who was asked for."""

    def recommend(self, users, n):
        self.users = np.asarray(users).tolist()
        return np.tile([7, 3, 5, 1][:n], (len(users), 1)), None, None


# --- measures ---


def test_the_measures_by_hand():
    held_out = [[1, 3], [1, 5], [1, 9], [2, 7], [3, 8]]
    fixed = Fixed()
    found = ranking_report(fixed, held_out, k=3)
    assert fixed.users == [1, 2, 3]
    # The first user has hits at ranks 2 and 3 of three relevant items; the second one at rank 1.
    log = np.log2
    dcg = (1 / log(3) + 1 / log(4)) / (1 + 1 / log(3) + 1 / log(4))
    assert found == pytest.approx(
        {
            "precision": (2 / 3 + 1 / 3 + 0) / 3,
            "recall": (2 / 3 + 1 + 0) / 3,
            "ndcg": (dcg + 1 + 0) / 3,
            "map": ((1 / 2 + 2 / 3) / 3 + 1 + 0) / 3,
            "hit_rate": 2 / 3,
        }
    )
    assert RankingScorer("map", k=3)(fixed, held_out) == found["map"]


def test_only_values_from_the_threshold_on_are_relevant():
    fixed, held_out, y = Fixed(), [[1, 3], [1, 7], [2, 7]], [4, 3, 2]
    found = ranking_report(fixed, held_out, y, k=1, threshold=3)
    assert fixed.users == [1]
    assert (found["recall"], found["precision"]) == (0.5, 1.0)


@pytest.mark.parametrize("measure", RANKING_MEASURES)
def test_all_is_one_if_all_relevant_items_come_first(measure):
    perfect = [[1, 7], [1, 3], [2, 3], [2, 7]]
    assert RankingScorer(measure, k=2)(Fixed(), perfect) == pytest.approx(1)
    assert RankingScorer(measure, k=2)(Fixed(), [[1, 100]]) == 0


def test_fewer_items_than_asked_for_count_as_misses():
    """A masked recommendation is none."""
    pairs = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]])
    model = FlatMatrixFactorization(1, keep_seen=True, measures=None, random_state=0)
    model.fit(pairs, [1.0, 2.0, 1.0, 2.0, 3.0])
    found = ranking_report(model, [[0, 2], [1, 0]], k=10)
    assert found["precision"] == pytest.approx((1 / 10 + 0) / 2)
    assert found["hit_rate"] == 0.5


# --- splitters ---


def parts_of(splitter, **given):
    for train, test in splitter.split(X, **given):
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()
        assert not set(train) & set(test)
        yield train, test


def test_some_random_entries_of_every_user_are_left_out():
    splits = list(parts_of(LeaveKOut(2, n_splits=3, random_state=0)))
    for train, test in splits:
        assert_array_equal(np.bincount(X[test, 0], minlength=USERS), np.where(COUNTS > 2, 2, 0))
        assert len(train) + len(test) == len(X)
    assert len({tuple(test) for _, test in splits}) == len(splits) == 3
    again = list(LeaveKOut(2, n_splits=3, random_state=0).split(pd.DataFrame(X).astype(str)))
    assert_array_equal(np.bincount(X[again[0][1], 0], minlength=USERS) > 0, COUNTS > 2)


def test_the_last_entries_of_every_user_are_left_out():
    for s, (train, test) in enumerate(parts_of(LeaveLastOut(2, n_splits=2), groups=TIMES)):
        for user in range(USERS):
            own = np.flatnonzero(X[:, 0] == user)
            order = own[np.argsort(TIMES[own], kind="stable")]
            last = order[: len(order) - 2 * s] if s else order
            n = 2 if len(order) > 2 * (s + 1) else 0
            assert_array_equal(np.sort(last[len(last) - n :]), test[X[test, 0] == user])
            assert_array_equal(np.sort(last[: len(last) - n]), train[X[train, 0] == user])


def test_users_may_be_pairs():
    rows = [[("ann", 1), 1], [("ann", 2), 1], [("ann", 1), 2]]
    train, test = next(LeaveLastOut().split(rows, groups=[2, 0, 1]))
    assert (train.tolist(), test.tolist()) == ([1, 2], [0])


def test_times_may_be_dates():
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(TIMES, "D")
    for one, other in zip(
        parts_of(LeaveLastOut(), groups=TIMES), parts_of(LeaveLastOut(), groups=dates), strict=True
    ):
        assert_array_equal(one[1], other[1])


# --- inside scikit-learn ---


def test_it_ranks_better_than_chance_in_a_search():
    grid, y = {"rho": [0.02, 0.6]}, np.ones(len(X))
    search = GridSearchCV(MODEL, grid, scoring=RankingScorer(k=3), cv=LeaveKOut(random_state=0))
    search.fit(X, y)
    assert search.best_params_ == {"rho": 0.02}
    train, test = next(LeaveKOut(random_state=0).split(X))
    first = search.cv_results_["split0_test_score"][0]
    fitted = MODEL.set_params(rho=0.02).fit(X[train], y[train])
    assert first == ranking_report(fitted, X[test], k=3)["ndcg"]


def test_timestamps_go_through_cross_validation():
    given = {"scoring": RankingScorer("hit_rate", k=3), "cv": LeaveLastOut(n_splits=2)}
    plain = cross_val_score(MODEL, X, np.ones(len(X)), groups=TIMES, **given)
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(MODEL, X, np.ones(len(X)), params={"groups": TIMES}, **given)
    assert_allclose(routed, plain)
    many = cross_validate(
        MODEL, X, np.ones(len(X)), cv=LeaveKOut(n_splits=1, random_state=0), scoring=ranking_report
    )
    assert set(RANKING_MEASURES) <= {name.removeprefix("test_") for name in many}


BAD = [
    (lambda: RankingScorer("auc"), "measure must be one of"),
    (lambda: RankingScorer(k=0), "k must be a positive whole number, got 0"),
    (lambda: ranking_report(Fixed(), X, k=True), "k must be a positive whole number, got True"),
    (lambda: ranking_report(Fixed(), X, TIMES[1:], threshold=3), "inconsistent numbers of samples"),
    (lambda: ranking_report(Fixed(), X, TIMES * np.nan, threshold=3), "Input y contains NaN"),
    (lambda: ranking_report(Fixed(), [["ann", 1], [1, 2]]), "Users must be of one kind that has"),
    (lambda: next(LeaveKOut().split([["ann", 1], [None, 2]])), "and none may be missing"),
    (lambda: next(LeaveKOut().split(["ann", "ann", "bob"])), "a column of users and a column of"),
    (lambda: next(LeaveKOut().split(pd.Series([1, 1, 2]))), "a column of users and a column of"),
    (lambda: next(LeaveKOut().split([1, 1, 2])), "a column of users and a column of items"),
    (lambda: next(LeaveKOut().split(None)), "a column of users and a column of items"),
    (lambda: next(LeaveKOut().split([["ann", 1], ["bob"]])), "the same number of identifiers"),
    (lambda: next(LeaveLastOut().split(X, groups=[None, *TIMES[1:]])), "Times in groups must be"),
    (lambda: ranking_report(Fixed(), X, k=0), "k must be a positive whole number, got 0"),
    (lambda: ranking_report(Fixed(), [[1], [2]]), "a column of users and a column of items"),
    (lambda: ranking_report(Fixed(), []), "at least one observation"),
    (lambda: ranking_report(Fixed(), X, threshold=3), "a bound of y, but y is None"),
    (lambda: ranking_report(Fixed(), X, 0 * TIMES, threshold=3), "No held-out entry is relevant"),
    (lambda: next(LeaveKOut(0).split(X)), "k must be a positive whole number"),
    (lambda: next(LeaveKOut(1000).split(X)), "No user has enough entries to hold out 1000"),
    (lambda: next(LeaveLastOut().split(X)), "needs the times of all entries as groups"),
    (lambda: next(LeaveLastOut().split(X, groups=TIMES[1:])), "entries and"),
    (lambda: next(LeaveLastOut().split(X, groups=TIMES * np.nan)), "none may be missing"),
    (
        lambda: ranking_report(FlatMatrixFactorization(1, measures=None).fit(X, TIMES * 1.0), X),
        "fit with keep_seen=True",
    ),
]


@pytest.mark.parametrize(("call", "words"), BAD)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_bad_input_is_refused(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()
