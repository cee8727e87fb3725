"""Fits of threshold units that start from the present weights."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from units import (
    CANCER,
    ESTIMATORS,
    IRIS,
    MALIGNANT,
    PLAIN,
    SPECIES,
    each_estimator,
    random_table,
    short,
)

from skflat import FlatCommitteeClassifier, FlatPerceptronClassifier
from skflat.models.threshold import Patterns, Problems
from skflat.solvers.binary import BINARY_SOLVERS, SBPI, STE, BinaryReplicatedSGD

WARM = {"warm_start": True, "measures": None}


@pytest.mark.parametrize("solver", ["auto", *BINARY_SOLVERS])
def test_weights_that_solve_all_rows_stay(solver):
    X, y = random_table(30, 101)
    clf = FlatPerceptronClassifier(solver, warm_start=True, **PLAIN).fit(X, y)
    weights = clf.weights_
    clf.set_params(random_state=1).fit(X, y)
    assert clf.n_iter_ == 0
    assert_array_equal(clf.weights_, weights)


@short
@pytest.mark.parametrize("solver", ["auto", "amp", "mean_field", "sbpi", "ste", "replicated_sgd"])
def test_weights_are_never_replaced_by_worse_ones(solver):
    """Whatever the random numbers; and in all three problems."""
    clf = FlatPerceptronClassifier(solver, max_iter=5, fit_intercept=False, **WARM)
    violated = [
        clf.set_params(random_state=seed).fit(IRIS, SPECIES).n_violated_ for seed in range(6)
    ]
    assert (np.diff(violated, axis=0) <= 0).all()


@short
@pytest.mark.parametrize("structure", ["full", "tree"])
def test_committees_start_from_their_weights_and_thresholds(structure):
    clf = FlatCommitteeClassifier(3, structure, "replicated_sgd", max_iter=5, **WARM)
    violated = [clf.set_params(random_state=k).fit(IRIS, SPECIES).n_violated_ for k in range(6)]
    assert (np.diff(violated, axis=0) <= 0).all()


@short
@each_estimator
def test_cold_fits_do_not_depend_on_the_past(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None)
    once = clf.fit(CANCER, MALIGNANT).weights_
    assert_array_equal(clf.fit(IRIS, SPECIES).fit(CANCER, MALIGNANT).weights_, once)


@pytest.mark.parametrize("many", [False, True])
def test_states_begin_at_the_weights(many):
    rng = np.random.default_rng(0)
    X, signs = rng.standard_normal((1, 9, 5)), rng.choice([-1.0, 1.0], (3, 9))
    patterns = Problems(X, signs) if many else Patterns(X)
    start = rng.choice([-1.0, 1.0], (3, 1, 5) if many else (1, 5))
    flat = start[..., 0, :]
    assert_array_equal(SBPI().begin(patterns, rng, start)["h"], flat)
    h = STE().begin(patterns, rng, start)["h"]
    assert_array_equal(np.sign(h), flat)
    assert np.abs(h).max() <= 0.1
    h = BinaryReplicatedSGD(n_replicas=4).begin(patterns, rng, start)["h"]
    assert_array_equal(h, np.broadcast_to(start, h.shape))
    assert len(h) == 4


@short
def test_real_weights_go_on_from_where_they_are():
    clf = clone(ESTIMATORS["real"]).set_params(max_iter=30, **WARM).fit(CANCER, MALIGNANT)
    before = clf.loss_curve_
    clf.fit(CANCER, MALIGNANT)
    assert clf.loss_curve_[0] < 0.7 * before[0]
    assert clf.n_iter_ == len(clf.loss_curve_)


@short
@each_estimator
def test_a_warm_start_needs_the_same_problem(name):
    clf = clone(ESTIMATORS[name]).set_params(**WARM).fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        clf.fit(IRIS[:100], SPECIES[:100])
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 4"):
        clf.fit(IRIS[:, :3], SPECIES)


@short
@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ("full", r"shape \(1, 3, 30\), and those to learn \(1, 5, 30\)"),
        ("tree", r"shape \(1, 3, 10\), and those to learn \(1, 5, 6\)"),
    ],
)
def test_other_units_than_before_are_refused(structure, message):
    clf = clone(ESTIMATORS["committee"]).set_params(structure=structure, **WARM)
    clf.fit(CANCER, MALIGNANT)
    with pytest.raises(ValueError, match=message):
        clf.set_params(n_units=5).fit(CANCER, MALIGNANT)
