"""The least largest eigenvalue of the Gauss-Newton matrix over positive scales."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from ....objective import CHUNK
from ..._symmetry import Flattest
from .._hvp import ScoreCurvature

STEPS, HALVINGS, TOP, FALL = 40, 12, 4, 1e-6


def least_largest(symmetry, objective, start):
    """Descend from ``start`` along subgradients of the log of the largest eigenvalue.

    In ``log s`` it is convex: the Gauss-Newton matrix is ``D A D`` with ``D`` exponentials of
    linear functions. With ``v`` its eigenvector of norm 1, the derivative in the scale of a unit is
    ``2 (sum of v^2 over outgoing weights - the same over incoming ones)``. Where eigenvalues meet
    there is no derivative, and the descent may end above the minimum: an upper bound. The Hessian
    is the same matrix where the residuals vanish. Elsewhere it may be indefinite, and the log of
    its largest eigenvalue need not be convex.

    Parameters
    ----------
    symmetry : PositiveScaling
    objective : Objective
    start : Flattest
    """
    w, before = start.w, np.inf
    values, slopes = top_eigenvalues(symmetry.model, objective, w)
    first = values[0]
    for _ in range(STEPS):
        if values[0] <= 0 or not values[0] < before * (1 - FALL):
            break
        before = values[0]
        # Eigenvalues near the largest share the step, or it would only exchange them.
        share = np.exp(20 * (values / values[0] - 1))
        slope = share @ slopes / share.sum()
        w, values, slopes = _stepped(symmetry, objective, w, slope, values, slopes)
    details = start.details | {"largest_at_trace": float(first), "largest": float(values[0])}
    return Flattest(w, start.converged, "upper_bound", details)


def _stepped(symmetry, objective, w, slope, values, slopes):
    """The longest of some steps that lowers the eigenvalue, or none."""
    for halving in range(HALVINGS):
        tried = symmetry.moved(w, -(0.5**halving) * slope)
        found, its_slopes = top_eigenvalues(symmetry.model, objective, tried)
        if found[0] < values[0]:
            return tried, found, its_slopes
    return w, values, slopes


def top_eigenvalues(model, objective, w):
    """The largest eigenvalues and the slopes of their logarithms in the log scales."""
    loss, size = objective.loss_function, len(w)
    pieces = [
        (share, ScoreCurvature(model, loss, w, piece))
        for share, piece in objective.data.shares(CHUNK)
    ]

    def product(v):
        v = np.ravel(v).astype(w.dtype)
        return sum(share * times(v) for share, times in pieces)

    operator = LinearOperator((size, size), matvec=product, dtype=w.dtype)
    start = np.random.default_rng(0).normal(size=size)
    values, vectors = eigsh(operator, k=min(TOP, size - 1), which="LA", tol=1e-6, v0=start)
    order = np.argsort(values)[::-1]
    return values[order].astype(float), np.array([_slope(model, v) for v in vectors.T[order]])


def _slope(model, v):
    """``2 (sum_out v^2 - sum_in v^2)`` for every hidden unit."""
    weights, intercepts = model.split(v.astype(float) ** 2)
    parts = [
        2 * (weights[k + 1].sum(axis=1) - weights[k].sum(axis=0) - intercepts[k])
        for k in range(model.n_layers - 1)
    ]
    return np.concatenate(parts)
