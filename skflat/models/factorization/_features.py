"""Side features: the factors of an entity are penalised by their distance to a linear prediction.

An entity of one kind has factors ``u``, an offset ``b`` and features ``f``. The penalty is

    alpha (|u - W' f|^2 + tau |W|^2) + beta (|b - a . f|^2 + tau |a|^2)

instead of ``alpha |u|^2 + beta |b|^2``. The distances are summed over all entities with
observations. So the best ``W`` and ``a`` are a ridge regression of the factors and of the offsets,
with the ridge ``tau``. It depends neither on ``alpha`` nor on ``beta``. An entity without
observations has the factors ``W' f`` and the offset ``a . f``, at which its own penalty is 0.

Coefficients have no noise, because no score depends on them if the factors are given. Noise of
deviation ``rho`` on the factors adds ``rho^2`` times their number to the expected squared distance,
which is a constant. So the expected loss has the closed form that it has without features.
"""

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

LARGEST_DIRECT = 4096  # rows of a matrix to decompose; larger ones take too much time and memory
CG_TOL, CG_STEPS = 1e-5, 200  # relative residual, and largest number of steps


class SideFeatures:
    """Features of the entities of some kinds, and the strength of the penalty on coefficients.

    Parameters
    ----------
    tables : list of {ndarray, csr_array} of shape (n_entities, n_features) or None
        For every kind, the features. Entities without features have rows of zeros.
    tau : float
        Ridge of the coefficients, see the top of the file.
    learnt_from : list of ndarray of bool of shape (n_entities,), default=None
        For every kind, the entities whose factors the coefficients are learnt from. None stands for
        those with observations.
    """

    def __init__(self, tables, tau, learnt_from=None):
        self.tables, self.tau, self.learnt_from = tables, tau, learnt_from
        self._ridges = {}

    def prior(self, model, batch):
        """The prior means for a fit to the rows of a batch."""
        observed = [
            np.bincount(batch.X[:, c], minlength=size) > 0 for c, size in enumerate(model.sizes)
        ]
        if self.learnt_from is None:
            return LinearPrior(model, self, observed, observed)
        # Those that the coefficients are learnt from have observations in earlier calls.
        pairs = zip(observed, self.learnt_from, strict=True)
        return LinearPrior(model, self, [one | other for one, other in pairs], self.learnt_from)

    def ridge(self, c, rows):
        """The ridge regression on the features of some entities of a kind. The last one is kept."""
        known = self._ridges.get(c)
        if known is None or not np.array_equal(known[0], rows):
            self._ridges[c] = known = rows, Ridge(self.tables[c][rows], self.tau)
        return known[1]


class LinearPrior:
    """The prior means of factors and offsets, which are linear in the features.

    Parameters
    ----------
    model : Factorization
    features : SideFeatures
    observed : list of ndarray of bool
        For every kind, the entities with observations.
    learnt_from : list of ndarray of bool
        For every kind, the entities whose factors the coefficients are learnt from.
    """

    def __init__(self, model, features, observed, learnt_from):
        self.model, self.features = model, features
        self.observed, self.learnt_from = observed, learnt_from
        self.kinds = [c for c, table in enumerate(features.tables) if table is not None]
        self.coefficients = {c: None for c in self.kinds}

    def learn(self, w, c):
        """Solve for the coefficients of one kind; return the prior means of all its entities.

        A row holds the factors and, if there are offsets, the offset. None stands for means of 0.
        """
        if c not in self.coefficients:
            return None
        rows, start = self.learnt_from[c], self.coefficients[c]
        found = self.features.ridge(c, rows).solve(self._parameters(w, c)[rows], start)
        self.coefficients[c] = found
        return self.means(c)

    def means(self, c):
        return self.features.tables[c] @ self.coefficients[c]

    def cold(self, c):
        """Codes of the entities that have features but no observations."""
        return np.flatnonzero(~self.observed[c] & described(self.features.tables[c]))

    def fill(self, w):
        """Set the parameters of entities without observations to their prior means, in place.

        Those without features keep theirs.
        """
        _, offsets, factors = self.model.split(w)
        for c in self.kinds:
            cold = self.cold(c)
            means = self.features.tables[c][cold] @ self.coefficients[c]
            factors[c][cold] = means[:, : self.model.n_components]
            if offsets is not None:
                offsets[c][cold] = means[:, -1]

    def clear(self, w):
        """Set the factors of entities without observations to 0, in place."""
        for c in self.kinds:
            self.model.split(w)[2][c][self.cold(c)] = 0

    def finish(self, w):
        """Learn the coefficients of all kinds and fill in what has no observations, in place."""
        for c in self.kinds:
            self.learn(w, c)
        self.fill(w)
        return w

    def deviations(self, w, c):
        """Factors minus their means and offsets minus theirs, of entities with observations."""
        mine = self._parameters(w, c)
        if c in self.coefficients:
            mine = mine - self.means(c)
        return mine[self.observed[c]]

    def squares(self, w):
        """The sums of squares that the penalties of factors and of offsets multiply."""
        k, total = self.model.n_components, np.zeros(2)
        for c in range(self.model.n_kinds):
            parts = [self.deviations(w, c)]
            if c in self.coefficients:
                parts.append(np.sqrt(self.features.tau) * self.coefficients[c])
            for part in parts:
                total += [np.vdot(half, half) for half in np.split(part, [k], axis=1)]
        return total

    def _parameters(self, w, c):
        """The factors of all entities of a kind, with their offsets as a last column."""
        _, offsets, factors = self.model.split(w)
        return factors[c] if offsets is None else np.column_stack([factors[c], offsets[c]])


