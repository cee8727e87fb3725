"""Gradients and Hessian products by hand, compared with autograd and finite differences."""

import numpy as np
import pytest
from networks import (
    N_ROWS,
    TracedMLP,
    assert_close,
    each_hidden,
    each_loss,
    each_pair,
    each_weighting,
    everything,
    in_dtype,
    network,
    slope,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from toys import Bilinear, DeepLinear, features, trace_of_rows

from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, HiddenLayer, Objective, Workspace, require

# Gradients and Hessian products


@each_weighting
@each_hidden
@each_pair
def test_derivatives_by_hand_equal_those_of_autograd(activation, loss, hidden, weighted):
    objective, w, v = network(activation, loss, hidden, weighted)
    traced, _, _ = network(activation, loss, hidden, weighted, kind=TracedMLP)
    (value, gradient), (expected_value, expected) = (
        o.loss_gradient(w) for o in (objective, traced)
    )
    assert_close(value, expected_value, 1e-12)
    assert_close(objective.loss(w), expected_value, 1e-12)
    assert_close(gradient, expected, 1e-10)
    assert_close(objective.hvp(w, v), traced.hvp(w, v), 1e-10)


@each_weighting
@each_hidden
@each_pair
def test_single_precision_keeps_its_dtype_and_four_digits(activation, loss, hidden, weighted):
    objective, w, v = network(activation, loss, hidden, weighted)
    single = in_dtype(objective, np.float32)
    w32, v32 = w.astype(np.float32), v.astype(np.float32)
    gradient, product = single.loss_gradient(w32)[1], single.hvp(w32, v32)
    scores = single.scores(w32)
    assert gradient.dtype == product.dtype == scores.dtype == np.float32
    assert_close(gradient, objective.loss_gradient(w)[1], 1e-4)
    assert_close(product, objective.hvp(w, v), 1e-4)
    assert_close(scores, objective.scores(w), 1e-4)


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
def test_weights_in_double_precision_change_no_dtype(kind):
    objective, w, v = network("tanh", "multilabel", (6, 5), weighted=True, kind=kind)
    single = in_dtype(objective, np.float32)
    single.data.weight = objective.data.weight
    w32, v32 = w.astype(np.float32), v.astype(np.float32)
    gradient, product = single.loss_gradient(w32)[1], single.hvp(w32, v32)
    assert gradient.dtype == product.dtype == np.float32
    assert_close(gradient, objective.loss_gradient(w)[1], 1e-4)
    assert_close(product, objective.hvp(w, v), 1e-4)


@each_pair
@each_hidden
@each_weighting
def test_the_gradient_with_slopes_held_by_hand_equals_that_of_autograd(
    activation, loss, hidden, weighted
):
    """At the point whose slopes they are it is the gradient."""
    by_hand, w, v = network(activation, loss, hidden, weighted)
    traced, _, _ = network(activation, loss, hidden, weighted, kind=TracedMLP)
    found, work = by_hand.functional_gradient(w + 0.1 * v, w), Workspace()
    assert_allclose(found, traced.functional_gradient(w + 0.1 * v, w), rtol=1e-9, atol=1e-12)
    here, out = by_hand.loss_gradient(w)[1], np.empty_like(w)
    assert by_hand.functional_gradient(w, w, out=out, work=work) is out
    assert_allclose(out, here, rtol=1e-9, atol=1e-12)
    assert work.rows == N_ROWS


@each_loss
def test_the_gradient_with_slopes_held_is_the_slopes_times_the_jacobian(loss):
    objective, foot, v = network("tanh", loss, (6,), weighted=True, alpha=0.0)
    w, rows, function = foot + 0.1 * v, objective.data, objective.loss_function
    slopes = function.residual(function.predict(objective.scores(foot).copy()), rows.y)
    change = slope(objective.scores, w, v)
    expected = rows.mean(np.sum(slopes * change, axis=1))
    assert objective.functional_gradient(w, foot) @ v == pytest.approx(expected, rel=1e-8)


def test_slopes_are_held_in_chunks_parts_single_precision_and_on_sparse_rows():
    objective, foot, v = network("relu", "multinomial", (6,), weighted=True, n_rows=9000)
    w, data = foot + 0.1 * v, objective.data
    whole = objective.functional_gradient(w, foot)
    parts = (share * objective.functional_gradient(w, foot, p) for share, p in data.shares(700))
    assert_close(sum(parts), whole, 1e-10)
    rest = objective.model, objective.loss_function, sparse.csr_matrix(data.X), data.y, data.weight
    assert_close(Objective(*rest, objective.alpha).functional_gradient(w, foot), whole, 1e-10)
    single = in_dtype(objective, np.float32)
    found = single.functional_gradient(w.astype(np.float32), foot.astype(np.float32))
    assert found.dtype == np.float32
    assert_close(found, whole, 1e-4)


@each_loss
def test_derivatives_are_slopes(loss):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True)
    gradient = objective.loss_gradient(w)[1]
    assert gradient @ v == pytest.approx(slope(objective.loss, w, v), rel=1e-8)
    assert_close(objective.hvp(w, v), slope(lambda u: objective.loss_gradient(u)[1], w, v), 1e-8)


