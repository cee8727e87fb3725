"""Flatness of a fully observed factorization ``X Y'`` in closed form.

These are the formulas of ``f = |X Y' - M|^2``, the sum over all entries. The objective is the mean
of half the square, ``f / (2 m n)`` for a matrix of ``m`` rows and ``n`` columns: eigenvalues and
the trace of its Hessian are those of ``f`` divided by ``2 m n``, and its level ``s`` is the level
``2 m n s`` of ``f``.
"""

import numpy as np


def largest_curvature(model, w, batch):
    """Largest eigenvalue of the mean loss's Hessian at a stationary point, or None elsewhere.

    Where ``E = M - X Y'`` has no part that the factors could reduce (``E Y = 0``, ``E' X = 0``)
    the Hessian of ``f`` falls apart into ``2 (a_i + b_j)``, with ``a`` and ``b`` the eigenvalues of
    ``X X'`` and ``Y Y'``, and a part that couples the singular vectors of ``E``, of which the
    largest singular value ``e`` matters: twice ``[[Y'Y, -e I], [-e I, X'X]]``.
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
    """Distance to the level set of an exact, balanced factorization, or None elsewhere.

    Where ``X Y' = M`` and ``X`` and ``Y`` have the same largest singular value, the most that ``f``
    rises within ``r`` is ``(sqrt(2 sigma) r + r^2 / 2)^2`` for every ``r``, with ``sigma`` the
    largest singular value of ``M``.
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

    None where a closed form is out of reach: more kinds than two, offsets, weights, or entries
    that are missing or observed twice.
    """
    plain = model.n_kinds == 2 and not model.fit_offsets and batch.weight is None
    if not plain:
        return None
    m, n = model.sizes
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
