"""Whether strict linear inequalities have a common solution, with the proof either way."""

import numpy as np
from scipy.optimize import nnls

# Distance of the inequalities' hull from the origin that is 0 but for rounding.
ZERO = 1e-10


def separate(inequalities):
    """A vector ``u`` with ``inequalities @ u > 0`` or None, the proof, and if it is certain.

    The point of the inequalities' convex hull nearest to the origin decides both ways (Gordan's
    theorem; Lawson and Hanson's least distance programming): if it is the origin, the weights of
    the hull prove that no vector exists, and otherwise it is such a vector itself.
    """
    n, size = inequalities.shape
    system = np.vstack([inequalities.T, np.ones(n)])
    try:
        weights, distance = nnls(system, np.append(np.zeros(size), 1.0), maxiter=30 * (n + size))
    except RuntimeError:  # no end within the iterations allowed: rounding makes it cycle
        return None, None, False
    u = weights @ inequalities
    if distance > ZERO and np.all(inequalities @ u > 0):
        return u / np.linalg.norm(u), weights, True
    return None, weights, bool(distance <= ZERO)


def combination(vectors, goal):
    """Weights >= 0 with ``weights @ vectors = goal`` to rounding, or None where there are none."""
    if not len(vectors):
        return None
    try:
        weights, rest = nnls(vectors.T, goal, maxiter=30 * sum(vectors.shape))
    except RuntimeError:
        return None
    return weights if rest <= ZERO * (1 + weights.sum()) else None