@pytest.mark.parametrize("model", [Bilinear(4, 2), DeepLinear(4, 3, 3, 2)])
def test_a_model_of_layout_and_forward_alone_is_differentiated(model):
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(20, 4)), rng.normal(size=(20, 2)), rng.uniform(size=20)
    objective = Objective(model, HalfSquared(), X, y, weight, alpha=0.5)
    w, v = 0.5 * rng.normal(size=(2, model.layout.size))
    value, gradient = objective.loss_gradient(w)
    assert value == pytest.approx(objective.loss(w), rel=1e-12)
    assert gradient @ v == pytest.approx(slope(objective.loss, w, v), rel=1e-8)
    assert_close(objective.hvp(w, v), slope(lambda u: objective.loss_gradient(u)[1], w, v), 1e-8)
    assert trace_of_rows(objective, w) is None
    with pytest.raises(TypeError, match=f"this {type(model).__name__} has none. Networks"):
        require(objective, HiddenLayer, "x")


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
def test_the_hessian_is_symmetric_and_linear(kind):
    objective, w, v = network("logistic", "multinomial", (6, 5), weighted=True, kind=kind)
    u = np.random.default_rng(1).normal(size=len(w))
    Hu, Hv = objective.hvp(w, u), objective.hvp(w, v)
    assert u @ Hv == pytest.approx(v @ Hu, rel=1e-10)
    assert_close(objective.hvp(w, 2 * u - 3 * v), 2 * Hu - 3 * Hv, 1e-10)


def test_the_penalty_is_on_the_weights_alone_and_shared_by_the_weight_of_the_rows():
    objective, w, v = network("tanh", "squared", (6, 5), weighted=True, alpha=0.3)
    free = objective.unpenalized()
    rate = 0.3 / objective.data.weight.sum()
    weights = np.concatenate([np.ravel(W) for W in objective.model.split(w)[0]])
    pull = np.zeros_like(w)
    pull[: len(weights)] = rate * weights
    moved = np.where(np.arange(len(w)) < len(weights), rate * v, 0)
    penalty = objective.loss(w) - free.loss(w)
    assert penalty == pytest.approx(rate / 2 * weights @ weights, rel=1e-10)
    assert_close(objective.loss_gradient(w)[1] - free.loss_gradient(w)[1], pull, 1e-10)
    assert_close(objective.hvp(w, v) - free.hvp(w, v), moved, 1e-10)
    assert_array_equal(objective.per_sample_loss(w), free.per_sample_loss(w))


def test_relu_has_slope_0_at_0():
    at_the_kink = np.array([1.0, 1.0, -1.0, 1.0])
    for kind in (MLP, TracedMLP):
        model = kind([1, 1, 1], "relu")
        objective = Objective(model, HalfSquared(), np.ones((1, 1)), np.zeros((1, 1)))
        assert_array_equal(objective.loss_gradient(at_the_kink)[1], [0, 0, 0, 1])


# Sparse input


@each_weighting
@each_loss
@pytest.mark.parametrize("activation", ["relu", "callable"])
def test_sparse_input_says_what_dense_input_says(activation, loss, weighted):
    objective, w, v = network(activation, loss, (6, 5), weighted)
    X = np.where(objective.data.X > 0.5, objective.data.X, 0)
    settings = objective.data.y, objective.data.weight, objective.alpha
    dense, csr = (
        Objective(objective.model, objective.loss_function, inputs, *settings)
        for inputs in (X, sparse.csr_array(X))
    )
    expected, found = everything(dense, w, v), everything(csr, w, v)
    for name in expected:
        assert_close(found[name], expected[name], 1e-12)
    assert_close(trace_of_rows(csr, w), trace_of_rows(dense, w), 1e-12)
    assert_close(features(csr, w), features(dense, w), 1e-12)
    some = np.array([3, 17, 5])
    gradients = [o.loss_gradient(w, o.batch(some))[1] for o in (csr, dense)]
    assert_close(*gradients, 1e-12)
