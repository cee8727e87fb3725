"""The models' mathematics, compared with autograd, finite differences and dense inputs."""

import pickle
from itertools import pairwise

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, logit, ndtr, softmax
from toys import Bilinear, DeepLinear, features, trace_of_rows

from skflat.models.mlp import MLP
from skflat.objective import (
    Batch,
    Binary,
    HalfPoisson,
    HalfSquared,
    HiddenLayer,
    Layout,
    Model,
    Multinomial,
    Objective,
    RegressionLoss,
    Workspace,
    require,
)

N_ROWS, N_FEATURES = 30, 4


def softplus(z):
    return anp.logaddexp(0.0, z)


LOSSES = {
    "multinomial": (Multinomial(), 3),
    "binary": (Binary(), 1),
    "multilabel": (Binary(), 3),
    "smoothed classes": (Multinomial(0.2, 3), 3),
    "smoothed labels": (Binary(0.3), 2),
    "squared": (HalfSquared(), 1),
    "two squared": (HalfSquared(), 2),
    "poisson": (HalfPoisson(), 1),
    "two poisson": (HalfPoisson(), 2),
}
ACTIVATIONS = {
    "identity": "identity",
    "relu": "relu",
    "tanh": "tanh",
    "logistic": "logistic",
    "gelu": "gelu",
    "silu": "silu",
    "selu": "selu",
    "mish": "mish",
    "callable": softplus,
}
PIECEWISE_LINEAR = ["identity", "relu"]
SMOOTH = ["tanh", "logistic", "gelu", "silu", "selu", "mish", "callable"]

each_loss = pytest.mark.parametrize("loss", LOSSES)
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
# The loss and the units do not know each other, so every loss meets one kind of units.
PAIRS = [(units, "multinomial") for units in ACTIVATIONS] + [("tanh", loss) for loss in LOSSES]
each_pair = pytest.mark.parametrize(("activation", "loss"), sorted(set(PAIRS)))
each_hidden = pytest.mark.parametrize("hidden", [(), (7,), (6, 5)])
each_weighting = pytest.mark.parametrize("weighted", [False, True])


class TracedMLP(MLP):
    """The same network, differentiated by autograd."""

    loss_gradient = Model.loss_gradient
    linearized = Model.linearized


def targets(rng, loss, n_rows=N_ROWS):
    loss, n_outputs = LOSSES[loss]
    if isinstance(loss, Multinomial):
        return rng.integers(n_outputs, size=n_rows)
    if isinstance(loss, Binary):
        return rng.integers(2, size=(n_rows, n_outputs)).astype(float)
    if isinstance(loss, HalfPoisson):
        return rng.poisson(1.5, size=(n_rows, n_outputs)).astype(float)
    return rng.normal(size=(n_rows, n_outputs))


def network(activation, loss, hidden, weighted=False, alpha=0.3, kind=MLP, n_rows=N_ROWS):
    """An objective, a point and a direction, the same ones for every ``kind``."""
    rng = np.random.default_rng(0)
    function, n_outputs = LOSSES[loss]
    model = kind([N_FEATURES, *hidden, n_outputs], ACTIVATIONS[activation])
    X = rng.normal(size=(n_rows, N_FEATURES))
    y = targets(rng, loss, n_rows)
    weight = rng.uniform(0.1, 2, size=n_rows) if weighted else None
    w, v = 0.6 * rng.normal(size=(2, model.layout.size))
    return Objective(model, function, X, y, weight, alpha), w, v


def in_dtype(objective, dtype):
    data = objective.data
    y = data.y.astype(dtype) if data.y.ndim == 2 else data.y
    weight = None if data.weight is None else data.weight.astype(dtype)
    settings = objective.alpha, objective.reported
    model, loss = objective.model, objective.loss_function
    return Objective(model, loss, data.X.astype(dtype), y, weight, *settings)


def on_rows(objective, rows):
    data = objective.data
    weight = None if data.weight is None else data.weight[rows]
    model, loss = objective.model, objective.loss_function
    return Objective(model, loss, data.X[rows], data.y[rows], weight, objective.alpha)


def everything(objective, w, v):
    """All that an objective says about a point, by name."""
    value, gradient = objective.loss_gradient(w)
    return {
        "loss": objective.loss(w),
        "loss with the gradient": value,
        "gradient": gradient,
        "Hessian product": objective.hvp(w, v),
        "rows": objective.per_sample_loss(w),
        "scores": objective.scores(w),
    }


