"""Averages over clones that share a field. All functionals of m clones use them."""

import numpy as np

from .._normal import crowded_grid, hazard, log_2cosh, log_tail, normal_grid, weighted_mean

SHARED = normal_grid(8, 81)
UNIT = np.linspace(-1, 1, 129)


def clone_weights(qh0, spread, rh, m):
    """Binary weights of ``m`` clones in fields ``sqrt(qh0) z0 + sqrt(spread) z1 + rh``.

    Returns the mean over ``z0`` of ``(1 / m) ln E [2 cosh(field)]^m``, and the overlaps with a
    teacher, with clones of other groups and with clones of the same group.
    """
    z0, dz0 = SHARED
    # The power m moves the mass of z1 to about m sqrt(spread), so the grid must reach further.
    z1 = (8 + m * np.sqrt(spread)) * UNIT
    log_dz1 = -(z1**2) / 2 + np.log((z1[1] - z1[0]) / np.sqrt(2 * np.pi))
    field = np.sqrt(qh0) * z0[:, None] + np.sqrt(spread) * z1 + rh
    w = np.tanh(field)
    log_sum, mean, square = weighted_mean(m * log_2cosh(field) + log_dz1, w, w**2)
    return dz0 @ log_sum / m, dz0 @ mean, dz0 @ mean**2, dz0 @ square


def clone_stabilities(shared, spread, variance, m, n_nodes=121):
    """A pattern under ``m`` clones, its stability ``shared + sqrt(spread) z1`` and noise.

    For each value of ``shared``: ``ln E H(x)^m`` with ``x = -stability / sqrt(variance)``, and the
    means of ``G/H``, its square and ``x G/H`` under the weights ``H(x)^m``.
    """
    # For close clones the weight of z1 becomes a step where the stability is 0. The nodes are dense
    # there, as long as it lies within 8 standard deviations.
    centres = np.clip(-shared / np.sqrt(spread), -8, 8)
    z1, dz1 = crowded_grid(centres, min(1.0, np.sqrt(variance / spread)), n_nodes=n_nodes)
    x = -(shared[:, None] + np.sqrt(spread) * z1) / np.sqrt(variance)
    pull = hazard(x)
    return weighted_mean(m * log_tail(x) - z1**2 / 2 + np.log(dz1), pull, pull**2, x * pull)


def teacher_weights(r, q):
    """Weights of the grid ``SHARED`` for ``sqrt(q) z0`` when a teacher of overlap ``r`` labels."""
    z0, dz0 = SHARED
    return 2 * dz0 * np.exp(log_tail(-r * z0 / np.sqrt(q - r**2)))
