"""The calculus of flatness: the variation of a function from those of its parts.

A variation is a callable from a radius ``r >= 0`` to ``max { |f(y) - f(x)| : |y - x| <= r }``, at
a point ``x`` that is fixed. It is 0 at 0, does not decrease, and is continuous. Adding a constant
to ``f`` does not change it.
"""

import numpy as np
from scipy.optimize import brentq, minimize_scalar

# The angles at which `separable_variation` starts its search.
N_ANGLES = 65


def scaled_variation(variation, factor):
    """The variation of ``factor * f``: that of ``f`` times ``|factor|``.

    Parameters
    ----------
    variation : callable
        Of ``f``.
    factor : float

    Returns
    -------
    callable

    Examples
    --------
    >>> from skflat.theory.flatness import quadratic_variation, scaled_variation
    >>> scaled_variation(quadratic_variation(4.0), -3.0)(0.5)
    1.5
    """
    return lambda r: abs(factor) * variation(r)


def sum_bound(*variations):
    """An upper bound of the variation of a sum: the sum of the variations.

    It is the variation itself if all terms attain theirs at a common point with the same sign, as
    convex functions of one direction do.

    Parameters
    ----------
    *variations : callable
        Of the terms, at the same point.

    Returns
    -------
    callable

    Examples
    --------
    >>> from skflat.theory.flatness import quadratic_variation, sum_bound
    >>> sum_bound(quadratic_variation(4.0), quadratic_variation(2.0))(1.0)
    3.0
    """
    return lambda r: sum(variation(r) for variation in variations)


def composed_variation(outer, variation, value):
    """The variation of ``outer(f)`` at a local minimum of ``f``, for small radii.

    It is ``outer(value + variation(r)) - outer(value)``. So an increasing outer function does not
    change the order of minima with the same value.

    Parameters
    ----------
    outer : callable
        Increasing from ``value`` on.
    variation : callable
        Of ``f``.
    value : float
        Of ``f`` at the minimum.

    Returns
    -------
    callable
        It holds for radii within which ``f`` does not fall below ``value``.

    Examples
    --------
    >>> from skflat.theory.flatness import composed_variation, quadratic_variation
    >>> composed_variation(lambda t: t**2, quadratic_variation(2.0), 1.0)(1.0)
    3.0
    """
    return lambda r: outer(value + variation(r)) - outer(value)


def separable_variation(first, second):
    """The variation of ``f(u) + g(v)`` at a local minimum ``(u, v)``, for small radii.

    It is the maximum of ``first(a) + second(b)`` over ``a^2 + b^2 = r^2``.

    Parameters
    ----------
    first, second : callable
        The variations of ``f`` and ``g``.

    Returns
    -------
    callable
        From a single radius. The maximum is searched for near the best of 65 angles.

    Examples
    --------
    >>> from skflat.theory.flatness import quadratic_variation, separable_variation
    >>> separable_variation(quadratic_variation(4.0), quadratic_variation(1.0))(1.0)
    2.0
    """

    def variation(r):
        def loss(angle):
            return -(first(r * np.cos(angle)) + second(r * np.sin(angle)))

        angles = np.linspace(0, np.pi / 2, N_ANGLES)
        losses = [loss(angle) for angle in angles]
        best = int(np.argmin(losses))
        bounds = angles[max(best - 1, 0)], angles[min(best + 1, N_ANGLES - 1)]
        near = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12})
        return float(max(-near.fun, -losses[best]))

    return variation


def variation_through(matrix, variation):
    """Bounds of the variation of ``x -> f(A x)``, from that of ``f`` at ``A x``.

    The variation is at most ``variation(|A| r)`` with ``|A|`` the largest singular value. If ``A``
    maps onto the whole space, it is at least ``variation(s r)`` with ``s`` the smallest one.

    Both agree for an isometry, so flatness is invariant under isometries. A restriction to a
    subspace with the orthonormal basis ``A`` never varies more than ``f``. Other linear maps,
    rescaling among them, change flatness within these bounds.

    Parameters
    ----------
    matrix : array-like of shape (n_outputs, n_inputs)
    variation : callable

    Returns
    -------
    lower, upper : callable
        ``lower`` is 0 if the matrix does not map onto the whole space.

    Examples
    --------
    >>> from skflat.theory.flatness import quadratic_variation, variation_through
    >>> lower, upper = variation_through([[2.0, 0.0], [0.0, 3.0]], quadratic_variation(2.0))
    >>> print(f"{lower(1.0):.6g} {upper(1.0):.6g}")
    4 9
    """
    matrix = np.asarray(matrix, dtype=float)
    singular = np.linalg.svd(matrix, compute_uv=False)
    onto = matrix.shape[0] <= matrix.shape[1]
    smallest = singular.min() if onto else 0.0
    return lambda r: variation(smallest * r), lambda r: variation(singular.max() * r)


def quadratic_variation(largest_eigenvalue):
    """The leading term at a smooth minimum: ``largest_eigenvalue * r^2 / 2``.

    It is exact for a quadratic function. So of two minima with the same value, the one with the
    smaller largest eigenvalue of the Hessian is flatter. Its trace does not matter.

    Parameters
    ----------
    largest_eigenvalue : float

    Returns
    -------
    callable

    Examples
    --------
    >>> from skflat.theory.flatness import quadratic_variation
    >>> quadratic_variation(4.0)(0.5)
    0.5
    """
    return lambda r: 0.5 * largest_eigenvalue * r**2


def linear_variation(slope):
    """The leading term at a point that is not stationary, or at a kink: ``slope * r``.

    For a smooth function the slope is the norm of its gradient. For a minimum with a kink, it is
    the greatest slope away from it. For small radii it is greater than every
    `quadratic_variation`: a kink is never flatter than a smooth minimum.

    Parameters
    ----------
    slope : float

    Returns
    -------
    callable

    Examples
    --------
    >>> from skflat.theory.flatness import linear_variation, quadratic_variation
    >>> linear_variation(0.01)(1e-4) > quadratic_variation(100.0)(1e-4)
    True
    """
    return lambda r: slope * r


def level_distance(variation, level, largest=1e6):
    """The distance to the nearest level set that differs by ``level``: the inverse of a variation.

    Parameters
    ----------
    variation : callable
    level : float
        Greater than 0.
    largest : float, default=1e6
        The greatest distance to search up to.

    Returns
    -------
    float
        Infinite if the variation does not reach the level.

    Examples
    --------
    >>> from skflat.theory.flatness import level_distance, quadratic_variation
    >>> round(level_distance(quadratic_variation(4.0), 0.5), 12)
    0.5
    """
    if not level > 0:
        raise ValueError(f"level must be greater than 0, got {level!r}.")
    if variation(largest) < level:
        return np.inf
    return float(brentq(lambda r: variation(r) - level, 0, largest, xtol=1e-300, rtol=1e-14))
