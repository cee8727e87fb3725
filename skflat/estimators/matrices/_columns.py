"""Columns of a table to fill: which ones, their bounds, and their categories."""

from numbers import Number

import numpy as np
from sklearn.utils import check_array

from ._identifier_columns import columns_apart


def chosen_columns(chosen, names, n, what):
    """A mask of the columns that a parameter chooses by a mask, by positions or by names.

    Parameters
    ----------
    chosen : array-like or None
        None chooses no column.
    names : ndarray of str or None
        Names of the columns, if they have some.
    n : int
        Number of columns.
    what : str
        The name of the parameter, for errors.
    """
    mask = np.zeros(n, bool)
    if chosen is None or not len(chosen):
        return mask
    chosen = np.asarray(chosen)
    if chosen.dtype.kind == "b" and chosen.shape == (n,):
        return chosen.copy()
    if chosen.dtype.kind in "iu" and chosen.ndim == 1 and -n <= chosen.min() <= chosen.max() < n:
        mask[chosen] = True
        return mask
    known = [] if names is None else list(names)
    if chosen.ndim == 1 and all(name in known for name in chosen.tolist()):
        mask[[known.index(name) for name in chosen.tolist()]] = True
        return mask
    raise ValueError(
        f"{what} must be a mask of the {n} columns, their positions, or names of the columns of a "
        f"frame, got {chosen.tolist()!r}."
    )


def bounds_of(low, high, n):
    """Lower and upper bounds of the filled values of every column, shape (2, n)."""
    bounds = []
    for bound, nothing, name in ((low, -np.inf, "min_value"), (high, np.inf, "max_value")):
        try:
            bound = np.asarray(nothing if bound is None else bound, dtype=float)
        except (TypeError, ValueError):  # no numbers, or not rectangular
            bound = np.array(np.nan)
        if bound.shape not in ((), (n,)) or np.isnan(bound).any():
            raise ValueError(
                f"{name} must be a number, or one for each of the {n} columns; {nothing} is no "
                "bound."
            )
        bounds.append(np.broadcast_to(bound, n))
    if (bounds[0] > bounds[1]).any():
        j = int(np.argmax(bounds[0] > bounds[1]))
        raise ValueError(
            f"min_value must not exceed max_value, got {bounds[0][j]:g} and {bounds[1][j]:g} for "
            f"column {j}."
        )
    return np.array(bounds)


def whole_range(known, low, high, name):
    """Bounds of the filled values of a column of whole numbers.

    They are the smallest and the largest known value, moved into the bounds of the column.
    """
    least, most = np.ceil(low), np.floor(high)
    if least > most:
        raise ValueError(
            f"No whole number is between min_value={low:g} and max_value={high:g} of {name}."
        )
    return np.clip([known.min(), known.max()], least, most)


def apart(X):
    """The columns of a table, each an array of its kind."""
    columns = columns_apart(X)
    if columns is None:
        # Its errors say what is wrong with sparse tables and those without two axes.
        checked = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        return list(checked.T)
    return columns


def label(names, j):
    """The name of a column in messages."""
    return f"column {j}" if names is None else f"column {names[j]!r}"


def no_number(columns, names, places=None):
    """An error for the first column with a value that is not a number, or None."""
    for j, column in zip(places or range(len(columns)), columns, strict=True):
        try:
            column.astype(float)
        except (TypeError, ValueError) as error:
            return ValueError(
                f"{label(names, j)} holds values that are no numbers ({error}): name it in "
                "categorical_features, or leave it out."
            )
    return None


def is_missing(column, missing_values):
    """A mask of the entries that are None, NaN, pandas' NA, or ``missing_values``."""
    if column.dtype.kind in "biuf":
        return np.isnan(column) | (column == missing_values)
    nothing = [value is None or type(value).__name__ == "NAType" for value in column.tolist()]
    pairs = zip(nothing, column.tolist(), strict=True)
    # NaN differs from itself.
    return np.array([none or value != value or value == missing_values for none, value in pairs])


def categories_of(column, missing_values, name):
    """The sorted categories of a column, an array of numbers or of strings."""
    known, values = _known(column, missing_values, name)
    are_strings = {isinstance(value, str) for value in values}
    if len(are_strings) > 1:
        raise TypeError(
            f"Categories: the argument must be uniformly strings or numbers, but {name} has both."
        )
    return np.unique(column[known].astype(str if True in are_strings else float))


def category_codes(column, categories, missing_values, name):
    """Positions of the entries among the categories, as floats; NaN for missing ones."""
    known, values = _known(column, missing_values, name)
    place = {value: code for code, value in enumerate(categories.tolist())}
    codes = np.full(len(column), np.nan)
    unknown = sorted({repr(value) for value in values if value not in place})
    if unknown:
        raise ValueError(f"Found unknown categories [{', '.join(unknown)}] in {name}.")
    codes[known] = [place[value] for value in values]
    return codes


def _known(column, missing_values, name):
    """A mask of the entries that are not missing, and a list of these."""
    known = ~is_missing(column, missing_values)
    values = column[known].tolist()
    for value in values:
        if not isinstance(value, (str, Number, np.bool_)):
            raise TypeError(f"Categories must be strings or numbers, but {name} holds {value!r}.")
    return known, values


def indicators(codes, n_categories):
    """A column of ones and zeros for every category; NaN where the code is."""
    found = (codes[:, None] == np.arange(n_categories)).astype(codes.dtype)
    found[np.isnan(codes)] = np.nan
    return found
