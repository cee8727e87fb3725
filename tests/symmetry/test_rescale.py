"""Rescalings that keep the function: which quantities they change, and by which law."""

import copy
import pickle

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, OURS, SPECIES, fitted, last_step
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from toys import features, trace_of_rows

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import hessian_trace, weakness
from skflat.problems import as_problem
from skflat.symmetry import rescale

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: Hidden layers of 5 and 4 units.
DEEP = "classes, deep"


def outputs(estimator, X):
    return (getattr(estimator, "predict_proba", None) or estimator.predict)(X)


@pytest.mark.parametrize(
    "name",
    ["classes, deep", "classes, identity", "two outputs", "counts", "labels", "our sparse classes"],
)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_function_stays_whatever_the_factors(name, data):
    estimator, X, _ = fitted(name)
    network, _ = last_step(estimator, None)
    number = st.floats(0.01, 100)
    factors = [
        data.draw(st.one_of(number, st.lists(number, min_size=width, max_size=width)))
        for width in (W.shape[1] for W in network.coefs_[:-1])
    ]
    assert_allclose(outputs(rescale(estimator, factors), X), outputs(estimator, X), rtol=1e-9)


def test_powers_of_two_keep_every_bit():
    estimator, X, _ = fitted(DEEP)
    moved = rescale(estimator, [[0.25, 1, 2, 64, 1024], 2.0**-6])
    assert_array_equal(moved.predict_proba(X), estimator.predict_proba(X))
    assert not np.array_equal(moved.coefs_[0], estimator.coefs_[0])


def test_a_factor_multiplies_the_activations_of_its_layer():
    estimator, X, y = fitted(DEEP)
    before, after = (
        as_problem(each, X, y) for each in (estimator, rescale(estimator, [8.0, [1, 2, 4, 0.5]]))
    )
    hidden = features(before.objective, before.w)
    assert_array_equal(features(after.objective, after.w), hidden * [1, 2, 4, 0.5])
    first, its_first = (each.objective.layout.views(each.w)["W0"] for each in (after, before))
    assert_array_equal(first, 8 * its_first)


def test_one_number_is_for_every_hidden_layer():
    estimator, _, _ = fitted(DEEP)
    several = rescale(estimator, [2.0, 2.0]).coefs_
    for number in (2.0, np.float32(2), np.array(2.0)):
        for one, other in zip(rescale(estimator, number).coefs_, several, strict=True):
            assert_array_equal(one, other)


def test_rescaling_back_gives_the_parameters_back():
    estimator, _, _ = fitted(DEEP)
    again = rescale(rescale(estimator, [2.0, 0.5]), [0.5, 2.0])
    for first, second in zip(again.coefs_, estimator.coefs_, strict=True):
        assert_array_equal(first, second)


def test_units_of_an_identity_network_may_change_their_sign():
    estimator, X, _ = fitted("classes, identity")
    moved = rescale(estimator, [-2.0, [1, -1, 4, -0.5]])
    assert_array_equal(moved.predict_proba(X), estimator.predict_proba(X))


# The law of inflation


def blocks_of_the_trace(problem):
    """Traces of weights and of intercepts, two arrays of one number a layer.

    Per row they are ``|a|^2`` to 1, ``a`` the layer's inputs.
    """
    objective, w = problem.objective, problem.w
    rows = trace_of_rows(objective, w)
    weights, intercepts = objective.model.split(w)
    inputs = [objective.data.X]
    for W, b in zip(weights[:-1], intercepts[:-1], strict=True):
        inputs.append(np.maximum(inputs[-1] @ W + b, 0))
    squares = np.column_stack([np.sum(a**2, axis=1) for a in inputs])
    of_intercepts = rows / (squares + 1)
    return (of_intercepts * squares).mean(axis=0), of_intercepts.mean(axis=0)


@pytest.mark.parametrize("beta", [0.1, 2.0, 10.0, 20.0])
def test_the_trace_follows_the_law_of_inflation(beta):
    """Each block by the square of what its parameters were divided by."""
    estimator, X, y = fitted(DEEP)
    (w1, w2, w3), (b1, b2, b3) = blocks_of_the_trace(as_problem(estimator, X, y))
    assert hessian_trace(estimator, X, y).value == pytest.approx(w1 + w2 + w3 + b1 + b2 + b3)
    first = hessian_trace(rescale(estimator, [beta, 1]), X, y).value
    expected = (w1 + b1) / beta**2 + beta**2 * w2 + b2 + w3 + b3
    assert first == pytest.approx(expected, rel=1e-10)
    second = hessian_trace(rescale(estimator, [1, beta]), X, y).value
    expected = w1 + b1 + (w2 + b2) / beta**2 + beta**2 * w3 + b3
    assert second == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("features", ["logits", "hidden"])
def test_the_trace_is_inflated_more_than_fifty_fold_and_weakness_stays(features):
    estimator, X, y = fitted(DEEP)
    inflated = rescale(estimator, [32.0, [1, 64, 0.5, 16]])
    before, after = (weakness(each, X, y, features=features) for each in (estimator, inflated))
    assert_array_equal(before.samples, after.samples)
    assert hessian_trace(inflated, X, y).value > 50 * hessian_trace(estimator, X, y).value


