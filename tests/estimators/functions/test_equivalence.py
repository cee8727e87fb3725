"""A network that is written as a function is the network: start, training, measures."""

import autograd.numpy as anp
import numpy as np
import pytest
from fitted import FUNCTIONS
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skflat import (
    FlatFunctionClassifier,
    FlatFunctionRegressor,
    FlatMLPClassifier,
    FlatMLPRegressor,
)
from skflat.solvers import SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X = scale(X)
TARGETS = {"classes": Y, "two classes": Y == 0, "labels": np.column_stack([Y == 0, X[:, 0] > 0])}
SHORT = {"max_iter": 20, "random_state": 0, "batch_size": 40, "learning_rate_init": 0.01}


def hidden(params, X):
    return anp.tanh(X @ params["W0"] + params["b0"])


def network(params, X):
    return hidden(params, X) @ params["W1"] + params["b1"]


def shapes(rng, n_features, n_outputs):
    return {"W0": (n_features, 5), "b0": (5,), "W1": (5, n_outputs), "b1": (n_outputs,)}


def pair(classes, **params):
    """The network, and the same as a function."""
    net, own = (
        (FlatMLPClassifier, FlatFunctionClassifier)
        if classes
        else (FlatMLPRegressor, FlatFunctionRegressor)
    )
    given = {**SHORT, "measures": None} | params
    return (
        net(hidden_layer_sizes=(5,), activation="tanh", **given),
        own(network, shapes, features=hidden, **given),
    )


def flat(estimator):
    if hasattr(estimator, "coefs_"):
        arrays = [*estimator.coefs_, *estimator.intercepts_]
    else:
        arrays = estimator.params_.values()
    return np.concatenate([np.ravel(array) for array in arrays])


def slow_unless(quick, names):
    """All names, of which the others wait for make test-slow."""
    return [each if each in quick else pytest.param(each, marks=pytest.mark.slow) for each in names]


#: One of each way to use an objective; the others differ in the direction of their step.
QUICK = ["adam", "sam", "lbfgs", "functional_sam", "label_noise", "trace"]


#: Its rule goes by what the gradient of the trace costs, and only a network has a closed form.
CHOOSES = "auto"


#: It needs to know the pre-activations.
OF_NETWORKS = "entropy"


@pytest.mark.parametrize(
    "solver", slow_unless(QUICK, sorted(SOLVERS.keys() - {CHOOSES, OF_NETWORKS}))
)
def test_a_function_is_trained_as_the_network_is(solver):
    # Third derivatives one parameter at a time take their time.
    few = {"max_iter": 1} if solver == "trace" else {}
    one, other = (each.fit(X, Y) for each in pair(True, solver=solver, **few))
    assert_allclose(flat(other), flat(one), rtol=0, atol=1e-8)
    assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=1e-8)
    if solver != "trace":  # the network has a closed form
        assert other.n_grad_evals_ == one.n_grad_evals_
    assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-8)


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_the_target(target):
    one, other = (each.fit(X, TARGETS[target]) for each in pair(True, solver="sam", rho=0.3))
    assert_allclose(flat(other), flat(one), rtol=0, atol=1e-8)
    assert_array_equal(other.predict(X), one.predict(X))


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "pinball", "gamma"])
def test_whatever_the_loss(loss):
    y = np.exp(X[:, :2] / 3)
    one, other = (each.fit(X, y) for each in pair(False, solver="sam", loss=loss, quantile=0.8))
    assert_allclose(flat(other), flat(one), rtol=0, atol=1e-8)
    assert_allclose(other.predict(X), one.predict(X), atol=1e-8)


#: One of each way to measure: products, gradients, search, draws, outputs, pairs.
QUICK_MEASURES = ["sharpness", "gradient_noise", "flatness", "margins", "weakness"]
#: They need layers or symmetries, which a function does not tell.
OF_NETWORKS = {"orbit_trace", "path_norm", "spectral_norms"}


@pytest.mark.parametrize("target", ["classes", "two classes"])
@pytest.mark.parametrize(
    "name", slow_unless(QUICK_MEASURES, sorted(FUNCTIONS.keys() - OF_NETWORKS))
)
def test_it_measures_the_same(name, target):
    one, other = (each.fit(X, TARGETS[target]) for each in pair(True, solver="adam"))
    function = FUNCTIONS[name]
    # With as many products as parameters the trace is exact for both.
    params = {"n_products": 60} if name == "sharpness" else {}
    expected, found = (function(each, X, TARGETS[target], **params) for each in (one, other))
    assert found.value == pytest.approx(expected.value, rel=1e-9, abs=1e-9)


def test_weights_and_weight_decay_too():
    weight = np.linspace(0.1, 2, len(Y))
    given = {"solver": "adam", "alpha": 0.3, "weight_decay": 0.1, "early_stopping": True}
    one, other = (each.fit(X, Y, weight) for each in pair(True, **given))
    assert_allclose(flat(other), flat(one), rtol=0, atol=1e-8)
    assert_allclose(other.validation_loss_curve_, one.validation_loss_curve_, rtol=1e-8)


def test_single_precision_stays():
    _, own = pair(True)
    own.fit(X.astype(np.float32), Y)
    assert {array.dtype for array in own.params_.values()} == {np.dtype(np.float32)}
    assert own.predict_proba(X.astype(np.float32)).dtype == np.float32


def test_part_by_part_and_warm():
    for params in ({}, {"warm_start": True}):
        one, other = pair(True, solver="sam", **params)
        for each in (one, other):
            for _ in range(3):
                each.fit(X, Y) if params else each.partial_fit(X, Y, classes=[0, 1, 2])
        assert_allclose(flat(other), flat(one), rtol=0, atol=1e-8)


def test_by_default_the_noise_is_drawn():
    _, own = pair(True)
    _, drawn = pair(True, solver="one_sided_noise")
    assert_array_equal(flat(own.fit(X, Y)), flat(drawn.fit(X, Y)))
    assert own.n_grad_evals_ == own.n_iter_
