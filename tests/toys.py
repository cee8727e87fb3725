"""Objectives whose properties are all known, and wrappers that record how they are used."""

from itertools import pairwise
from types import SimpleNamespace

import autograd.numpy as anp
import numpy as np
from autograd import grad, hessian

from skflat.objective import (
    Batch,
    ExactTrace,
    HalfSquared,
    HiddenLayer,
    HiddenUnits,
    Layout,
    Model,
    TraceGradient,
)
from skflat.problems import REGRESSION, Problem
from skflat.solvers import Settings, minimize


class Toy:
    """A function of the parameters as an objective, of rows that are all alike."""

    loss_function, alpha, unit_radius = HalfSquared(), 0.0, 1.0
    penalized = (slice(None),)

    def __init__(self, function, gradient, hessian, n_rows=1):
        self.function, self.gradient, self.hessian = function, gradient, hessian
        self.data = Batch(np.zeros((n_rows, 1)), np.zeros(n_rows))
        self.n_rows = n_rows
        self.layout = SimpleNamespace(parts=[slice(None)])

    def batch(self, rows=None, work=None):
        return self.data if rows is None else Batch(self.data.X[rows], self.data.y[rows])

    def loss(self, w, batch=None, work=None):
        return float(self.function(w))

    def per_sample_loss(self, w, batch=None, work=None):
        return np.full(len(batch or self.data), self.function(w))

    def loss_gradient(self, w, batch=None, out=None, work=None):
        out = np.empty_like(w) if out is None else out
        out[:] = self.gradient(w)
        if work is not None:
            work.rows += len(batch or self.data)
        return float(self.function(w)), out

    def functional_gradient(self, w, foot, batch=None, out=None, work=None):
        """The function is the output, and the loss it."""
        return self.loss_gradient(w, batch, out, work)[1]

    def hvp(self, w, v, batch=None, work=None):
        return self.hessian(w) @ v

    def hessian_products(self, w, batch=None, work=None):
        return lambda v: self.hessian(w) @ v

    def along(self, w, directions, steps, work=None, row_sums=None):
        losses = [[self.function(w + step * h) for step in steps] for h in directions]
        return np.array([losses, np.zeros_like(losses)])

    def scores(self, w, X=None):
        return np.zeros((len(self.data if X is None else X), 1))

    def capability(self, kind):
        """Measures are to sample the trace, so they are not told it."""
        known = {TraceGradient: Slope, HiddenUnits: Flat}.get(kind)
        return known and known(self)

    def constant_loss(self):
        return 1.0


class Slope(TraceGradient):
    """The gradient of a toy's trace, by central differences."""

    def gradient(self, w, batch=None, out=None, work=None):
        toy, out, h = self.objective, np.empty_like(w) if out is None else out, 1e-4
        ends = [[np.trace(toy.hessian(w + s * e)) for s in (h, -h)] for e in np.eye(len(w))]
        out[:] = np.diff(ends, axis=1)[:, 0] / (-2 * h)
        if work is not None:
            work.rows += len(batch or toy.data)
        return out


class Flat(HiddenUnits):
    """Units that do not depend on the parameters."""

    def gradient(self, function, w, batch=None, out=None, work=None):
        batch = batch or self.objective.data
        if work is not None:
            work.rows += len(batch)
        out = np.empty_like(w) if out is None else out
        out[:] = 0
        return function(np.zeros((len(batch), 1)), batch)[0], out


def quadratic(*curvatures, n_rows=1):
    """``sum lam_i w_i^2 / 2``."""
    lam = np.array(curvatures, dtype=float)
    return Toy(lambda w: 0.5 * w @ (lam * w), lambda w: lam * w, lambda w: np.diag(lam), n_rows)


def hyperbola():
    """``(x y - 1)^2``, minimal along a hyperbola and flattest at (1, 1)."""
    return Toy(
        lambda w: (w[0] * w[1] - 1) ** 2,
        lambda w: 2 * (w[0] * w[1] - 1) * w[::-1],
        lambda w: np.array(
            [[2 * w[1] ** 2, 4 * w[0] * w[1] - 2], [4 * w[0] * w[1] - 2, 2 * w[0] ** 2]]
        ),
    )


def product_of(n_factors):
    """``(w_1 ... w_n - 1)^2``."""

    def others(w):
        return np.array([np.prod(np.delete(w, i)) for i in range(n_factors)])

    def hessian(w):
        without = np.array(
            [
                [0.0 if i == j else np.prod(np.delete(w, [i, j])) for j in range(n_factors)]
                for i in range(n_factors)
            ]
        )
        return 2 * np.outer(others(w), others(w)) + 2 * (np.prod(w) - 1) * without

    return Toy(lambda w: (np.prod(w) - 1) ** 2, lambda w: 2 * (np.prod(w) - 1) * others(w), hessian)


