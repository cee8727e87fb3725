"""Directions in parameter space along which a landscape is looked at."""

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.utils import check_random_state

DENSE = 40  # up to so many parameters the whole matrix is built


def filter_directions(objective, w, n_directions, random_state):
    """Random directions, filter-normalised (Li and others, arXiv:1712.09913), and their names.

    Every unit's incoming weights are Gaussian and have the norm of the network's own; the
    intercepts stay where they are, as in the paper's figures.

    Returns
    -------
    directions : list of ndarray of shape (n_parameters,)
    names : list of str
    """
    rng = _generator(random_state)
    directions = [_filter_direction(objective, w, rng) for _ in range(n_directions)]
    order = [""] if n_directions == 1 else ["first ", "second "]
    return directions, [f"step along the {each}random direction / weights" for each in order]


def _filter_direction(objective, w, rng):
    h = rng.standard_normal(len(w), dtype=w.dtype)
    for own, drawn in zip(objective.arrays(w), objective.arrays(h), strict=True):
        if own.ndim == 1:
            drawn[:] = 0
        else:
            drawn *= np.linalg.norm(own, axis=0) / np.linalg.norm(drawn, axis=0)
    return h


def eigen_directions(objective, w, n_directions, random_state):
    """Eigenvectors of the Hessian's largest eigenvalues, of length 1, and their names.

    The largest component of each is positive.

    Returns
    -------
    directions : list of ndarray of shape (n_parameters,)
    names : list of str
    """
    values, vectors = _top_eigenpairs(objective, w, n_directions, random_state)
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(n_directions)])
    directions = list(np.ascontiguousarray((signs * vectors).T, dtype=w.dtype))
    return directions, [f"distance along the eigenvector of {value:.3g}" for value in values]


def _top_eigenpairs(objective, w, k, random_state):
    """The largest eigenvalues from the top down, and their vectors as columns."""
    products, size = objective.hessian_products(w), len(w)

    def times(v):
        return products(np.ravel(v).astype(w.dtype, copy=False)).astype(float, copy=False)

    if size <= DENSE:
        values, vectors = eigh(np.column_stack([times(column) for column in np.eye(size)]))
    else:
        start = _generator(random_state).standard_normal(size)
        tol = 1e-5 if w.dtype == np.float32 else 1e-6
        operator = LinearOperator((size, size), matvec=times, dtype=float)
        values, vectors = eigsh(operator, k, which="LA", v0=start, tol=tol)
    order = np.argsort(values)[::-1][:k]
    return values[order], vectors[:, order]


def _generator(random_state):
    return np.random.default_rng(check_random_state(random_state).randint(2**31))


#: Name to function: what ``directions`` may be.
DIRECTIONS = {"filter": filter_directions, "eigen": eigen_directions}
