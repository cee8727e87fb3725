"""The capabilities of a factorization, in addition to its loss and derivatives."""

import numpy as np

from ...objective import (
    Entries,
    ExactTrace,
    Geometry,
    HalfSquared,
    LeastSquares,
    NotDefinedError,
    Orbit,
    TraceGradient,
    row_scale,
)
from .._symmetry import ModelOrbit
from ._alternation import Alternation
from ._flatness import largest_curvature, level_distance
from ._gibbs import GibbsSweeps


class FactorizationTrace(ExactTrace):
    """The exact trace.

    The score is affine in the parameters of any one kind. So the diagonal of its own Hessian is 0,
    and the trace is the curvature of the loss times the squared gradient of the score.
    """

    def of_rows(self, w, batch=None):
        """The first column is for intercept and offsets together. Then there is one per kind."""
        chunk = self.objective.model.chunk
        pieces = self.objective.batch(batch).pieces(chunk)
        return np.concatenate([self._of_piece(w, piece) for piece in pieces])

    def _of_piece(self, w, batch):
        model, loss = self.objective.model, self.objective.loss_function
        rows = model.rows(w, batch.X)
        P = loss.predict(model.scores_of(w, batch.X, rows)[:, None])
        return loss.curvature(P) * model.squares(rows)


class SquaredTrace(TraceGradient):
    """The gradient of the trace. With the squared loss the trace is a sum of squares.

    The reason is that the curvature of this loss is 1.
    """

    def gradient(self, w, batch=None, out=None, work=None):
        model, batch = self.objective.model, self.objective.batch(batch)
        out = np.empty_like(w) if out is None else out
        if work is not None:
            work.rows += len(batch)
        X, rows = batch.X, model.rows(w, batch.X)
        share = np.broadcast_to(np.ravel(row_scale(batch, w.dtype)), len(X)).astype(w.dtype)
        total = sum(rows)
        # The sum over kinds of |sum of the others|^2 is (C - 2) |total|^2 + sum |row|^2. These are
        # its derivatives in the factors of each kind.
        slopes = [2 * ((model.n_kinds - 2) * total + row) for row in rows]
        model.pull_back(share, slopes, X, out)
        if model.fit_offsets:
            out[: model.n_affine] = 0
        return out


class Ridges(LeastSquares):
    """Alternating least squares: with all other kinds fixed, each entity is a ridge regression."""

    def alternation(self, rho, n_steps=None, n_jobs=None):
        model, data, alpha = self.objective.model, self.objective.data, self.objective.alpha
        if n_steps is None:
            return model.alternates(model, data, alpha, rho, n_jobs=n_jobs)
        if not model.alternates.by_steps:
            raise NotDefinedError(
                "ALS(inner='cg') is for feedback='implicit'. Ratings are always solved exactly."
            )
        return model.alternates(model, data, alpha, rho, n_jobs=n_jobs, n_steps=n_steps)

    def draws(self, rho, seed, n_jobs=None):
        model = self.objective.model
        if model.alternates is not Alternation:
            raise NotDefinedError("'gibbs' is for feedback='explicit' without timestamps.")
        return GibbsSweeps(model, self.objective.data, rho, seed, n_jobs)


class LevelSets(Geometry):
    """The closed forms of `_flatness.py`."""

    def largest_curvature(self, w):
        return largest_curvature(self.objective.model, w, self.objective.data)

    def level_distance(self, w, level):
        return level_distance(self.objective.model, w, self.objective.data, level)


class Matrix(Entries):
    """The entries of a matrix. Each is a row of codes."""

    def unseen(self, n, rng):
        """Entries drawn uniformly from those that are not rows.

        If nearly all entries are rows, the rest is drawn from all entries.
        """
        # Rejection from 20 times as many draws, because a list of all entries could be too large.
        model, X = self.objective.model, self.objective.data.X
        drawn = rng.integers(model.sizes[: model.n_kinds], size=(20 * n, model.n_kinds))
        for c in range(model.n_kinds):  # the few rows that are left can be compared in Python
            X = X[np.isin(X[:, c], drawn[:, c])]
        rows = set(map(tuple, X[:, : model.n_kinds].tolist()))
        is_row = np.array([tuple(entry) in rows for entry in drawn.tolist()])
        return model.entries(drawn[np.argsort(is_row, kind="stable")[:n]])

    def reading(self, w, entry):
        model, X = self.objective.model, self.objective.data.X
        last = model.n_kinds - 1
        codes = np.vstack([X[X[:, last] == entry[last]], entry])
        rows = model.rows(w, codes)
        features = sum(rows[:-1], start=np.zeros_like(rows[-1]))
        own = np.einsum("ik,ik->i", features, rows[-1])
        if model.fit_offsets:
            own += model.split(w)[1][last][entry[last]]
        # The part of the entry's score that does not depend on its column: without inner products,
        # and minus the column's offset.
        rest = model.scores_of(w, codes[-1:], [row[-1:] for row in rows])[0] - own[-1]
        return features[:-1], own[:-1], features[-1], float(rest), model.fit_offsets


def _if_squared(make):
    """The capability, but only with the squared loss."""
    return lambda objective: make(objective) if objective.capability(HalfSquared) else None


CAPABILITIES = {
    Entries: Matrix,
    ExactTrace: FactorizationTrace,
    Geometry: _if_squared(LevelSets),
    LeastSquares: _if_squared(Ridges),
    Orbit: _if_squared(ModelOrbit),
    TraceGradient: _if_squared(SquaredTrace),
}
