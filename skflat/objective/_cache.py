"""Operations on long vectors, in pieces that stay in the cache."""

from functools import cache

import numpy as np

BLOCK_BYTES = 1 << 18  # a few vectors of this size fit into a level-2 cache together


def cache_slices(vector):
    """Slices of a vector. Apply all operations to one slice before the next slice.

    A vector of millions of parameters does not fit into the cache. If each operation passes over
    the whole vector, each one reads it from memory again.

    Parameters
    ----------
    vector : ndarray of shape (n,)

    Returns
    -------
    list of slice
    """
    return _slices(len(vector), max(1, BLOCK_BYTES // vector.itemsize))


def displaced(w, h, scale, out):
    """Write ``w + scale h`` to ``out``, which may be ``h`` but not ``w``.

    Parameters
    ----------
    w : ndarray of shape (n_parameters,)
    h : ndarray of shape (n_parameters,)
    scale : float
    out : ndarray of shape (n_parameters,)

    Returns
    -------
    ndarray of shape (n_parameters,)
    """
    for block in cache_slices(w):
        part = np.multiply(h[block], scale, out=out[block])
        part += w[block]
    return out


@cache
def _slices(size, step):
    return tuple(slice(start, min(start + step, size)) for start in range(0, size, step))
