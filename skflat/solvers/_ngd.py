"""Normalised gradient descent."""

import math
from numbers import Real
from types import SimpleNamespace

from .._compat import Interval
from ._solver import Rule, State


class NGD(Rule):
    """Normalised gradient descent (Josz, arXiv:2602.08177).

    Step ``t`` has the length ``learning_rate_init / t^power``, whatever the size of the gradient.
    Among connected minima it drifts to where the largest eigenvalue of the Hessian is smallest,
    because it keeps jumping across the valley: each step adds a drift of the order of its length
    squared, so the drift goes on for ever exactly if ``power <= 1/2``.

    ``rho`` is not used; the length of the steps is what flattens. Useful values of
    ``learning_rate_init`` are 0.3 to 3, far above those of descent: all steps of a fit together
    have to reach the minimum. There is no momentum, and ``learning_rate`` is not used: the schedule
    is the method.

    Parameters
    ----------
    power : float, default=1/3
        How fast the steps become shorter. 0 keeps their length, 1/2 is logarithmically slow, and
        more freezes at a minimum that is not flat. The default is ours, the paper asks for steps
        that tend to 0 sufficiently slowly.

    Notes
    -----
    A step costs one gradient. Where it is 0 the step is. The loss falls no faster than the steps
    become shorter: what remains of it is of the order of the curvature times the last step's length
    squared. On batches, steps of equal length follow the mean direction of the gradients and not
    the mean gradient.

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
        """Go on by another rate, where the schedule is."""
        self.rate = settings.learning_rate_init

    def begin_step(self, step, n_steps):
        """It has a schedule of its own."""

    def step(self, w, direction):
        """One step, and none where there is no direction."""
        self._t += 1
        size = math.sqrt(float(direction @ direction))
        if size > 0:
            direction *= self.rate / (self._t**self.power * size)
            w -= direction

    def end_epoch(self, n_rows_seen):
        """The schedule counts steps."""

    def on_plateau(self):
        """It stops where training no longer improves."""
        return True, "Stopping."
