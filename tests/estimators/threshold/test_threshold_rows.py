"""Weighted and sparse rows, and the probabilities of rows, of threshold units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from units import CANCER, ESTIMATORS, IRIS, MALIGNANT, SPECIES, each_estimator, short

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
)
from skflat.measures import (
    margins,
)
from skflat.solvers.binary import BINARY_SOLVERS


@short
@pytest.mark.parametrize("name", [name for name in BINARY_SOLVERS if name != "max_sum"])
def test_the_heavier_of_contradicting_rows_wins(name):
    """Each row is there twice, with both labels."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 21))
    y = X @ rng.choice([-1, 1], 21) > 0
    twice, labels, heavy = np.tile(X, (2, 1)), np.append(y, ~y), np.repeat([30.0, 1.0], 40)
    clf = FlatPerceptronClassifier(solver=name, max_iter=200, measures=None, random_state=0)
    for weight, right in ((heavy, y), (heavy[::-1], ~y)):
        assert clf.fit(twice, labels, sample_weight=1e-3 * weight).score(X, right) >= 0.9


@short
@pytest.mark.parametrize("solver", ["focusing_bp", "replicated_sgd"])
def test_a_committee_hears_the_heavier_rows(solver):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 21)), np.arange(20) % 2
    twice, labels, heavy = np.tile(X, (2, 1)), np.append(y, 1 - y), np.repeat([30.0, 1.0], 20)
    clf = FlatCommitteeClassifier(3, solver=solver, max_iter=100, measures=None, random_state=0)
    assert clf.fit(twice, labels, sample_weight=heavy).score(X, y) >= 0.9


@pytest.mark.parametrize("sample_weight", [None, np.arange(569) % 3])
@each_estimator
@short
def test_class_weights_multiply_those_of_rows(name, sample_weight):
    one = clone(ESTIMATORS[name]).set_params(class_weight={0: 3, 1: 1}, measures=None)
    other = clone(ESTIMATORS[name]).set_params(measures=None)
    weight = 1 if sample_weight is None else sample_weight
    one.fit(CANCER, MALIGNANT, sample_weight)
    other.fit(CANCER, MALIGNANT, np.where(MALIGNANT, 1, 3) * weight)
    assert_array_equal(one.weights_, other.weights_)
    assert one.temperature_ == other.temperature_


@short
@each_estimator
def test_sparse_rows_are_rows(name):
    X = np.maximum(CANCER - np.median(CANCER, axis=0), 0)
    dense, rows = clone(ESTIMATORS[name]).fit(X, MALIGNANT), sparse.csr_array(X)
    clf = clone(ESTIMATORS[name]).fit(rows, MALIGNANT)
    assert_array_equal(clf.weights_, dense.weights_)
    assert (clf.flatness_, clf.weakness_) == (dense.flatness_, dense.weakness_)
    assert_allclose(clf.decision_function(rows), dense.decision_function(X), rtol=1e-9, atol=1e-9)
    assert margins(clf, rows, MALIGNANT).value == margins(dense, X, MALIGNANT).value


@short
@each_estimator
@pytest.mark.parametrize("data", [(CANCER, MALIGNANT), (IRIS, SPECIES)])
def test_probabilities_are_calibrated(name, data):
    """Fitted to all scores by one number, they are more likely than those of any other number."""
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(*data)
    P = clf.predict_proba(data[0])
    assert_allclose(P.sum(axis=1), 1)
    assert_array_equal(clf.classes_[P.argmax(axis=1)], clf.predict(data[0]))
    assert_allclose(np.log(P), clf.predict_log_proba(data[0]), atol=1e-12)
    smooth = 0.99 * np.eye(P.shape[1])[data[1]] + 0.01 / P.shape[1]
    losses = [-(smooth * np.log(clf.predict_proba(data[0]))).sum()]
    best = clf.temperature_
    for factor in (0.98, 1.02):
        clf.temperature_ = factor * best
        losses.append(-(smooth * clf.predict_log_proba(data[0])).sum())
    assert losses[0] == min(losses)


def grid_of_rows(name):
    """Few features with few values, so that many rows are equal; an estimator, and weights."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((60, 4)))
    clf = clone(ESTIMATORS[name]).set_params(measures=None)
    return clf, X, (X.sum(axis=1) + rng.standard_normal(60) > 0).astype(int), rng.integers(0, 4, 60)


@short
@pytest.mark.parametrize("name", ["binary", "committee", "tree"])
def test_a_row_of_weight_2_is_a_row_given_twice(name):
    """To the bit, in any order, also among equal rows; only the ratios matter."""
    clf, X, y, times = grid_of_rows(name)
    repeated = clone(clf).fit(X.repeat(times, axis=0), y.repeat(times))
    order = np.random.default_rng(1).permutation(60)
    weighted = clf.fit(X[order], y[order], sample_weight=0.25 * times[order])
    assert_array_equal(weighted.weights_, repeated.weights_)
    assert_array_equal(weighted.thresholds_, repeated.thresholds_)
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)


@short
@pytest.mark.parametrize("name", ["binary", "committee"])
def test_weights_that_are_all_equal_are_none(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(CANCER, MALIGNANT)
    equal = clone(clf).fit(CANCER, MALIGNANT, np.full(569, 0.3))
    assert_array_equal(equal.weights_, clf.weights_)


@pytest.mark.parametrize("name", ["binary", "committee"])
@short
def test_errors_and_violated_rows_are_those_of_the_rows_given(name):
    clf, X, y, _ = grid_of_rows(name)
    clf.fit(X, y)
    assert clf.n_errors_ == np.count_nonzero(clf.predict(X) != y)
    assert clf.n_violated_.tolist() == [clf.n_errors_]
