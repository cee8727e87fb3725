"""Passing over long vectors in pieces that stay in the cache."""

from functools import cache

import numpy as np

BLOCK_BYTES = 1 << 18


def cache_slices(vector):
    """Slices of a vector, for several operations in a row on each piece before the next.

    A vector of millions of parameters does not fit into the cache: one operation after the other
    over all of it fetches it from memory each time.
    """
    return _slices(len(vector), max(1, BLOCK_BYTES // vector.itemsize))


def displaced(w, h, scale, out):
    """Write ``w + scale h`` to ``out``, which may be ``h``."""
    for block in cache_slices(w):
        part = np.multiply(h[block], scale, out=out[block])
        part += w[block]
    return out


@cache
def _slices(size, step):
    return tuple(slice(start, min(start + step, size)) for start in range(0, size, step))
