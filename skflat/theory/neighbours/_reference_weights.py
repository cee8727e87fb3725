"""Weights around a reference: the entropic part of the potential of Franz and Parisi.

A weight feels the field ``sqrt(free) z + (th / qht) f + (ph - th) w``. Here ``w`` is the weight of
the reference, and ``f`` is the field of variance ``qht`` that all references feel. A shell averages
over ``z``, ``f`` and ``w``, and it chooses the unknowns of the saddle point.
"""

from dataclasses import dataclass

import numpy as np

from .._normal import hamming_entropy, log_2cosh, normal_grid
from ._reference_patterns import Fields

GRID = normal_grid(8, 81)
# A finer grid: at a large margin the fields of the reference are large, and tanh(field) is steep.
REFERENCE = normal_grid(8, 241)
LEAST_FREE = 1e-12
EMPTY = 1e-3  # share of the shell's variance that is left where solutions cease to exist


@dataclass(frozen=True)
class Near:
    """Weights at some distance, in given fields.

    ``q`` is the overlap of two of them, ``t`` the one with other references and ``p`` the one with
    the own reference. ``log_sum`` is the logarithm of the sum over the weights. ``response`` is the
    mean square of the derivative of a mean weight by its field. ``fields`` is None if it follows
    from the overlaps.
    """

    qh: float
    th: float
    ph: float
    q: float
    t: float
    p: float
    log_sum: float
    response: float
    fields: Fields | None = None

    @property
    def entropy(self):
        """The entropic term."""
        return self.log_sum - self.qh * (1 - self.q) / 2 + self.t * self.th - self.p * self.ph


class BinaryShell:
    """Weights -1 and +1. The unknowns are ``free``, ``th`` and ``ph``."""

    entropy = staticmethod(hamming_entropy)

    def __init__(self, reference):
        self.qht = reference.conjugate

    def start(self, free, th):
        """Unknowns and distance where ``ph = th``."""
        x = np.array([free, th, th])
        return x, (1 - self.at(x, None).p) / 2

    def is_empty(self, x, distance):
        """Whether the solutions have contracted to a point. Those of bits never do."""
        return False

    def missing(self, near, pull, pull_reference, distance):
        """Residuals of the equations for ``qh``, ``th`` and the distance."""
        return np.array([pull - near.qh, pull_reference - near.th, near.p - (1 - 2 * distance)])

    def at(self, x, distance):
        """The mean of ``ln 2cosh`` of the fields, and the overlaps.

        By symmetry the reference weight can be set to +1. Its field then has the density
        ``exp(field) / (2 cosh(field))`` times twice the normal one.
        """
        free, th, ph = x
        (x, dx), (z, dz) = REFERENCE, GRID
        reference = np.sqrt(self.qht) * x
        weights = 2 * dx / (1 + np.exp(-2 * reference))
        # ``free`` is not negative, but a trial step may be.
        shared = th / self.qht * reference + ph - th
        fields = np.sqrt(max(free, 0.0)) * z + shared[:, None]
        w = np.tanh(fields)
        mean = w @ dz
        return Near(
            qh=free + th**2 / self.qht,
            th=th,
            ph=ph,
            q=weights @ (w**2 @ dz),
            t=weights @ (mean * np.tanh(reference)),
            p=weights @ mean,
            log_sum=weights @ (log_2cosh(fields) @ dz),
            response=weights @ ((1 - w**2) ** 2 @ dz),
        )


class SphericalShell:
    """Real weights on the sphere of radius ``sqrt(N)``. All averages are in closed form.

    Near the reference ``ph`` diverges, and it follows from the distance. The unknowns are
    ``arcsinh`` of ``free`` and ``th``: numbers that may vanish, or grow like powers.
    """

    def __init__(self, reference):
        self.qt, self.qht = reference.overlap, reference.conjugate

    @staticmethod
    def entropy(distance):
        """The log-share of the sphere that is at the distance: ``ln(1 - p^2) / 2``."""
        return np.log(4 * distance * (1 - distance)) / 2

    def start(self, free, th):
        variance = variance_of(1.0, free + th**2 / self.qht)
        p = variance * (1 - self.qt) * th
        return np.arcsinh([free, th]), (1 - p) / 2

    def is_empty(self, x, distance):
        return 1 - self.at(x, distance).q < EMPTY * 4 * distance * (1 - distance)

    def missing(self, near, pull, pull_reference, distance):
        return np.array([pull - near.qh, pull_reference - near.th]) / (1 + near.qh)

    def at(self, x, distance):
        """A weight has the variance ``1 - q`` around ``1 - q`` times its field."""
        # ``free`` is not negative, but a trial step may be.
        free, th = np.sinh([max(x[0], LEAST_FREE), x[1]])
        qt, p = self.qt, 1 - 2 * distance
        hidden, sine = free + th**2 * (1 - qt) ** 3 / qt, 4 * distance * (1 - distance)
        variance = variance_of(sine, hidden)
        q, ph = 1 - variance, p / variance + qt * th
        t = qt * p + variance * (1 - qt) ** 2 * th
        own = (ph - th) * np.sqrt(1 - qt)
        spread = np.hypot(np.sqrt(free), own)
        return Near(
            qh=free + th**2 / self.qht,
            th=th,
            ph=ph,
            q=q,
            t=t,
            p=p,
            log_sum=np.log(variance) / 2 + q / variance,
            response=variance**2,
            # From the overlaps, ``width`` would lose all digits near the reference.
            fields=Fields(
                common=t / np.sqrt(qt),
                spread=variance * spread,
                c=own / spread,
                width=np.sqrt(free) / spread,
                noise=variance,
            ),
        )


def variance_of(most, hidden):
    """The root of ``variance = most - variance^2 hidden``."""
    return 2 * most / (1 + np.sqrt(1 + 4 * most * hidden))
