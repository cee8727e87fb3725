"""What gradient flow keeps: of every kind of model, over many steps, and against the theory."""

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, OURS, fitted
from numpy.testing import assert_allclose
from sklearn.neural_network import MLPRegressor

from skflat import FlatMatrixFactorization, FlatMLPRegressor
from skflat.objective import Workspace
from skflat.problems import as_problem
from skflat.symmetry import conservation_drift, conserved_quantities, rescale

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NETWORKS = ["classes, deep", "classes, identity", "two outputs", "counts", "pipeline"]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_of_the_loss_has_no_part_along_what_is_conserved(name):
    """``C`` is quadratic, so ``C(w + g) - C(w - g)`` is four times that part."""
    estimator, X, y = fitted(name)
    problem = as_problem(estimator, X, y)
    symmetry, w = problem.objective.model.symmetry, problem.w
    _, g = problem.objective.loss_gradient(w)
    up, down, size = (symmetry.conserved(v) for v in (w + g, w - g, g))
    for key, each in up.items():
        assert np.linalg.norm(each - down[key]) < 1e-12 * np.linalg.norm(w) * np.linalg.norm(g)
        assert np.linalg.norm(size[key]) > 0


def test_softmax_keeps_the_sums_over_the_classes():
    estimator, X, y = fitted("classes, deep")
    problem = as_problem(estimator, X, y)
    _, g = problem.objective.loss_gradient(problem.w)
    assert np.abs(problem.objective.model.common(g)).max() < 1e-14
    assert conserved_quantities(estimator)["softmax"].shape == (5,)
    assert "softmax" not in conserved_quantities(fitted("two outputs")[0])


@pytest.mark.parametrize("name", ["classes, tanh", "classes, logistic"])
def test_isometries_and_flips_conserve_nothing_by_layer(name):
    assert set(conserved_quantities(fitted(name)[0])) == {"softmax"}


def test_a_factorization_keeps_the_difference_of_its_gram_matrices():
    rows = np.array([(i, j) for i in range(6) for j in range(5)])
    values = np.outer(np.arange(6), np.arange(5.0))[rows[:, 0], rows[:, 1]]
    model = FlatMatrixFactorization(2, random_state=0, measures=None).fit(rows, values)
    X, Y = model.factors_
    assert_allclose(conserved_quantities(model)["factors"], X.T @ X - Y.T @ Y)


def test_relu_units_have_the_formula_of_the_notes():
    estimator, _, _ = fitted("classes")
    W, b, above = estimator.coefs_[0], estimator.intercepts_[0], estimator.coefs_[1]
    for j, found in enumerate(conserved_quantities(estimator)["layer 1"]):
        assert found == pytest.approx(W[:, j] @ W[:, j] + b[j] ** 2 - above[j] @ above[j])


def linear_network():
    """A deep linear network of widths 3-4-4-3 before it is trained."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = X @ rng.normal(size=(3, 3))
    settings = OURS | {"max_iter": 1, "solver": "sgd", "learning_rate_init": 1e-6}
    reg = FlatMLPRegressor(hidden_layer_sizes=(4, 4), activation="identity", **settings).fit(X, Y)
    reg.coefs_ = [0.6 * rng.normal(size=W.shape) for W in reg.coefs_]
    return reg, X, Y


def test_twenty_thousand_steps_keep_a_deep_linear_network_to_five_millionths():
    reg, X, Y = linear_network()
    problem = as_problem(reg, X, Y)
    objective, w, g, work = problem.objective, problem.w, np.empty_like(problem.w), Workspace()
    start, first = objective.model.symmetry.conserved(w), objective.loss(w)
    for _ in range(20_000):
        objective.loss_gradient(w, None, g, work)
        w -= 1e-5 * g
    assert objective.loss(w) < 0.9 * first
    for name, each in objective.model.symmetry.conserved(w).items():
        assert np.linalg.norm(each - start[name]) < 5e-6 * np.linalg.norm(start[name])


def test_the_drift_is_of_the_order_of_the_rate():
    """Over the same time, and so of order rate squared for a step."""
    estimator, X, y = fitted("two outputs")
    estimator = rescale(estimator, 3.0)
    ends = [
        conservation_drift(estimator, X, y, learning_rate=rate, n_steps=round(1 / rate) // 2)
        for rate in (4e-3, 2e-3, 1e-3)
    ]
    found = [each.relative[-1] for each in ends]
    assert found[0] / found[1] == pytest.approx(2, rel=0.2)
    assert found[1] / found[2] == pytest.approx(2, rel=0.1)


def test_noise_and_the_penalty_lose_what_is_conserved():
    reg = MLPRegressor(hidden_layer_sizes=(6,), random_state=0, max_iter=5)
    reg.fit(IRIS, LENGTHS[:, 0])
    reg = rescale(reg, 3.0)
    settings = {"learning_rate": 1e-3, "n_steps": 800, "random_state": 0}
    plain = conservation_drift(reg, IRIS, LENGTHS[:, 0], **settings)
    noisy = conservation_drift(reg, IRIS, LENGTHS[:, 0], batch_size=5, **settings)
    decayed = conservation_drift(reg, IRIS, LENGTHS[:, 0], alpha=30.0, **settings)
    assert noisy.relative[-1] > 2 * plain.relative[-1]
    assert decayed.relative[-1] > 10 * plain.relative[-1]
    for drift in (plain, noisy, decayed):
        assert_allclose(drift.values, drift.expected, rtol=0, atol=1e-10)


def test_without_intercepts_the_penalty_decays_it_by_the_law():
    """``C' = -2 (alpha / n) C`` under gradient flow."""
    reg = MLPRegressor(hidden_layer_sizes=(6,), random_state=0, max_iter=1)
    X, y = np.zeros((10, 4)), np.zeros(10)
    reg.fit(X, y)
    reg.intercepts_ = [np.zeros_like(b) for b in reg.intercepts_]
    drift = conservation_drift(reg, X, y, learning_rate=1e-3, n_steps=1000, alpha=5.0)
    wanted = np.exp(-2 * 5.0 / 10 * 1e-3 * drift.steps)
    assert_allclose(drift.values, wanted[:, None] * drift.values[0], rtol=1e-3)
