"""Flatness of a fully observed factorization ``X Y'`` in closed form.

The formulas are for ``f = |X Y' - M|^2``, the sum over all entries. The objective is the mean of
half the square, ``f / (2 m n)`` for a matrix of ``m`` rows and ``n`` columns. So the eigenvalues
and the trace of the Hessian of ``f`` are divided by ``2 m n``, and a level ``s`` of the objective
is the level ``2 m n s`` of ``f``. Josz (arXiv:2509.11386) studies the flatness of factorizations.
"""

import numpy as np


def largest_curvature(model, w, batch):
    """Largest eigenvalue of the Hessian of the mean loss at a stationary point; None elsewhere.

    At a stationary point ``E Y = 0`` and ``E' X = 0``, with ``E = M - X Y'``. There the Hessian of
    ``f`` decomposes into two parts. The first part has the eigenvalues ``2 (a_i + b_j)``, where
    ``a`` and ``b`` are the eigenvalues of ``X X'`` and ``Y Y'``. The second part couples the
    singular vectors of ``E``. With the largest singular value ``e`` of ``E``, its largest
    eigenvalue is the largest eigenvalue of twice ``[[Y'Y, -e I], [-e I, X'X]]``.
    """
    found = _matrices(model, w, batch)
    if found is None:
        return None
    X, Y, E = found
    tiny = _tolerance(w) * np.linalg.norm(E + X @ Y.T)
    if max(np.linalg.norm(E @ Y, 2), np.linalg.norm(E.T @ X, 2)) > tiny * np.sqrt(_top(X, Y)):
        return None
    largest = _top(X, Y)
    if np.linalg.norm(E) > tiny:
        shared = -np.linalg.norm(E, 2) * np.eye(model.n_components)
        block = np.block([[Y.T @ Y, shared], [shared, X.T @ X]])
        largest = max(largest, np.linalg.eigvalsh(block)[-1])
    return float(2 * largest / (2 * E.size))


def level_distance(model, w, batch, level):
    """Distance of an exact, balanced factorization to the level set; None for all others.

    It is exact if ``X Y' = M``, and balanced if ``X`` and ``Y`` have the same largest singular
    value. Then the largest rise of ``f`` within a radius ``r`` is
    ``(sqrt(2 sigma) r + r^2 / 2)^2``, with the largest singular value ``sigma`` of ``M``.
    """
    found = _matrices(model, w, batch)
    if found is None:
        return None
    X, Y, E = found
    x, y = np.linalg.norm(X, 2), np.linalg.norm(Y, 2)
    tiny = _tolerance(w)
    if np.linalg.norm(E) > tiny * x * y or abs(x - y) > tiny * x:
        return None
    sigma, rise = x * y, np.sqrt(2 * E.size * level)
    # The positive root of r^2 / 2 + sqrt(2 sigma) r = rise, without cancellation.
    return float(2 * rise / (np.sqrt(2 * sigma + 2 * rise) + np.sqrt(2 * sigma)))


def _matrices(model, w, batch):
    """``X``, ``Y`` and the residual matrix, in double precision, or None.

    It is None if there is no closed form: with more than two kinds, with offsets or weights, or if
    entries are missing or observed twice.
    """
    plain = model.n_kinds == 2 and not model.fit_offsets and batch.weight is None
    if not plain:
        return None
    m, n = model.sizes
    # The position of every row in the matrix, whatever the order of the rows is.
    place = batch.X[:, 0] * n + batch.X[:, 1]
    if len(place) != m * n or np.bincount(place, minlength=m * n).max() > 1:
        return None
    M = np.empty(m * n)
    M[place] = batch.y[:, 0]
    X, Y = (F.astype(float) for F in model.split(w)[2])
    return X, Y, M.reshape(m, n) - X @ Y.T


def _top(X, Y):
    return np.linalg.norm(X, 2) ** 2 + np.linalg.norm(Y, 2) ** 2


def _tolerance(w):
    """The tolerance below which a relative error counts as 0 for the closed forms."""
    return float(np.sqrt(np.finfo(w.dtype).eps))
