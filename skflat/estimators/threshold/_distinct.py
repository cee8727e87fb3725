"""Equal rows as one row with a weight: a row of weight 2 is then the same as a row given twice."""

import numpy as np


def distinct_rows(X, targets, weight):
    """The rows that differ in features or class, in an order that does not depend on the data's.

    A search draws the order of its rows. So it is the same for a row given twice and for a row of
    weight 2 only if both are the same array. If there are no weights and no equal rows, all rows
    are returned in the order of the data.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows, n_problems)
    weight : ndarray of shape (n_rows,) or None

    Returns
    -------
    rows : ndarray of shape (n_distinct,) or slice
        The place of each distinct row in the data.
    place : ndarray of shape (n_rows,) or slice
        The place of each row of the data among the distinct ones.
    weight : ndarray of shape (n_distinct,) or None
        Sums of the weights of equal rows. None if all are the same.
    """
    _, rows, place = np.unique(_keys(X, targets), return_index=True, return_inverse=True)
    if len(rows) == len(X) and (weight is None or (weight == weight[0]).all()):
        return slice(None), slice(None), None
    total = np.bincount(place, weight)
    return rows, place, None if (total == total[0]).all() else total


def _keys(X, targets):
    """The bytes of every row. The addition of 0.0 turns -0.0 into 0.0, which has other bytes."""
    table = np.ascontiguousarray(np.column_stack([X, targets]) + 0.0)
    return table.view(np.dtype((np.void, table.itemsize * table.shape[1]))).ravel()
