"""The extreme eigenvalues of the Hessian."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from sklearn.exceptions import ConvergenceWarning

from ..._compat import Interval, StrOptions
from ..._parallel import one_thread_for_scipy
from ...objective import Geometry, NotDefinedError, capability
from .._function import function_of
from .._measure import Measure, describe, exactness, generator, group_error
from .._measurement import Measurement

# Up to so many parameters the whole matrix is built, with one product per parameter.
DENSE = 40
ENDS = {"largest": "LA", "smallest": "SA", "both": "BE"}


class HessianEigenvalues(Measure):
    """Largest or smallest eigenvalues of the Hessian of the mean loss; smaller is flatter.

    The loss is the unpenalised mean training loss. The method is the implicitly restarted Lanczos
    method (ARPACK, through `scipy.sparse.linalg.eigsh`) with exact Hessian products. The value is
    the largest eigenvalue, or the smallest for ``which="smallest"``. The largest eigenvalue alone
    has a closed form at a stationary point of a factorization of a full matrix.

    The measure is invariant under isometries of the parameters only. At a minimum the largest
    eigenvalue is the flatness of Josz (arXiv:2509.11386) in the limit of small radii. SAM on the
    whole batch keeps it small (Wen, Ma and Li, arXiv:2211.05729).

    Parameters
    ----------
    k : int, default=1
        Number of eigenvalues.
    which : {'largest', 'smallest', 'both'}, default='largest'
        ``'both'`` takes half of them from each end. If ``k`` is odd, it takes one more from the
        top.
    tol : float, default=1e-6
        The method ends when the estimated residual ``|H v - lambda v|`` of every eigenvalue is
        below ``tol * |lambda|``. The error of the eigenvalue is at most the residual. In single
        precision the tolerance is at least 1e-5.
    max_iter : int, default=None
        Maximum number of restarts. None is ten times the number of parameters.
    random_state : int, RandomState instance or None, default=0
        Draws the start vector.

    Notes
    -----
    The table has the columns ``eigenvalue``, in decreasing order, and ``residual``, the norm above,
    recomputed. The method holds about fifty vectors of parameters for up to ten eigenvalues, and
    five more for every further one. Do not use ``which="smallest"`` as a scorer: the most negative
    eigenvalue would count as the flattest.

    If the method does not converge, there is a `ConvergenceWarning` and ``converged`` is False. The
    table then holds the eigenvalues that did converge. If none did, the value is NaN.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import HessianEigenvalues
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> found = HessianEigenvalues(k=3).measure(clf, X, y)
    >>> bool((found.table["residual"] < 1e-5 * found.value).all())
    True
    """

    _parameter_constraints: dict = {
        "k": [Interval(Integral, 1, None, closed="left")],
        "which": [StrOptions(set(ENDS))],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [None, Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(self, k=1, which="largest", tol=1e-6, max_iter=None, random_state=0):
        self.k = k
        self.which = which
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def _evaluate(self, problem):
        only_largest = self.k == 1 and self.which != "smallest"
        geometry = capability(problem.objective, Geometry) if only_largest else None
        known = None if geometry is None else geometry.largest_curvature(problem.w)
        if known is not None:
            return self._exact(problem, known)
        product = HessianProduct(problem)
        values, vectors, converged = eigenpairs(
            product, self.k, self.which, self.tol, self.max_iter, generator(self.random_state)
        )
        # ARPACK's own residual is an estimate. One more product per pair gives the true one.
        residuals = np.array(
            [
                np.linalg.norm(product(v) - value * v)
                for value, v in zip(values, vectors.T, strict=True)
            ]
        )
        place = -1 if self.which == "smallest" else 0
        value, stderr = np.nan, 0.0
        if len(values):
            value = float(values[place])
            stderr = group_error(problem, product.quadratic(vectors[:, place]))
        return Measurement(
            value=value,
            stderr=stderr,
            kind=exactness(problem) if converged else self._bound(values),
            n_evals=2 * product.n_products,
            converged=converged,
            samples=values,
            protocol=describe(
                problem, which=self.which, samples="eigenvalues", seed=self.random_state
            ),
            table={"eigenvalue": values, "residual": residuals},
        )

    def _exact(self, problem, value):
        details = {"which": self.which, "samples": "eigenvalues", "method": "closed form"}
        return Measurement(
            value=value,
            stderr=0.0,
            kind=exactness(problem),
            n_evals=1,
            converged=True,
            samples=np.array([value]),
            protocol=describe(problem, **details),
            table={"eigenvalue": np.array([value]), "residual": np.array([0.0])},
        )

    def _bound(self, values):
        """The kind of a Ritz value that has not converged."""
        if not len(values):
            return "estimate"
        # Ritz values lie inside the spectrum (Rayleigh quotients).
        return "upper_bound" if self.which == "smallest" else "lower_bound"


class HessianProduct:
    """Products with the Hessian of a problem, in double precision, and their number.

    With weights ``t`` of a norm it is the Hessian in the coordinates ``h / t``, which is
    ``diag(t) H diag(t)``.

    Parameters
    ----------
    problem : Problem
    t : ndarray of shape (n_parameters,), default=None
    """

    def __init__(self, problem, t=None):
        self.objective, self.w, self.t = problem.objective, problem.w, 1.0 if t is None else t
        # The closure keeps everything that depends on the point alone, for all products.
        self._times, self.n_products = self.objective.hessian_products(self.w), 0

    def __call__(self, v):
        self.n_products += 1
        v = (self.t * np.ravel(v)).astype(self.w.dtype, copy=False)
        return self.t * self._times(v).astype(float, copy=False)

    def quadratic(self, v):
        """A function from a batch to ``v' H v`` on its rows.

        Parameters
        ----------
        v : ndarray of shape (n_parameters,)

        Returns
        -------
        callable
        """
        v = v.astype(self.w.dtype, copy=False)
        return lambda batch: float(v @ self.objective.hvp(self.w, v, batch))


def products(product, columns, out=None):
    """Products with all columns of a matrix, one after the other.

    They are written to ``out``, which may be the matrix itself. With many parameters each further
    copy would need much memory.

    Parameters
    ----------
    product : callable
        From a vector of shape (n_parameters,) to one.
    columns : ndarray of shape (n_parameters, n_columns)
    out : ndarray of shape (n_parameters, n_columns), default=None
        None makes a new array.

    Returns
    -------
    ndarray of shape (n_parameters, n_columns)
    """
    out = np.empty(columns.shape) if out is None else out
    for k, column in enumerate(columns.T):
        out[:, k] = product(column)
    return out


def eigenpairs(product, k, which, tol, max_iter, rng):
    """Extreme eigenvalues of a Hessian.

    Parameters
    ----------
    product : HessianProduct
    k, which, tol, max_iter
        See `HessianEigenvalues`.
    rng : numpy.random.Generator

    Returns
    -------
    values : ndarray of shape (k,)
        In decreasing order. There are fewer if not all converged.
    vectors : ndarray of shape (n_parameters, k)
    converged : bool
    """
    size, single = len(product.w), product.w.dtype == np.float32
    k = min(k, size)
    if size <= max(DENSE, k + 1):
        values, vectors = eigh(products(product, np.eye(size)))
        chosen = _ends(size, k, which)
        return values[chosen][::-1], vectors[:, chosen][:, ::-1], True
    start = rng.standard_normal(size)
    image = product(start)
    if not np.isfinite(image).all():
        raise NotDefinedError("The Hessian is not finite: the loss overflows near the parameters.")
    # ARPACK cannot start in a null space. A random vector is in one only if the Hessian is 0.
    if not image.any():
        return np.zeros(k), np.eye(size, k), True
    operator = LinearOperator((size, size), matvec=product, dtype=float)
    converged = True
    tol = max(tol, 1e-5) if single else tol  # the products have errors of the order 1e-7
    try:
        # ARPACK finds at most ``size - 1`` eigenpairs.
        with one_thread_for_scipy():
            values, vectors = eigsh(
                operator, min(k, size - 1), which=ENDS[which], v0=start, tol=tol, maxiter=max_iter
            )
    except ArpackNoConvergence as stopped:
        values, vectors, converged = stopped.eigenvalues, stopped.eigenvectors, False
        warnings.warn(
            f"Only {len(values)} of {k} eigenvalues of the Hessian converged within "
            f"{product.n_products} products. Raise max_iter={max_iter}, or tol={tol}.",
            ConvergenceWarning,
            stacklevel=5,
        )
    order = np.argsort(values)[::-1]
    return values[order], vectors[:, order], converged


def _ends(size, k, which):
    """Places in an increasing list of what `eigsh` would return."""
    low = {"largest": 0, "smallest": k, "both": k // 2}[which]
    return np.concatenate([np.arange(low), np.arange(size - (k - low), size)])


hessian_eigenvalues = function_of(HessianEigenvalues, "hessian_eigenvalues")
