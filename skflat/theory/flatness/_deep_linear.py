"""Closed forms for products of matrices: ``f = |W_L ... W_1 - M|^2``, the sum over all entries."""

import numpy as np

from .._checks import check_reals


def deep_linear_spectrum(factors):
    """Eigenvalues of the Hessian of a product of matrices, where the product is exact.

    The loss is ``|W_L ... W_1 - M|^2`` and the product is ``M``. With
    ``A_i = W_L ... W_(i+1)`` and ``B_i = W_(i-1) ... W_1``, the eigenvalues that are not 0 are
    those of ``2 sum_i (A_i A_i') kron (B_i' B_i)``.

    Parameters
    ----------
    factors : sequence of ndarray
        ``W_1`` of shape (k, n), ..., ``W_L`` of shape (m, j): ``W_1`` acts first.

    Returns
    -------
    ndarray of shape (m * n,)
        In decreasing order. All other eigenvalues of the Hessian are 0.

    Notes
    -----
    It costs the eigenvalues of a matrix of ``m n`` rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.theory.flatness import deep_linear_spectrum
    >>> deep_linear_spectrum([np.array([[2.0]]), np.array([[0.5]])])
    array([8.5])
    """
    total = 2 * sum(np.kron(A @ A.T, B.T @ B) for A, B in _sides(factors))
    return np.linalg.eigvalsh(total)[::-1]


def deep_linear_trace(factors):
    """Trace of the Hessian of a product of matrices, where the product is exact.

    It is ``2 sum_i |A_i|^2 |B_i|^2``, with the factors of `deep_linear_spectrum`.

    Parameters
    ----------
    factors : sequence of ndarray
        See `deep_linear_spectrum`.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.theory.flatness import deep_linear_trace
    >>> deep_linear_trace([np.array([[2.0]]), np.array([[0.5]])])
    8.5
    """
    return float(2 * sum(np.sum(A**2) * np.sum(B**2) for A, B in _sides(factors)))


def balanced_spectrum(singular_values, depth, shape=None):
    """Eigenvalues of that Hessian where the factors are balanced.

    Balanced factors have ``W_(i+1)' W_(i+1) = W_i W_i'``. The eigenvalues are
    ``2 sum_i s_a^(2 (L - i) / L) s_b^(2 (i - 1) / L)`` for all pairs of singular values of ``M``,
    zeros included, with ``0^0 = 1``. The largest one is ``2 L s_1^(2 - 2 / L)``, the least that any
    factors have for ``L = 2``.

    Parameters
    ----------
    singular_values : array-like of float
        Of ``M``. Missing ones are 0.
    depth : int
        ``L``, the number of factors.
    shape : tuple of int, default=None
        Of ``M``. None is a square matrix with as many rows as there are singular values.

    Returns
    -------
    ndarray of shape (m * n,)
        In decreasing order.

    Examples
    --------
    >>> from skflat.theory.flatness import balanced_spectrum
    >>> balanced_spectrum([3.0, 1.0], depth=2)
    array([12.,  8.,  8.,  4.])
    """
    values = check_reals("singular_values", singular_values, 0, np.inf, "left")
    if not (isinstance(depth, int) and depth >= 1):
        raise ValueError(f"depth must be an integer >= 1, got {depth!r}.")
    m, n = (len(values), len(values)) if shape is None else shape
    if min(m, n) < len(values):
        raise ValueError(f"shape {shape} has fewer than {len(values)} singular values.")
    left, right = (np.concatenate([values, np.zeros(size - len(values))]) for size in (m, n))
    powers = [(2 * (depth - i) / depth, 2 * (i - 1) / depth) for i in range(1, depth + 1)]
    found = 2 * sum(np.outer(left**p, right**q) for p, q in powers)
    return np.sort(found.ravel())[::-1]


def balanced_variation(largest_singular_value):
    """The variation of ``|X Y' - M|^2`` at an exact factorization with equal spectral norms.

    It is ``(sqrt(2 s) r + r^2 / 2)^2`` for every radius, with ``s`` the largest singular value of
    ``M``. No other exact factorization is flatter.

    Parameters
    ----------
    largest_singular_value : float

    Returns
    -------
    callable

    Examples
    --------
    >>> from skflat.theory.flatness import balanced_variation
    >>> round(float(balanced_variation(3.0)(0.5)), 10)
    1.8218112178
    """
    return lambda r: (np.sqrt(2 * largest_singular_value) * r + r**2 / 2) ** 2


def deep_scalar_variation(depth):
    """The variation of a product of scalars that is fitted to 1, where all of them are 1.

    The loss is ``(w_1 ... w_L - 1)^2``, and its variation is
    ``((1 + r / sqrt(L))^L - 1)^2`` for every radius.

    Parameters
    ----------
    depth : int

    Returns
    -------
    callable

    Examples
    --------
    >>> from skflat.theory.flatness import deep_scalar_variation
    >>> round(deep_scalar_variation(4)(2.0), 9)
    225.0
    """
    return lambda r: ((1 + r / depth**0.5) ** depth - 1) ** 2


def _sides(factors):
    """For each factor, the products of the factors on its left and on its right."""
    factors = [np.asarray(W, dtype=float) for W in factors]
    rights = [np.eye(factors[0].shape[1])]
    for W in factors[:-1]:
        rights.append(W @ rights[-1])
    left, sides = np.eye(factors[-1].shape[0]), []
    for W, right in zip(factors[::-1], rights[::-1], strict=True):
        sides.append((left, right))
        left = left @ W
    return sides
