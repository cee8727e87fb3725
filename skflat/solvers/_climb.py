"""The ascent of sharpness-aware steps, and the part of the gradient that later steps use."""

import math

import numpy as np

from ..objective import cache_slices

#: From a name to the length of an ascent, given ``rho``, the gradient's norm and the allowed rise.
RADII = {
    "constant": lambda rho, size, rise: rho,
    "graph": lambda rho, size, rise: rho / math.hypot(1, size),
    "rise": lambda rho, size, rise: min(rho, rise / size),
}


def climb(
    objective,
    w,
    batch,
    state,
    out,
    plain=None,
    *,
    n_steps=1,
    adaptive=False,
    normalize=True,
    radius="constant",
    rise=None,
):
    """Compute the gradient at the end of an ascent from ``w``; return the loss at ``w``.

    The gradient at the end of the ascent is written to ``out``, and the gradient at ``w`` to
    ``plain`` if that is given. The rule ``radius`` and the estimator's ``rho`` determine the total
    length of the ascent.
    """
    # Two gradients and no copy of ``w``: ``point`` is scratch, and ``out`` first holds the
    # direction of the ascent, then the gradient at its end.
    loss, _ = objective.loss_gradient(w, batch, out, state.work)
    if plain is not None:
        plain[:] = out
    foot, point = w, state.scratch("point", w)
    for _ in range(n_steps):
        tilted = out * w if adaptive else out
        size = math.sqrt(float(tilted @ tilted))
        if size == 0:  # no direction of ascent: ``out`` stays the gradient found so far
            break
        if adaptive:
            # ASAM climbs to ``w + rho T^2 g / |T g|`` with ``T = |w|``. ``tilted`` is ``w
            # g``, which has the norm of ``T g``, and ``w tilted`` is ``T^2 g``.
            np.multiply(tilted, w, out=out)
        length = RADII[radius](state.settings.rho, size, rise) if normalize else state.settings.rho
        length = length / n_steps / (size if normalize else 1.0)
        for block in cache_slices(w):
            step = out[block]
            step *= length
            np.add(foot[block], step, out=point[block])
        foot = point
        objective.loss_gradient(foot, batch, out, state.work)
    return loss


def orthogonal_part(found, other, out):
    """Write the part of ``found`` that is orthogonal to ``other`` to ``out``."""
    square = float(other @ other)
    # A square that underflows to 0 leaves no direction to project out.
    along = float(found @ other) / square if square > 0 else 0.0
    return np.subtract(found, along * other, out=out)


def add_kept(kept, weight, gradient):
    """Add ``weight |gradient| kept / |kept|`` to ``gradient``, in place (LookSAM)."""
    kept_size = math.sqrt(float(kept @ kept))
    if kept_size > 0:
        size = math.sqrt(float(gradient @ gradient))
        gradient += (weight * size / kept_size) * kept
