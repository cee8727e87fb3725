"""The stabilities of points on a sphere, their loss, and the trace of its Hessian."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from toys import trace_gradient, trace_of_rows

from skflat.models.threshold import Sphere, StabilityLoss
from skflat.objective import Batch, Model, Objective


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_slopes_on_the_sphere_are_those_of_autograd(fit_intercept, weighted):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 5)), (rng.random((30, 3)) > 0.5).astype(float)
    model, loss = Sphere(5, 3, fit_intercept), StabilityLoss(3.0, 0.2)
    batch = Batch(X, y, rng.random(30) if weighted else None)
    w, v = rng.standard_normal((2, model.layout.size))
    ours, theirs = np.empty_like(w), np.empty_like(w)
    value = model.loss_gradient(loss, w, batch, ours, None)
    expected = Model.loss_gradient(model, loss, w, batch, theirs, None)
    assert value == pytest.approx(expected, rel=1e-12)
    assert_allclose(ours, theirs, atol=1e-14)
    product = model.linearized(loss, w, batch, None)(v)
    assert_allclose(product, Model.linearized(model, loss, w, batch, None)(v), atol=1e-13)


def test_the_length_of_the_weights_does_not_matter():
    rng = np.random.default_rng(0)
    model, X = Sphere(5, 2), rng.standard_normal((7, 5))
    w = rng.standard_normal(model.layout.size)
    assert_allclose(model.scores(3 * w, X), model.scores(w, X))
    projected = model.project(w)
    assert_allclose(model.scores(projected, X), model.scores(w, X))
    assert_allclose(np.linalg.norm(model.layout.views(projected)["W"], axis=0), np.sqrt(5))


def test_a_step_along_the_weights_changes_nothing():
    """The gradient is orthogonal to the point, and the Hessian turns the point into -gradient."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 5)), (rng.random((30, 1)) > 0.5).astype(float)
    objective = Objective(Sphere(5, 1), StabilityLoss(2.0), X, y)
    w = rng.standard_normal(6)
    _, gradient = objective.loss_gradient(w)
    assert gradient @ w == pytest.approx(0, abs=1e-14)
    assert_allclose(objective.hvp(w, w), -gradient, atol=1e-14)


@pytest.mark.parametrize("margin", [-0.3, 0.0, 0.4])
@pytest.mark.parametrize("share", [[0.3], [0.0], [1.0], [0.2, 0.5, 0.3]])
def test_the_best_constant_is_that_of_a_search(margin, share):
    loss, n = StabilityLoss(3.0, margin), 10
    y = np.array([[float(row < round(p * n)) for p in share] for row in range(n)])
    grid = np.linspace(-30, 30, 60_001)
    costs = [
        np.mean(
            [loss.per_sample(grid[:, None], np.full((len(grid), 1), t)) for t in column], axis=0
        )
        for column in y.T
    ]
    expected = sum(cost.min() for cost in costs)
    assert loss.constant_loss(Batch(None, y)) == pytest.approx(expected, abs=1e-6)


def test_the_best_constant_of_a_steep_loss_is_at_the_margin():
    """The more frequent class costs nothing there, the other one twice the margin."""
    y = (np.arange(10) < 3).astype(float)[:, None]
    assert StabilityLoss(1e4, 2.0).constant_loss(Batch(None, y)) == pytest.approx(1.2, abs=1e-3)


def test_as_the_gain_grows_the_loss_is_what_a_score_lacks():
    F, y = np.array([[0.2], [0.7], [-1.0]]), np.ones((3, 1))
    assert_allclose(StabilityLoss(1e6, 0.5).per_sample(F, y), [0.3, 0, 1.5], atol=1e-5)


def test_errors_and_margins_of_several_classes_are_those_of_the_greatest_score():
    F = np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 4.0]])
    y = np.array([[1.0, 0, 0], [0, 1, 0]])
    loss = StabilityLoss()
    assert_array_equal(loss.errors(F, y), [False, True])
    assert_array_equal(loss.margins(F, y), [1, -3])


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_trace_on_the_sphere_is_that_of_the_hessian(fit_intercept):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((9, 4)), (rng.random((9, 2)) > 0.5).astype(float)
    objective = Objective(
        Sphere(4, 2, fit_intercept), StabilityLoss(3.0, 0.2), X, y, rng.uniform(0.2, 1, 9)
    )
    w = rng.standard_normal(objective.model.layout.size)
    units = np.eye(len(w))

    def trace(w):
        return sum(unit @ objective.hvp(w, unit) for unit in units)

    rows = trace_of_rows(objective, w)
    assert objective.data.mean(rows[:, 0]) == pytest.approx(trace(w), rel=1e-12)
    slope = [(trace(w + 1e-5 * unit) - trace(w - 1e-5 * unit)) / 2e-5 for unit in units]
    assert_allclose(trace_gradient(objective, w), slope, atol=1e-7)
