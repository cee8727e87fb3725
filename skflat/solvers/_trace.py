"""Descent on the loss and the exact trace of its Hessian."""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import TraceGradient, cache_slices
from ._gradient import Based


class TracePenalty(Based):
    """Minimises ``loss + rho^2 / 2 * tr(H)`` with the exact trace of the loss's Hessian ``H``.

    A step follows the gradient of the batch's loss plus ``rho^2 / 2`` times the gradient of the
    batch's mean trace, both exact. That sum is what noise of standard deviation ``rho`` on every
    parameter makes of the mean loss, up to ``rho^4``: methods that draw the noise approximate it
    (Zhang, Li and Ju, arXiv:2306.08553).

    ``rho`` is that standard deviation; useful values are 0.01 to 0.2. ``"auto"`` is 0.05, ours.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    interval : int, default=1
        Steps from one renewal of the trace's gradient to the next. The steps between use the last
        one again: it changes far more slowly than the gradient of the loss.
    average : float, default=0.0
        What a renewal keeps of the gradient of the trace used so far, below 1: an exponential
        average over the batches that were asked. 0 keeps nothing.

    Notes
    -----
    It needs a model that knows its exact trace, and refuses others: piecewise-linear networks of
    any depth have one, and smooth ones of up to two hidden layers. A renewal costs a gradient with
    one hidden layer or none, and with more ``(n_hidden - 1) n_outputs``: so they are counted, and
    smooth networks take longer than that, because autograd does it. A step so costs on average
    ``1 + 1 / interval`` gradients with one hidden layer: 2 unless told otherwise, 1.1 at
    ``interval=10``. It converges to a stationary point of the sum, without noise of its own, at any
    ``interval``. The losses recorded leave the trace out.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import TracePenalty
    >>> FlatMLPClassifier(solver=TracePenalty(base="sgd", interval=10), rho=0.1).solver
    TracePenalty(base='sgd', interval=10)
    """

    default_rho = 0.05
    reach = 16.0
    requires = (TraceGradient,)
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "interval": [Interval(Integral, 1, None, closed="left")],
        "average": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, base="adam", *, interval=1, average=0.0):
        self.base = base
        self.interval = interval
        self.average = average

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        # The slope is that of the penalty, ``rho^2 / 2`` included: steps between only add it.
        state.memory = SimpleNamespace(n_steps=0, slope=np.zeros_like(w))
        return state

    def adopt(self, objective, w, state, settings):
        state.memory.slope *= (settings.rho / state.settings.rho) ** 2
        super().adopt(objective, w, state, settings)

    def direction(self, objective, w, batch, state):
        memory = state.memory
        loss, out = super().direction(objective, w, batch, state)
        if memory.n_steps % self.interval == 0:
            self._renew(objective, w, batch, state)
        memory.n_steps += 1
        for block in cache_slices(out):
            out[block] += memory.slope[block]
        return loss, out

    def _renew(self, objective, w, batch, state):
        """Take the slope of the penalty at ``w`` into the one in use; the first is that alone."""
        memory, kept = state.memory, self.average if state.memory.n_steps else 0.0
        new = state.scratch("slope of the trace", w) if kept else memory.slope
        objective.capability(TraceGradient).gradient(w, batch, new, state.work)
        new *= 0.5 * state.settings.rho**2
        if kept:
            new -= memory.slope
            new *= 1 - kept
            memory.slope += new
