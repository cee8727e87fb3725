"""Where each named array of a model lives inside the one flat parameter vector."""

from math import prod

import numpy as np


class Layout:
    """Named, shaped views into a flat vector ``w``.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Name and shape of every array, in the order of the arrays in ``w``.
    """

    def __init__(self, shapes):
        self.shapes = dict(shapes)
        self.slices = {}
        self.size = 0
        for name, shape in self.shapes.items():
            stop = self.size + prod(shape)
            self.slices[name] = slice(self.size, stop)
            self.size = stop

    @property
    def parts(self):
        """The slice of each array in the flat vector, in order."""
        return list(self.slices.values())

    def views(self, w):
        """The arrays as views: writing into one writes into ``w``."""
        return {name: w[part].reshape(self.shapes[name]) for name, part in self.slices.items()}

    def pack(self, arrays, dtype=None):
        """Copy a dict of arrays by name into one new flat vector."""
        return np.concatenate([np.ravel(arrays[name]) for name in self.shapes], dtype=dtype)
