"""Threshold units that learn from the rows in parts."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from units import CANCER, IRIS, MALIGNANT, PLAIN, SPECIES, random_table

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.solvers.binary import BINARY_SOLVERS, SBPI

PASS_OVER_ROWS = {"replicated_annealing", "replicated_sgd", "sbpi", "ste"}
QUIET = {"measures": None, "random_state": 0}
IN_PARTS = {
    "sbpi": FlatPerceptronClassifier("sbpi", **QUIET),
    "ste": FlatPerceptronClassifier("ste", **QUIET),
    "replicated_sgd": FlatPerceptronClassifier("replicated_sgd", **QUIET),
    "replicated_annealing": FlatPerceptronClassifier("replicated_annealing", **QUIET),
    "committee": FlatCommitteeClassifier(solver="replicated_sgd", **QUIET),
    "tree": FlatCommitteeClassifier(3, "tree", "replicated_sgd", **QUIET),
    "real": FlatSphericalPerceptronClassifier(**QUIET),
}
each_in_parts = pytest.mark.parametrize("name", IN_PARTS)
each_binary = pytest.mark.parametrize("name", [name for name in IN_PARTS if name != "real"])
HALVES = [(IRIS[::2], SPECIES[::2]), (IRIS[1::2], SPECIES[1::2])]


def after(estimator, parts, classes=(0, 1, 2)):
    """A copy of an estimator that has seen these parts, one after the other."""
    clf = clone(estimator)
    for X, y in parts:
        clf.partial_fit(X, y, classes=classes)
    return clf


@each_binary
def test_repeated_passes_are_a_fit_that_ends_with_a_solution(name):
    X, y = random_table(30, 101)
    # Perceptrons take the best threshold after a fit, and committees that of the search.
    plain = PLAIN if isinstance(IN_PARTS[name], FlatPerceptronClassifier) else {}
    fitted = clone(IN_PARTS[name]).set_params(**plain).fit(X, y)
    assert fitted.n_errors_ == 0
    assert fitted.n_iter_ > 1
    clf = after(fitted, [(X, y)] * fitted.n_iter_, (0, 1))
    assert_array_equal(clf.weights_, fitted.weights_)
    assert_array_equal(clf.thresholds_, fitted.thresholds_)
    assert clf.n_errors_ == 0


def test_the_first_pass_with_real_weights_is_a_fit_of_one_epoch():
    clf = after(IN_PARTS["real"], [(CANCER, MALIGNANT)], (0, 1))
    with pytest.warns(UserWarning, match="Maximum iterations"):
        fitted = clone(clf).set_params(max_iter=1).fit(CANCER, MALIGNANT)
    assert_array_equal(clf.weights_, fitted.weights_)
    assert clf.loss_curve_ == fitted.loss_curve_


def test_real_weights_learn_further_from_every_part():
    clf = after(IN_PARTS["real"], HALVES * 20)
    assert len(clf.loss_curve_) == 40
    assert clf.loss_curve_[-1] < 0.7 * clf.loss_curve_[0]
    assert np.linalg.norm(clf.weights_, axis=1) == pytest.approx(2.0)


@each_in_parts
def test_a_copy_goes_on_as_the_estimator_does(name):
    one = after(IN_PARTS[name], HALVES)
    other = pickle.loads(pickle.dumps(one))
    for clf in (one, other):
        clf.partial_fit(*HALVES[0])
    assert_array_equal(other.weights_, one.weights_)
    assert_array_equal(other.predict_proba(IRIS), one.predict_proba(IRIS))


@each_in_parts
def test_a_part_may_lack_classes(name):
    clf = after(IN_PARTS[name], [(IRIS[:60], SPECIES[:60]), (IRIS[120:121], SPECIES[120:121])])
    assert_array_equal(clf.classes_, [0, 1, 2])
    assert clf.predict_proba(IRIS).shape == (150, 3)


@each_in_parts
def test_the_scale_is_that_of_the_first_part(name):
    clf = after(IN_PARTS[name], HALVES)
    assert_array_equal(clf.mean_, HALVES[0][0].mean(axis=0))


@each_in_parts
def test_what_a_part_must_be(name):
    clf = clone(IN_PARTS[name])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        clf.partial_fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="at least 2 classes"):
        clf.partial_fit(IRIS[:9], SPECIES[:9], classes=[0])
    clf.partial_fit(*HALVES[0], classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes \[3\], which are not among .* \[0 1 2\]"):
        clf.partial_fit(IRIS, SPECIES + 1)
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(IRIS, SPECIES, classes=[0, 1])
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 4"):
        clf.partial_fit(IRIS[:, :3], SPECIES)
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported"):
        clf.set_params(class_weight="balanced").partial_fit(*HALVES[0])


@each_in_parts
def test_a_part_that_is_refused_changes_nothing(name):
    clf = after(IN_PARTS[name], HALVES[:1])
    with pytest.raises(ValueError, match="not among"):
        clf.partial_fit(IRIS, SPECIES + 1)
    clf.partial_fit(*HALVES[1])
    assert_array_equal(clf.weights_, after(IN_PARTS[name], HALVES).weights_)


@each_binary
def test_weights_of_classes_are_weights_of_rows(name):
    X, y = HALVES[0]
    one = clone(IN_PARTS[name]).set_params(class_weight={0: 2.0, 1: 1.0, 2: 0.5})
    one.partial_fit(X, y, classes=[0, 1, 2])
    other = clone(IN_PARTS[name])
    other.partial_fit(X, y, classes=[0, 1, 2], sample_weight=np.array([2, 1, 0.5])[y])
    assert_array_equal(one.weights_, other.weights_)
    assert one.partial_fit(X[:5], y[:5]).n_iter_ == 1  # one class only


def test_an_overflow_is_an_error():
    X = np.full((20, 3), 3e38, np.float32)
    clf = FlatPerceptronClassifier(SBPI(bound=None), **PLAIN)
    with pytest.raises(ValueError, match=r"overflowed: the features may be too large, see scale"):
        clf.partial_fit(X, np.arange(20) % 2, classes=[0, 1])


def test_a_pass_from_a_solution_keeps_it():
    """SBPI then strengthens only weights that agree with a row."""
    X, y = random_table(30, 101)
    clf = FlatPerceptronClassifier("sbpi", **PLAIN).fit(X, y)
    weights = clf.weights_
    assert_array_equal(clf.partial_fit(X, y).weights_, weights)


def test_a_changed_rule_begins_at_the_weights():
    X, y = random_table(30, 101)
    clf = FlatPerceptronClassifier("ste", **PLAIN).fit(X, y).partial_fit(X, y)
    clf.set_params(solver="sbpi")
    assert clf.n_errors_ == 0
    weights = clf.weights_
    assert_array_equal(clf.partial_fit(X, y).weights_, weights)


@pytest.mark.parametrize("solver", ["auto", *BINARY_SOLVERS])
def test_only_rules_that_pass_over_rows_learn_in_parts(solver):
    clf = FlatPerceptronClassifier(solver)
    assert hasattr(clf, "partial_fit") == (solver in PASS_OVER_ROWS)


def test_the_others_say_why():
    with pytest.raises(AttributeError) as error:
        FlatPerceptronClassifier("amp").partial_fit  # noqa: B018
    said = f"needs all rows at once. It is with {', '.join(sorted(PASS_OVER_ROWS))}."
    assert said in str(error.value.__cause__)


def test_a_search_takes_no_steps_of_a_size():
    assert not hasattr(FlatPerceptronClassifier(), "step_sizes")
    assert not hasattr(FlatCommitteeClassifier(), "step_sizes")
    clf = after(IN_PARTS["real"], HALVES)
    assert clf.step_sizes()[0].shape == (15,)


@each_binary
def test_a_row_of_endless_weight_is_refused(name):
    X, y = HALVES[0]
    weight = np.where(np.arange(len(y)) == 3, 1e15, 1.0)
    with pytest.raises(ValueError, match=r"at most 1000000 in partial_fit, .* is 1e\+15"):
        clone(IN_PARTS[name]).partial_fit(X, y, classes=[0, 1, 2], sample_weight=weight)
