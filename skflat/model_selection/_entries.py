"""Users and items of observations in any container."""

import numpy as np


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
        If there are no two columns or no rows.
    """
    if hasattr(X, "iloc"):
        columns = [np.asarray(X.iloc[:, j]) for j in range(X.shape[1])]
    elif isinstance(X, np.ndarray):
        columns = list(X.T) if X.ndim == 2 else []
    else:
        columns = [_column(values) for values in zip(*X, strict=True)]
    if len(columns) < 2 or not len(columns[0]):
        raise ValueError(
            "X must have a column of users and a column of items, and at least one observation."
        )
    return columns[0], columns[1]


def _column(values):
    """A column of a list of rows. Strings and numbers together must not all become strings."""
    column = np.fromiter(values, object, len(values))
    kinds = {type(value) for value in values}
    return np.asarray(values) if len(kinds) == 1 else column
