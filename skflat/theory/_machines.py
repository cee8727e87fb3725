"""The machines whose typical solutions are computed, each as a line of saddle points.

Both equations of the replica-symmetric saddle are explicit once one of its parameters is given. So
the saddles for all ``alpha`` lie on a line that needs no iteration: `point` gives ``alpha``, the
entropy and the overlap at a parameter. Up to `end` the load rises along the line.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

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
    """Weights -1 and +1. A layer of hidden units turns ``q`` into the `effective_overlap`."""

    is_layered = False
    margins = typical_margins = (-1.0, 4.0)
    grid = normal_grid(10, 401)

    @staticmethod
    def effective_overlap(q):
        """``e(q)`` and its derivative."""
        return q, 1.0

    def point(self, qh, margin):
        """The saddle of conjugate overlap ``qh``."""
        z, dz = self.grid
        field = np.sqrt(qh) * z
        q = dz @ np.tanh(field) ** 2
        e, slope = self.effective_overlap(q)
        # Given ``qh``, the first equation yields ``q`` and the second one ``alpha``.
        x = standardized(margin, e, z)
        alpha = qh * (1 - e) / (slope * (dz @ hazard(x) ** 2))
        entropy = -qh * (1 - q) / 2 + dz @ log_2cosh(field) + alpha * (dz @ log_tail(x))
        # Fluctuations of the weights, times those of the patterns.
        weights = dz @ (1 - np.tanh(field) ** 2) ** 2
        instability = alpha * weights * (bend_of(x, dz) / (1 - e)) ** 2
        return Point(alpha, entropy, q, qh, np.nan if self.is_layered else instability)

    def end(self, margin):
        """The conjugate at which the entropy is 0."""
        beyond = 4.0
        while self.point(beyond, margin).entropy > 0:
            beyond *= 2
        return brentq(lambda qh: self.point(qh, margin).entropy, 1e-3, beyond, xtol=1e-12)

    def capacity(self, margin):
        return self.point(self.end(margin), margin).alpha


class SignCommittee(BinaryMachine):
    """Tree committee of many sign units."""

    is_layered = True

    @staticmethod
    def effective_overlap(q):
        return 2 / np.pi * np.arcsin(q), 2 / np.pi / np.sqrt(1 - q**2)


class ReluCommittee(BinaryMachine):
    """Tree committee of many relu units, half of them with output weight -1."""

    is_layered = True

    @staticmethod
    def effective_overlap(q):
        angle = np.pi - np.arccos(q)
        above = np.sqrt(1 - q**2) + q * angle - 1  # 2 pi (f(q) - f(0)) of the arc-cosine kernel f
        return above / (np.pi - 1), angle / (np.pi - 1)


class SphericalMachine:
    """Real weights on the sphere of radius ``sqrt(N)``."""

    margins = (0.0, 4.0)
    typical_margins = (-1.0, 4.0)
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
    "sign_committee": SignCommittee(),
    "relu_committee": ReluCommittee(),
    "symmetric": SymmetricMachine(),
}
