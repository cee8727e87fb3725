"""Convert tables of identifiers of any form to columns, each an array of one kind.

Numbers, strings, dates and durations get their numpy dtype. All other identifiers that have an
order (bytes, pairs, decimals, dates with a time zone) stay in an array of objects.
"""

from datetime import UTC
from functools import reduce

import numpy as np

from ._identifiers import KINDS, kind_of_value


def columns_apart(X):
    """The columns of a table that may have columns of several kinds; None for other tables.

    Such a table is a frame, an array of objects, or a list of rows. numpy cannot hold it in one
    array of one kind.
    """
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return [np.asarray(X.iloc[:, j]) for j in range(X.shape[1])]
    if isinstance(X, np.ndarray):
        return list(X.T) if X.dtype == object and X.ndim == 2 else None
    return _of_rows(X) if isinstance(X, (list, tuple)) and not _is_of_whole_numbers(X) else None


def _is_of_whole_numbers(rows):
    try:
        return np.asarray(rows).dtype.kind in "biu"
    except (TypeError, ValueError):  # of several kinds, or not rectangular
        return False


def _of_rows(rows):
    """Columns of a list of rows, as arrays of objects; None if it is not rectangular."""
    if not all(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
        return None
    if len({len(row) for row in rows}) != 1 or len(rows[0]) == 0:
        return None
    # ``np.array`` would turn columns of pairs into arrays with two axes. ``fromiter`` does not.
    places = range(len(rows[0]))
    return [np.fromiter((row[j] for row in rows), object, len(rows)) for j in places]


def of_one_kind(column, label):
    """A column as an array of numbers, strings, dates or durations, or of other objects.

    Raises
    ------
    TypeError
        If the column holds several kinds.
    ValueError
        If an identifier is missing, or if different whole numbers may have become equal floats.
    """
    if column.dtype.kind not in KINDS:
        column = _of_objects(column.astype(object), label)
    if column.dtype.kind in "mM":
        column = _in_coarse_unit(column)
    if column.dtype.kind in "fmM":
        _refuse(np.isnan(column).any(), label)
    return _exact(column, label) if column.dtype.kind == "f" else column


def _of_objects(column, label):
    """A column of objects in the dtype of their kind, if numpy has one."""
    values = column.tolist()
    # One value of every type, and for dates one with a time zone and one without. Checking these
    # instead of all values saves a pass in Python.
    each_type = {(type(value), getattr(value, "tzinfo", None) is None): value for value in values}
    if not all(issubclass(each, (str, bytes)) for each, _ in each_type):
        _refuse(any(_is_missing(value) for value in values), label)
    kinds = {kind_of_value(value) for value in each_type.values()}
    if len(kinds) > 1:
        told = " and ".join(f"{value!r} ({type(value).__name__})" for value in each_type.values())
        raise TypeError(
            "Identifiers: the argument must be uniformly strings or numbers within a column, or of "
            f"one other kind, but {label} holds {told}."
        )
    convert = CONVERTED.get(kinds.pop())
    return column if convert is None else convert(column, values)


def _is_missing(value):
    """Whether a value is None or differs from itself, like NaN and NaT."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):  # pandas' NA has no truth value
        return type(value).__name__ == "NAType"


def _refuse(missing, label):
    if missing:
        raise ValueError(
            f"Input X contains NaN in {label}: every observation needs all of its identifiers."
        )


def _numbers(column, values):
    """Numbers in a numpy dtype. Decimals, fractions and too large integers stay objects."""
    found = np.array(values)
    return found if found.dtype.kind in "biuf" and (found == column).all() else column


def _dates(column, values):
    """Dates in a numpy dtype. pandas' timestamps keep their nanoseconds."""
    found = [v.to_datetime64() if hasattr(v, "to_datetime64") else np.datetime64(v) for v in values]
    return _in_finest_unit(found)


def _durations(column, values):
    found = [
        v.to_timedelta64() if hasattr(v, "to_timedelta64") else np.timedelta64(v) for v in values
    ]
    return _in_finest_unit(found)


def _instants(column, values):
    """Dates with a time zone, converted to UTC, so that equal instants are equal."""
    return np.fromiter((value.astimezone(UTC) for value in values), object, len(values))


CONVERTED = {
    "strings": lambda column, values: column.astype(str),
    "numbers": _numbers,
    "dates": _dates,
    "durations": _durations,
    "dates with a time zone": _instants,
}


def _in_finest_unit(values):
    """An array of dates of several units, in microseconds if this loses nothing."""
    units = {value.dtype for value in values}
    groups = [np.array([each for each in values if each.dtype == unit]) for unit in units]
    micro = np.array(values, dtype=f"{groups[0].dtype.kind}8[us]")
    if all(_in_coarse_unit(group).dtype == micro.dtype for group in groups):
        return micro
    fine = np.array(values, dtype=reduce(np.promote_types, units))
    if (fine.astype(micro.dtype) != micro).any():
        raise ValueError(f"Identifiers so far apart do not fit into {fine.dtype}: round them.")
    return fine


def _in_coarse_unit(column):
    """Dates or durations in microseconds if this is exact. Their range is 292,000 years."""
    unit = np.dtype(f"{column.dtype.kind}8[us]")
    coarse = column.astype(unit)
    same = (coarse.astype(column.dtype) == column) | np.isnan(column)
    return coarse if same.all() else column


def _exact(column, label):
    """The column, or an error if different whole numbers may have become equal in it."""
    largest, limit = np.abs(column).max(initial=0), 2 / np.finfo(column.dtype).eps
    if np.isinf(largest):
        raise ValueError(f"Input X contains infinity in {label}.")
    if largest >= limit:
        raise ValueError(
            f"Identifiers as large as {largest:.0f} in {label} are not exact as {column.dtype}. "
            "Columns of integers and floats together become floats: give integers or strings."
        )
    return column
