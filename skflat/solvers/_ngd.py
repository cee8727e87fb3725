"""Normalised gradient descent."""

import math
from numbers import Real
from types import SimpleNamespace

from .._compat import Interval
from ._solver import Rule, State


class NGD(Rule):
    """Normalised gradient descent (Josz, arXiv:2602.08177).

    Step ``t`` has the length ``learning_rate_init / t^power``, whatever the size of the gradient.
    Among connected minima the solver drifts to where the largest eigenvalue of the Hessian is
    smallest. The reason is that its steps keep crossing the valley. Each step adds a drift of the
    order of its squared length. So the drift never ends if ``power <= 1/2``, and only then.

    ``rho`` is not used; the length of the steps has the flattening effect. Useful values of
    ``learning_rate_init`` are 0.3 to 3, far above those of gradient descent, because all steps of a
    fit together have to reach the minimum. There is no momentum. ``learning_rate`` is not used,
    because the schedule is part of the method.

    Parameters
    ----------
    power : float, default=1/3
        How fast the steps become shorter. 0 keeps their length. At 1/2 the drift is logarithmically
        slow. A greater value stops the drift at a minimum that is not flat. The default is ours;
        the paper asks for steps that tend to 0 sufficiently slowly.

    Notes
    -----
    A step costs one gradient. If the gradient is zero, so is the step. The loss falls no faster
    than the steps become shorter: the remaining loss is of the order of the curvature times the
    squared length of the last step. On batches, steps of equal length follow the mean direction of
    the gradients and not the mean gradient.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import NGD
    >>> FlatMLPClassifier(solver=NGD(power=0.25), learning_rate_init=0.5).solver
    NGD(power=0.25)
    """

    _parameter_constraints: dict = {"power": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, power=1 / 3):
        self.power = power

    def init_state(self, objective, w, settings, rng):
        return State(settings, NormalisedStep(settings, self.power), rng, SimpleNamespace())

    def adopt(self, objective, w, state, settings):
        super().adopt(objective, w, state, settings)
        state.base.power = self.power


class NormalisedStep:
    """Steps of length ``learning_rate_init / t^power`` along the direction, whatever its size."""

    planned = False

    def __init__(self, settings, power):
        self.rate, self.power, self._t = settings.learning_rate_init, power, 0

    def adopt(self, settings):
        """Continue with another rate. The schedule keeps its position."""
        self.rate = settings.learning_rate_init

    def forget(self):
        """Do nothing, because nothing is remembered but the number of steps."""

    def begin_step(self, step, n_steps):
        """Do nothing, because the method has its own schedule."""

    def step(self, w, direction):
        """Take one step, or none if the direction is 0."""
        self._t += 1
        # At a direction of 0 no unit vector exists, and a division would make ``w`` NaN.
        size = math.sqrt(float(direction @ direction))
        if size > 0:
            direction *= self.rate / (self._t**self.power * size)
            w -= direction

    def end_epoch(self, n_rows_seen):
        """Do nothing, because the schedule counts steps and not epochs."""

    def on_plateau(self):
        """Stop when training no longer improves."""
        return True, "Stopping."
