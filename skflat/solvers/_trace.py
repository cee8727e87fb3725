"""Gradient descent on the loss plus the exact trace of its Hessian."""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import TraceGradient, cache_slices
from ._gradient import Based


class TracePenalty(Based):
    """Minimises ``loss + rho^2 / 2 * tr(H)`` with the exact trace of the loss's Hessian ``H``.

    A step follows the gradient of the batch's loss plus ``rho^2 / 2`` times the gradient of the
    batch's mean trace. Both are exact. Up to ``rho^4`` the sum is the expected loss under noise of
    standard deviation ``rho`` on every parameter. Methods that draw the noise approximate this sum
    (Zhang, Li and Ju, arXiv:2306.08553).

    ``rho`` is that standard deviation. Useful values are 0.01 to 0.2. ``"auto"`` is 0.05, ours.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    interval : int, default=1
        Steps from one renewal of the trace's gradient to the next. The steps in between reuse the
        last one, because it changes far more slowly than the gradient of the loss.
    average : float, default=0.0
        Weight of the old gradient of the trace at a renewal, below 1. It makes the gradient in use
        an exponential average over the batches of the renewals. 0 keeps nothing of the old one.

    Notes
    -----
    The solver needs a model with an exact trace and raises an error for others. Piecewise-linear
    networks of any depth have one, and so have smooth networks with up to two hidden layers. A
    renewal costs one gradient with at most one hidden layer, and ``(n_hidden - 1) n_outputs``
    gradients with more. They are counted like this. Smooth networks take longer, because they use
    autograd. With one hidden layer a step costs ``1 + 1 / interval`` gradients on average: 2 by
    default, 1.1 at ``interval=10``. The solver adds no noise of its own and converges to a
    stationary point of the sum, at any ``interval``. The losses recorded do not include the trace.

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
        # ``slope`` is the gradient of the penalty and includes the factor ``rho^2 / 2``. So a step
        # between two renewals only adds it.
        state.memory = SimpleNamespace(n_steps=0, slope=np.zeros_like(w))
        return state

    def adopt(self, objective, w, state, settings):
        # The stored slope has the factor of the old ``rho``.
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
        """Update the slope in use with the slope of the penalty at ``w``."""
        # At the first renewal there is no old slope to average with.
        memory, kept = state.memory, self.average if state.memory.n_steps else 0.0
        # Without averaging the new slope is written directly to its place.
        new = state.scratch("slope of the trace", w) if kept else memory.slope
        objective.capability(TraceGradient).gradient(w, batch, new, state.work)
        new *= 0.5 * state.settings.rho**2
        # Features beyond 1e10 or so in single precision: the trace overflows although the penalty,
        # whose radius goes by the features, is nothing beside the loss.
        if not np.isfinite(new).all():
            new[:] = 0
        if kept:  # slope <- kept slope + (1 - kept) new
            new -= memory.slope
            new *= 1 - kept
            memory.slope += new
