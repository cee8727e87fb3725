"""Rows in the order of their codes, in linear time."""

import numpy as np
from scipy import sparse


def rows_by_code(codes, size):
    """Numbers of the rows in the order of their codes. Rows of one code keep their order.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
    size : int
        Codes are smaller than this.

    Returns
    -------
    ndarray of int of shape (n_rows,)
        Of 32 bits if they are enough.
    """
    # Each row is a column with one entry. The conversion sorts the entries by counting, which is
    # ten times as fast as the stable sort of numpy.
    n = len(codes)
    dtype = np.int32 if max(n, size) < np.iinfo(np.int32).max else np.int64
    entries = np.zeros(n, bool), codes.astype(dtype), np.arange(n + 1, dtype=dtype)
    return sparse.csc_array(entries, shape=(size, n)).tocsr().indices
