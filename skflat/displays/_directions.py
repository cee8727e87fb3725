"""Directions in parameter space along which a landscape is drawn."""

import numpy as np
from sklearn.utils import check_random_state

from ..measures.curvature import HessianProduct, eigenpairs


def filter_directions(problem, n_directions, random_state):
    """Random directions, filter-normalised (Li and others, arXiv:1712.09913), and their names.

    The incoming weights of every unit are Gaussian and scaled to the norm of the network's own
    weights. Intercepts do not move, as in the paper's figures.

    Returns
    -------
    directions : list of ndarray of shape (n_parameters,)
    names : list of str
    """
    rng = _generator(random_state)
    directions = [_filter_direction(problem.objective, problem.w, rng) for _ in range(n_directions)]
    order = [""] if n_directions == 1 else ["first ", "second "]
    return directions, [f"step along the {each}random direction / weights" for each in order]


def _filter_direction(objective, w, rng):
    h = rng.standard_normal(len(w), dtype=w.dtype)
    views = objective.layout.views
    for own, drawn in zip(views(w).values(), views(h).values(), strict=True):
        if own.ndim == 1:
            drawn[:] = 0
        else:
            drawn *= np.linalg.norm(own, axis=0) / np.linalg.norm(drawn, axis=0)
    return h


def eigen_directions(problem, n_directions, random_state):
    """Eigenvectors of the Hessian's largest eigenvalues, of length 1, and their names.

    The largest component of each is positive.

    Returns
    -------
    directions : list of ndarray of shape (n_parameters,)
    names : list of str
    """
    product, rng = HessianProduct(problem), _generator(random_state)
    values, vectors, _ = eigenpairs(product, n_directions, "largest", 1e-6, None, rng)
    # An eigenvector has no sign of its own. A fixed sign makes the picture reproducible.
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(n_directions)])
    directions = list(np.ascontiguousarray((signs * vectors).T, dtype=problem.w.dtype))
    return directions, [f"distance along the eigenvector of {value:.3g}" for value in values]


def _generator(random_state):
    return np.random.default_rng(check_random_state(random_state).randint(2**31))


#: From the name in ``directions`` to its function.
DIRECTIONS = {"filter": filter_directions, "eigen": eigen_directions}
