"""Weakness: counts of statements and of regions."""

from itertools import product
from math import log

import numpy as np
import pytest
from fitted import fitted, rescaled
from numpy.testing import assert_array_equal
from sklearn.neural_network import MLPClassifier
from test_weakness import widest_reading

from skflat.measures import (
    Weakness,
    extension_size,
    open_pairs,
    sampled_extension_size,
    weakness,
)
from skflat.measures.weakness._regions import alone, regions

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Statements


def statements_by_linear_programs(features, labels, probes, n_classes):
    """The number of consistent ones, each asked for on its own."""
    total = 0
    for statement in product([None, *range(n_classes)], repeat=len(probes)):
        told = [i for i, outcome in enumerate(statement) if outcome is not None]
        outcomes = np.array([statement[i] for i in told], dtype=int)
        rows, every = np.vstack([features, probes[told]]), np.append(labels, outcomes)
        total += widest_reading(rows, every, n_classes)[0] > 1e-7
    return total


@pytest.mark.parametrize("seed", [1, 2, 3, 6])
def test_the_statements_counted_are_those_that_linear_programs_allow(seed):
    rng = np.random.default_rng(seed)
    features, probes = rng.normal(size=(12, 2)), rng.normal(size=(3, 2))
    labels = (features @ rng.normal(size=(2, 3))).argmax(axis=1)
    pairs = open_pairs(features, labels, probes, 3)
    size = extension_size(pairs)
    assert size == statements_by_linear_programs(features, labels, probes, 3)
    n_open = pairs.is_open.sum(axis=1)
    assert 1 + n_open.sum() < size < np.prod(1 + n_open)
    one = open_pairs(features, labels, probes[:1], 3)
    assert extension_size(one) == 1 + one.is_open.sum()


@pytest.mark.parametrize(("seed", "n_probes", "size"), [(1, 5, 312), (2, 5, 268), (3, 4, 116)])
def test_random_descents_estimate_the_number_of_statements(seed, n_probes, size):
    rng = np.random.default_rng(seed)
    features, probes = rng.normal(size=(12, 2)), rng.normal(size=(n_probes, 2))
    labels = (features @ rng.normal(size=(2, 3))).argmax(axis=1)
    pairs = open_pairs(features, labels, probes, 3)
    assert extension_size(pairs) == size
    found, stderr = sampled_extension_size(pairs, n_descents=400, random_state=1)
    assert 0 < stderr < 0.04 * size
    assert abs(found - size) < 3 * stderr
    assert sampled_extension_size(pairs, 400, 1) == (found, stderr)
    assert sampled_extension_size(pairs, 400, 2)[0] != found


def test_where_every_way_has_as_many_choices_one_descent_is_enough():
    """Of the probes of a line that are all free or all closed, independently of each other."""
    pairs = open_pairs([[-1.0, 0.0], [1.0, 0.0]], [0, 1], [[-3.0, 0.0], [3.0, 0.0], [0.0, 9.0]])
    assert extension_size(pairs) == 2 * 2 * 3
    assert sampled_extension_size(pairs, 2) == (12, 0)
    assert sampled_extension_size(open_pairs([[1.0], [1.0]], [0, 1], [[0.0]])) == (0, 0)
    with pytest.raises(ValueError, match="n_descents must be at least 2, got 1"):
        sampled_extension_size(pairs, 1)


def test_statements_of_any_number_are_counted_by_sampling():
    estimator, X, y = fitted("labels")
    probes = np.random.default_rng(1).normal(size=(4, 4))
    settings = {"X_probe": probes, "count": "statements"}
    exact = weakness(estimator, X, y, **settings)
    found = weakness(estimator, X, y, method="sample", n_descents=200, **settings)
    assert (exact.kind, found.kind) == ("exact", "estimate")
    assert exact.stderr == 0 < found.stderr
    assert abs(found.value - exact.value) < 3 * found.stderr
    many = weakness(*fitted("two classes"), count="statements", n_probes=20, method="sample")
    assert 0 < many.value < 20 * log(3)


def test_the_number_of_statements_does_not_notice_a_rescaling():
    estimator, X, y = fitted("classes, deep")
    probes = np.random.default_rng(1).normal(size=(3, 4))
    settings = {"X_probe": probes, "count": "statements", "features": "hidden"}
    found = weakness(estimator, X, y, **settings)
    both = rescaled(rescaled(estimator, 10.0), 0.05, 1)
    assert found.value == weakness(both, X, y, **settings).value
    assert found.kind == "exact"
    pairs = Weakness(X_probe=probes, features="hidden").decisions(estimator, X, y)
    assert found.value == log(extension_size(pairs[0]))


def test_too_many_statements_are_refused():
    with pytest.raises(ValueError, match="fewer probes"):
        weakness(*fitted("two classes"), count="statements", n_probes=60)
    with pytest.raises(TypeError, match="count='statements' needs classes"):
        weakness(*fitted("regression"), count="statements")


def test_where_nothing_is_open_there_is_no_statement():
    assert extension_size(open_pairs([[1.0], [1.0]], [0, 1], [[0.0]])) == 0
    estimator, X, y = fitted("classes")
    found = weakness(
        estimator, np.vstack([X, X]), np.append(y, 2 - y), target="labels", count="statements"
    )
    assert found.value == -np.inf


# Regions


def test_regions_of_a_layer_that_are_known():
    layer = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 3.0]])
    at_probes = np.array([[5.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    assert regions(layer, at_probes) == (2, 3, 2)
    assert_array_equal(alone(layer, at_probes), [False, True, True, True])


def test_free_regions_of_a_network_on_the_line():
    """Three units that wake at 0, 1 and 2: rows in two of the four pieces, probes in all."""
    X, y = np.array([[0.2], [0.6], [1.5]]), np.array([0, 1, 2])
    clf = MLPClassifier((3,), max_iter=1, random_state=0).fit(X, y)
    clf.coefs_[0], clf.intercepts_[0] = np.ones((1, 3)), -np.array([0.0, 1.0, 2.0])
    probes = np.array([[-1.0], [-2.0], [0.5], [1.2], [3.0]])
    found = weakness(clf, X, y, X_probe=probes, vocabulary="region-class")
    assert found.value == pytest.approx(2 * log(4), rel=1e-15)
    assert_array_equal(found.samples, [1, 1, 0, 0, 1])
    counts = {name: column.tolist() for name, column in found.table.items()}
    assert counts == {"layer": [0], "n_rows": [2], "n_probes": [4], "n_free": [2]}
    assert found.kind == "exact"


def test_regions_do_not_notice_a_rescaling_and_have_a_row_for_every_layer():
    estimator, X, y = fitted("classes, deep")
    probes = np.random.default_rng(0).normal(size=(60, 4))
    found, moved = (
        weakness(network, X, y, X_probe=probes, vocabulary="region-class")
        for network in (estimator, rescaled(estimator, 100.0))
    )
    assert found.value == moved.value > 0
    assert found.table["layer"].tolist() == [0, 1]
    assert (found.table["n_free"] <= found.table["n_probes"]).all()


@pytest.mark.parametrize(
    ("name", "message"), [("classes, linear", "a hidden layer"), ("counts", "needs classes")]
)
def test_regions_are_those_of_classifiers_with_a_hidden_layer(name, message):
    with pytest.raises(TypeError, match=f"vocabulary='region-class'.*{message}"):
        weakness(*fitted(name), vocabulary="region-class")