def assert_close(found, expected, rtol):
    """Equal up to a share of the largest entry."""
    scale = np.abs(expected).max(initial=0)
    assert np.isfinite(scale)
    assert_allclose(found, expected, rtol=0, atol=rtol * scale)


def slope(function, w, v, step=1e-5):
    """Central finite difference along ``v``."""
    return (function(w + step * v) - function(w - step * v)) / (2 * step)


def dense_hessian(objective, w):
    return np.column_stack([objective.hvp(w, column) for column in np.eye(len(w))])


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


# The trace of the Hessian

CLOSED_FORM = [
    *((activation, (5,) * depth) for activation in PIECEWISE_LINEAR for depth in range(4)),
    *((activation, (5,) * depth) for activation in SMOOTH for depth in range(3)),
]


@each_loss
@pytest.mark.parametrize(("activation", "hidden"), CLOSED_FORM)
def test_the_trace_is_that_of_the_dense_hessian_layer_by_layer(activation, hidden, loss):
    objective, w, _ = network(activation, loss, hidden, weighted=True, alpha=0)
    diagonal = dense_hessian(objective, w).diagonal()
    weights, intercepts = objective.model.split(diagonal)
    layers = [W.sum() + b.sum() for W, b in zip(weights, intercepts, strict=True)]
    by_row = trace_of_rows(objective, w)
    assert by_row.shape == (N_ROWS, len(hidden) + 1)
    assert_close(np.average(by_row, axis=0, weights=objective.data.weight), layers, 1e-9)
    total = np.average(by_row.sum(axis=1), weights=objective.data.weight)
    assert total == pytest.approx(diagonal.sum(), rel=1e-9)


@each_activation
def test_the_trace_of_a_row_is_its_own(activation):
    """More rows than are taken at a time, each as if it were alone."""
    objective, w, _ = network(activation, "multinomial", (6, 5), n_rows=1100)
    by_row = trace_of_rows(objective, w)
    for row in (0, 511, 512, 1023, 1024, 1099):
        alone = trace_of_rows(objective, w, objective.batch(slice(row, row + 1)))
        assert_close(by_row[row : row + 1], alone, 1e-12)


def test_the_trace_has_no_penalty_in_it():
    objective, w, _ = network("relu", "multinomial", (6,), alpha=10.0)
    assert_array_equal(trace_of_rows(objective, w), trace_of_rows(objective.unpenalized(), w))


@pytest.mark.parametrize("activation", SMOOTH)
def test_three_smooth_layers_have_no_closed_form(activation):
    objective, w, _ = network(activation, "multinomial", (5, 5, 5))
    assert trace_of_rows(objective, w) is None


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_trace_of_single_precision_is_in_double(activation):
    """Squares of features overflow long before the features do."""
    objective, w, _ = network(activation, "multinomial", (6, 5))
    by_row = trace_of_rows(in_dtype(objective, np.float32), w.astype(np.float32))
    assert by_row.dtype == np.float64
    assert_close(by_row, trace_of_rows(objective, w), 1e-4)


# Weights


