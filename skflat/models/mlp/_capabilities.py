"""The capabilities of a multi-layer perceptron, in addition to its loss and derivatives."""

import numpy as np

from ...objective import (
    AffineLayers,
    ExactDiagonal,
    ExactTrace,
    HiddenLayer,
    HiddenUnits,
    Likelihood,
    Orbit,
    TraceGradient,
    Workspace,
)
from .._symmetry import ModelOrbit
from ._trace import hessian_diagonal, hessian_trace
from ._trace_gradient import cost, trace_gradient
from ._units import units_gradient


class NetworkLayers(HiddenLayer):
    """The inputs of all layers, from one forward pass."""

    def inputs(self, w, X):
        # A new workspace, because the caller keeps the arrays.
        a, _ = self.objective.model._forward(w, X, Workspace())
        return a

    def head(self, w):
        weights, _ = self.objective.model.split(w)
        return weights[-1]


class NetworkUnits(HiddenUnits):
    """The backward pass of `_units.py`."""

    def gradient(self, function, w, batch=None, out=None, work=None):
        objective = self.objective
        work = Workspace() if work is None else work
        out = np.empty_like(w) if out is None else out
        batch = objective.batch(batch)
        return units_gradient(objective.model, function, w, batch, out, work), out


class NetworkMaps(AffineLayers):
    """The arrays of the network."""

    def maps(self, w):
        return list(zip(*self.objective.model.split(w), strict=True))


class NetworkTrace(ExactTrace, ExactDiagonal, TraceGradient):
    """The closed form of `_trace.py`, and its gradient in `_trace_gradient.py`."""

    def of_rows(self, w, batch=None):
        objective = self.objective
        return hessian_trace(objective.model, objective.loss_function, w, objective.batch(batch))

    def diagonal(self, w, batch=None):
        objective = self.objective
        return hessian_diagonal(objective.model, objective.loss_function, w, objective.batch(batch))

    @property
    def cost(self):
        return cost(self.objective.model)

    def gradient(self, w, batch=None, out=None, work=None):
        objective = self.objective
        work = Workspace() if work is None else work
        out = np.empty_like(w) if out is None else out
        batch = objective.batch(batch)
        return trace_gradient(objective.model, objective.loss_function, w, batch, out, work)


def _units(objective):
    return NetworkUnits(objective) if objective.model.n_layers > 1 else None


def _trace(objective):
    """The exact trace; None for smooth networks with more than two hidden layers.

    It is also None if the loss is not a likelihood.
    """
    model = objective.model
    known = model.activation.piecewise_linear or model.n_layers <= 3
    return NetworkTrace(objective) if known and objective.capability(Likelihood) else None


CAPABILITIES = {
    AffineLayers: NetworkMaps,
    HiddenLayer: NetworkLayers,
    HiddenUnits: _units,
    ExactDiagonal: _trace,
    ExactTrace: _trace,
    Orbit: ModelOrbit,
    TraceGradient: _trace,
}
