"""The two base optimizers. They turn a solver's direction into a step.

They overwrite the vectors they are given, the direction included. On a large vector the time goes
into memory traffic, so no step makes a temporary vector.
"""

import math

import numpy as np

from ..objective import cache_slices, displaced
from ._schedule import cosine

EVERYTHING = (slice(None),)


class Step:
    """What the base optimizers share: their numbers, the cosine schedule, the decay of weights.

    Parameters
    ----------
    settings : Settings
    decays : tuple of slice
        The parts of the flat vector that ``weight_decay`` shrinks.
    """

    def __init__(self, settings, decays):
        self.settings, self.decays = settings, decays
        self.learning_rate = float(settings.learning_rate_init)

    @property
    def planned(self):
        """Whether the schedule is fixed from the start for all ``max_iter`` epochs."""
        return self.settings.learning_rate == "cosine"

    def begin_step(self, step, n_steps):
        """Set the rate of step number ``step`` of ``n_steps``, if the schedule is planned."""
        if self.planned:
            share = cosine(step, n_steps, self.settings.warmup)
            self.learning_rate = float(self.settings.learning_rate_init * share)

    def decay(self, w):
        """Shrink the weights by ``rate weight_decay``, independently of the gradient."""
        if self.settings.weight_decay > 0:
            for part in self.decays:
                w[part] *= 1 - self.learning_rate * self.settings.weight_decay

    def end_epoch(self, n_rows_seen):
        """Update a schedule that counts epochs. By default there is none."""

    def on_plateau(self):
        """What to do when training no longer improves: (stop, message)."""
        return True, "Stopping."


class SGDStep(Step):
    """Momentum and Nesterov's momentum, with scikit-learn's three schedules and the cosine.

    ``_pull`` is the momentum times the velocity. With it a step needs no temporary vector.
    """

    def __init__(self, settings, w, decays=EVERYTHING):
        super().__init__(settings, decays)
        self._pull, self._n_rows_seen = np.zeros_like(w), 0
        self._last_rate = self.learning_rate

    def adopt(self, settings):
        """Continue with other numbers. Velocity and schedule keep their state.

        After a momentum of 0 the velocity starts at 0.
        """
        old, self.settings = self.settings, settings
        if settings.momentum != old.momentum:
            # The velocity is to stay, and ``_pull`` is the velocity times the momentum.
            self._pull *= settings.momentum / old.momentum if old.momentum > 0 else 0.0
        if settings.learning_rate == old.learning_rate == "adaptive":
            # Plateaus have divided the rate. It keeps these divisions, relative to the new start.
            self.learning_rate *= settings.learning_rate_init / old.learning_rate_init
        else:
            self.learning_rate = float(settings.learning_rate_init)
            self.end_epoch(self._n_rows_seen)

    def forget(self):
        """Begin with no velocity: the parameters have been replaced."""
        self._pull[:] = 0

    def ahead(self, w, distance, out):
        """The point at ``distance`` from ``w`` in the direction of the momentum."""
        return _ahead(w, self._pull, distance, out)

    def step(self, w, direction):
        """Update ``v = momentum v - rate direction``, then ``w += v`` or Nesterov's version.

        Nesterov's version is ``w += momentum v - rate direction`` with the new ``v``.
        """
        momentum, nesterov = self.settings.momentum, self.settings.nesterovs_momentum
        self._take_rate()
        # The decay is decoupled (SGDW): it changes ``w`` directly and not the velocity.
        self.decay(w)
        # All operations on one piece before the next piece: it stays in the cache.
        for block in cache_slices(w):
            part, pull, move = w[block], self._pull[block], direction[block]
            move *= self.learning_rate
            # ``pull`` is ``momentum v`` before this line and the new ``v`` after it.
            pull -= move
            if not nesterov:
                part += pull
            pull *= momentum
            if nesterov:
                part += pull
                part -= move

    def _take_rate(self):
        """Rescale the velocity to the new rate under the cosine schedule, as in PyTorch.

        PyTorch's velocity is a sum of gradients, and the rate multiplies all of it. In
        scikit-learn's schedules each gradient keeps the rate at which it entered the velocity.
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
        """What to do when training no longer improves: (stop, message)."""
        if self.settings.learning_rate != "adaptive":
            return super().on_plateau()
        # The limit 1e-6 and the division by 5 are scikit-learn's.
        if self.learning_rate <= 1e-6:
            return True, "Learning rate too small. Stopping."
        self.learning_rate /= 5.0
        return False, f"Setting learning rate to {self.learning_rate:f}"


class AdamStep(Step):
    """Adam (Kingma and Ba, arXiv:1412.6980), or AdamW (arXiv:1711.05101) if there is weight decay.

    ``_mean`` and ``_square`` are the running moments divided by ``1 - beta``. So a step needs no
    temporary vector. Adam adds epsilon before the bias correction of the second moment, as
    scikit-learn does. AdamW adds it after the correction, as PyTorch does.
    """

    def __init__(self, settings, w, decays=EVERYTHING):
        super().__init__(settings, decays)
        self._t = 0
        self._mean = np.zeros_like(w)
        self._square = np.zeros_like(w)

    def adopt(self, settings):
        """Continue with other numbers. The moments keep their values."""
        old, self.settings = self.settings, settings
        self.learning_rate = float(settings.learning_rate_init)
        # The moments are to stay, and what is stored is divided by ``1 - beta``.
        if settings.beta_1 != old.beta_1:
            self._mean *= (1 - old.beta_1) / (1 - settings.beta_1)
        if settings.beta_2 != old.beta_2:
            self._square *= (1 - old.beta_2) / (1 - settings.beta_2)

    def forget(self):
        """Begin with no moments: the parameters have been replaced."""
        self._t = 0
        self._mean[:] = self._square[:] = 0

    def ahead(self, w, distance, out):
        """The point at ``distance`` from ``w`` against the running mean of the directions."""
        return _ahead(w, self._mean, -distance, out)

    def step(self, w, direction):
        """One step along the direction, scaled by its running moments."""
        settings, beta_1, beta_2 = self.settings, self.settings.beta_1, self.settings.beta_2
        self._t += 1
        # The rate absorbs the bias corrections, as at the end of section 2 of the paper. The
        # moments are ``m = (1 - beta_1) mean`` and ``sqrt(v) = root sqrt(square)``, so that the
        # step ``rate m / (sqrt(v) + epsilon)`` is ``rate (1 - beta_1) / root`` times
        # ``mean / (sqrt(square) + epsilon / root)``. All constant factors are scalars.
        root, correction = math.sqrt(1 - beta_2), math.sqrt(1 - beta_2**self._t)
        rate = self.learning_rate * correction / (1 - beta_1**self._t)
        epsilon = settings.epsilon * (correction if settings.weight_decay > 0 else 1.0)
        self.decay(w)
        for block in cache_slices(w):
            # ``move`` is the direction, then its square, the denominator and at last the step.
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
    """Write ``w + distance momentum / |momentum|`` to ``out``, or ``w`` if there is no momentum."""
    size = math.sqrt(float(momentum @ momentum))
    return displaced(w, momentum, distance / size if size > 0 else 0.0, out)


STEPS = {"adam": AdamStep, "sgd": SGDStep}