def expected_without(objective, rows, w, v):
    kept = everything(on_rows(objective, rows), w, v)
    return {name: kept[name] for name in ("loss", "gradient", "Hessian product")}


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
@each_loss
def test_a_row_of_weight_0_is_not_there(loss, kind):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True, kind=kind)
    objective.data.weight[::3] = 0
    found = everything(objective, w, v)
    for name, expected in expected_without(objective, objective.data.weight > 0, w, v).items():
        assert_close(found[name], expected, 1e-12)


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
@each_loss
def test_a_row_of_weight_2_is_there_twice(loss, kind):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True, kind=kind)
    objective.data.weight[:] = np.tile([1, 2], N_ROWS // 2)
    found = everything(objective, w, v)
    rows = np.repeat(np.arange(N_ROWS), np.tile([1, 2], N_ROWS // 2))
    repeated = on_rows(objective, rows)
    repeated.data.weight[:] = 1
    expected = everything(repeated, w, v)
    for name in ("loss", "gradient", "Hessian product"):
        assert_close(found[name], expected[name], 1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("kind", [MLP, TracedMLP])
@each_loss
def test_a_batch_that_weighs_nothing_has_no_gradient(loss, kind, alpha):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True, kind=kind, alpha=alpha)
    objective.data.weight[:] = 0
    value, gradient = objective.loss_gradient(w)
    assert value == objective.loss(w) == 0
    assert_array_equal(gradient, 0)
    assert_array_equal(objective.hvp(w, v), 0)


# Losses


@each_weighting
@each_loss
def test_the_best_constant_prediction_is_the_mean(loss, weighted):
    """Its residuals cancel, and the losses are convex."""
    objective, _, _ = network("relu", loss, (), weighted)
    function, n_outputs = LOSSES[loss]
    data = objective.data
    y = np.eye(n_outputs)[data.y] if data.y.ndim == 1 else data.y
    share = getattr(function, "label_smoothing", 0.0)
    y = (1 - share) * y + share / (n_outputs if data.y.ndim == 1 else 2)
    mean = np.average(y, axis=0, weights=data.weight)
    scores = {Binary: logit, HalfSquared: np.positive}.get(type(function), np.log)(mean)
    rows = function.per_sample(np.tile(scores, (N_ROWS, 1)), data.y)
    assert objective.constant_loss() == pytest.approx(data.mean(rows), rel=1e-12)


@pytest.mark.parametrize("loss", ["squared", "two squared", "poisson", "two poisson"])
def test_the_link_undoes_the_prediction(loss):
    function, n_outputs = LOSSES[loss]
    F = np.random.default_rng(0).normal(size=(9, n_outputs))
    assert_allclose(function.link(function.predict(F.copy())), F, rtol=1e-12)


@pytest.mark.parametrize("loss", ["multinomial", "binary"])
def test_losses_of_classes_have_no_link_back(loss):
    objective, _, _ = network("relu", loss, (7,))
    with pytest.raises(TypeError, match="x needs a target of numbers, and this MLP has none"):
        require(objective, RegressionLoss, "x")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_reported_loss_of_classes_is_clipped_at_eps(dtype):
    objective, w, _ = network("relu", "multinomial", (7,), alpha=0)
    objective, w = in_dtype(objective, dtype), (100 * w).astype(dtype)
    P = softmax(objective.scores(w), axis=1)[np.arange(N_ROWS), objective.data.y]
    eps = np.finfo(dtype).eps
    assert P.min() < eps
    expected = -np.log(np.clip(P, eps, 1 - eps))
    assert_allclose(objective.as_reported().per_sample_loss(w), expected, rtol=1e-5)
    assert objective.per_sample_loss(w).max() > -np.log(eps) + 1
    assert objective.as_reported().per_sample_loss(w).max() == pytest.approx(-np.log(eps), rel=1e-6)


def test_the_reported_loss_of_yes_and_no_is_clipped_at_eps():
    objective, w, _ = network("relu", "multilabel", (7,), alpha=0)
    P, y = expit(objective.scores(100 * w)), objective.data.y
    eps = np.finfo(float).eps
    wrong = np.clip(np.where(y == 1, 1 - P, P), eps, 1 - eps)
    expected = -np.log1p(-wrong).sum(axis=1)
    assert expected.max() > 30
    assert_allclose(objective.as_reported().per_sample_loss(100 * w), expected, rtol=1e-9)


def test_the_reported_squared_error_is_a_mean_over_the_outputs():
    objective, w, _ = network("relu", "two squared", (7,), alpha=0)
    assert objective.as_reported().loss(w) == pytest.approx(objective.loss(w) / 2, rel=1e-12)


@each_loss
def test_what_is_reported_changes_no_gradient(loss):
    objective, w, _ = network("relu", loss, (7,), weighted=True)
    reported = objective.as_reported()
    value, gradient = reported.loss_gradient(w)
    assert_array_equal(gradient, objective.loss_gradient(w)[1])
    assert value == pytest.approx(reported.loss(w), rel=1e-12)
    assert reported.unpenalized().alpha == 0
    assert reported.unpenalized().reported
    assert objective.unpenalized().as_reported().loss(w) < reported.loss(w)


@each_loss
def test_the_base_model_reports_what_the_network_reports(loss):
    values = [
        network("relu", loss, (7,), True, kind=kind)[0]
        .as_reported()
        .loss_gradient(network("relu", loss, (7,))[1])[0]
        for kind in (MLP, TracedMLP)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


# Memory: what is the caller's and what is scratch


@each_weighting
@each_loss
@pytest.mark.parametrize("activation", ["relu", "callable"])
def test_nothing_given_is_written_to(activation, loss, weighted):
    objective, w, v = network(activation, loss, (6, 5), weighted)
    data = objective.data
    for array in (data.X, data.y, data.weight, w, v):
        if array is not None:
            array.flags.writeable = False
    everything(objective, w, v)
    everything(objective.as_reported(), w, v)
    trace_of_rows(objective, w)
    features(objective, w)
    objective.constant_loss()


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
def test_two_gradients_are_two_arrays(kind):
    objective, w, v = network("relu", "multinomial", (6, 5), kind=kind)
    work = Workspace()
    results = []
    for point in (w, 2 * w):
        results += [objective.loss_gradient(point, work=work)[1]]
        results += [objective.hvp(point, v, work=work)]
    kept = [result.copy() for result in results]
    objective.loss_gradient(-w, work=work)
    objective.hvp(-w, v, work=work)
    for result, copy in zip(results, kept, strict=True):
        assert_array_equal(result, copy)
    assert not any(np.shares_memory(a, b) for a, b in pairwise(results))


def test_the_gradient_is_written_where_it_is_wanted():
    objective, w, _ = network("relu", "multinomial", (6, 5))
    out = np.full_like(w, np.nan)
    assert objective.loss_gradient(w, out=out)[1] is out
    assert_array_equal(out, objective.loss_gradient(w)[1])


@each_weighting
@each_pair
def test_used_scratch_gives_the_bits_of_fresh_scratch(activation, loss, weighted):
    objective, w, v = network(activation, loss, (6, 5), weighted)
    work, rng = Workspace(), np.random.default_rng(0)
    for size in (N_ROWS, 7, 1, 12, N_ROWS, 2):
        rows = rng.permutation(N_ROWS)[:size]
        batch, fresh = objective.batch(rows, work), objective.batch(rows)
        found, expected = (
            (
                objective.loss_gradient(w, b, work=s)[1],
                objective.hvp(w, v, b, work=s),
                objective.per_sample_loss(w, b, work=s).copy(),
            )
            for b, s in ((batch, work), (fresh, None))
        )
        for part, whole in zip(found, expected, strict=True):
            assert_array_equal(part, whole)


def test_a_workspace_counts_the_rows_differentiated():
    objective, w, v = network("relu", "multinomial", (6,))
    work = Workspace()
    objective.loss(w, work=work)
    objective.per_sample_loss(w, work=work)
    assert work.rows == 0
    objective.loss_gradient(w, work=work)
    assert work.rows == N_ROWS
    objective.hvp(w, v, work=work)
    assert work.rows == 3 * N_ROWS
    objective.loss_gradient(w, objective.batch(slice(0, 7)), work=work)
    assert work.rows == 3 * N_ROWS + 7


def test_a_workspace_hands_out_the_same_memory_by_name():
    work = Workspace()
    first = work.array("z", (10, 3), np.float64)
    assert np.shares_memory(first, work.array("z", (4, 3), np.float64))
    assert work.array("z", (4, 3), np.float64).shape == (4, 3)
    assert not np.shares_memory(first, work.array("a", (10, 3), np.float64))
    assert work.array("z", (12, 3), np.float64).shape == (12, 3)
    assert work.array("z", (4, 3), np.float32).dtype == np.float32


# Rows


@pytest.mark.parametrize("rows", [slice(3, 9), np.array([8, 1, 1, 5])])
@each_weighting
def test_a_batch_is_the_rows_asked_for(rows, weighted):
    objective, _, _ = network("relu", "multinomial", (6,), weighted)
    data = objective.data
    for work in (None, Workspace()):
        batch = objective.batch(rows, work)
        assert_array_equal(batch.X, data.X[rows])
        assert_array_equal(batch.y, data.y[rows])
        assert (batch.weight is None) == (not weighted)
        if weighted:
            assert_array_equal(batch.weight, data.weight[rows])
    assert objective.batch() is objective.batch(objective.batch()) is data


def test_a_batch_falls_into_consecutive_pieces():
    X, y, weight = np.arange(20.0).reshape(10, 2), np.arange(10), np.arange(10.0)
    pieces = list(Batch(X, y, weight).pieces(4))
    assert [len(piece) for piece in pieces] == [4, 4, 2]
    assert_array_equal(np.concatenate([piece.y for piece in pieces]), y)
    assert [piece.total_weight for piece in pieces] == [6, 22, 17]
    assert [piece.total_weight for piece in Batch(X, y).pieces(4)] == [4, 4, 2]


def test_a_batch_averages_by_weight():
    X, y = np.zeros((3, 1)), np.zeros(3)
    values = np.array([1.0, 2.0, 6.0])
    assert Batch(X, y).mean(values) == 3
    assert Batch(X, y, np.array([1.0, 1.0, 2.0])).mean(values) == 3.75
    assert Batch(X, y, np.zeros(3)).mean(values) == 0


# The flat vector

LAYOUT = Layout({"A": (2, 3), "b": (3,), "c": ()})


def test_arrays_follow_each_other_in_the_flat_vector():
    views = LAYOUT.views(np.arange(10.0))
    assert LAYOUT.size == 10
    assert list(views) == ["A", "b", "c"]
    assert_array_equal(views["A"], [[0, 1, 2], [3, 4, 5]])
    assert_array_equal(views["b"], [6, 7, 8])
    assert views["c"] == 9


def test_writing_into_a_view_writes_into_the_flat_vector():
    w = np.zeros(10)
    LAYOUT.views(w)["A"][1] = 7
    assert_array_equal(w, [0, 0, 0, 7, 7, 7, 0, 0, 0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_packing_undoes_the_views(dtype):
    w = np.arange(10, dtype=dtype)
    packed = LAYOUT.pack(LAYOUT.views(w))
    assert packed.dtype == dtype
    assert_array_equal(packed, w)
    assert not np.shares_memory(packed, w)
    assert LAYOUT.pack(LAYOUT.views(w), np.float32).dtype == np.float32


def test_a_network_is_split_and_joined():
    model = MLP([4, 3, 2])
    w = np.arange(23.0)
    weights, intercepts = model.split(w)
    assert [W.shape for W in weights] == [(4, 3), (3, 2)]
    assert [b.shape for b in intercepts] == [(3,), (2,)]
    assert_array_equal(model.join(weights, intercepts), w)
    assert_array_equal(np.concatenate([np.ravel(W) for W in weights]), w[model.penalized])


@each_activation
def test_a_model_pickles(activation):
    objective, w, v = network(activation, "multinomial", (6, 5), weighted=True)
    copy = pickle.loads(pickle.dumps(objective))
    expected, found = everything(objective, w, v), everything(copy, w, v)
    for name in expected:
        assert_array_equal(found[name], expected[name])


# What a network computes


@each_activation
def test_a_network_is_affine_maps_with_the_activation_between(activation):
    objective, w, _ = network(activation, "multinomial", (6, 5))
    functions = {
        "identity": np.positive,
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "logistic": expit,
        "gelu": lambda z: z * ndtr(z),
        "silu": lambda z: z * expit(z),
        "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
        "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
        "callable": softplus,
    }
    (W0, W1, W2), (b0, b1, b2) = objective.model.split(w)
    act, X = functions[activation], objective.data.X
    hidden = act(act(X @ W0 + b0) @ W1 + b1)
    assert_close(features(objective, w), hidden, 1e-12)
    assert_close(objective.scores(w), hidden @ W2 + b2, 1e-12)
    assert_close(objective.scores(w, X[:3]), (hidden @ W2 + b2)[:3], 1e-12)


def test_the_features_of_a_linear_model_are_its_inputs():
    objective, w, _ = network("relu", "multinomial", ())
    assert_array_equal(features(objective, w), objective.data.X)


FACTORS = dict.fromkeys(["tanh", "relu", "gelu", "silu", "selu", "mish"], 6) | {"logistic": 2}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_starts_within_the_bounds_of_glorot_and_bengio(dtype):
    for activation, factor in FACTORS.items():
        model = MLP([40, 30, 20], activation)
        w = model.init(np.random.RandomState(0), dtype)
        assert w.dtype == dtype
        for W, b in zip(*model.split(w), strict=True):
            bound = np.sqrt(factor / sum(W.shape))
            assert 0.98 * bound < np.abs(W).max() <= bound
            assert np.abs(b).max() <= bound
