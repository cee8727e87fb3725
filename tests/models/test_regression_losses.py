"""Losses of numbers: closed forms, derivatives, kinks, and what their fits predict."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_regression
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_gamma_deviance, mean_pinball_loss
from sklearn.neural_network import MLPRegressor

from skflat import FlatFunctionRegressor, FlatMLPRegressor
from skflat.measures import hessian_trace, level_set_distance, weakness
from skflat.models.mlp import MLP
from skflat.objective import (
    REGRESSION_LOSSES,
    Batch,
    CustomLoss,
    HalfGamma,
    Huber,
    Model,
    Objective,
    regression_loss,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
Y = RNG.gamma(2.0, size=(40, 2))
F = RNG.normal(size=(40, 2))
LOSSES = {name: regression_loss(name, 0.8, 0.7) for name in REGRESSION_LOSSES}
LOSSES["custom"] = CustomLoss(lambda F, y: anp.sum(anp.log(anp.cosh(F - y)), axis=1), n_scores=2)
BY_HAND = {
    "absolute_error": lambda F, y: np.abs(F - y),
    "gamma": lambda F, y: F - np.log(y) + y * np.exp(-F) - 1,
    "huber": lambda F, y: np.where(
        np.abs(F - y) <= 0.7, (F - y) ** 2 / 2, 0.7 * (np.abs(F - y) - 0.35)
    ),
    "pinball": lambda F, y: np.where(y > F, 0.8 * (y - F), 0.2 * (F - y)),
    "squared_error": lambda F, y: (F - y) ** 2 / 2,
}
each_loss = pytest.mark.parametrize("name", LOSSES)


@pytest.mark.parametrize("name", BY_HAND)
def test_the_values(name):
    assert_allclose(LOSSES[name].per_sample(F, Y), BY_HAND[name](F, Y).sum(axis=1), atol=1e-14)


def test_the_values_are_those_of_scikit_learn():
    P = np.exp(F[:, 0])
    assert HalfGamma().per_sample(F[:, :1], Y[:, :1]).mean() == pytest.approx(
        mean_gamma_deviance(Y[:, 0], P) / 2
    )
    pinball = LOSSES["pinball"].per_sample(F[:, :1], Y[:, :1]).mean()
    assert pinball == pytest.approx(mean_pinball_loss(Y[:, 0], F[:, 0], alpha=0.8))


@each_loss
def test_the_derivatives_are_those_of_autograd(name):
    loss, R = LOSSES[name], RNG.normal(size=F.shape)
    slopes = elementwise_grad(lambda F: loss.per_sample(F, Y))
    assert_allclose(loss.residual(loss.predict(F.copy()), Y), slopes(F), atol=1e-12)
    step = 1e-6
    bends = (slopes(F + step * R) - slopes(F - step * R)) / (2 * step)
    assert_allclose(loss.hvp(loss.predict(F.copy()), R, Y), bends, atol=1e-7)


@pytest.mark.parametrize("name", ["absolute_error", "pinball"])
def test_at_a_kink_the_derivative_is_0(name):
    loss = LOSSES[name]
    assert_array_equal(loss.residual(Y.copy(), Y), 0)
    assert_array_equal(grad(lambda F: anp.sum(loss.per_sample(F, Y)))(Y), 0)


def test_at_the_end_of_its_square_the_curvature_of_huber_is_1():
    ends = np.array([[0.5, -0.5, 0.5 + 1e-9]])
    assert_array_equal(Huber(0.5).hvp(ends, np.ones((1, 3)), np.zeros((1, 3))), [[1, 1, 0]])


@each_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better_than_the_best(name, weighted):
    loss, weight = LOSSES[name], RNG.uniform(0.1, 2, len(Y)) if weighted else None
    batch = Batch(np.zeros((len(Y), 1)), Y, weight)
    grid = np.linspace(-1, 5, 601)
    one, other = (np.repeat(part, 2, axis=1) for part in (Y[:, :1], Y[:, 1:]))
    best = sum(
        min(batch.mean(loss.per_sample(np.full((len(Y), 2), c), part)) for c in grid) / 2
        for part in (one, other)
    )
    found = loss.constant_loss(batch)
    assert best - 2e-3 <= found <= best + 1e-9


@each_loss
def test_a_network_with_it_has_the_derivatives_of_autograd(name):
    class Traced(MLP):
        loss_gradient = Model.loss_gradient
        linearized = Model.linearized

    X = RNG.normal(size=(40, 3))
    one, other = (
        Objective(kind([3, 5, 2], "tanh"), LOSSES[name], X, Y, alpha=0.1) for kind in (MLP, Traced)
    )
    w, v = 0.5 * RNG.normal(size=(2, one.layout.size))
    assert_allclose(one.loss_gradient(w)[1], other.loss_gradient(w)[1], atol=1e-12)
    assert_allclose(one.hvp(w, v), other.hvp(w, v), atol=1e-12)


def test_a_line_finds_the_quantile():
    X, y = make_regression(200, 3, noise=20, random_state=0)
    y = y / y.std()
    expected = QuantileRegressor(quantile=0.8, alpha=0).fit(X, y)
    line = FlatFunctionRegressor(
        loss="pinball",
        quantile=0.8,
        alpha=0,
        solver="adam",
        learning_rate_init=0.02,
        learning_rate="cosine",
        max_iter=1000,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X, y)
    best = mean_pinball_loss(y, expected.predict(X), alpha=0.8)
    assert mean_pinball_loss(y, line.predict(X), alpha=0.8) == pytest.approx(best, rel=1e-3)
    assert np.mean(y <= line.predict(X)) == pytest.approx(0.8, abs=0.02)
    assert line.sharpness_ == 0  # linear between the kinks


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_a_network_is_trained_and_measured(name):
    X = RNG.normal(size=(60, 2))
    y = np.exp(X[:, 0]) + 0.1
    net = FlatMLPRegressor(name, (5,), "tanh", max_iter=30, learning_rate_init=0.02, random_state=0)
    net.fit(X, y)
    assert net.loss_curve_[-1] < net.loss_curve_[0]
    assert np.isfinite(hessian_trace(net, X, y).value)
    assert level_set_distance(net, X, y).value > 0
    assert 0 <= weakness(net, X, y).value <= 1


@pytest.mark.parametrize(("name", "wrong"), [("gamma", 0.0), ("poisson", -1.0)])
def test_targets_out_of_range_are_refused(name, wrong):
    X, y = RNG.normal(size=(20, 2)), np.ones(20)
    net = FlatMLPRegressor(name, (3,), max_iter=2, measures=None).fit(X, y)
    y[3] = wrong
    for estimator in (FlatMLPRegressor(name), FlatFunctionRegressor(loss=name)):
        with pytest.raises(ValueError, match=f"out of the valid range of the loss '{name}'"):
            estimator.fit(X, y)
    with pytest.raises(ValueError, match=f"y must .* for the .* loss, got {wrong}"):
        hessian_trace(net, X, y)


def test_the_squared_error_is_still_that_of_scikit_learn():
    X, y = make_regression(50, 3, random_state=0)
    given = {"max_iter": 5, "solver": "sgd", "random_state": 0, "learning_rate_init": 1e-4}
    ours = FlatMLPRegressor(measures=None, **given).fit(X, y)
    assert_allclose(ours.predict(X), MLPRegressor(**given).fit(X, y).predict(X), rtol=1e-7)
