"""Fits that end at, or go through, the flattest point of the orbit."""

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, OURS, SPECIES
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import hessian_trace
from skflat.symmetry import flatten

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("criterion", ["trace", "norm"])
@pytest.mark.parametrize("solver", ["sam", "lbfgs"])
def test_the_last_step_of_a_fit_is_flatten(criterion, solver):
    plain = FlatMLPClassifier((6, 4), solver=solver, **OURS).fit(IRIS, SPECIES)
    flat = clone(plain).set_params(flatten=criterion).fit(IRIS, SPECIES)
    wanted = flatten(plain, IRIS, SPECIES, criterion=criterion)
    for one, two in zip(flat.coefs_, wanted.coefs_, strict=True):
        assert_allclose(one, two, rtol=1e-9)
    assert_allclose(flat.predict_proba(IRIS), plain.predict_proba(IRIS), rtol=1e-12)


def test_measures_are_taken_at_the_flattest_point():
    reg = FlatMLPRegressor(
        hidden_layer_sizes=(6,),
        flatten="trace",
        **OURS | {"measures": ["sharpness", "orbit_trace"]},
    ).fit(IRIS, LENGTHS[:, 0])
    assert reg.sharpness_ == pytest.approx(reg.orbit_trace_, rel=1e-9)
    assert reg.sharpness_ == hessian_trace(reg, IRIS, LENGTHS[:, 0]).value


def test_flattening_between_epochs_changes_where_training_goes_and_no_loss_at_once():
    settings = OURS | {"solver": "sgd", "max_iter": 4, "alpha": 0.0, "momentum": 0.0}
    settings |= {"nesterovs_momentum": False}
    plain = FlatMLPClassifier((6, 4), **settings).fit(IRIS, SPECIES)
    moved = clone(plain).set_params(flatten_every=2).fit(IRIS, SPECIES)
    # An epoch is one step here, whose loss is that before it: the first to differ is the fourth.
    assert_allclose(moved.loss_curve_[:3], plain.loss_curve_[:3], rtol=1e-12)
    assert moved.loss_curve_[3] != pytest.approx(plain.loss_curve_[3], rel=1e-6)
    two = clone(plain).set_params(max_iter=2).fit(IRIS, SPECIES)
    ended = clone(moved).set_params(max_iter=2).fit(IRIS, SPECIES)
    assert_allclose(ended.predict_proba(IRIS), two.predict_proba(IRIS), rtol=1e-12)
    found, wanted = ended.coefs_, flatten(two, IRIS, SPECIES).coefs_
    for one, two in zip(found, wanted, strict=True):
        assert_allclose(one, two, rtol=1e-9)


RULES = ["adam", "sam", "ema", "swa", "replicated_sgd", "chain", "consensus", "entropy_sgd", "ngd"]


@pytest.mark.parametrize("solver", RULES)
def test_all_kinds_of_rules_go_on_from_the_flattest_point(solver):
    settings = OURS | {"max_iter": 60}
    clf = FlatMLPClassifier((6,), solver=solver, flatten_every=3, **settings).fit(IRIS, SPECIES)
    assert np.isfinite(clf.loss_curve_).all()
    assert clf.loss_curve_[-1] < 0.9 * clf.loss_curve_[0]


def test_partial_fits_count_their_epochs_and_leave_the_last_step_out():
    plain = FlatMLPClassifier((6,), **OURS)
    flat = FlatMLPClassifier((6,), flatten="trace", **OURS)
    for each in (plain, flat):
        for _ in range(3):
            each.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    assert_array_equal(flat.coefs_[0], plain.coefs_[0])


def test_what_has_no_epochs_cannot_be_flattened_between_them():
    with pytest.raises(ValueError, match="flatten_every=2 needs a solver with epochs"):
        FlatMLPClassifier((6,), solver="lbfgs", flatten_every=2, **OURS).fit(IRIS, SPECIES)


def test_a_criterion_must_be_defined_for_the_units():
    with pytest.raises(ValueError, match=r"criterion must be one of .*trace.* got 'norm'"):
        FlatMLPClassifier((6,), "logistic", flatten="norm", **OURS).fit(IRIS, SPECIES)
