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
    }

    def direction(self, objective, w, batch, state):
        g = state.scratch("direction", w)
        loss, _ = objective.loss_gradient(w, batch, g, state.work)
        square = float(g @ g)
        if self._is_near(math.sqrt(square), state) and batch.total_weight > 0:
            found, n_summed = self._found(objective, w, batch, state)
            _add_orthogonal(g, square, found, n_summed)
        return loss, g

    def _is_near(self, size, state):
        late = (1 - self.final_plain) * state.settings.max_iter
        return 0 < self.tolerance >= size and not (self.final_plain and state.epoch >= late)

    def _found(self, objective, w, batch, state):
        """The sum of the gradients at the perturbed points, and their number."""
        raise NotImplementedError


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
