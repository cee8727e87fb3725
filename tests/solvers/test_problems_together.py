"""Problems on the same rows, solved together, and the classifier that they form."""

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax
from sklearn.datasets import make_blobs
from storage import random_patterns

from skflat import FlatCommitteeClassifier, FlatPerceptronClassifier
from skflat.models.threshold import FreeThreshold, Patterns, Problems
from skflat.models.threshold._threshold import least_violated, least_violated_of_each
from skflat.solvers.binary import AMP, BINARY_SOLVERS, Auto, joint_descent
from skflat.solvers.binary._amp import Products
from skflat.solvers.binary.flips._joint_descent import _Joint, n_wrong

TOGETHER = {name: each for name, each in BINARY_SOLVERS.items() if each.together}
short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PLAIN = {"measures": None, "random_state": 0}


def labels(n_rows, n_problems=3, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (n_problems, n_rows))


def table(n_rows=40, n=15, seed=0):
    return np.random.default_rng(seed).standard_normal((n_rows, n))


def assert_each_is_solved_as_alone(solver, problems, max_iter):
    together = solver.solve(problems, np.random.default_rng(3), max_iter)
    for found, one in zip(together, problems, strict=True):
        alone = solver.solve(one, np.random.default_rng(3), max_iter)
        assert_array_equal(found.w, alone.w)
        assert (found.n_violated, found.n_iter) == (alone.n_violated, alone.n_iter)
        assert type(found.n_violated) is type(alone.n_violated)


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("is_free", [False, True])
def test_each_problem_is_solved_as_it_is_alone(name, is_free, weighted):
    weight = np.arange(40) % 3 + 0.5 if weighted else 1.0
    problems = Problems(table()[None], labels(40), weight=weight, is_free=is_free)
    assert_each_is_solved_as_alone(TOGETHER[name](), problems, 25)


@pytest.mark.parametrize("max_iter", [20, 400, 900])
@pytest.mark.parametrize("scaled", [True, False])
def test_so_it_is_by_all_turns_of_the_default(scaled, max_iter):
    """The first problem has a solution, so it leaves the group early."""
    X, signs = table(60, 9), labels(60)
    signs[0] = np.sign(X @ np.where(np.arange(9) % 2, 1, -1))
    assert_each_is_solved_as_alone(Auto(scaled), Problems(X[None], signs, is_free=True), max_iter)


@pytest.mark.parametrize("name", [name for name, each in TOGETHER.items() if each.committees])
@pytest.mark.parametrize("n_matrices", [1, 3])
def test_committees_are_solved_as_they_are_alone(name, n_matrices):
    X = np.random.default_rng(0).standard_normal((n_matrices, 30, 11))
    problems = Problems(X, labels(30), 3)
    assert_each_is_solved_as_alone(TOGETHER[name](), problems, 12)


@pytest.mark.parametrize("bar", [0.0, 0.4])
def test_a_problem_is_its_rows_times_its_labels(bar):
    X, signs = table(), labels(40)
    one = Problems(X[None], signs, bar=bar)[1]
    assert type(one) is Patterns
    assert_array_equal(one.matrix, signs[1][:, None] * X)
    assert one.bar == bar
    free = Problems(X[None], signs, bar=bar, is_free=True)[2]
    assert type(free) is FreeThreshold
    assert_array_equal(free.labels, signs[2])


@pytest.mark.parametrize("weight", [1.0, np.arange(30) % 4 + 1.0])
@pytest.mark.parametrize("bar", [0.0, 0.5])
def test_rows_are_counted_with_the_best_threshold_of_every_problem(bar, weight):
    rng = np.random.default_rng(1)
    fields, positive = rng.standard_normal((50, 30)).round(1), rng.random((50, 30)) > 0.6
    positive[0], fields[1] = False, 0.3
    alone = [least_violated(*each, bar, weight) for each in zip(fields, positive, strict=True)]
    assert_array_equal(least_violated_of_each(fields, positive, bar, weight), alone)


