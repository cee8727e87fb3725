"""Closed forms of the base solvers: gradient descent, Adam and L-BFGS."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from toys import descend, quadratic

from skflat.models.mlp import MLP
from skflat.objective import Multinomial, Objective
from skflat.solvers import (
    LBFGS,
    SGD,
    Adam,
    Settings,
    minimize,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# The base solvers

SLOPE = np.array([4.0, 1.0])
START = np.array([1.0, -2.0])


def steps_on_the_quadratic(solver, n_steps, **settings):
    return descend(solver, quadratic(*SLOPE), START, n_steps, **settings)


def test_sgd_is_gradient_descent():
    w = START * (1 - 0.1 * SLOPE) ** 3
    assert_allclose(steps_on_the_quadratic(SGD(), 3, learning_rate_init=0.1), w, rtol=1e-14)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_has_momentum(nesterov):
    w, v = START.copy(), np.zeros(2)
    for _ in range(5):
        v = 0.9 * v - 0.1 * SLOPE * w
        w = w + (0.9 * v - 0.1 * SLOPE * w if nesterov else v)
    settings = {"learning_rate_init": 0.1, "momentum": 0.9, "nesterovs_momentum": nesterov}
    assert_allclose(steps_on_the_quadratic(SGD(), 5, **settings), w, rtol=1e-13)


def test_sgd_lowers_its_rate_by_the_rows_seen():
    w = START.copy()
    for epoch in range(4):
        w = w - 0.1 / (1 if epoch == 0 else (epoch + 1) ** 0.5) * SLOPE * w
    settings = {"learning_rate_init": 0.1, "learning_rate": "invscaling", "power_t": 0.5}
    assert_allclose(steps_on_the_quadratic(SGD(), 4, **settings), w, rtol=1e-14)


def test_sgd_divides_its_rate_by_5_on_a_plateau():
    w, rate = START.copy(), 0.1
    settings = {"learning_rate_init": 0.1, "learning_rate": "adaptive", "tol": 1e9}
    for epoch in range(6):
        w = w - rate * SLOPE * w
        if epoch in (2, 4):  # epoch 0 improved on infinity, then every two did not
            rate /= 5
    end = steps_on_the_quadratic(SGD(), 6, n_iter_no_change=1, **settings)
    assert_allclose(end, w, rtol=1e-14)


def test_adam_divides_the_mean_of_the_gradient_by_its_size():
    w, mean, square = START.copy(), np.zeros(2), np.zeros(2)
    for t in range(1, 6):
        g = SLOPE * w
        mean = 0.8 * mean + 0.2 * g
        square = 0.95 * square + 0.05 * g**2
        rate = 0.1 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t)
        w = w - rate * mean / (np.sqrt(square) + 1e-3)
    numbers = {"learning_rate_init": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
    assert_allclose(steps_on_the_quadratic(Adam(), 5, **numbers), w, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_lbfgs_finds_the_minimum_of_a_convex_problem(weighted):
    """Logistic regression, against scikit-learn's own."""
    inputs, y = load_iris(return_X_y=True)
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    weight = np.random.default_rng(0).uniform(0.5, 1.5, size=len(y)) if weighted else None
    alpha = 0.7
    objective = Objective(MLP([4, 3]), Multinomial(), inputs, y, weight, alpha)
    settings = Settings(tol=1e-9, max_iter=1000)
    w, run = minimize(LBFGS(), objective, np.zeros(15), settings)
    rival = LogisticRegression(C=1 / alpha, tol=1e-10, max_iter=10_000)
    rival.fit(inputs, y, sample_weight=weight)
    theirs = objective.model.join([rival.coef_.T], [rival.intercept_])
    assert objective.loss(w) == pytest.approx(objective.loss(theirs), rel=1e-8)
    assert objective.unpenalized().loss(theirs) == pytest.approx(
        log_loss(y, rival.predict_proba(inputs), sample_weight=weight), rel=1e-12
    )
    assert not run.diverged
    assert run.n_iter == len(run.history.loss_curve)
