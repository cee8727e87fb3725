"""The default solver of networks: which rule it stands for, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier, FlatMLPClassifierCV, FlatMLPRegressor
from skflat.solvers import Chain, ExpectedLoss, OneSidedNoise, TracePenalty

X, Y = load_iris(return_X_y=True)
X = scale(X)
DIGITS, NUMBERS = load_digits(return_X_y=True)
FEW = {"max_iter": 3, "tol": 0.0, "n_iter_no_change": np.inf, "measures": None, "random_state": 0}
RENEWED, DRAWN = TracePenalty(interval=50), OneSidedNoise()


def ends(network):
    return np.concatenate([a.ravel() for a in network.coefs_ + network.intercepts_])


def trained(kind, X, y, solver, **params):
    return ends(kind(solver=solver, **FEW | {"batch_size": 10} | params).fit(X, y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("layers", "activation", "y", "rule"),
    [
        ((8,), "relu", Y, RENEWED),
        ((8,), "tanh", Y, RENEWED),
        ((), "relu", Y, RENEWED),
        ((8, 8), "relu", Y, RENEWED),  # 3 gradients a renewal
        ((8, 8), "relu", np.arange(len(Y)) % 6, DRAWN),  # 6 gradients
        ((8, 8, 8), "relu", Y, DRAWN),  # 6 gradients
        ((8, 8, 8), "tanh", Y, DRAWN),  # no closed form
    ],
)
def test_the_rule_goes_by_what_a_renewal_costs(layers, activation, y, rule):
    params = {"hidden_layer_sizes": layers, "activation": activation}
    found, expected = (trained(FlatMLPClassifier, X, y, s, **params) for s in ("auto", rule))
    assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_base_and_radius_are_handed_on():
    for rho in (0.0, 0.2):
        params = {"rho": rho, "hidden_layer_sizes": (8,)}
        found = trained(FlatMLPRegressor, X, X[:, 0], ExpectedLoss("sgd"), **params)
        rule = TracePenalty("sgd", interval=50)
        assert_array_equal(found, trained(FlatMLPRegressor, X, X[:, 0], rule, **params))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_is_a_stage_like_any_other():
    found = trained(FlatMLPClassifier, X, Y, Chain("sgd", "auto", switch=0.4))
    assert_array_equal(found, trained(FlatMLPClassifier, X, Y, Chain("sgd", RENEWED, switch=0.4)))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_continues_the_rule():
    whole = FlatMLPClassifier((8,), shuffle=False, **FEW | {"max_iter": 4}).fit(X, Y)
    steps = FlatMLPClassifier((8,), shuffle=False, **FEW)
    for _ in range(4):
        steps.partial_fit(X, Y, classes=np.unique(Y))
    assert_array_equal(ends(steps), ends(whole))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_step_costs_a_fiftieth_more_than_a_gradient():
    network = FlatMLPClassifier((8,), batch_size=30, **FEW | {"max_iter": 100}).fit(X, Y)
    assert network.n_grad_evals_ == pytest.approx(102)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_takes_the_radii_of_the_rule():
    few = {"rhos": 3, "alphas": [0.0], "cv": 2, **FEW | {"max_iter": 1}}
    for layers in ((8,), (8, 8)):
        searches = [
            FlatMLPClassifierCV(layers, solver=solver, **few).fit(DIGITS, NUMBERS)
            for solver in ("auto", RENEWED if len(layers) == 1 else DRAWN)
        ]
        assert_array_equal(searches[0].rhos_, searches[1].rhos_)
