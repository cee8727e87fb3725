"""What a multi-layer perceptron offers beside its loss and derivatives."""

import numpy as np

from ...objective import ExactTrace, HiddenLayer, Likelihood, Orbit, TraceGradient, Workspace
from .._symmetry import ModelOrbit
from ._trace import hessian_trace
from ._trace_gradient import trace_gradient


class NetworkLayers(HiddenLayer):
    """Inputs of all layers by one forward pass."""

    def inputs(self, w, X):
        a, _ = self.objective.model._forward(w, X, Workspace())
        return a

    def head(self, w):
        weights, _ = self.objective.model.split(w)
        return weights[-1]


class NetworkTrace(ExactTrace, TraceGradient):
    """The closed form of `_trace.py` and its gradient, of `_trace_gradient.py`."""

    def of_rows(self, w, batch=None):
        objective = self.objective
        return hessian_trace(objective.model, objective.loss_function, w, objective.batch(batch))

    def gradient(self, w, batch=None, out=None, work=None):
        objective = self.objective
        work = Workspace() if work is None else work
        out = np.empty_like(w) if out is None else out
        batch = objective.batch(batch)
        return trace_gradient(objective.model, objective.loss_function, w, batch, out, work)


def _trace(objective):
    """None for smooth networks of more than two hidden layers, and without a likelihood."""
    model = objective.model
    known = model.activation.piecewise_linear or model.n_layers <= 3
    return NetworkTrace(objective) if known and objective.capability(Likelihood) else None


CAPABILITIES = {
    HiddenLayer: NetworkLayers,
    ExactTrace: _trace,
    Orbit: ModelOrbit,
    TraceGradient: _trace,
}
