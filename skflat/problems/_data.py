"""Validation of the data on which a fitted estimator is measured, in scikit-learn's wording."""

import math

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from .._compat import check_sample_weight

SHOWN = 5  # at most so many unknown classes in a message


def class_labels(estimator, y):
    """One class for each row, an array of shape (n_samples,). A class may be unknown."""
    y = _complete(estimator, y, accept_sparse=False)
    name = type(estimator).__name__
    return _of_shape(y, (), "columns", f"{name} was fitted on one class a row")


def numbers(estimator, y, n_outputs, dtype):
    """Values of the outputs, of shape (n_samples,) or (n_samples, n_outputs)."""
    y = _complete(estimator, y, accept_sparse=True)
    y, name = y.toarray() if sparse.issparse(y) else y, type(estimator).__name__
    values = _as_floats(y)
    if values is None:
        raise ValueError(
            f"y should hold numbers, as {name} was fitted on; got {y.flat[0]!r} of dtype {y.dtype}."
        )
    trailing = () if n_outputs == 1 else (n_outputs,)
    y = _of_shape(values, trailing, "outputs", f"{name} was fitted with {n_outputs}")
    return in_precision(y, dtype, "y")


def in_precision(array, dtype, name):
    """The numbers in the given precision. A number too large for it raises an error."""
    with np.errstate(over="ignore"):  # such a number becomes infinite, and the check names it
        array = array.astype(dtype, casting="same_kind", copy=False)
    return check_array(array, accept_sparse="csr", ensure_2d=False, dtype=None, input_name=name)


def _complete(estimator, y, accept_sparse):
    """Targets of any shape and type. A missing value raises an error."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )
    if hasattr(y, "isna") and np.any(y.isna()):  # NumPy would raise a TypeError for pandas' NA
        raise ValueError("Input y contains NaN.")
    taken = {"accept_sparse": accept_sparse, "dtype": None, "ensure_2d": False, "allow_nd": True}
    return check_array(y, input_name="y", **taken)


def _as_floats(y):
    """The numbers of an array, which may hold them as objects. None if they are not numbers."""
    if y.dtype.kind != "O":
        return y if y.dtype.kind in "biuf" else None
    try:
        return y.astype(float)
    except (TypeError, ValueError):
        return None


def _of_shape(y, trailing, what, but):
    """Targets whose shape after the rows is ``trailing``.

    A single column is raveled with a warning, as in ``fit``.
    """
    if not trailing and y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim == 0 or y.shape[1:] != trailing:
        expected = ", ".join(("n_samples", *map(str, trailing))) + ("" if trailing else ",")
        raise ValueError(
            f"y has {math.prod(y.shape[1:])} {what}, but {but}: expected an array of shape "
            f"({expected}), got one of shape {y.shape}."
        )
    return y


def class_codes(y, classes):
    """Indices of the labels in the sorted array of classes.

    Raises
    ------
    ValueError
        If a label is not among them.
    """
    y, classes = np.asarray(y), np.asarray(classes)
    try:
        codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    except TypeError:  # such labels cannot be compared with the classes, so they are unknown
        codes = np.zeros(len(y), int)
    if not np.all(classes[codes] == y):
        known = classes.tolist()
        unknown = [repr(label) for label in dict.fromkeys(y.tolist()) if label not in known]
        shown = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
        raise ValueError(
            f"y has classes that the estimator was not fitted on: {shown}. Its classes are "
            f"{classes}."
        )
    return codes


def row_weights(sample_weight, X, y):
    """Weights of the rows, or None. X, y and the weights must have equally many rows."""
    check_consistent_length(X, y)
    if sample_weight is None:
        return None
    sample_weight = check_sample_weight(sample_weight, X)
    if (sample_weight < 0).any():
        raise ValueError(f"Negative values in sample_weight: the least is {sample_weight.min()}.")
    return sample_weight
