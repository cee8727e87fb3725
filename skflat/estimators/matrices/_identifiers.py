"""Identifiers of entities and their codes. A code is a position in a sorted array."""

from datetime import date, datetime, timedelta
from numbers import Number

import numpy as np

from ...models.factorization import parts

#: The allowed kinds of identifiers, by the kind of an array's dtype and by the type of an object.
KINDS = {"U": "strings", "M": "dates", "m": "durations"} | dict.fromkeys("biuf", "numbers")
TYPES = [
    (str, "strings"),
    (bytes, "bytes"),
    ((date, np.datetime64), "dates"),
    ((timedelta, np.timedelta64), "durations"),
    ((Number, np.bool_), "numbers"),
]
MOST_PER_ROW = 10  # a table is used if the range of whole numbers is at most this times their count


def check_alike(columns, identifiers, labels):
    """Refuse columns of another kind than the known identifiers, such as strings of numbers.

    numpy converts numbers to strings if they are in one array with strings. So the message names a
    column with a value that is not a number, if there is one.
    """
    blamed = []
    for column, known, label in zip(columns, identifiers, labels, strict=True):
        were, are = kind_of(known), kind_of(column)
        if were != are:
            value, no_number = _first_stranger(column, were, are)
            blamed.append((not no_number, f"{label} were {were} in fit, got {value!r}."))
    if blamed:
        raise ValueError(f"Identifiers in {min(blamed, key=lambda each: each[0])[1]}")


def _first_stranger(column, were, are):
    """A value of another kind than in ``fit``, and whether it also looks different."""
    if (were, are) == ("numbers", "strings"):
        strangers = [value for value in column.tolist() if not _reads_as_number(value)]
        return (strangers[0], True) if strangers else (column[:1].tolist()[0], False)
    return column[0] if column.dtype.kind in "mM" else column[:1].tolist()[0], True


def _reads_as_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def kind_of(column):
    """The kind of the identifiers in a column, in words."""
    return KINDS[column.dtype.kind] if column.dtype != object else kind_of_value(column[0])


def kind_of_value(value):
    """The kind of an object as an identifier, in words."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return "dates with a time zone"
    found = [name for types, name in TYPES if isinstance(value, types)]
    return found[0] if found else f"of type {type(value).__name__}"


def merged(identifiers, column):
    """The sorted union of the known identifiers and a column, and the positions of the known."""
    found = distinct(column)
    if identifiers is None:
        return found, slice(0)
    union = np.union1d(*_together(identifiers, found))
    return union, codes_of(identifiers, union)


def _together(identifiers, found):
    """Both arrays in a common dtype without loss. If numpy has none, numbers become objects."""
    common = np.promote_types(identifiers.dtype, found.dtype)
    if common.kind in "OU":
        return identifiers, found
    both = [_cast(each, common) for each in (identifiers, found)]
    if all(exact.all() for _, exact in both):
        return [cast for cast, _ in both]
    if common.kind in "mM":
        raise ValueError(f"Identifiers so far apart do not fit into {common}: round them.")
    return [each.astype(object) for each in (identifiers, found)]


def distinct(column):
    """The sorted distinct values of a column."""
    table = _table_range(column)
    if table is None:
        return _in_order(column)
    # A table of the range takes linear time, and sorting does not.
    least, size = table
    present = np.zeros(size, bool)
    for part in parts(len(column)):
        present[column[part].astype(np.int64) - least] = True
    return (np.flatnonzero(present) + least).astype(column.dtype)


def _in_order(column):
    """The sorted distinct values of a column; an error if objects have no order."""
    try:
        found = np.unique(column)
        # ``np.unique`` does not notice objects with a partial order, such as sets.
        if column.dtype != object or (found[:-1] < found[1:]).all():
            return found
        reason = "some are neither less nor greater than each other"
    except TypeError as error:
        reason = str(error)
    raise TypeError(
        f"Identifiers {kind_of(column)} must have an order, but {reason}: give strings or numbers."
    )


def codes_of(column, identifiers):
    """Position of every value in the sorted identifiers; -1 if it is not among them."""
    kinds = column.dtype.kind + identifiers.dtype.kind
    if column.dtype != identifiers.dtype and kinds in ("MM", "mm", "ii", "iu", "ui", "uu"):
        # numpy would compare int64 with uint64 as floats, and dates of two units may overflow.
        column, exact = _cast(column, identifiers.dtype)
        return np.where(exact, codes_of(column, identifiers), -1)
    table = _table_range(identifiers)
    if table is None or column.dtype.kind not in "iu":
        places = np.searchsorted(identifiers, column).clip(max=len(identifiers) - 1)
        return np.where(identifiers[places] == column, places, -1)
    least, size = table
    codes = np.full(size + 1, -1)  # the last is for all values out of range
    codes[identifiers.astype(np.int64) - least] = np.arange(len(identifiers))
    found = np.empty(len(column), int)
    for part in parts(len(column)):
        place = column[part].astype(np.int64) - least
        place[(place < 0) | (place >= size)] = size
        found[part] = codes[place]
    return found


def _cast(column, dtype):
    """The column in another dtype of its kind, and a mask of the values that are exact."""
    cast = column.astype(dtype)
    if dtype.kind in "iu":
        return cast, cast == column
    if dtype.kind == "f":
        # Below this size every whole number has a float of its own.
        return cast, np.abs(cast) < 2 / np.finfo(dtype).eps
    return cast, cast.astype(column.dtype) == column  # dates that overflow come back different


def _table_range(column):
    """Smallest value and size of the range of whole numbers; None for other or too wide columns."""
    if column.dtype.kind not in "iu" or not len(column):
        return None
    least, most = int(column.min()), int(column.max())
    size = most - least + 1  # Python integers, which do not overflow
    fits = size <= MOST_PER_ROW * len(column) + 1000 and -(2**62) < least <= most < 2**62
    return (least, size) if fits else None
