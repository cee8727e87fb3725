"""Lanczos' method: a symmetric matrix in the space of its powers times a vector."""

import numpy as np
from scipy.linalg import eigh_tridiagonal


def lanczos(product, start, n_steps):
    """A tridiagonal matrix and the orthonormal vectors in which it represents another matrix.

    Parameters
    ----------
    product : callable
        From a vector to its product with the matrix.
    start : ndarray of shape (size,)
        Of length 1.
    n_steps : int
        Number of products, at most ``size``.

    Returns
    -------
    diagonal : ndarray of shape (n_done,)
        ``n_done`` is less than ``n_steps`` if the space of powers is exhausted.
    beside : ndarray of shape (n_done,)
        The entries beside the diagonal. The last one leads out of the space.
    basis : ndarray of shape (n_done, size)
    """
    basis = np.zeros((n_steps, len(start)))
    basis[0] = start
    diagonal, beside, largest = np.zeros(n_steps), np.zeros(n_steps), 0.0
    for k in range(n_steps):
        v = product(basis[k])
        diagonal[k] = basis[k] @ v
        # Full reorthogonalisation, twice: once is not enough in floating point. Without it,
        # converged eigenvalues would appear several times.
        for _ in range(2):
            v -= basis[: k + 1].T @ (basis[: k + 1] @ v)
        beside[k] = np.linalg.norm(v)
        largest = max(largest, abs(diagonal[k]), beside[k])
        if beside[k] <= 1e-10 * largest:  # only rounding is left: the Krylov space is invariant
            return diagonal[: k + 1], beside[: k + 1], basis[: k + 1]
        if k + 1 < n_steps:
            basis[k + 1] = v / beside[k]
    return diagonal, beside, basis


def largest_ritz(product, start, n_steps):
    """The largest eigenvalue as a few steps from a vector see it.

    Parameters
    ----------
    product : callable
        From a vector of shape (size,) to one.
    start : ndarray of shape (size,)
    n_steps : int

    Returns
    -------
    value : float
        At most the largest eigenvalue.
    residual : float
        ``|A v - value v|``. There is an eigenvalue within it.
    vector : ndarray of shape (size,)
        Of length 1.
    """
    diagonal, beside, basis = lanczos(product, start / np.linalg.norm(start), n_steps)
    values, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    vector = basis.T @ vectors[:, -1]
    residual = beside[-1] * abs(vectors[-1, -1])
    return float(values[-1]), float(residual), vector / np.linalg.norm(vector)
