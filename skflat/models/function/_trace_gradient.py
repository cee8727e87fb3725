"""The gradient of the exact trace of the Hessian of a small function, one parameter at a time."""

import warnings

import autograd.numpy as anp
import numpy as np
from autograd import grad

from ...objective import ONE_AT_A_TIME, TraceGradient, Workspace, row_scale

MOST_PARAMETERS = 300  # every one takes a third derivative, so that larger functions train for ever


class FunctionTraceGradient(TraceGradient):
    """The sum over parameters of the gradient of the second derivative along each."""

    @classmethod
    def of(cls, objective):
        """None if there are too many parameters."""
        small = objective.model.layout.size <= MOST_PARAMETERS
        return cls(objective) if small else None

    @property
    def cost(self):
        """A Hessian product counts 2 gradients, and its derivative twice as many."""
        return 4 * self.objective.model.layout.size

    def gradient(self, w, batch=None, out=None, work=None):
        model, batch = self.objective.model, self.objective.batch(batch)
        work = Workspace() if work is None else work
        work.rows += self.cost * len(batch)
        out = np.empty_like(w) if out is None else out
        out[:], views = 0, model.layout.views(w)
        with ONE_AT_A_TIME, warnings.catch_warnings():
            # Along a parameter without curvature the second derivative is constant.
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            for name, place in _entries(model.layout):
                bend = grad(self._bend_along(name, place, batch, w.dtype))
                out += model.layout.pack(bend(views), w.dtype)
        return out

    def _bend_along(self, name, place, batch, dtype):
        """The second derivative of the mean loss along one parameter, as a function of them all."""
        model, loss = self.objective.model, self.objective.loss_function
        scale = np.ravel(row_scale(batch, dtype))

        def mean(params):
            return anp.sum(loss.per_sample(model.forward(params, batch.X), batch.y) * scale)

        def slope(params):
            return grad(mean)(params)[name][place]

        return lambda params: grad(slope)(params)[name][place]


def _entries(layout):
    """Name and place of every parameter."""
    for name, shape in layout.shapes.items():
        for place in np.ndindex(shape):
            yield name, place
