"""Random displacements of the parameters."""

from abc import ABC, abstractmethod

import numpy as np


class Perturbation(ABC):
    """Draws displacements of size 1; the scale of the noise is the caller's factor.

    Parameters
    ----------
    w : ndarray of shape (n_parameters,)
        The point that is moved.
    blocks : list of slice
        The arrays of parameters in ``w``.
    """

    def __init__(self, w, blocks):
        self.w, self.blocks = w, blocks

    @abstractmethod
    def draw(self, rng):
        """One displacement, of the shape and dtype of ``w``."""

    def _normal(self, rng):
        return rng.standard_normal(self.w.size, dtype=self.w.dtype)


class Isotropic(Perturbation):
    """Standard normal: the scale is the standard deviation of every parameter."""

    def draw(self, rng):
        return self._normal(rng)


class Sphere(Perturbation):
    """Uniform on the unit sphere: the scale is the Euclidean length."""

    def draw(self, rng):
        h = self._normal(rng)
        h /= np.linalg.norm(h)
        return h


class PerBlock(Perturbation):
    """Normal, relative to the root mean square of the parameter's own array.

    The scale is the expected length of an array's displacement over the array's norm.
    """

    def draw(self, rng):
        h = self._normal(rng)
        for block in self.blocks:
            size = max(1, self.w[block].size)
            h[block] *= np.linalg.norm(self.w[block]) / np.sqrt(size)
        return h


class PerWeight(Perturbation):
    """Normal, relative to every parameter: ``w`` becomes ``w * (1 + scale * z)``."""

    def draw(self, rng):
        h = self._normal(rng)
        h *= self.w
        return h


#: Name to class: what a ``noise`` parameter may be.
PERTURBATIONS = {
    "isotropic": Isotropic,
    "sphere": Sphere,
    "block": PerBlock,
    "weight": PerWeight,
}
