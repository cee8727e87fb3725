"""Offsets that drift: one for every user and every item in every bin of time.

To the score of a user and an item the model adds ``d_u[t] + e_i[t]`` for the bin ``t`` of the
observation. These drifts have a ridge of their own, in units of observations. Given all other
parameters, the drift of one entity in one bin is a mean of residuals ``r``, shrunk to 0:

    sum v r / (sum v + ridge)

with the weights ``v`` of its observations. Drifts enter the score as offsets do. So noise on them
adds a constant to the expected loss.
"""

import numpy as np

from ._alternation import Alternation
from ._factorization import Factorization


class DriftingAlternation(Alternation):
    """Sweeps of alternating least squares that begin with the drifts."""

    @property
    def n_rows(self):
        return super().n_rows + len(self.model.drifts) * len(self.batch)

    def sweep(self, w):
        for c in self.model.drifts:
            self.drift(w, c)
        return super().sweep(w)

    def drift(self, w, c):
        """Solve for the drifts of one kind, in place."""
        X, y, v = self.batch.X, self.batch.y[:, 0], self.batch.weight
        d = self.model.split(w)[1][c]
        rest = y - self.model.scores(w, X)[:, 0] + d.take(X[:, c])
        sums = np.bincount(X[:, c], rest if v is None else v * rest, len(d))
        total = np.bincount(X[:, c], v, len(d)) + self.model.alpha_drift
        d[...] = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)

    def penalty(self, w):
        if self.prior_means is None:
            return super().penalty(w)
        drifts, strength = self.model.penalties(self.alpha)[-1]
        return super().penalty(w) + strength * float(w[drifts] @ w[drifts])


class DriftingFactorization(Factorization):
    """A factorization of two kinds whose offsets drift. It has four kinds of entities.

    The last two have offsets, but no factors: a user in a bin of time, and an item in a bin. The
    entity ``i`` in the bin ``t`` of ``n_bins`` has the code ``i n_bins + t``.

    Parameters
    ----------
    sizes : sequence of four int
    n_components : int
    fit_offsets : bool, default=True
        Must be True.
    touched, features : default=None
        As in `Factorization`.
    alpha_drift : float, default=0.0
        Ridge of the drifts, in units of observations.
    """

    with_factors = 2
    #: The kinds that are drifts.
    drifts = (2, 3)
    alternates = DriftingAlternation

    def __init__(
        self,
        sizes,
        n_components,
        fit_offsets=True,
        touched=None,
        features=None,
        alpha_drift=0.0,
    ):
        super().__init__(sizes, n_components, fit_offsets, touched, features)
        self.n_bins, self.alpha_drift = self.sizes[2] // self.sizes[0], alpha_drift

    def sizes_with_one_more(self):
        sizes, n_bins = super().sizes_with_one_more()[: self.n_kinds], self.n_bins
        return [*sizes, *(size * n_bins for size in sizes)]

    def entries(self, codes):
        """Entries at the last time. The code -1 stays."""
        return np.hstack([codes, (codes + 1) * self.n_bins - 1])

    def penalties(self, alpha):
        """As in `Factorization`, and the slice of drifts. The number 0 stands for no penalty."""
        factors, (offsets, alpha_offsets) = super().penalties(alpha)
        first = 1 + sum(self.sizes[: self.n_kinds])
        alpha_drift = self.alpha_drift if isinstance(alpha, tuple) else alpha
        drifts = slice(first, offsets.stop), alpha_drift
        return [factors, (slice(offsets.start, first), alpha_offsets), drifts]
