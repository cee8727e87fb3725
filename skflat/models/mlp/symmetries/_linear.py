"""Linear networks: an invertible matrix between any two layers."""

import numpy as np
from scipy.linalg import expm
from sklearn.utils.extmath import row_norms

from ....objective import row_scale
from ..._symmetry import Flattest, Symmetry

CYCLES, TOLERANCE, STEP, CHUNK = 500, 1e-10, 0.1, 4096
# Weight, relative to the criterion, of the norm in directions in which the rows say nothing.
RIDGE = 1e-16


class LinearMaps(Symmetry):
    """``W_l -> W_l G``, ``W_l+1 -> G^-1 W_l+1`` for every hidden layer of identity units.

    Both trace and squared norm depend on a layer's ``P = G G'`` by ``tr(P A) + tr(P^-1 B)``, whose
    minimum is in closed form: afterwards ``A = B``. Layer after layer, that leads to the minimum,
    for the sum is convex along geodesics of positive matrices. Directions that the outputs do not
    depend on become 0, which is the limit of the orbit.

    Parameters
    ----------
    model : MLP
    """

    group = "invertible matrices between the layers"

    def conserved(self, w):
        """``[W; b]' [W; b] - W_out W_out'`` of every hidden layer."""
        weights, intercepts = self.model.split(w.astype(float, copy=False))
        return {
            f"layer {k}": weights[k - 1].T @ weights[k - 1]
            + np.outer(intercepts[k - 1], intercepts[k - 1])
            - weights[k] @ weights[k].T
            for k in range(1, self.model.n_layers)
        }

    def flattest(self, objective, w, criterion="trace"):
        """Of ``"lambda_max"`` the point with balanced norms, which is flattest at an exact fit."""
        self.check(criterion)
        forms, there = self._forms(objective, criterion), w.astype(float)
        gap, cycles = np.inf, 0
        while gap > TOLERANCE and cycles < CYCLES:
            gap, cycles = self._cycle(there, forms), cycles + 1
        kind = "upper_bound" if criterion == "lambda_max" else "exact"
        details = {"imbalance": gap, "cycles": cycles}
        return Flattest(there.astype(w.dtype), gap <= TOLERANCE, kind, details)

    def _cycle(self, w, forms):
        """Balance every layer in turn, in place; the largest imbalance met on the way."""
        gap = 0.0
        for layer in range(1, self.model.n_layers):
            A, B = forms(w, layer)
            gap = max(gap, float(np.linalg.norm(A - B) / (np.linalg.norm(A + B) or 1.0)))
            self._map(w, layer, *balancing_map(A, B))
        return gap

    def flow(self, objective, w, criterion="trace"):
        """Multiplicative steps ``G = expm(-t (A - B))``, which keep the function exactly."""
        self.check(criterion)
        forms, there = self._forms(objective, criterion), w.astype(float)
        while True:
            yield there.astype(w.dtype)
            for layer in range(1, self.model.n_layers):
                A, B = forms(there, layer)
                D = (STEP / (np.linalg.norm(A + B, 2) or 1.0)) * (A - B)
                self._map(there, layer, expm(-D), expm(D))

    def n_coordinates(self):
        return sum(size**2 for size in self.model.sizes[1:-1])

    def shrinking(self):
        if self.model.n_layers == 1:
            return np.zeros(0)
        first = -np.eye(self.model.sizes[1]).ravel()
        return np.append(first, np.zeros(self.n_coordinates() - len(first)))

    def moved(self, w, coordinates):
        """The coordinates are the logarithms of the matrices, one after the other."""
        out, sizes = w.astype(float), self.model.sizes[1:-1]
        parts = np.split(np.asarray(coordinates), np.cumsum(np.square(sizes))[:-1])
        for layer, (size, part) in enumerate(zip(sizes, parts, strict=False), start=1):
            D = part.reshape(size, size)
            self._map(out, layer, expm(D), expm(-D))
        return out.astype(w.dtype)

    def _map(self, w, layer, G, inverse):
        """Turn the units of a layer, in place."""
        weights, intercepts = self.model.split(w)
        weights[layer - 1][:] = weights[layer - 1] @ G
        intercepts[layer - 1][:] = intercepts[layer - 1] @ G
        weights[layer][:] = inverse @ weights[layer]

    def _forms(self, objective, criterion):
        """A function ``(w, layer) -> A, B``."""
        if criterion == "trace":
            return lambda w, layer: self._of_trace(objective, w, layer)
        return self._of_norm

    def _of_norm(self, w, layer):
        weights, intercepts = self.model.split(w)
        into = np.vstack([weights[layer - 1], intercepts[layer - 1]])
        return into.T @ into, weights[layer] @ weights[layer].T

    def _of_trace(self, objective, w, layer):
        """Sums over the rows: of ``h h'`` times the curvature above, and of the curvature below."""
        weights, loss = self.model.split(w)[0], objective.loss_function
        above = _product(weights[layer + 1 :], self.model.sizes[-1])
        J, A, B = weights[layer] @ above, 0.0, 0.0
        for share, batch in objective.data.shares(CHUNK):
            a, z = _passed(self.model, w, batch)
            P = loss.predict(z)
            scale = share * np.ravel(row_scale(batch, float)) * np.ones(len(batch))
            top = scale * loss.quadratic(P, above).sum(axis=1)
            A = A + (a[layer].T * top) @ a[layer]
            inputs = scale * (row_norms(a[layer - 1], squared=True) + 1)
            B = B + sum((root.T * inputs) @ root for root in loss.roots(P, J))
        norm, _ = self._of_norm(w, layer)
        return _with_ridge(A, norm), _with_ridge(B, J @ J.T)


def balancing_map(A, B):
    """``G`` and its inverse with ``G' A G = G^-1 B G^-T``, diagonal; pseudo where A or B is."""
    left, right = _root(A), _root(B)
    u, s, vt = np.linalg.svd(left @ right.T)
    good = s > len(s) * np.finfo(float).eps * s[:1]
    inverse_root = np.divide(1, np.sqrt(s), out=np.zeros_like(s), where=good)
    return right.T @ (vt.T * inverse_root), (left.T @ (u * inverse_root)).T


def _root(A):
    """``R`` with ``R' R = A``."""
    values, vectors = np.linalg.eigh(A)
    return np.sqrt(values.clip(0))[:, None] * vectors.T


def _with_ridge(A, norm):
    total = np.trace(norm)
    return A if total == 0 else A + (RIDGE * np.trace(A) / total) * norm


def _product(matrices, n_outputs):
    out = np.eye(n_outputs)
    for W in matrices[::-1]:
        out = W @ out
    return out


def _passed(model, w, batch):
    """Inputs of every layer, and the scores, in memory of their own."""
    weights, intercepts = model.split(w)
    a = [batch.X]
    for W, b in zip(weights, intercepts, strict=True):
        a.append(np.asarray(a[-1] @ W) + b)
    return a[:-1], a[-1]
