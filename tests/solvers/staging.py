"""What the tests of penalties, noisy labels, averages and stages share: small networks."""

import numpy as np

from skflat import FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.objective import Binary, HalfPoisson, HalfSquared, Multinomial, Objective

LOSSES = {
    "multinomial": (Multinomial(), 3),
    "binary": (Binary(), 2),
    "smoothed classes": (Multinomial(0.2), 3),
    "smoothed labels": (Binary(0.3), 2),
    "squared": (HalfSquared(), 2),
    "poisson": (HalfPoisson(), 2),
}
PLAIN = {"momentum": 0.0, "nesterovs_momentum": False, "n_iter_no_change": np.inf}


def some_targets(loss, n_rows, rng):
    return {
        "multinomial": rng.integers(0, 3, n_rows),
        "binary": rng.integers(0, 2, (n_rows, 2)).astype(float),
        "smoothed classes": rng.integers(0, 3, n_rows),
        "smoothed labels": rng.integers(0, 2, (n_rows, 2)).astype(float),
        "squared": rng.normal(size=(n_rows, 2)),
        "poisson": rng.poisson(2.0, (n_rows, 2)).astype(float),
    }[loss]


def network(loss, activation="relu", hidden=(5,), n_rows=7, weighted=False, dtype=float):
    """A small network's objective, and a point."""
    rng = np.random.default_rng(0)
    function, n_outputs = LOSSES[loss]
    inputs, y = rng.normal(size=(n_rows, 4)), some_targets(loss, n_rows, rng)
    weight = rng.uniform(0.1, 2, n_rows).astype(dtype) if weighted else None
    model = MLP([4, *hidden, n_outputs], activation)
    y = y if y.ndim == 1 else y.astype(dtype)
    objective = Objective(model, function, inputs.astype(dtype), y, weight, alpha=0.1)
    return objective, (0.5 * rng.normal(size=model.layout.size)).astype(dtype)


def classifier(solver, **params):
    few = {"hidden_layer_sizes": (6,), "batch_size": 16, "max_iter": 8, "measures": None}
    return FlatMLPClassifier(solver=solver, random_state=0, **few | params)


def central(function, w, h):
    return np.array([(function(w + h * e) - function(w - h * e)) / (2 * h) for e in np.eye(len(w))])
