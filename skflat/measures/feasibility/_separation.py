"""Whether strict linear inequalities have a common solution, with the proof either way."""

import numpy as np
from scipy.optimize import nnls

# A hull this close to the origin contains it, up to rounding.
ZERO = 1e-10


def separate(inequalities):
    """A vector ``u`` with ``inequalities @ u > 0`` or None, the proof, and if it is certain.

    Consider the point of the inequalities' convex hull that is nearest to the origin. If it is the
    origin, its weights prove that no vector exists (Gordan's theorem). If not, the point itself is
    such a vector (Lawson and Hanson's least distance programming).
    """
    n, size = inequalities.shape
    system = np.vstack([inequalities.T, np.ones(n)])
    try:
        weights, distance = nnls(system, np.append(np.zeros(size), 1.0), maxiter=30 * (n + size))
    except RuntimeError:  # rounding makes the method cycle
        return None, None, False
    u = weights @ inequalities
    if distance > ZERO and np.all(inequalities @ u > 0):
        return u / np.linalg.norm(u), weights, True
    return None, weights, bool(distance <= ZERO)


def combination(vectors, goal):
    """Weights >= 0 with ``weights @ vectors = goal`` up to rounding, or None if there are none."""
    if not len(vectors):
        return None
    try:
        weights, rest = nnls(vectors.T, goal, maxiter=30 * sum(vectors.shape))
    except RuntimeError:
        return None
    return weights if rest <= ZERO * (1 + weights.sum()) else None