def traced(function):
    """An objective from a function written with autograd's numpy."""
    return Toy(function, grad(function), hessian(function))


def factorization(M, k):
    """``|X Y' - M|^2`` of all entries of X (m x k) and Y (n x k)."""
    m, n = M.shape

    def loss(w):
        X, Y = anp.reshape(w[: m * k], (m, k)), anp.reshape(w[m * k :], (n, k))
        return anp.sum((X @ Y.T - M) ** 2)

    toy = traced(loss)
    toy.layout.parts = [slice(0, m * k), slice(m * k, None)]
    return toy


class Bilinear(Model):
    """``(X A) * (X B)``: all that a new model has to say of itself."""

    def __init__(self, n_features, n_outputs):
        self.layout = Layout({name: (n_features, n_outputs) for name in "AB"})

    def forward(self, params, X):
        return (X @ params["A"]) * (X @ params["B"])


class DeepLinear(Model):
    """``X W0 W1 W2``."""

    def __init__(self, *sizes):
        shapes = enumerate(pairwise(sizes))
        self.layout = Layout({f"W{layer}": shape for layer, shape in shapes})

    def forward(self, params, X):
        for W in params.values():
            X = X @ W
        return X


class Watched:
    """An objective that notes where it is looked at, and counts the rows differentiated."""

    def __init__(self, objective):
        self.objective, self.looked_at, self.climbed_to, self.rows = objective, [], [], 0

    def __getattr__(self, name):
        return getattr(self.objective, name)

    def loss(self, w, batch=None, work=None):
        self.looked_at.append(w.copy())
        return self.objective.loss(w, batch, work)

    def loss_gradient(self, w, batch=None, out=None, work=None):
        self.looked_at.append(w.copy())
        self.climbed_to.append(w.copy())
        self.rows += len(self.objective.batch() if batch is None else batch)
        return self.objective.loss_gradient(w, batch, out, work)

    def functional_gradient(self, w, foot, batch=None, out=None, work=None):
        self.climbed_to.append(w.copy())
        self.rows += len(self.objective.batch() if batch is None else batch)
        return self.objective.functional_gradient(w, foot, batch, out, work)

    def capability(self, kind):
        found = self.objective.capability(kind)
        watching = {TraceGradient: WatchedSlope, HiddenUnits: WatchedUnits}.get(kind)
        return found if found is None or watching is None else watching(self, found)


class WatchedSlope(TraceGradient):
    """The gradient of a watched objective's trace."""

    def __init__(self, watched, known):
        super().__init__(watched)
        self.known = known

    def gradient(self, w, batch=None, out=None, work=None):
        watched = self.objective
        watched.rows += len(watched.objective.batch() if batch is None else batch)
        return self.known.gradient(w, batch, out, work)


class WatchedUnits(HiddenUnits):
    """The gradient of a function of a watched objective's units."""

    def __init__(self, watched, known):
        super().__init__(watched)
        self.known = known

    def gradient(self, function, w, batch=None, out=None, work=None):
        watched = self.objective
        watched.rows += len(watched.objective.batch() if batch is None else batch)
        return self.known.gradient(function, w, batch, out, work)


def trace_of_rows(objective, w, batch=None):
    """Exact traces by row and layer, or None."""
    known = objective.capability(ExactTrace)
    return None if known is None else known.of_rows(w, batch)


def trace_gradient(objective, w, *args, **kwargs):
    """Gradient of the exact trace, or None."""
    known = objective.capability(TraceGradient)
    return None if known is None else known.gradient(w, *args, **kwargs)


def features(objective, w, X=None):
    """The last hidden layer."""
    return objective.capability(HiddenLayer).features(w, X)


def expected_loss(objective, w, rho):
    """The mean loss of a factorization under Gaussian noise on every parameter."""
    batch = objective.batch()
    return objective.loss(w) + objective.model.noise_loss(w, rho, batch)


def problem(objective, w):
    """What a measure is given, for any objective at any point."""
    return Problem(objective, np.array(w, dtype=float), REGRESSION, objective.n_rows)


def descend(solver, objective, w, n_steps, **settings):
    """Where plain steps of rate 0.02 end up, all rows in every batch unless told otherwise."""
    plain = {
        "learning_rate_init": 0.02,
        "momentum": 0.0,
        "nesterovs_momentum": False,
        "n_iter_no_change": np.inf,
        "shuffle": False,
    }
    end, _ = minimize(
        solver, objective, np.array(w, float), Settings(**plain | settings), max_epochs=n_steps
    )
    return end
