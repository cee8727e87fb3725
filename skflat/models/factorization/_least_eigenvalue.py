"""Factors of the same product with a small largest eigenvalue, for entries that are missing too."""

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from ..._parallel import one_thread_for_scipy
from ._balance import balance

# Up to so many parameters the whole matrix is built; otherwise a few eigenpairs are searched for.
DENSE, N_TOP = 200, 6
# The norms that stand for the largest eigenvalue, one after the other: smooth first, then sharp.
NORMS = (32, 512)
MAX_ITER, GTOL = 40, 1e-5


def balance_eigenvalue(X, Y, rows=None, columns=None, weight=None):
    """Factors of the same product with the smallest largest eigenvalue that a search finds.

    The eigenvalue is that of the Gauss-Newton matrix of half the squared error,
    ``sum_e weight_e (x_row . y_column - m_e)^2 / 2`` over the observed entries. At an exact fit
    this is the Hessian. For a matrix without missing entries and weights `balance` has the solution
    in closed form (Josz, arXiv:2509.11386), and this function returns it.

    Parameters
    ----------
    X : ndarray of shape (m, k)
    Y : ndarray of shape (n, k)
    rows, columns : ndarray of int of shape (n_entries,), default=None
        Of the observed entries. None is the whole matrix.
    weight : ndarray of shape (n_entries,), default=None
        Not negative. None is 1 for all.

    Returns
    -------
    X, Y : ndarray
        New arrays.

    Raises
    ------
    ValueError
        If there are weights without rows and columns, or rows without columns.

    Notes
    -----
    The pairs ``(X G, Y G^-T)`` are all factors of the product if they have full rank. The logarithm
    of the largest eigenvalue is geodesically convex in ``G G'``, so a local minimum is global. It
    is not smooth where eigenvalues meet. The search minimises Schatten norms that tend to it, from
    balanced factors or from those of the least trace, whichever are better. The result is an upper
    bound of the minimum and not greater than at both. Each of up to 80 steps costs some dozens of
    passes over the entries.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.symmetry import balance_eigenvalue
    >>> rows, columns = np.array([0, 0, 1]), np.array([0, 1, 0])
    >>> X, Y = balance_eigenvalue(np.array([[4.0], [1.0]]), np.ones((2, 1)), rows, columns)
    >>> np.allclose(X @ Y.T, [[4, 4], [1, 1]])
    True
    """
    if rows is None and columns is None and weight is None:
        return balance(X, Y)
    if rows is None or columns is None:
        raise ValueError("rows and columns must be given together, and with every weight.")
    weight = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=float)
    entries = _GaussNewton(np.asarray(rows), np.asarray(columns), weight, len(X), len(Y))
    if entries.whole():
        return balance(X, Y)
    starts = [balance(X, Y), balance(X, Y, *entries.counts(X.dtype))]
    start = min(starts, key=lambda pair: entries.largest(*pair))
    return min(start, _searched(entries, *start), key=lambda pair: entries.largest(*pair))


def _searched(entries, X, Y):
    """The best factors that Schatten norms of increasing order lead to."""
    alive = X.any(axis=0) & Y.any(axis=0)  # columns beyond the rank stay 0
    G = np.eye(int(alive.sum()))
    factors = X[:, alive].astype(float), Y[:, alive].astype(float)
    if not len(G):
        return X, Y
    for order in NORMS:
        found = minimize(
            _norm_at, G.ravel(), (entries, *factors, order), "BFGS", jac=True,
            options={"maxiter": MAX_ITER, "gtol": GTOL},
        )  # fmt: skip
        G = found.x.reshape(G.shape)
    out = X.copy(), Y.copy()
    out[0][:, alive], out[1][:, alive] = factors[0] @ G, np.linalg.solve(G, factors[1].T).T
    return out


