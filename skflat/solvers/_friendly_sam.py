"""Sharpness-aware minimisation along what is peculiar to the batch."""

import math
from numbers import Real
from types import SimpleNamespace

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices, displaced
from ._gradient import Based


class FriendlySAM(Based):
    """Friendly sharpness-aware minimisation, F-SAM (Li and others, arXiv:2403.12350).

    `SAM` whose climb leaves out the gradient of all rows: it goes to ``w + rho d / |d|`` with
    ``d = g - m``, where ``g`` is the gradient of the batch and ``m`` an exponential average of
    those of the batches before, which estimates that of all rows. So only the noise of the batch
    is climbed along.

    ``rho`` is the radius of the climb; useful values are 0.01 to 0.5, ``"auto"`` is the 0.05 of
    SAM.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    decay : float, default=0.9
        What a step leaves of the average, below 1; the published default. 0 climbs along the
        difference to the last batch's gradient.

    Notes
    -----
    A step costs 2 gradients. The first climbs along its gradient, as SAM does. With batches of all
    rows nothing but the change of the gradient is left to climb along. Where that is exactly 0 the
    step is plain.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import FriendlySAM
    >>> FlatMLPClassifier(solver=FriendlySAM(decay=0.95), rho=0.1).solver
    FriendlySAM(decay=0.95)
    """

    default_rho = 0.05
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "decay": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, base="adam", *, decay=0.9):
        self.base = base
        self.decay = decay

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory = SimpleNamespace(n_steps=0, mean=np.zeros_like(w))
        return state

    def direction(self, objective, w, batch, state):
        out, noise = state.scratch("direction", w), state.scratch("noise", w)
        loss, _ = objective.loss_gradient(w, batch, out, state.work)
        self._take_the_noise(out, noise, state.memory)
        size = math.sqrt(float(noise @ noise))
        if size > 0:
            top = displaced(w, noise, state.settings.rho / size, out=noise)
            objective.loss_gradient(top, batch, out, state.work)
        return loss, out

    def _take_the_noise(self, gradient, noise, memory):
        """What the mean so far leaves of the gradient; the mean then takes the gradient in."""
        share = 1 - self.decay if memory.n_steps else 1.0
        memory.n_steps += 1
        for block in cache_slices(gradient):
            mean, part = memory.mean[block], noise[block]
            np.subtract(gradient[block], mean, out=part)
            mean += share * part
