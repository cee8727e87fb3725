"""The base of rules with random perturbations: gradients near a point, and the orthogonal part."""

import math
from numbers import Real

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices, displaced
from ._gradient import Based


class Perturbed(Based):
    """Steps against ``g + v`` near a minimum, ``v`` orthogonal to ``g``. Elsewhere steps are plain.

    A subclass computes a gradient in `_found`. Its part orthogonal to ``g`` is ``v``.
    """

    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "tolerance": [Interval(Real, 0, None, closed="both")],
        "final_plain": [Interval(Real, 0, 1, closed="both")],
        "orthogonal": [StrOptions({"gradient", "step"})],
        "plain_rate": [Interval(Real, 0, np.inf, closed="neither")],
    }

    def direction(self, objective, w, batch, state):
        loss, g, square, found = self._gradients(objective, w, batch, state)
        if found is not None:
            _add_orthogonal(g, square, *found)
        return loss, g

    def step(self, objective, w, batch, state):
        loss, g, square, found = self._gradients(objective, w, batch, state)
        if not math.isfinite(loss):
            return loss
        if found is None:
            _step_at(state.base, self.plain_rate, w, g)
        elif self.orthogonal == "gradient":
            _add_orthogonal(g, square, *found)
            state.base.step(w, g)
        else:
            self._step_apart(w, g, found, state)
        return loss

    def _step_apart(self, w, g, found, state):
        """The base's step along ``g`` alone, and ``v`` apart, orthogonal to ``g`` as a step."""
        plain, scaled = state.scratch("plain", w), state.scratch("scaled", w)
        plain[:] = g
        state.base.step(w, g)  # which overwrites g, and updates the scale of the parameters
        total, n_summed = found
        total /= n_summed
        # With the step ``P v``, ``v`` is orthogonal to ``g`` in the metric ``P``: ``g' P v = 0``.
        state.base.scaled(plain, scaled)
        square = float(plain @ scaled)
        if square >= np.finfo(w.dtype).tiny:
            plain *= float(total @ scaled) / square
            total -= plain
        w -= state.base.scaled(total, scaled)

    def _gradients(self, objective, w, batch, state):
        """Loss, gradient, its square and, for a perturbed step, what `_found` returns."""
        g = state.scratch("direction", w)
        loss, _ = objective.loss_gradient(w, batch, g, state.work)
        square, found = float(g @ g), None
        if self._is_near(math.sqrt(square), state) and batch.total_weight > 0:
            found = self._found(objective, w, batch, state)
        return loss, g, square, found

    def _is_near(self, size, state):
        late = (1 - self.final_plain) * state.settings.max_iter
        return 0 < self.tolerance >= size and not (self.final_plain and state.epoch >= late)

    def _found(self, objective, w, batch, state):
        """The sum of the gradients at the perturbed points, and their number."""
        raise NotImplementedError


def _step_at(base, share, w, g):
    """A step of the base optimizer at a share of its learning rate."""
    rate = base.learning_rate
    base.learning_rate = share * rate
    base.step(w, g)
    base.learning_rate = rate


def _add_orthogonal(g, square, total, n_summed):
    """Add to ``g`` the part of ``total / n_summed`` that is orthogonal to ``g``.

    Overwrites both. If ``g`` is too small to have a direction, all of ``total / n_summed`` is
    added.
    """
    # Below the smallest normal number the division would lose all digits or overflow.
    along = 0.0
    if square >= np.finfo(g.dtype).tiny:
        along = float(total @ g) / (n_summed * square)
    for block in cache_slices(g):
        part, more = g[block], total[block]
        part *= 1 - along
        if n_summed > 1:
            more /= n_summed
        part += more


def sum_around(noise, n_draws, two_sided, objective, w, batch, state, total):
    """Write the sum of the gradients at draws of ``w + rho h`` to ``total``.

    With ``two_sided`` the sum includes those at ``w - rho h``. Returns the sum of the losses and
    their number.
    """
    # The first gradient goes straight to ``total``, the others through one more buffer.
    point, h = state.scratch("at", w), state.scratch("noise", w)
    rho, loss, out = state.settings.rho, 0.0, total
    for _ in range(n_draws):
        noise.draw(state.rng, out=h)
        for scale in (rho, -rho)[: 1 + two_sided]:
            displaced(w, h, scale, out=point)
            loss += objective.loss_gradient(point, batch, out, state.work)[0]
            if out is not total:
                total += out
            out = state.scratch("piece", w)
    return loss, n_draws * (1 + two_sided)
