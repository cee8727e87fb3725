"""Directions drawn from an ellipsoid of the unit ball's volume, long where the loss is flat."""

import numpy as np

from .._memory import at_once
from ..curvature import HessianProduct, products

MAX_AXES = 100  # up to so many parameters the whole Hessian is used


class Ellipsoid:
    """The image of the unit sphere under a symmetric map of determinant 1.

    Parameters
    ----------
    lengths : ndarray of shape (n_parameters,) or (n_axes,)
        Lengths of the half axes, up to a common factor.
    axes : ndarray of shape (n_parameters, n_axes), default=None
        Orthonormal columns. All directions orthogonal to them have length ``rest``. None is the
        coordinate axes.
    rest : float, default=1.0
    """

    def __init__(self, lengths, axes=None, rest=1.0):
        size = len(lengths if axes is None else axes)
        log_volume = np.log(lengths).sum() + (size - len(lengths)) * np.log(rest)
        # ``unit`` makes the determinant 1. The volume is a sum of logarithms, because a product of
        # thousands of lengths would overflow.
        self.size, self.unit = size, np.exp(-log_volume / size)
        self.lengths, self.axes, self.rest = lengths, axes, rest

    def direction(self, seed):
        """The image of a point drawn uniformly from the sphere."""
        u = np.random.default_rng(seed).standard_normal(self.size)
        u *= self.unit / np.linalg.norm(u)
        if self.axes is None:
            return self.lengths * u
        return self.rest * u + self.axes @ ((self.lengths - self.rest) * (self.axes.T @ u))


def curved(problem, level, width, seed):
    """An ellipsoid from the curvature of the loss, and the number of Hessian products it needed.

    An axis of curvature ``c`` has the length ``(c / 2 level + 1 / width^2) ** -1/2``. This combines
    the distance at which ``c x^2 / 2`` reaches the level with the width of the Gaussian prior. The
    axes are all eigenvectors of the Hessian. With many parameters they are estimates of those of
    largest curvature.
    """
    product = HessianProduct(problem, None)
    Q = _basis(product, len(problem.w), seed)
    # Rayleigh-Ritz: eigenpairs of the Hessian restricted to the subspace. Rounding makes ``B``
    # slightly asymmetric.
    B = Q.T @ products(product, Q)
    curvatures, vectors = np.linalg.eigh((B + B.T) / 2)
    lengths = (np.abs(curvatures) / (2 * level) + 1 / width**2) ** -0.5
    return Ellipsoid(lengths, Q @ vectors, lengths.max()), product.n_products


def _basis(product, size, seed):
    """Orthonormal columns: all coordinates, or a basis of Hessian products of random vectors."""
    if size <= MAX_AXES:
        return np.eye(size)
    columns = np.random.default_rng(seed).standard_normal((size, at_once(size, MAX_AXES)))
    return np.linalg.qr(products(product, columns, out=columns))[0]
