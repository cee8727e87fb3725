"""The climb of sharpness-aware steps, and what is kept of the gradient found at its top."""

import math

import numpy as np

from ..objective import cache_slices

#: Name to rule: how long a climb is, by the size of the gradient and by what the loss may rise.
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
    """The loss at ``w``; the gradient at the top of the climb is written to ``out``.

    And that at ``w`` to ``plain``. The climb is as long in all as the rule says of the estimator's
    ``rho``.
    """
    loss, _ = objective.loss_gradient(w, batch, out, state.work)
    if plain is not None:
        plain[:] = out
    foot, point = w, state.scratch("point", w)
    for _ in range(n_steps):
        tilted = out * w if adaptive else out
        size = math.sqrt(float(tilted @ tilted))
        if size == 0:  # flat here: the gradient is that of the foot
            break
        if adaptive:
            # The norm's ``T g`` is ``|w| g``, whose size is that of ``w g``, and ``T^2 g`` is this.
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
    """Write the part of ``found`` that is orthogonal to the other vector to ``out``."""
    square = float(other @ other)
    along = float(found @ other) / square if square > 0 else 0.0
    return np.subtract(found, along * other, out=out)


def add_kept(kept, weight, gradient):
    """Add ``weight`` of the part kept, at the size of the gradient at hand, to that gradient."""
    kept_size = math.sqrt(float(kept @ kept))
    if kept_size > 0:
        size = math.sqrt(float(gradient @ gradient))
        gradient += (weight * size / kept_size) * kept
