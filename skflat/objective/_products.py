"""Matrix products with inputs that may be sparse, and the weights of the rows."""

import numpy as np
from scipy import sparse


def product(A, B, out):
    """``out = A @ B``, with A dense or CSR.

    Parameters
    ----------
    A : ndarray or CSR of shape (n, k)
    B : ndarray of shape (k, m)
    out : ndarray of shape (n, m)

    Returns
    -------
    ndarray of shape (n, m)
    """
    if sparse.issparse(A):  # scipy cannot write a product into given memory
        out[...] = A @ B
    else:
        np.matmul(A, B, out=out)


def transposed_product(A, B, out):
    """``out = A.T @ B``, with A dense or CSR.

    Parameters
    ----------
    A : ndarray or CSR of shape (k, n)
    B : ndarray of shape (k, m)
    out : ndarray of shape (n, m)

    Returns
    -------
    ndarray of shape (n, m)
    """
    product(A.T, B, out)


def row_scale(batch, dtype):
    """The factor that turns a row's gradient into its share of the weighted mean.

    Parameters
    ----------
    batch : Batch
    dtype : dtype

    Returns
    -------
    float or ndarray of shape (n_rows, 1)
    """
    total = batch.total_weight
    share = 1.0 / total if total > 0 else 0.0
    if batch.weight is None:
        return share
    return (batch.weight * share).astype(dtype, copy=False)[:, None]
