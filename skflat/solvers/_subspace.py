"""Training in the dominant subspace of the Hessian, or in all but that."""

import math
from numbers import Integral, Real

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from .._compat import Interval, StrOptions
from .._parallel import one_thread_for_scipy
from ._solver import Rule

# Up to so many parameters the whole Hessian is built, with one product per parameter.
DENSE = 40


class Subspace(Rule):
    """Steps in the span of the top eigenvectors of the Hessian, or orthogonal to it.

    Song, Ahn and Yun (arXiv:2405.16002) find that the gradient lies almost in the dominant
    subspace, and that the loss nevertheless falls by the rest: with ``"dominant"`` training
    stalls, with ``"bulk"`` it goes on as without the projection. The steps that flatten lie in the
    bulk, too. The solver is an instrument to see this. Where all curvature is in the dominant
    subspace or all of it outside, one of the parts does not train at all, so the solver has no name
    in `SOLVERS`: give an object to the estimator.

    The eigenvectors are those of the ``k`` largest eigenvalues of the Hessian of the loss on all
    rows. As in the paper, the *step* of the base optimizer is projected and not the gradient, so
    momentum and Adam's moments are those of the whole gradient. ``rho`` is not used.

    Parameters
    ----------
    part : {'bulk', 'dominant'}, default='bulk'
        ``'dominant'`` keeps the part of each step in the span of the eigenvectors, ``'bulk'``
        removes it.
    base : {'adam', 'sgd'}, default='sgd'
        The optimizer that takes the step; its numbers are the estimator's.
    k : int, default=None
        Number of eigenvectors. None is the number of outputs of the model, as in the paper.
    every : int, default=1
        The eigenvectors are renewed on every ``every``-th step. The paper renews them on every
        step.
    tol : float, default=1e-3
        Relative accuracy of the eigenvalues.

    Notes
    -----
    A step costs one gradient of the batch. Eigenvectors cost some ten to a hundred Hessian products
    of two gradients of *all* rows each, so a fit costs far more than with its base. Each search
    starts at the last leading eigenvector. It holds about ``2 k + 20`` vectors of parameters.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import Subspace
    >>> FlatMLPClassifier(solver=Subspace("dominant", k=3, every=10)).solver
    Subspace(every=10, k=3, part='dominant')
    """

    _parameter_constraints: dict = {
        "part": [StrOptions({"bulk", "dominant"})],
        "base": [StrOptions({"adam", "sgd"})],
        "k": [None, Interval(Integral, 1, None, closed="left")],
        "every": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, part="bulk", base="sgd", *, k=None, every=1, tol=1e-3):
        self.part = part
        self.base = base
        self.k = k
        self.every = every
        self.tol = tol

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory.vectors = None
        return state

    def step(self, objective, w, batch, state):
        loss, direction = self.direction(objective, w, batch, state)
        if not math.isfinite(loss):
            return loss
        vectors = self._vectors(objective, w, state)
        before = state.scratch("before", w)
        before[:] = w
        state.base.step(w, direction)
        w -= before
        dominant = vectors @ (vectors.T @ w)
        w[:] = before + (dominant if self.part == "dominant" else w - dominant)
        return loss

    def _vectors(self, objective, w, state):
        """The top eigenvectors of a recent step or, when it is time, of this one."""
        k = min(self.k or objective.scores(w, objective.data.X[:1]).shape[1], len(w))
        known = state.memory.vectors
        if known is None or state.step % self.every == 0 or known.shape[1] != k:
            product = objective.hessian_products(w, None, state.work)
            start = state.rng.standard_normal(len(w)) if known is None else known[:, 0]
            state.memory.vectors = top_eigenvectors(product, k, start, w.dtype, self.tol)
        return state.memory.vectors


def top_eigenvectors(product, k, start, dtype, tol):
    """Orthonormal eigenvectors of the ``k`` largest eigenvalues, the largest first.

    Parameters
    ----------
    product : callable
        The symmetric matrix times a vector.
    k : int
    start : ndarray of shape (n,)
        Where the search starts.
    dtype : dtype
        That of the vectors that the product takes, and of the result.
    tol : float

    Returns
    -------
    ndarray of shape (n, k)
        If the matrix is zero or not finite, it has no dominant part and the vectors are 0. If the
        search did not find all ``k``, the others are 0.
    """
    size = len(start)
    found = np.zeros((size, k), dtype)
    if size <= max(DENSE, k + 1):
        matrix = np.column_stack([product(unit) for unit in np.eye(size, dtype=dtype)])
        if np.isfinite(matrix).all() and matrix.any():
            found[:] = np.linalg.eigh((matrix + matrix.T) / 2)[1][:, : -k - 1 : -1]
        return found
    image = product(start.astype(dtype))
    if not (np.isfinite(image).all() and image.any()):
        return found
    operator = LinearOperator(
        (size, size), lambda v: product(np.ravel(v).astype(dtype)), dtype=float
    )
    with one_thread_for_scipy():
        try:
            values, vectors = eigsh(operator, k, which="LA", v0=start.astype(float), tol=tol)
        except ArpackNoConvergence as stopped:
            values, vectors = stopped.eigenvalues, stopped.eigenvectors
    found[:, : len(values)] = vectors[:, np.argsort(values)[::-1]]
    return found
