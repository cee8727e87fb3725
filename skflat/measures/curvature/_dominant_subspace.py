"""The dominant subspace: the part of the gradient along the directions of largest curvature."""

import warnings
from numbers import Integral, Real

import numpy as np

from ..._compat import Interval
from ...problems import BINARY
from .._function import function_of
from .._measure import Measure, describe, exactness, generator
from .._measurement import Measurement
from .._memory import at_once
from ._eigenvalues import HessianProduct, eigenpairs

FEW = 10  # up to so many eigenvectors, ARPACK holds hardly more vectors than for one


class DominantSubspace(Measure):
    """Share of the gradient in the span of the top eigenvectors of the Hessian.

    The value is ``|P_k g| / |g|``. Here ``g`` is the gradient of the unpenalised mean training
    loss, and ``P_k`` is the projection onto the eigenvectors of the ``k`` largest eigenvalues of
    its Hessian. Song, Ahn and Yun (arXiv:2405.16002) find a share close to 1, although the rest of
    the gradient reduces the loss. As a scorer, a smaller share counts as flatter. The measure is
    invariant under isometries of the parameters only.

    Parameters
    ----------
    k : int, default=None
        Number of eigenvectors. None is the number of classes, or of outputs of a regressor. If that
        is more than ten, the eigenvectors together have at most 2 ** 21 numbers.
        ``protocol["k"]`` has the number used.
    tol : float, default=1e-6
    random_state : int, RandomState instance or None, default=0
        See `HessianEigenvalues`.

    Notes
    -----
    The table has the columns ``eigenvalue``, in decreasing order, and ``share``, the value for the
    eigenvectors up to that one. The standard error is due to the sampling of the gradient, by a
    jackknife over ten groups of rows. It ignores that the eigenvectors fit the sample, so on a
    small sample the share is too large. If the gradient is 0, the share is not defined: the value
    is NaN, with a warning.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import DominantSubspace
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> bool(0 < DominantSubspace().measure(clf, X, y).value <= 1)
    True
    """

    _parameter_constraints: dict = {
        "k": [None, Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(self, k=None, tol=1e-6, random_state=0):
        self.k = k
        self.tol = tol
        self.random_state = random_state

    def _evaluate(self, problem):
        product = HessianProduct(problem)
        k = self.k or _usual(_n_classes(problem), len(problem.w))
        values, vectors, converged = eigenpairs(
            product, k, "largest", self.tol, None, generator(self.random_state)
        )
        _, gradient = problem.objective.loss_gradient(problem.w)
        size = np.linalg.norm(gradient)
        if size > 0:
            # The eigenvectors are orthonormal, so squared components add up: one pass for all k.
            squares = np.cumsum((vectors.T @ (gradient / size)) ** 2)
            shares = np.sqrt(np.minimum(squares, 1))  # rounding may exceed 1
        else:
            warnings.warn("The gradient is 0, and has no share in any subspace.", stacklevel=3)
            shares = np.full(len(values), np.nan)
        return Measurement(
            value=float(shares[-1]) if len(shares) else np.nan,
            stderr=_row_error(problem, vectors),
            kind=exactness(problem),
            n_evals=2 * product.n_products + 1,
            converged=converged,
            samples=shares,
            protocol=describe(
                problem,
                k=k,
                samples="share of the leading eigenvectors",
                seed=self.random_state,
            ),
            table={"eigenvalue": values, "share": shares},
        )


def _row_error(problem, vectors, n_groups=10):
    """Standard error of the share, by leaving out a tenth of the rows at a time."""
    if not problem.sampled or problem.objective.n_rows < n_groups:
        return 0.0
    objective, shares = problem.objective, []
    for left_out in range(n_groups):
        rows = np.arange(objective.n_rows)
        batch = objective.batch(rows[rows % n_groups != left_out])
        _, gradient = objective.loss_gradient(problem.w, batch)
        shares.append(np.linalg.norm(vectors.T @ gradient) / (np.linalg.norm(gradient) or 1.0))
    # Jackknife variance, times the finite population correction.
    missing = 1 - objective.n_rows / problem.sampled_from
    return float(np.sqrt(missing * (n_groups - 1) * np.var(shares)))


def _usual(n_classes, size):
    """One eigenvector per class, as far as memory allows. The search holds two vectors for each."""
    return min(n_classes, max(FEW, at_once(2 * size, n_classes)))


def _n_classes(problem):
    """The number of classes, or of outputs of a regressor."""
    first_row = problem.objective.data.X[:1]
    n_outputs = problem.objective.scores(problem.w, first_row).shape[1]
    return 2 if problem.task is BINARY else n_outputs


dominant_subspace = function_of(DominantSubspace, "dominant_subspace")
