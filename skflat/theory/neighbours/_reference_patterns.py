"""Patterns that a reference and weights around it store: the energetic part of the potential."""

from dataclasses import dataclass

import numpy as np

from .._machines import standardized
from .._normal import crowded_grid, hazard, log_tail, normal_grid

GRID = normal_grid(8, 81)


@dataclass(frozen=True)
class Fields:
    """Stabilities of weights near a reference: ``common x + spread s + sqrt(noise) z``.

    The stability of the reference is ``sqrt(qt) x + sqrt(1 - qt) xi``. The field ``s`` that the
    weights share has the correlation ``c`` with ``xi``, and ``width = sqrt(1 - c^2)``.
    """

    common: float
    spread: float
    c: float
    width: float
    noise: float

    @classmethod
    def of(cls, q, t, p, qt):
        """From the overlaps of the fields."""
        spread = np.sqrt(q - t**2 / qt)
        c = (p - t) / np.sqrt(1 - qt) / spread
        return cls(t / np.sqrt(qt), spread, c, np.sqrt(1 - c**2), 1 - q)


@dataclass(frozen=True)
class Storage:
    """The energetic term for a load of 1.

    ``pull`` is minus twice its slope in ``q``, ``pull_reference`` minus its slope in ``t`` and
    ``pull_own`` its slope in ``p``. ``response`` is the mean square of the derivative of a pull by
    its field.
    """

    energy: float
    pull: float
    pull_reference: float
    pull_own: float
    response: float


class StoredPatterns:
    """Patterns with margin ``kt`` under references of overlap ``qt``, and with ``margin`` near by.

    Hidden units turn all overlaps into those of the fields on the output, by their ``kernel``.
    """

    def __init__(self, kt, margin, qt, kernel):
        self.kernel, self.margin, self.qt = kernel, margin, kernel(qt)[0]
        self.x, self.dx = field_grid(kt, self.qt)
        self.eta = standardized(kt, self.qt, self.x)  # the least ``xi``

    def at(self, near):
        """The energetic term and its slopes in the overlaps of the weights."""
        (q, by_q, bend), (t, by_t, _), (p, by_p, _) = map(self.kernel, (near.q, near.t, near.p))
        stored = self._stored(near.fields or Fields.of(q, t, p, self.qt))
        return Storage(
            stored.energy,
            by_q * stored.pull,
            by_t * stored.pull_reference,
            by_p * stored.pull_own,
            by_q**2 * stored.response + bend * stored.pull,
        )

    def _stored(self, fields):
        """The same, with slopes in the overlaps of the fields."""
        eta, c, width = self.eta, fields.c, fields.width
        # As p goes to 1, the weight of s becomes a step at ``c eta``. The nodes are dense there.
        s, ds = crowded_grid(c * eta, width)
        log_share = log_tail((eta[:, None] - c * s) / width) - log_tail(eta)[:, None]
        weights = self.dx[:, None] * ds * np.exp(log_share - s**2 / 2)
        log_H, pull, response = self._pulled(fields, s)
        # The boundary term: the derivative in p comes from references exactly at their margin.
        z, dz = GRID
        just = self._pulled(fields, c * eta[:, None] + width * z)[1] @ dz
        edge = hazard(eta) / np.sqrt(1 - self.qt)
        return Storage(
            np.sum(weights * log_H),
            np.sum(weights * pull**2),
            edge @ np.sum(weights * pull, axis=1),
            self.dx @ (edge * just),
            np.sum(weights * response**2),
        )

    def _pulled(self, fields, s):
        """``ln H`` and its first two derivatives by the mean stability, without their signs."""
        mean = (fields.common * self.x)[:, None] + fields.spread * s
        lacking = (self.margin - mean) / np.sqrt(fields.noise)
        ratio = hazard(lacking)
        pull = ratio / np.sqrt(fields.noise)
        return log_tail(lacking), pull, ratio * (ratio - lacking) / fields.noise


def field_grid(kt, qt):
    """Nodes and weights for the field that references share."""
    if qt < 0.8:
        return GRID
    # The reference's share is nearly a step. The nodes are dense there.
    centre = np.clip(kt / np.sqrt(qt), -8, 8)
    x, dx = crowded_grid(np.array([centre]), np.sqrt((1 - qt) / qt), n_nodes=161)
    return x[0], (dx * np.exp(-(x**2) / 2))[0]
