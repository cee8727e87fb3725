"""Tables of features of identifiers: validated, in a common unit, and in the order of codes."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .._identifier_columns import columns_apart, of_one_kind
from .._identifiers import codes_of, distinct, kind_of


@dataclass
class FeatureTable:
    """Features of identifiers, whose mean squared norm is 1.

    Columns of a dense table are centred and have equal deviations. A sparse table is only divided
    by one number, so that what is not stored stays 0.

    Attributes
    ----------
    label : str
        The parameter it was given as.
    ids : ndarray of shape (n,)
        Distinct identifiers, in any order.
    matrix : {ndarray, csr_array} of shape (n, n_features)
    scale : ndarray of shape (n_features,)
        What the columns were divided by. It is 1 for constant columns, which are 0.
    """

    label: str
    ids: np.ndarray
    matrix: np.ndarray | sparse.csr_array
    scale: np.ndarray

    @classmethod
    def of(cls, given, label):
        """Validate what a user has given, a DataFrame or a pair; None for None.

        Raises
        ------
        TypeError
            If it is neither, or if identifiers are of several kinds.
        ValueError
            If identifiers repeat or are missing, if there is not one row for each, or if features
            are not finite numbers.
        """
        if given is None:
            return None
        ids, matrix = _parts(given, label)
        ids, matrix = _checked_ids(ids, label), _checked_matrix(matrix, label)
        if len(ids) != matrix.shape[0]:
            raise ValueError(
                f"{label} has {len(ids)} identifiers, but features of {matrix.shape[0]}."
            )
        return cls(label, ids, *in_unit(matrix))

    def ordered(self, identifiers, dtype):
        """The features in the order of codes. Identifiers that are not in the table have zeros."""
        rows, shape = codes_of(self.ids, identifiers), (len(identifiers), self.matrix.shape[1])
        if not sparse.issparse(self.matrix):
            out = np.zeros(shape, dtype)
            out[rows] = self.matrix
            return out
        entries = self.matrix.tocoo()
        placed = entries.data.astype(dtype), (rows[entries.row], entries.col)
        return sparse.csr_array(placed, shape=shape)

    def check_kind(self, identifiers, column):
        """Refuse identifiers of another kind than those of the observations."""
        ours, theirs = kind_of(self.ids), kind_of(identifiers)
        if ours != theirs:
            raise ValueError(
                f"Identifiers in {self.label} are {ours}, such as {self.ids[:1].tolist()[0]!r}, "
                f"but those in {column} are {theirs}."
            )


def _parts(given, label):
    """The identifiers and the features, not validated."""
    if hasattr(given, "iloc") and hasattr(given, "columns"):
        of_sparse = len(given.columns) and all(hasattr(d, "fill_value") for d in given.dtypes)
        return given.index, given.sparse.to_coo() if of_sparse else given
    if isinstance(given, (tuple, list)) and len(given) == 2:
        return given
    raise TypeError(
        f"{label} must be a DataFrame whose index holds identifiers, or a pair (ids, matrix), got "
        f"{type(given).__name__}."
    )


def _checked_ids(ids, label):
    if isinstance(ids, (list, tuple, range)):
        apart = columns_apart([[each] for each in ids])
        ids = np.asarray(ids) if apart is None else apart[0]
    ids = np.asarray(ids)
    if ids.ndim != 1 or not len(ids):
        raise ValueError(
            f"{label} needs one identifier for each row of features, got an array of shape "
            f"{ids.shape}."
        )
    ids = of_one_kind(ids, label)
    known = distinct(ids)
    if len(known) < len(ids):
        counts = np.bincount(codes_of(ids, known))
        twice = known[counts > 1][:1].tolist()[0]
        raise ValueError(f"{label} has the identifier {twice!r} more than once.")
    return ids


def _checked_matrix(matrix, label):
    try:
        return check_array(
            matrix,
            accept_sparse="csr",
            dtype=(np.float64, np.float32),
            input_name=label,
            ensure_min_samples=0,
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"The features in {label} must be finite numbers: {error}") from error


def in_unit(matrix):
    """Features whose mean squared norm is 1, and what the columns were divided by."""
    largest = abs(matrix).max() or 1.0  # so that no square overflows or underflows
    table, scale = matrix / largest, np.full(matrix.shape[1], float(largest))
    if not sparse.issparse(table):
        deviation = table.std(axis=0)
        constant = np.ptp(table, axis=0) == 0
        deviation[constant] = 1
        table = np.where(constant, 0, (table - table.mean(axis=0)) / deviation)
        scale *= deviation
    norm = np.sqrt(table.multiply(table).sum() if sparse.issparse(table) else (table**2).sum())
    norm = float(norm / np.sqrt(table.shape[0])) or 1.0
    return table / norm, scale * norm