@pytest.mark.parametrize("factor", [0.01, 0.3, 7.0, 100.0])
def test_weakness_stays_for_factors_that_round(factor):
    estimator, X, y = fitted(DEEP)
    moved = rescale(estimator, [factor, 1 / factor])
    for read in ("logits", "hidden"):
        before, after = (weakness(each, X, y, features=read) for each in (estimator, moved))
        assert_array_equal(before.samples, after.samples)


# What comes back


@pytest.mark.parametrize("cls", [MLPClassifier, FlatMLPClassifier])
def test_the_estimator_given_is_not_changed(cls):
    estimator = cls((4,), max_iter=5, random_state=0).fit(IRIS, SPECIES)
    before = pickle.dumps(estimator)
    rescale(estimator, 3.0)
    assert pickle.dumps(estimator) == before


def test_a_pipeline_comes_back_as_a_pipeline():
    estimator, X, _ = fitted("our pipeline")
    moved = rescale(estimator, 4.0)
    assert type(moved) is type(estimator)
    assert_array_equal(moved.predict_proba(X), estimator.predict_proba(X))
    assert not np.array_equal(moved[-1].coefs_[0], estimator[-1].coefs_[0])


def test_single_precision_stays_single():
    estimator, X, _ = fitted("our single precision")
    moved = rescale(estimator, 3.0)
    assert {array.dtype for array in moved.coefs_ + moved.intercepts_} == {np.dtype(np.float32)}
    assert_allclose(moved.predict_proba(X), estimator.predict_proba(X), rtol=1e-4)


def test_a_network_without_hidden_layers_has_nothing_to_rescale():
    estimator, _, _ = fitted("classes, linear")
    for factors in ([], 2.0):
        assert_array_equal(rescale(estimator, factors).coefs_[0], estimator.coefs_[0])


def test_what_was_measured_is_forgotten():
    clf = FlatMLPClassifier((4,), max_iter=5, random_state=0).fit(IRIS, SPECIES)
    moved = rescale(clf, 3.0)
    assert not {"measurements_", "sharpness_", "flatness_", "weakness_"} & set(vars(moved))
    found = moved.measure(IRIS, SPECIES)
    assert found["weakness"].value == clf.weakness_
    assert found["sharpness"].value != clf.sharpness_


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (MLPClassifier((4,), max_iter=5, random_state=0), SPECIES),
        (MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0), LENGTHS[:, 0]),
        (FlatMLPClassifier((4,), **OURS | {"max_iter": 5}), SPECIES),
        (FlatMLPRegressor(hidden_layer_sizes=(4,), **OURS | {"max_iter": 5}), LENGTHS),
    ],
)
def test_training_goes_on_with_an_optimizer_that_has_forgotten(estimator, y):
    """Its moments were of the old parameters, so even a factor of 1 makes a difference."""
    estimator.fit(IRIS, y)
    moved, same = rescale(estimator, 1.0), copy.deepcopy(estimator)
    assert_array_equal(moved.coefs_[0], same.coefs_[0])
    moved.partial_fit(IRIS, y)
    same.partial_fit(IRIS, y)
    assert np.isfinite(moved.coefs_[0]).all()
    assert not np.array_equal(moved.coefs_[0], same.coefs_[0])


# What is refused


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([2.0], "one entry for each of the 2 hidden layers, got 1"),
        ([1, 1, 1], "one entry for each of the 2 hidden layers, got 3"),
        ([[1, 2], 1], r"a number or 5 numbers for a layer of 5 units, got .* \(2,\)"),
        ([1, 0.0], "factors must be finite and positive for relu units, got 0.0"),
        (-1.0, "factors must be finite and positive for relu units, got -1.0"),
        ([np.nan, 1], "factors must be finite and positive for relu units, got nan"),
        (np.inf, "factors must be finite and positive for relu units, got inf"),
        (None, "factors must be finite and positive for relu units, got None"),
    ],
)
def test_factors_that_do_not_fit_are_refused(factors, message):
    with pytest.raises(ValueError, match=message):
        rescale(fitted(DEEP)[0], factors)


@pytest.mark.parametrize("factor", [1e39, 1e-39])
def test_what_single_precision_cannot_hold_is_refused(factor):
    with pytest.raises(ValueError, match="factors take the parameters beyond float32, got 1e"):
        rescale(fitted("our single precision")[0], factor)


def test_an_identity_unit_cannot_be_multiplied_by_zero():
    with pytest.raises(ValueError, match="factors must be finite and not 0, got 0"):
        rescale(fitted("classes, identity")[0], [1, 0])


@pytest.mark.parametrize("name", ["classes, tanh", "classes, logistic"])
def test_other_units_cannot_be_rescaled(name):
    with pytest.raises(TypeError, match=r"of relu and identity units only, not of (tanh|logistic)"):
        rescale(fitted(name)[0], 2.0)


@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier(),
        LogisticRegression().fit(IRIS, SPECIES),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(IRIS, SPECIES),
    ],
)
def test_what_is_no_fitted_network_is_refused(estimator):
    with pytest.raises(TypeError, match=r"Cannot change \w+: expected a fitted FlatMLPClassifier"):
        rescale(estimator, 2.0)
