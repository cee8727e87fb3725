"""A linear threshold classifier with weights on a sphere."""

import autograd.numpy as anp
import numpy as np

from ...objective import (
    BinaryMachines,
    ExactTrace,
    HiddenLayer,
    Hyperplanes,
    Layout,
    Model,
    TraceGradient,
)
from ._patterns import Patterns
from ._sphere_trace import SphereTrace


class Sphere(Model):
    """Stabilities ``(x @ w + b) / |w|``. There is one column for every one-vs-rest problem.

    If ``w`` is on the sphere of radius ``sqrt(n_features)``, the stability is the field divided by
    the square root of the number of weights. The length of ``w`` (with ``b``) has no effect, so
    only directions are learned.

    Parameters
    ----------
    n_features, n_outputs : int
    fit_intercept : bool, default=True
        Whether there is a threshold ``b``.
    """

    def __init__(self, n_features, n_outputs, fit_intercept=True):
        self.fit_intercept, self.width = fit_intercept, n_outputs
        shapes = {"W": (n_features, n_outputs)}
        self.layout = Layout(shapes | ({"b": (n_outputs,)} if fit_intercept else {}))

    def init(self, random_state, dtype):
        """A point drawn uniformly on the sphere, with thresholds of 0."""
        # The direction of a normal vector is uniform.
        w = np.zeros(self.layout.size, dtype)
        W = self.layout.views(w)["W"]
        W[:] = random_state.standard_normal(W.shape)
        return self.project(w)

    def project(self, w):
        """The equivalent point on the sphere. The thresholds are scaled with the weights."""
        w = w.copy()
        views = self.layout.views(w)
        scale = np.sqrt(len(views["W"])) / np.linalg.norm(views["W"], axis=0)
        for array in views.values():
            array *= scale
        return w

    def forward(self, params, X):
        return (X @ params["W"] + params.get("b", 0.0)) / anp.sqrt(
            anp.sum(params["W"] ** 2, axis=0)
        )

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        return _Slopes(self, loss, w, batch).gradient(out)

    def linearized(self, loss, w, batch, work):
        return _Slopes(self, loss, w, batch).hessian_product


class _Slopes:
    """Derivatives of the mean loss at one point.

    Let ``F = Z / n``, ``Z = X W + b`` and ``n = |W|``. The derivative of ``F`` along ``(V, c)`` is
    ``(X V + c - F m) / n``, where ``m = W.V / n`` is the derivative of ``n``.
    """

    def __init__(self, model, loss, w, batch):
        self.model, self.X = model, batch.X
        self.W = model.layout.views(w)["W"]
        self.norm = np.linalg.norm(self.W, axis=0)
        self.F = model.scores(w, batch.X)
        weight = np.ones(len(batch)) if batch.weight is None else batch.weight
        total = batch.total_weight
        # If no row has a weight, the mean is 0, and so are all derivatives.
        share = (weight / total if total > 0 else weight)[:, None].astype(w.dtype, copy=False)
        self.values = batch.mean(loss.per_sample(self.F, batch.y))
        slope, curvature = loss.slopes(self.F, batch.y)
        self.D, self.C = share * slope, share * curvature
        self.pull = (self.D * self.F).sum(axis=0)  # minus the slope along W, times |W|
        self.push = self.X.T @ self.D  # once for the gradient and all Hessian products

    def gradient(self, out):
        views = self.model.layout.views(out)
        # The projection orthogonal to W: the loss does not depend on the length of W (with b).
        views["W"][:] = (self.push - self.W * (self.pull / self.norm)) / self.norm
        if "b" in views:
            views["b"][:] = self.D.sum(axis=0) / self.norm
        return self.values

    def hessian_product(self, v):
        views, norm = self.model.layout.views(v), self.norm
        V, W = views["W"], self.W
        stretch = (W * V).sum(axis=0) / norm
        F_dot = (self.X @ V + views.get("b", 0.0) - self.F * stretch) / norm
        D_dot = self.C * F_dot
        pull_dot = (D_dot * self.F + self.D * F_dot).sum(axis=0)
        # Derivative of ``gradient`` along v by the product rule. The norm changes by ``stretch``.
        out = np.empty_like(v)
        arrays = self.model.layout.views(out)
        arrays["W"][:] = (
            self.X.T @ D_dot
            - self.push * (stretch / norm)
            - (V * self.pull + W * (pull_dot - 2 * self.pull * stretch / norm)) / norm
        ) / norm
        if "b" in arrays:
            arrays["b"][:] = (D_dot.sum(axis=0) - self.D.sum(axis=0) * stretch / norm) / norm
        return out


class SphereInputs(HiddenLayer):
    """The inputs themselves, and the weights as the last layer."""

    def inputs(self, w, X):
        return [X]

    def head(self, w):
        return self.objective.layout.views(w)["W"]


class SphereTraces(ExactTrace, TraceGradient):
    """The closed form of `_sphere_trace.py`."""

    def of_rows(self, w, batch=None):
        return self._at(w, batch).values().sum(axis=1, keepdims=True)

    def gradient(self, w, batch=None, out=None, work=None):
        traces = self._at(w, batch)
        if work is not None:
            work.rows += len(traces.batch)
        return traces.gradient(np.empty_like(w) if out is None else out)

    def _at(self, w, batch):
        objective = self.objective
        batch = objective.batch(batch)
        return SphereTrace(objective.model, objective.loss_function, w, batch)


class SpherePlanes(Hyperplanes):
    """The hyperplanes of the outputs: columns of the weights, and thresholds."""

    @property
    def fit_intercept(self):
        return self.objective.model.fit_intercept

    def place(self, w, output, normal, threshold):
        views = self.objective.layout.views(w)
        views["W"][:, output] = normal
        if self.fit_intercept:
            views["b"][output] = threshold


Sphere.capabilities = {
    HiddenLayer: SphereInputs,
    ExactTrace: SphereTraces,
    TraceGradient: SphereTraces,
    Hyperplanes: SpherePlanes,
}


class Cube(Sphere):
    """The same model with weights -1 or +1, which are corners of the cube in the sphere.

    Parameters
    ----------
    n_features, n_outputs : int
    fit_intercept : bool, default=True
    """


class Perceptrons(BinaryMachines):
    """One perceptron for every one-vs-rest problem."""

    def machines(self, w):
        data, views = self.objective.data, self.objective.layout.views(w)
        thresholds = views.get("b", np.zeros(views["W"].shape[1], w.dtype))
        labels = 2 * data.y - 1
        for t, W, b in zip(labels.T, views["W"].T, thresholds, strict=True):
            yield Patterns((t[:, None] * data.X)[None], offset=(t * b)[None]), W[None]


Cube.capabilities = Sphere.capabilities | {BinaryMachines: Perceptrons}
