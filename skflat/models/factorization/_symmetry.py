"""Factorizations of two kinds: one invertible matrix between the factors."""

import numpy as np
from scipy.linalg import expm

from .._symmetry import Flattest, Symmetry
from ._balance import balance, conserved

STEP = 0.1


class FactorMaps(Symmetry):
    """``(X, Y) -> (X G, Y G^-T)``: the product of the factors, and so every score, stays."""

    group = "invertible matrices between two factors"

    def conserved(self, w):
        """``X'X - Y'Y``."""
        return {"factors": conserved(*self._factors(w))}

    def flattest(self, objective, w, criterion="trace"):
        """Balanced factors, for the trace balanced under the numbers of observations.

        Balanced factors have the least largest eigenvalue where the fit is exact and complete.
        """
        self.check(criterion)
        factors = balance(*self._factors(w), *self._weights(objective, criterion))
        kind = "upper_bound" if criterion == "lambda_max" else "exact"
        return Flattest(self._with(w, factors), kind=kind)

    def flow(self, objective, w, criterion="trace"):
        """Multiplicative steps ``G = expm(-t D)``, see `skflat.symmetry.balancing_flow`."""
        self.check(criterion)
        X, Y = self._factors(w)
        p, q = (
            1.0 if each is None else each[:, None] for each in self._weights(objective, criterion)
        )
        while True:
            yield self._with(w, (X, Y))
            A, B = (p * X).T @ X, (q * Y).T @ Y
            t = STEP / (np.linalg.norm(A + B, 2) or 1.0)
            X, Y = X @ expm(-t * (A - B)), Y @ expm(t * (A - B))

    def n_coordinates(self):
        return self.model.n_components**2

    def shrinking(self):
        return -np.eye(self.model.n_components).ravel()

    def moved(self, w, coordinates):
        """The coordinates are the logarithm of the matrix."""
        k = self.model.n_components
        D = np.reshape(coordinates, (k, k)).astype(w.dtype)
        X, Y = self._factors(w)
        return self._with(w, (X @ expm(D), Y @ expm(-D).T))

    def _factors(self, w):
        return self.model.split(w)[2]

    def _with(self, w, factors):
        intercept, offsets, _ = self.model.split(w)
        return self.model.join(intercept, offsets, factors)

    def _weights(self, objective, criterion):
        """How often every entity is observed if the trace is the criterion."""
        if criterion != "trace":
            return None, None
        data = objective.data
        return [
            np.bincount(data.X[:, c], data.weight, size).astype(data.y.dtype)
            for c, size in enumerate(self.model.sizes[: self.model.n_kinds])
        ]
