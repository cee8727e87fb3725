"""Committees of threshold units."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from units import PLAIN, random_table

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
)


def test_a_committee_decides_by_majority():
    X, y = random_table(60, 101)
    clf = FlatCommitteeClassifier(3, solver="replicated_sgd", **PLAIN).fit(X, y)
    assert clf.n_errors_ == 0
    votes = np.sign(X @ clf.weights_[0].T)
    assert_array_equal(clf.predict(X), votes.sum(axis=1) > 0)
    assert_allclose(clf.decision_function(X), votes.mean(axis=1))


def test_units_of_a_tree_see_features_of_their_own():
    X, y = random_table(40, 100)
    clf = FlatCommitteeClassifier(3, "tree", **PLAIN).fit(X, y)
    padded = np.pad(X, ((0, 0), (0, 2))).reshape(40, 3, 34)
    votes = np.sign(np.einsum("rki,ki->rk", padded, clf.weights_[0])).sum(axis=1)
    assert clf.weights_.shape == (1, 3, 34)
    assert_array_equal(clf.predict(X), votes > 0)


def test_a_committee_of_one_unit_is_a_perceptron():
    X, y = random_table(40, 101)
    one = FlatCommitteeClassifier(1, **PLAIN).fit(X, y)
    perceptron = FlatPerceptronClassifier(solver="focusing_bp", **PLAIN).fit(X, y)
    assert_array_equal(one.weights_[0], perceptron.weights_)


def test_committees_store_more_than_perceptrons_can():
    """Three tree units at 1.2 patterns a weight of each, half as many as there are weights."""
    X, y = random_table(240, 603)
    clf = FlatCommitteeClassifier(3, "tree", "replicated_sgd", **PLAIN).fit(X, y)
    assert clf.n_errors_ == 0
