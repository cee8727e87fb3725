"""Balancing the two factors of a product ``X Y'`` without a change of the product."""

import numpy as np
from scipy.linalg import expm


def conserved(X, Y):
    """The conserved quantity ``X'X - Y'Y`` of gradient flow on any function of ``X Y'``.

    The conservation law follows from the symmetry ``(X G, Y G^-T)`` (Josz, arXiv:2509.11386). A
    step of size ``a`` changes the quantity by the order of ``a^2``. Weight decay drives it to 0.

    Parameters
    ----------
    X : ndarray of shape (m, k)
    Y : ndarray of shape (n, k)

    Returns
    -------
    ndarray of shape (k, k)

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.symmetry import conserved
    >>> conserved(np.array([[2.0]]), np.array([[1.0], [1.0]]))
    array([[2.]])
    """
    return X.T @ X - Y.T @ Y


def balance(X, Y, row_weight=None, column_weight=None):
    """Factors of the same product with ``X'X = Y'Y``, in one step.

    Among all pairs with that product, these have the least ``|X|^2 + |Y|^2``. If ``X Y'`` fits a
    matrix exactly, they also have the smallest possible largest eigenvalue of the Hessian of the
    squared error, and the greatest possible distance to the nearest level sets (Josz,
    arXiv:2509.11386). With weights ``p`` of the rows and ``q`` of the columns the condition is
    ``X' diag(p) X = Y' diag(q) Y``, which minimises ``sum p |x|^2 + sum q |y|^2``. If the weights
    are the numbers of observations of every row and column, that sum is the trace of the Hessian.
    For a full m x n matrix these weights are ``n`` and ``m``.

    Parameters
    ----------
    X : ndarray of shape (m, k)
    Y : ndarray of shape (n, k)
    row_weight : ndarray of shape (m,), default=None
        Weights, not negative. None is 1 for all. A row of weight 0 is transformed like the others.
        Its products do not change as far as it lies in their span.
    column_weight : ndarray of shape (n,), default=None

    Returns
    -------
    X, Y : ndarray
        New arrays. The columns are orthogonal under the weights, the largest first.

    Notes
    -----
    It costs a QR decomposition of each factor. The product is kept up to rounding, for any rank.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.symmetry import balance
    >>> X, Y = balance(np.array([[4.0]]), np.array([[1.0]]))
    >>> X @ Y.T, abs(X) == abs(Y)
    (array([[4.]]), array([[ True]]))
    """
    (Q_x, R_x), (Q_y, R_y) = _qr(X, row_weight), _qr(Y, column_weight)
    u, s, vt = np.linalg.svd(R_x @ R_y.T, full_matrices=False)
    root = np.sqrt(s)
    # Where a singular value is 0 nothing is to be divided by it: those columns become 0.
    inverse = np.divide(1, root, out=np.zeros_like(root), where=s > len(s) * _eps(s) * s[:1])
    new_x = _turned(X, Q_x @ (u * root), row_weight, R_y.T @ (vt.T * inverse))
    new_y = _turned(Y, Q_y @ (vt.T * root), column_weight, R_x.T @ (u * inverse))
    return new_x, new_y


def _qr(X, weight):
    return np.linalg.qr(X if weight is None else X * np.sqrt(weight)[:, None])


def _turned(X, weighted, weight, G):
    """New factors, from their weighted ones, or by the map ``G`` where the weight is 0."""
    out = np.zeros_like(X)
    if weight is not None:
        heavy = (weight > 0)[:, None]
        root = np.sqrt(weight)[:, None]
        weighted = np.divide(weighted, root, out=X @ G, where=heavy)
    out[:, : weighted.shape[1]] = weighted
    return out


def _eps(array):
    return np.finfo(array.dtype).eps


def balancing_flow(X, Y, n_steps=100, step=0.1, row_scale=1.0, column_scale=1.0):
    """The way to balance along the gradient flow of ``|D|^2 / 4``.

    ``D = p X'X - q Y'Y`` with the two scales; ``p = q = 1`` leads where `balance` leads up to a
    rotation, and the numbers of columns and rows, ``p = n`` and ``q = m``, to the least trace of
    the Hessian of a full matrix (Josz, arXiv:2509.11386). Along the way ``p |X|^2 + q |Y|^2`` falls
    and the product stays.

    Parameters
    ----------
    X : ndarray of shape (m, k)
    Y : ndarray of shape (n, k)
    n_steps : int, default=100
    step : float, default=0.1
        In units of ``1 / |p X'X + q Y'Y|``, the fastest rate of the flow.
    row_scale, column_scale : float, default=1.0

    Yields
    ------
    X, Y : ndarray
        After every step. The step ``X expm(-t D)``, ``Y expm(t D)`` keeps the product to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.symmetry import balancing_flow
    >>> *_, (X, Y) = balancing_flow(np.array([[4.0]]), np.array([[1.0]]), n_steps=500)
    >>> (X @ Y.T).round(9), abs(X).round(9) == abs(Y).round(9)
    (array([[4.]]), array([[ True]]))
    """
    for _ in range(n_steps):
        A, B = row_scale * X.T @ X, column_scale * Y.T @ Y
        t = step / (np.linalg.norm(A + B, 2) or 1.0)
        X, Y = X @ expm(-t * (A - B)), Y @ expm(t * (A - B))
        yield X, Y
