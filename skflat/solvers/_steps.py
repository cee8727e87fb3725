"""The two base optimizers: what to do with a direction once a solver has found it.

They write into the vectors they are given, the direction included: every pass over a large
vector that can be saved is one.
"""

import math

import numpy as np

from ..objective import cache_slices, displaced
from ._schedule import cosine

EVERYTHING = (slice(None),)


class Step:
    """What the base optimizers share: their numbers, the cosine schedule, the decay of weights.

    ``decays`` are the parts of the flat vector that ``weight_decay`` shrinks.
    """

    def __init__(self, settings, decays):
        self.settings, self.decays = settings, decays
        self.learning_rate = float(settings.learning_rate_init)

    @property
    def planned(self):
        """Whether the schedule is laid out over all ``max_iter`` epochs from the start."""
        return self.settings.learning_rate == "cosine"

    def begin_step(self, step, n_steps):
        """Take the rate that was planned for a step of so many, if it was."""
        if self.planned:
            share = cosine(step, n_steps, self.settings.warmup)
            self.learning_rate = float(self.settings.learning_rate_init * share)

    def decay(self, w):
        """Shrink the weights by ``rate weight_decay``, apart from the gradient."""
        if self.settings.weight_decay > 0:
            for part in self.decays:
                w[part] *= 1 - self.learning_rate * self.settings.weight_decay

    def end_epoch(self, n_rows_seen):
        """Follow a schedule that counts epochs: there is none."""

    def on_plateau(self):
        """What follows when training no longer improves: (stop, message)."""
        return True, "Stopping."


class SGDStep(Step):
    """Momentum and Nesterov's momentum, with scikit-learn's three schedules and the cosine.

    ``_pull`` is the momentum times the velocity, so that a step needs no temporary.
    """

    def __init__(self, settings, w, decays=EVERYTHING):
        super().__init__(settings, decays)
        self._pull, self._n_rows_seen = np.zeros_like(w), 0
        self._last_rate = self.learning_rate

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
        self._take_rate()
        self.decay(w)
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

    def _take_rate(self):
        """Under the cosine schedule the velocity goes with the rate, as in PyTorch.

        In scikit-learn's schedules it keeps the rates at which it was built up.
        """
        if self.planned and self.learning_rate != self._last_rate:
            self._pull *= self.learning_rate / self._last_rate
        self._last_rate = self.learning_rate

    def end_epoch(self, n_rows_seen):
        """Lower the rate by the ``invscaling`` schedule."""
        self._n_rows_seen = n_rows_seen
        if self.settings.learning_rate == "invscaling":
            decay = (n_rows_seen + 1) ** self.settings.power_t
            self.learning_rate = float(self.settings.learning_rate_init) / decay

    def on_plateau(self):
        """What follows when training no longer improves: (stop, message)."""
        if self.settings.learning_rate != "adaptive":
            return super().on_plateau()
        if self.learning_rate <= 1e-6:
            return True, "Learning rate too small. Stopping."
        self.learning_rate /= 5.0
        return False, f"Setting learning rate to {self.learning_rate:f}"


class AdamStep(Step):
    """Adam (Kingma and Ba, arXiv:1412.6980), or with a decay AdamW (arXiv:1711.05101).

    ``_mean`` and ``_square`` are the running moments divided by ``1 - beta``, so that a step
    needs no temporary. Adam adds epsilon before the second moment's correction for its start, as
    scikit-learn does, and AdamW after it, as PyTorch does.
    """

    def __init__(self, settings, w, decays=EVERYTHING):
        super().__init__(settings, decays)
        self._t = 0
        self._mean = np.zeros_like(w)
        self._square = np.zeros_like(w)

    def adopt(self, settings):
        """Go on by other numbers, with the moments where they are."""
        old, self.settings = self.settings, settings
        self.learning_rate = float(settings.learning_rate_init)
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
        root, correction = math.sqrt(1 - beta_2), math.sqrt(1 - beta_2**self._t)
        rate = self.learning_rate * correction / (1 - beta_1**self._t)
        epsilon = settings.epsilon * (correction if settings.weight_decay > 0 else 1.0)
        self.decay(w)
        for block in cache_slices(w):
            mean, square, move = self._mean[block], self._square[block], direction[block]
            mean *= beta_1
            mean += move
            move *= move
            square *= beta_2
            square += move
            np.sqrt(square, out=move)
            move += epsilon / root
            np.divide(mean, move, out=move)
            move *= rate * (1 - beta_1) / root
            w[block] -= move


def _ahead(w, momentum, distance, out):
    """``w`` itself where there is no momentum."""
    size = math.sqrt(float(momentum @ momentum))
    return displaced(w, momentum, distance / size if size > 0 else 0.0, out)


STEPS = {"adam": AdamStep, "sgd": SGDStep}
