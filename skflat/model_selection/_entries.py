"""Users and items of observations in any container."""

import numpy as np
from scipy import sparse


def entries_of(X):
    """The columns of users and of items, as arrays.

    Parameters
    ----------
    X : array-like of shape (n_observations, n_kinds)
        An array, a frame, or a list of rows. The first two columns are taken.

    Returns
    -------
    users, items : ndarray of shape (n_observations,)

    Raises
    ------
    ValueError
        If there are no two columns or no rows, or if rows differ in length.
    """
    columns = _columns(X)
    if len(columns) < 2 or not len(columns[0]):
        raise ValueError(
            "X must have a column of users and a column of items, and at least one observation."
        )
    return columns[0], columns[1]


def sorted_codes(values, what):
    """The distinct values in ascending order, and the position of every value among them.

    Raises
    ------
    TypeError
        If the values have no order, as strings and numbers together.
    """
    try:
        return np.unique(values, return_inverse=True)
    except TypeError as error:
        raise TypeError(
            f"{what} must be of one kind that has an order, such as strings or numbers, and none "
            f"may be missing ({error})."
        ) from error


def _columns(X):
    """The columns of a table, each an array of shape (n_observations,)."""
    if hasattr(X, "iloc"):
        return [np.asarray(X.iloc[:, j]) for j in range(X.shape[1])] if X.ndim == 2 else []
    if isinstance(X, np.ndarray):
        return list(X.T) if X.ndim == 2 else []
    if sparse.issparse(X) or not hasattr(X, "__iter__"):
        return []
    rows = list(X)
    # A string would be a row of its letters.
    if not all(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
        return []
    if len({len(row) for row in rows}) > 1:
        raise ValueError("The rows of X must have the same number of identifiers.")
    return [_column(values) for values in zip(*rows, strict=True)]


def _column(values):
    """A column of a list of rows. Strings and numbers together must not all become strings."""
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and tuple not in kinds:  # an array of pairs would have two axes
        return np.asarray(values)
    return np.fromiter(values, object, len(values))
