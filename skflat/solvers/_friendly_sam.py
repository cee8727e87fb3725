"""Sharpness-aware minimisation along the gradient noise of the batch."""

import math
from numbers import Real
from types import SimpleNamespace

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices, displaced
from ._gradient import Based


class FriendlySAM(Based):
    """Friendly sharpness-aware minimisation, F-SAM (Li and others, arXiv:2403.12350).

    This is `SAM` with an ascent along the noise of the batch only. The ascent goes to
    ``w + rho d / |d|`` with ``d = g - m``. Here ``g`` is the gradient of the batch, and ``m`` is an
    exponential average of the gradients of earlier batches. It estimates the gradient of all rows.

    ``rho`` is the radius of the ascent. Useful values are 0.01 to 0.5. ``"auto"`` is the 0.05 of
    SAM.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    decay : float, default=0.9
        Weight of the old average in the new one, below 1. The default is the published one. At 0
        the ascent follows the difference to the last batch's gradient.

    Notes
    -----
    A step costs 2 gradients. The first ascent follows the gradient, as SAM does. With batches of
    all rows ``d`` is only the change of the gradient since earlier steps. If ``d`` is exactly 0,
    the step is plain.

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
        """Write the gradient minus the mean so far to ``noise``, then update the mean."""
        # The first gradient becomes the mean. Starting at 0 would need a bias correction.
        share = 1 - self.decay if memory.n_steps else 1.0
        memory.n_steps += 1
        for block in cache_slices(gradient):
            mean, part = memory.mean[block], noise[block]
            np.subtract(gradient[block], mean, out=part)
            mean += share * part  # (1 - share) mean + share gradient, as part = gradient - mean
