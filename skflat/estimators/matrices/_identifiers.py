"""Identifiers of entities and the codes that stand for them: places in an array in order."""

from datetime import date, datetime, timedelta
from numbers import Number

import numpy as np

#: What identifiers may be, by the kind of an array and by the type of an object.
KINDS = {"U": "strings", "M": "dates", "m": "durations"} | dict.fromkeys("biuf", "numbers")
TYPES = [
    (str, "strings"),
    (bytes, "bytes"),
    ((date, np.datetime64), "dates"),
    ((timedelta, np.timedelta64), "durations"),
    ((Number, np.bool_), "numbers"),
]
MOST_PER_ROW = 10  # span of whole numbers, relative to their count, that a table is made for


def check_alike(columns, identifiers, labels):
    """Refuse columns of another kind than the identifiers known, such as strings of numbers.

    Of one array of strings numpy has made all numbers strings too. So the one to blame is, if there
    is one, a column that is not of numbers.
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
    """A value that is not of the kind that was known, and whether it does not even look like it."""
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
    """What a column of identifiers holds, in words."""
    return KINDS[column.dtype.kind] if column.dtype != object else kind_of_value(column[0])


def kind_of_value(value):
    """What kind of identifier an object is, in words."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return "dates with a time zone"
    found = [name for types, name in TYPES if isinstance(value, types)]
    return found[0] if found else f"of type {type(value).__name__}"


def merged(identifiers, column):
    """The identifiers known and those of a column, in order, and where the known ones are."""
    found = distinct(column)
    if identifiers is None:
        return found, slice(0)
    union = np.union1d(*_together(identifiers, found))
    return union, codes_of(identifiers, union)


def _together(identifiers, found):
    """Both in a dtype that holds them all: numbers as objects where numpy has none."""
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
    """The values of a column in order, each once."""
    table = _table_range(column)
    if table is None:
        return _in_order(column)
    least, size = table
    present = np.zeros(size, bool)
    present[column.astype(np.int64) - least] = True
    return (np.flatnonzero(present) + least).astype(column.dtype)


def _in_order(column):
    """The values of a column sorted, each once; objects have to have an order."""
    try:
        found = np.unique(column)
        if column.dtype != object or (found[:-1] < found[1:]).all():
            return found
        reason = "some are neither less nor greater than each other"
    except TypeError as error:
        reason = str(error)
    raise TypeError(
        f"Identifiers {kind_of(column)} must have an order, but {reason}: give strings or numbers."
    )


def codes_of(column, identifiers):
    """Place of every value among the identifiers, which are in order; -1 where it is not."""
    kinds = column.dtype.kind + identifiers.dtype.kind
    if column.dtype != identifiers.dtype and kinds in ("MM", "mm", "ii", "iu", "ui", "uu"):
        column, exact = _cast(column, identifiers.dtype)
        return np.where(exact, codes_of(column, identifiers), -1)
    table = _table_range(identifiers)
    if table is None or column.dtype.kind not in "iu":
        places = np.searchsorted(identifiers, column).clip(max=len(identifiers) - 1)
        return np.where(identifiers[places] == column, places, -1)
    least, size = table
    codes = np.full(size + 1, -1)  # the last for all that is out of range
    codes[identifiers.astype(np.int64) - least] = np.arange(len(identifiers))
    place = column.astype(np.int64) - least
    place[(place < 0) | (place >= size)] = size
    return codes[place]


def _cast(column, dtype):
    """The column as another dtype of its kind, and where nothing is lost by that."""
    cast = column.astype(dtype)
    if dtype.kind in "iu":
        return cast, cast == column
    if dtype.kind == "f":
        return cast, np.abs(cast) < 2 / np.finfo(dtype).eps
    return cast, cast.astype(column.dtype) == column  # dates, which overflow and come back others


def _table_range(column):
    """Least value and span of whole numbers that do not spread too far, or None."""
    if column.dtype.kind not in "iu" or not len(column):
        return None
    least, most = int(column.min()), int(column.max())
    size = most - least + 1
    fits = size <= MOST_PER_ROW * len(column) + 1000 and -(2**62) < least <= most < 2**62
    return (least, size) if fits else None
