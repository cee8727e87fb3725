"""The two base optimizers: what to do with a direction once a solver has found it.

They write into the vectors they are given, the direction included: every pass over a large
vector that can be saved is one.
"""

import math

import numpy as np

from ..objective import cache_slices, displaced


class SGDStep:
    """Momentum and Nesterov's momentum, with scikit-learn's three schedules.

    ``_pull`` is the momentum times the velocity, so that a step needs no temporary.
    """

    def __init__(self, settings, w):
        self.settings = settings
        self.learning_rate = float(settings.learning_rate_init)
        self._pull, self._n_rows_seen = np.zeros_like(w), 0

    def adopt(self, settings):
        """Go on by other numbers: velocity and schedule stay where they are.

        From a momentum of 0 there is no velocity to go on from.
        """
        old, self.settings = self.settings, settings
        if settings.momentum != old.momentum:
            self._pull *= settings.momentum / old.momentum if old.momentum > 0 else 0.0
        if settings.learning_rate == old.learning_rate == "adaptive":
            self.learning_rate *= settings.learning_rate_init / old.learning_rate_init
        else:
            self.learning_rate = float(settings.learning_rate_init)
            self.end_epoch(self._n_rows_seen)

    def ahead(self, w, distance, out):
        """The point at a distance from ``w`` in the direction in which the momentum moves it."""
        return _ahead(w, self._pull, distance, out)

    def step(self, w, direction):
        """``v = momentum v - rate direction``, then ``w += v`` or Nesterov's version."""
        momentum, nesterov = self.settings.momentum, self.settings.nesterovs_momentum
        for block in cache_slices(w):
            part, pull, move = w[block], self._pull[block], direction[block]
            move *= self.learning_rate
            pull -= move
            if not nesterov:
                part += pull
            pull *= momentum
            if nesterov:
                part += pull
                part -= move

    def end_epoch(self, n_rows_seen):
        """Lower the rate by the ``invscaling`` schedule."""
        self._n_rows_seen = n_rows_seen
        if self.settings.learning_rate == "invscaling":
            decay = (n_rows_seen + 1) ** self.settings.power_t
            self.learning_rate = float(self.settings.learning_rate_init) / decay

    def on_plateau(self):
        """What follows when training no longer improves: (stop, message)."""
        if self.settings.learning_rate != "adaptive":
            return True, "Stopping."
        if self.learning_rate <= 1e-6:
            return True, "Learning rate too small. Stopping."
        self.learning_rate /= 5.0
        return False, f"Setting learning rate to {self.learning_rate:f}"


class AdamStep:
    """Adam (Kingma and Ba, arXiv:1412.6980).

    ``_mean`` and ``_square`` are the running moments divided by ``1 - beta``, so that a step
    needs no temporary.
    """

    def __init__(self, settings, w):
        self.settings = settings
        self._t = 0
        self._mean = np.zeros_like(w)
        self._square = np.zeros_like(w)

    def adopt(self, settings):
        """Go on by other numbers, with the moments where they are."""
        old, self.settings = self.settings, settings
        if settings.beta_1 != old.beta_1:
            self._mean *= (1 - old.beta_1) / (1 - settings.beta_1)
        if settings.beta_2 != old.beta_2:
            self._square *= (1 - old.beta_2) / (1 - settings.beta_2)

    def ahead(self, w, distance, out):
        """The point at a distance from ``w`` against the running mean of the directions."""
        return _ahead(w, self._mean, -distance, out)

    def step(self, w, direction):
        """One step along the direction, scaled by its running moments."""
        settings, beta_1, beta_2 = self.settings, self.settings.beta_1, self.settings.beta_2
        self._t += 1
        root = math.sqrt(1 - beta_2)
        rate = settings.learning_rate_init * math.sqrt(1 - beta_2**self._t) / (1 - beta_1**self._t)
        for block in cache_slices(w):
            mean, square, move = self._mean[block], self._square[block], direction[block]
            mean *= beta_1
            mean += move
            move *= move
            square *= beta_2
            square += move
            np.sqrt(square, out=move)
            move += settings.epsilon / root
            np.divide(mean, move, out=move)
            move *= rate * (1 - beta_1) / root
            w[block] -= move

    def end_epoch(self, n_rows_seen):
        """Adam has no schedule."""

    def on_plateau(self):
        """Adam stops where training no longer improves."""
        return True, "Stopping."


def _ahead(w, momentum, distance, out):
    """``w`` itself where there is no momentum."""
    size = math.sqrt(float(momentum @ momentum))
    return displaced(w, momentum, distance / size if size > 0 else 0.0, out)


STEPS = {"adam": AdamStep, "sgd": SGDStep}
