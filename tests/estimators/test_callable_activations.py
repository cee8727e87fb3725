"""Activations of one's own."""

import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from irises import X, Y, assert_same_weights, classifier, each_solver, weights_of
from numpy.testing import assert_allclose, assert_array_equal

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@each_solver
def test_a_callable_activation_equals_the_built_in_one(solver):
    named = classifier(solver=solver, activation="tanh").fit(X, Y)
    traced = classifier(solver=solver, activation=anp.tanh).fit(X, Y)
    assert_allclose(weights_of(traced), weights_of(named), rtol=1e-10, atol=1e-10)
    assert_allclose(traced.predict_proba(X), named.predict_proba(X), rtol=1e-10)


def test_a_callable_activation_is_measured_like_the_built_in_one():
    measured = {"measures": ["sharpness", "flatness", "weakness"]}
    named = classifier(activation="tanh", **measured).fit(X, Y)
    traced = classifier(activation=anp.tanh, **measured).fit(X, Y)
    for name in ("sharpness_", "flatness_", "weakness_"):
        assert_allclose(getattr(traced, name), getattr(named, name), rtol=1e-6)


def swish(z):
    return z / (1 + anp.exp(-z))


def test_a_network_with_an_activation_of_ones_own_pickles():
    clf = classifier(activation=swish).fit(X, Y)
    twin = pickle.loads(pickle.dumps(clf))
    assert_array_equal(twin.predict_proba(X), clf.predict_proba(X))
    assert_same_weights(twin.partial_fit(X, Y), clf.partial_fit(X, Y))


def test_a_callable_activation_keeps_float32():
    clf = classifier(activation=swish).fit(X.astype(np.float32), Y)
    assert weights_of(clf).dtype == np.float32
