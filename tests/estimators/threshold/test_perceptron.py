"""Perceptrons with weights in {-1, +1}."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from storage import portable
from units import (
    CANCER,
    ESTIMATORS,
    IRIS,
    LOOSE,
    MALIGNANT,
    PLAIN,
    SMALL,
    SPECIES,
    random_table,
    short,
)

from skflat import (
    FlatPerceptronClassifier,
)
from skflat.measures import (
    BINARY_MEASURES,
    LocalEnergy,
    flip_energy,
    margins,
)
from skflat.models.threshold import Cube
from skflat.problems import as_problem
from skflat.solvers.binary import BINARY_SOLVERS, SBPI


def test_a_margin_that_is_reached_exactly_is_reached():
    """``7 / sqrt(n) * sqrt(n)`` is more than 7 for some ``n``."""
    n = next(n for n in range(9, 999, 2) if 7 / np.sqrt(n) * np.sqrt(n) > 7)
    X = np.ones((2, n))
    X[:, : (n - 7) // 2] = -1
    clf = FlatPerceptronClassifier(margin=7 / np.sqrt(n), **PLAIN).fit(X * [[1], [-1]], [1, 0])
    clf.weights_ = np.ones((1, n))
    assert_array_equal(clf._violated(X * [[1], [-1]], np.array([[1.0], [0.0]])), [0])


def test_random_patterns_are_stored_as_they_are():
    X, y = random_table(50, 101)
    clf = FlatPerceptronClassifier(**PLAIN).fit(X, y)
    assert_array_equal(np.abs(clf.coef_), 1)
    assert_array_equal(clf.intercept_, 0)
    assert_array_equal(clf.predict(X), y)
    assert (clf.n_errors_, clf.n_violated_.tolist()) == (0, [0])


def test_the_solver_sees_the_rows_with_their_labels_absorbed():
    """Exchanging the classes changes no weight of the search, but the sign of all."""
    X, y = random_table(50, 101)
    here, there = (FlatPerceptronClassifier(**PLAIN).fit(X, labels) for labels in (y, 1 - y))
    t = (2 * y - 1)[:, None]
    assert_array_equal(here.n_errors_, there.n_errors_)
    mirrored = FlatPerceptronClassifier(**PLAIN).fit(t * X, np.append(np.ones(49), 0)[: len(y)])
    assert mirrored.n_errors_ == 0


def test_a_margin_is_reached():
    X, y = random_table(25, 101)
    clf = FlatPerceptronClassifier(margin=0.3, **PLAIN).fit(X, y)
    assert ((2 * y - 1) * clf.decision_function(X)).min() / np.sqrt(101) >= 0.3


@pytest.mark.parametrize("name", ["binary", "committee"])
def test_what_has_no_solution_ends_with_a_warning_and_an_honest_count(name):
    X, y = random_table(40, 15)
    estimator = clone(ESTIMATORS[name]).set_params(scale=False, max_iter=7, measures=None)
    X, y = np.concatenate([X, X]), np.concatenate([y, 1 - y])
    with pytest.warns(UserWarning, match="ended after 7 iterations without a solution: of 80 rows"):
        clf = estimator.fit(X, y)
    assert clf.n_errors_ == np.count_nonzero(clf.predict(X) != y) >= 40
    assert clf.n_violated_[0] >= 40


def test_a_model_is_a_bit_a_feature_and_a_threshold():
    clf = FlatPerceptronClassifier(solver="mean_field", **LOOSE).fit(CANCER, MALIGNANT)
    assert set(np.unique(clf.weights_)) == {-1, 1}
    assert_allclose(clf.coef_, clf.weights_ / CANCER.std(axis=0))
    decision = ((CANCER - clf.mean_) / clf.scale_) @ clf.weights_[0] + clf.thresholds_[0]
    assert_allclose(clf.decision_function(CANCER), decision)


@short
def test_one_bit_a_feature_is_nearly_as_good_as_real_weights():
    clf = FlatPerceptronClassifier(measures=None, random_state=0)
    assert cross_val_score(clf, CANCER, MALIGNANT).mean() > 0.93


@pytest.mark.parametrize(("power", "dtype"), [(700, float), (-700, float), (90, np.float32)])
def test_the_unit_of_the_features_does_not_matter_however_large(power, dtype):
    X, fitted = IRIS.astype(dtype), []
    for unit in (dtype(1), dtype(2.0**power)):
        clf = FlatPerceptronClassifier(measures=None, **LOOSE).fit(X * unit, SPECIES)
        fitted.append([clf.weights_, clf.thresholds_, clf.scale_ / unit, clf.predict(X * unit)])
    for one, other in zip(*fitted, strict=True):
        assert_array_equal(one, other)


@short
def test_constant_features_do_no_harm():
    X = np.column_stack([CANCER[:, :5], np.full(len(CANCER), 1e8), np.zeros(len(CANCER))])
    clf = FlatPerceptronClassifier(**SMALL).fit(X, MALIGNANT)
    assert_array_equal(clf.scale_[5:], 1)
    moved = X + np.array([0] * 5 + [7, 7])
    assert_array_equal(clone(clf).fit(moved, MALIGNANT).predict(moved), clf.predict(X))


def test_measures_of_binary_weights_are_those_of_flips():
    X, y = random_table(9, 21)
    clf = FlatPerceptronClassifier(**PLAIN | {"measures": list(BINARY_MEASURES)}).fit(X, y)
    assert clf.sharpness_ == flip_energy(clf, X, y).value
    assert clf.local_entropy_ > 0
    with pytest.raises(ValueError, match="measures must be None or a sequence of names among"):
        clf.set_params(measures=["local_entropies"]).fit(X, y)


def test_measures_of_real_weights_see_a_point_of_the_sphere():
    X, y = random_table()
    clf = FlatPerceptronClassifier(**PLAIN).fit(X, y)
    problem = as_problem(clf, X, y)
    assert isinstance(problem.objective.model, Cube)
    assert_array_equal(problem.w, clf.weights_[0])
    assert LocalEnergy(n_draws=5).measure(clf, X, y).value > 0
    found = margins(clf, X, y, normalization=None).samples
    assert_allclose(found, (2 * y - 1) * clf.decision_function(X) / np.sqrt(101))


class Impatient(SBPI):
    """A user interrupts the second problem after three iterations."""

    together = False

    def candidates(self, patterns, rng):
        STARTED.append(0)
        for w in super().candidates(patterns, rng):
            yield w
            STARTED[-1] += 1
            if len(STARTED) == 2 and STARTED[-1] == 3:
                raise KeyboardInterrupt


STARTED = []


@short
@pytest.mark.filterwarnings("ignore:Training interrupted by user")
def test_an_interruption_ends_the_search_for_all_classes():
    STARTED.clear()
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 5)), rng.integers(4, size=60)
    clf = FlatPerceptronClassifier(solver=Impatient(), max_iter=9, measures=None, random_state=0)
    assert clf.fit(X, y).n_iter_ == 9
    assert STARTED == [8, 3, 0, 0]
    assert clf.weights_.shape == (4, 5)


def test_progress_is_printed(capsys):
    X, y = portable(51, 20, 1), np.arange(20) % 2
    FlatPerceptronClassifier(solver="sbpi", verbose=True, **PLAIN).fit(X, y)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("Iteration 1, violated rows = ")
    assert printed[-1].endswith("violated rows = 0")


def test_every_binary_solver_can_be_named():
    X, y = random_table()
    for name in BINARY_SOLVERS:
        assert FlatPerceptronClassifier(solver=name, **PLAIN).fit(X, y).n_errors_ == 0


def test_max_sum_learns_one_weight():
    """Every row has one vote, because no other weight could take its place."""
    clf = FlatPerceptronClassifier(
        "max_sum", fit_intercept=False, scale=False, max_iter=20, measures=None, random_state=0
    )
    x, y = np.array([1.0, -1, 1, 1, -1])[:, None], [0, 1, 0, 0, 1]
    assert clf.fit(x, y).n_errors_ == 0
    assert clf.coef_.tolist() == [[-1.0]]
