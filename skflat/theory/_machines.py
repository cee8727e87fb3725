"""The machines whose typical solutions are computed, each as a line of saddle points.

Both equations of the replica-symmetric saddle are explicit once one of its parameters is given. So
the saddles for all ``alpha`` lie on a line that needs no iteration: `point` gives ``alpha``, the
entropy and the overlap at a parameter. Up to `end` the load rises along the line.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ._kernels import identity, relu_units, sign_units
from ._normal import hazard, log_2cosh, log_tail, normal_grid, tail


@dataclass(frozen=True)
class Point:
    """A saddle point: the load, and the order parameters there."""

    alpha: float
    entropy: float
    overlap: float
    conjugate: float
    instability: float = np.nan


def standardized(margin, q, z):
    """The shortfall of a stability from the margin, in units of its spread among solutions."""
    return (margin - np.sqrt(q) * z) / np.sqrt(1 - q)


class BinaryMachine:
    """Weights -1 and +1. A layer of hidden units turns ``q`` into an effective overlap."""

    margins = typical_margins = (-1.0, 4.0)
    grid = normal_grid(10, 401)

    def __init__(self, kernel=identity):
        self.kernel = kernel

    def point(self, qh, margin):
        """The saddle of conjugate overlap ``qh``."""
        z, dz = self.grid
        field = np.sqrt(qh) * z
        q = dz @ np.tanh(field) ** 2
        e, slope, bend = self.kernel(q)
        # Given ``qh``, the first equation yields ``q`` and the second one ``alpha``.
        x = standardized(margin, e, z)
        pull = dz @ hazard(x) ** 2
        alpha = qh * (1 - e) / (slope * pull)
        entropy = -qh * (1 - q) / 2 + dz @ log_2cosh(field) + alpha * (dz @ log_tail(x))
        # Fluctuations of the weights, times those of the patterns.
        weights = dz @ (1 - np.tanh(field) ** 2) ** 2
        patterns = (slope * bend_of(x, dz) / (1 - e)) ** 2 + bend * pull / (1 - e)
        return Point(alpha, entropy, q, qh, alpha * weights * patterns)

    def end(self, margin):
        """The conjugate at which the entropy is 0."""
        beyond = 4.0
        while self.point(beyond, margin).entropy > 0:
            beyond *= 2
        return brentq(lambda qh: self.point(qh, margin).entropy, 1e-3, beyond, xtol=1e-12)

    def capacity(self, margin):
        return self.point(self.end(margin), margin).alpha


class SphericalMachine:
    """Real weights on the sphere of radius ``sqrt(N)``."""

    margins = (0.0, 4.0)
    typical_margins = (-1.0, 4.0)
    kernel = staticmethod(identity)
    # Near capacity q goes to 1, and the integrands get a kink of width sqrt(1 - q). So the grid is
    # finer.
    grid = normal_grid(10, 2001)

    def point(self, q, margin):
        """The saddle of overlap ``q``."""
        z, dz = self.grid
        x = standardized(margin, q, z)
        alpha = q / ((1 - q) * (dz @ hazard(x) ** 2))
        entropy = np.log1p(-q) / 2 + q / (1 - q) / 2 + alpha * (dz @ log_tail(x))
        return Point(alpha, entropy, q, q / (1 - q) ** 2, alpha * bend_of(x, dz) ** 2)

    def end(self, margin):
        """The largest ``q`` at which the integrals are accurate, at 0.9998 of capacity."""
        return 1 - 1e-4

    def capacity(self, margin):
        """The load at which ``q`` reaches 1: Gardner's integral, integrated by parts."""
        density = np.exp(-(margin**2) / 2) / np.sqrt(2 * np.pi)
        return 1 / ((1 + margin**2) * tail(-margin) + margin * density)


class SymmetricMachine:
    """Weights -1 and +1, and stabilities between ``-margin`` and ``margin``.

    If ``w`` is a solution, so is ``-w``, and the overlap is 0. The first moment is then exact.
    """

    margins = typical_margins = (0.1, 4.0)

    def point(self, alpha, margin):
        """The saddle of the load itself."""
        satisfied = 1 - 2 * tail(margin)
        # The second derivative of the mean chance to satisfy a row, relative to that chance.
        density = np.exp(-(margin**2) / 2) / np.sqrt(2 * np.pi)
        bend = 2 * margin * density / satisfied
        return Point(alpha, np.log(2) + alpha * np.log(satisfied), 0.0, 0.0, alpha * bend**2)

    def end(self, margin):
        return self.capacity(margin)

    def capacity(self, margin):
        """The load at which the entropy is 0."""
        return -np.log(2) / np.log1p(-2 * tail(margin))


def bend_of(x, dz):
    """Root mean square of the second derivative of the log-chance to satisfy a row."""
    push = hazard(x)
    return np.sqrt(dz @ (push * (push - x)) ** 2)


MACHINES = {
    "binary": BinaryMachine(),
    "spherical": SphericalMachine(),
    "sign_committee": BinaryMachine(sign_units),
    "relu_committee": BinaryMachine(relu_units),
    "symmetric": SymmetricMachine(),
}