def test_an_iteration_is_one_product_for_all_problems(monkeypatch):
    calls, whole = [], Products.rows

    def counted(self, a, *rows):
        calls.append(a.shape)
        return whole(self, a, *rows)

    monkeypatch.setattr(Products, "rows", counted)
    X = table(30, 6)
    clf = FlatPerceptronClassifier("amp", max_iter=50, **PLAIN)
    with pytest.warns(UserWarning, match="ended after 50 iterations"):
        clf.fit(X, np.arange(30) // 2)
    assert calls == [(15, 6)] * 50


def test_a_problem_that_overflows_leaves_the_others_alone():
    class Watched(AMP):
        interval = 1

    class Bursting(Watched):
        def candidates(self, patterns, rng):
            for k, w in enumerate(super().candidates(patterns, rng)):
                if k > 3:
                    w[1] = np.nan
                yield w

    problems = Problems(random_patterns(31, 2, 0).xi, labels(62))
    with pytest.warns(UserWarning, match="Bursting overflowed after 5 iterations"):
        found = Bursting().solve(problems, np.random.default_rng(0), 40)
    assert [each.n_iter for each in found] == [40, 5, 40]
    expected = Watched().solve(problems, np.random.default_rng(0), 40)
    assert_array_equal([each.w for each in found[::2]], [each.w for each in expected[::2]])


@short
@pytest.mark.parametrize("solver", ["sbpi", "replicated_sgd"])
def test_the_groups_do_not_change_the_result(monkeypatch, solver):
    """Nor does the number of workers, to the bit."""
    from skflat.estimators.threshold import _binary_weights

    X, y = table(60, 9), np.arange(60) % 5
    clf = FlatCommitteeClassifier if solver == "replicated_sgd" else FlatPerceptronClassifier
    fitted = [clf(solver=solver, max_iter=6, **PLAIN).fit(X, y)]
    monkeypatch.setattr(_binary_weights, "problems_together", lambda *_: 2)
    with parallel_config(backend="threading"):
        fitted += [clf(solver=solver, max_iter=6, n_jobs=n, **PLAIN).fit(X, y) for n in (1, 2)]
    for other in fitted[1:]:
        assert_array_equal(other.weights_, fitted[0].weights_)


# All classes together


def classes(n_classes=6, seed=0, spread=3.0):
    X, y = make_blobs(150, 8, centers=n_classes, cluster_std=spread, random_state=seed)
    return (X - X.mean(axis=0)) / X.std(axis=0), (y[:, None] == np.arange(n_classes)).astype(float)


def log_loss(joint, weights):
    logits = joint.coldness * (joint.X @ weights.T + joint.thresholds)
    return -joint.share @ (joint.smooth * log_softmax(logits, axis=1)).sum(axis=1)


@pytest.mark.parametrize("counts", [1.0, np.arange(150) % 3 + 1.0])
def test_the_change_by_a_flip_is_that_of_the_loss(counts):
    X, targets = classes()
    weights = np.random.default_rng(0).choice([-1.0, 1.0], (6, 8))
    joint = _Joint(X, targets, weights, np.zeros(6), counts, True)
    joint.calibrate()
    before = log_loss(joint, weights)
    for k in range(6):
        flips = [np.where(np.eye(8)[i], -1, 1) for i in range(8)]
        rows = [np.where(np.arange(6)[:, None] == k, flip, 1) for flip in flips]
        expected = [log_loss(joint, weights * each) - before for each in rows]
        assert_allclose(joint._changes(k), expected, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_temperature_and_thresholds_are_the_best_ones(fit_intercept):
    X, targets = classes()
    weights = 2.0 * (targets.T @ X > 0) - 1
    joint = _Joint(X, targets, weights, np.zeros(6), 1.0, fit_intercept)
    joint.calibrate()
    least = log_loss(joint, weights)
    assert joint.thresholds.any() == fit_intercept
    for factor in (0.9, 1.1):
        joint.coldness *= factor
        assert log_loss(joint, weights) > least
        joint.coldness /= factor
    if fit_intercept:
        joint.thresholds[2] += 0.1
        assert log_loss(joint, weights) > least


def test_it_ends_where_no_flip_lowers_the_loss():
    X, targets = classes()
    weights, thresholds = joint_descent(X, targets, np.ones((6, 8)), np.zeros(6))
    assert set(np.unique(weights)) == {-1, 1}
    joint = _Joint(X, targets, weights, thresholds, 1.0, True)
    joint.calibrate()
    assert min(joint._changes(k).min() for k in range(6)) > -1e-9
    assert n_wrong(X, targets, weights, thresholds) < n_wrong(X, targets, np.ones((6, 8)), 0)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_never_behind_what_it_is_given(seed):
    X, targets = classes(seed=seed, spread=6.0)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        given = rng.choice([-1.0, 1.0], (6, 8)), rng.standard_normal(6)
        found = joint_descent(X, targets, *given)
        assert n_wrong(X, targets, *found) <= n_wrong(X, targets, *given)


def test_rows_that_are_right_for_certain_stay_finite():
    """In units in which exponentials of the scores overflow."""
    targets = np.repeat(np.eye(3), 5, axis=0)
    X = 1e200 * targets
    weights, thresholds = joint_descent(X, targets, np.ones((3, 3)), np.zeros(3))
    assert n_wrong(X, targets, weights, thresholds) == 0


@short
def test_many_classes_do_not_reject_every_row():
    """As each problem alone would. At a margin the problems are not improved together."""
    X, y = make_blobs(400, 6, centers=16, cluster_std=3, random_state=0)
    alone, clf = (FlatPerceptronClassifier(margin=m, **PLAIN).fit(X, y) for m in (1e-9, 0))
    assert clf.n_errors_ < 0.8 * alone.n_errors_
    assert clf.n_violated_.sum() <= 400
