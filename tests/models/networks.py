"""What the tests of networks share: small ones with every loss and all kinds of units."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skflat.models.mlp import MLP
from skflat.objective import Binary, HalfPoisson, HalfSquared, Model, Multinomial, Objective

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