def _norm_at(flat, entries, X, Y, order):
    """Logarithm of the Schatten norm at ``(X G, Y G^-T)``, and its gradient in ``G``."""
    G = flat.reshape(X.shape[1], -1)
    if np.linalg.cond(G) > 1e8:
        return np.inf, np.zeros(G.size)
    X, Y = X @ G, np.linalg.solve(G, Y.T).T
    values, vectors = entries.top(X, Y)
    share = (values / values.max()) ** order
    norm = np.log(values.max()) + np.log(share.sum()) / order
    share /= share.sum()
    slope = np.zeros_like(G)
    for part, value, vector in zip(share, values, vectors.T, strict=True):
        if part > 1e-12:
            slope += part / value * entries.slope(X, Y, vector)
    return norm, np.linalg.solve(G.T, slope).ravel()


class _GaussNewton:
    """The Gauss-Newton matrix of the observed entries of a product ``X Y'``."""

    def __init__(self, rows, columns, weight, m, n):
        order = np.lexsort((columns, rows))
        self.rows, self.columns, self.weight = rows[order], columns[order], weight[order]
        self.root, self.shape = np.sqrt(self.weight), (m, n)
        self.ends = np.searchsorted(self.rows, np.arange(m + 1))

    def counts(self, dtype):
        """The sum of the weights of every row and of every column."""
        pairs = zip((self.rows, self.columns), self.shape, strict=True)
        return [np.bincount(each, self.weight, size).astype(dtype) for each, size in pairs]

    def whole(self):
        """Whether every entry of the matrix is there once, all with one weight."""
        m, n = self.shape
        return (
            len(self.rows) == m * n
            and np.array_equal(self.rows * n + self.columns, np.arange(m * n))
            and np.ptp(self.weight) == 0
        )

    def slopes(self, X, Y, h):
        """The change of every entry's prediction along ``h``, times the root of its weight."""
        U, V = self.split(X, h)
        i, j = self.rows, self.columns
        along = np.einsum("ek,ek->e", U[i], Y[j]) + np.einsum("ek,ek->e", X[i], V[j])
        return self.root * along

    def split(self, X, h):
        size = self.shape[0] * X.shape[1]
        return h[:size].reshape(-1, X.shape[1]), h[size:].reshape(-1, X.shape[1])

    def matrix(self, values):
        """Numbers at the observed entries as a sparse matrix."""
        return csr_array((values, self.columns, self.ends), shape=self.shape)

    def product(self, X, Y, h):
        """The Gauss-Newton matrix times ``h``."""
        R = self.matrix(self.root * self.slopes(X, Y, np.ravel(h)))
        return np.concatenate([np.ravel(R @ Y), np.ravel(R.T @ X)])

    def top(self, X, Y):
        """The largest eigenvalues and their eigenvectors."""
        size = sum(self.shape) * X.shape[1]
        if size <= DENSE:
            matrix = np.column_stack([self.product(X, Y, unit) for unit in np.eye(size)])
            values, vectors = np.linalg.eigh(matrix)
            return values[-N_TOP:], vectors[:, -N_TOP:]
        operator = LinearOperator((size, size), lambda h: self.product(X, Y, h), dtype=float)
        # A fixed start that lies along no single parameter, for equal bits in every run.
        start = np.random.default_rng(0).standard_normal(size)
        with one_thread_for_scipy():
            try:
                return eigsh(operator, N_TOP, which="LA", v0=start, tol=1e-6)
            except ArpackNoConvergence as stopped:
                return stopped.eigenvalues, stopped.eigenvectors

    def largest(self, X, Y):
        """The largest eigenvalue."""
        return self.top(X.astype(float), Y.astype(float))[0].max(initial=0.0)

    def slope(self, X, Y, h):
        """The gradient in ``E`` at 0 of ``h' A h`` at the factors ``X (I + E)``, ``Y (I - E')``."""
        R, (U, V) = self.matrix(self.root * self.slopes(X, Y, h)), self.split(X, h)
        return 2 * (X.T @ (R @ V) - U.T @ (R @ Y))