class Ridge:
    """Ridge regressions of several targets on the same features, without an intercept.

    They are solved by Cholesky's decomposition of ``Z' Z + tau`` or of ``Z Z' + tau``, whichever is
    smaller. If both are large, they are solved by conjugate gradients.

    Parameters
    ----------
    Z : {ndarray, csr_array} of shape (n, n_features)
    tau : float
        Strength of the penalty.
    """

    def __init__(self, Z, tau):
        self.Z, self.tau, self.is_dual = Z, tau, Z.shape[0] < Z.shape[1]
        self.factored = self._factored() if min(Z.shape) <= LARGEST_DIRECT else None

    def _factored(self):
        A = self.Z @ self.Z.T if self.is_dual else self.Z.T @ self.Z
        A = (A.toarray() if sparse.issparse(A) else A).astype(float)
        # With less than this, rounding would make the matrix of dependent features indefinite.
        least = len(A) * np.finfo(self.Z.dtype).eps * A.diagonal().max(initial=0)
        A.flat[:: len(A) + 1] += max(self.tau, least)
        return cho_factor(A, overwrite_a=True)

    def solve(self, B, start=None):
        """The coefficients, shape (n_features, n_targets). Iterations begin at ``start``."""
        if self.factored is None:
            return self._by_conjugate_gradients(self.Z.T @ B, start)
        if self.is_dual:
            return self.Z.T @ cho_solve(self.factored, B).astype(B.dtype)
        return cho_solve(self.factored, self.Z.T @ B).astype(B.dtype)

    def _by_conjugate_gradients(self, right, start):
        """All targets at once, each with its own steps. No step raises the penalised squares."""
        x = np.zeros_like(right) if start is None else start.copy()
        squared = self.Z.multiply(self.Z) if sparse.issparse(self.Z) else self.Z**2
        diagonal = np.asarray(squared.sum(axis=0)).reshape(-1, 1) + self.tau
        r, enough = right - self._product(x), CG_TOL**2 * _inner(right, right / diagonal)
        p = r / diagonal
        size = _inner(r, p)
        for _ in range(CG_STEPS):
            if (size <= enough).all():
                break
            Ap = self._product(p)
            step = size / np.maximum(_inner(p, Ap), np.finfo(x.dtype).tiny)
            x += step * p
            r -= step * Ap
            z = r / diagonal
            before, size = size, _inner(r, z)
            p = z + size / np.maximum(before, np.finfo(x.dtype).tiny) * p
        return x

    def _product(self, x):
        return self.Z.T @ (self.Z @ x) + self.tau * x


def described(table):
    """A mask of the entities whose features are not all 0."""
    return np.asarray(abs(table).sum(axis=1)).ravel() > 0


def _inner(one, other):
    """The inner products of columns."""
    return np.einsum("ij,ij->j", one, other)
