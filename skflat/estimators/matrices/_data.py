"""The data of a factorization: identifiers and values, or a matrix with missing entries."""

import warnings
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import check_is_fitted, validate_data

from .._pipeline import FlatEstimator, checked_weight
from ._identifier_columns import columns_apart, of_one_kind
from ._identifiers import check_alike, codes_of, merged
from .side import Described, Timed, with_described

#: With fewer rows than this, a matrix is not recognised as a list of entries.
FEWEST_TRIPLES = 50


class Observing(Described, Timed, FlatEstimator):
    """Mixin that converts the users' data to codes of identifiers, values and weights.

    If ``X`` is a matrix, its identifiers are the numbers of rows and columns. The parameter
    ``input`` says what it is. ``'auto'`` takes it for a matrix if there is no ``y``.
    """

    def observations(self, X, y=None, sample_weight=None):
        """Convert the data that ``fit`` accepts to codes of identifiers, values and weights.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``. Observations of weight 0 are left out.

        Returns
        -------
        codes : ndarray of int of shape (n_observations, n_kinds)
            Positions in ``identifiers_``. An identifier that is not there has the code -1.
        values : ndarray of shape (n_observations,)
            Observed values.
        weight : ndarray of shape (n_observations,) or None
            Weights of the observations.
        """
        check_is_fitted(self)
        columns, values, weight, shape = self._observed(X, y, sample_weight)
        n_rows = len(self.identifiers_[0])
        if shape is not None and shape[0] != n_rows:
            raise ValueError(
                f"X has {shape[0]} rows, but {type(self).__name__} was fitted on {n_rows}: a "
                "matrix to compare with has the same rows. Hold out its entries, not its rows."
            )
        return self._known_codes(columns), values, weight

    def _learnt_from(self, X, y, sample_weight, first_pass, tables):
        """Convert the data for ``fit``, which adds new identifiers. Those of ``tables`` are added.

        Returns
        -------
        named : dict
            Attributes that define the meaning of the codes. They are not yet set, because the fit
            can still fail.
        places : list or None
            For each kind, the positions of the old identifiers among the new ones.
        codes, values, weight
            As in `observations`.
        """
        columns, values, weight, shape = self._observed(X, y, sample_weight, first_pass)
        is_matrix = shape is not None if first_pass else self._matrix
        self._check_timed(first_pass, is_matrix)
        given, labels, times = columns, self._labels(len(columns)), self._learnt_times(columns)
        if times is not None:
            columns, labels = times.left_out(columns), times.left_out(labels)
        known = [None] * len(columns) if first_pass else self.identifiers_
        if not first_pass:
            check_alike(columns, known, labels)
            if self._matrix:
                self._check_columns(columns[1])
        elif shape is not None:  # empty rows and columns have identifiers, too
            known = [np.arange(size) for size in shape]
            self._tell_of_empty(columns[1], shape[1])
        found = [merged(*each) for each in zip(known, columns, strict=True)]
        identifiers, places = (list(each) for each in zip(*found, strict=True))
        self._check_described(tables, len(columns), is_matrix)
        with_described(tables, identifiers, places, labels)
        codes = self._codes(columns, identifiers)
        named = {"identifiers_": identifiers, "_matrix": is_matrix, "_times": times}
        named["_rated"] = self._rated_by_now(tables, codes, identifiers, places, first_pass)
        if times is not None:
            codes = times.with_bins(codes, given)
        return named, places, codes, values, weight

    def _check_columns(self, numbers):
        """Refuse new columns of a matrix. They are features; only rows may be new."""
        unknown = codes_of(numbers, self.identifiers_[1]) < 0
        if unknown.any():
            raise ValueError(
                f"Observations of a matrix with {self.n_features_in_} columns must be of columns "
                f"0 to {self.n_features_in_ - 1}, got column {numbers[unknown][0]}."
            )

    def _tell_of_empty(self, numbers, n_columns):
        """Warn of features without observations. Rows are samples, and may be empty."""
        empty = np.bincount(numbers, minlength=n_columns) == 0
        if empty.any():
            warnings.warn(
                f"Features without any observed values: {features(self, empty)}. Their "
                "factors and offsets are 0: only the intercept and the row's offset are predicted.",
                stacklevel=6,
            )

    def _known_codes(self, columns):
        """Codes of validated columns; -1 for identifiers that no fit has seen."""
        known, labels = self._without_times(columns)
        check_alike(known, self.identifiers_, labels)
        codes = self._codes(known, self.identifiers_)
        return self._times.with_bins(codes, columns) if self._times else codes

    def _without_times(self, columns):
        """The columns of identifiers, and their names in messages."""
        both = columns, self._labels(len(columns))
        return both if self._times is None else tuple(map(self._times.left_out, both))

    def _codes(self, columns, identifiers):
        pairs = zip(columns, identifiers, strict=True)
        return np.column_stack([codes_of(*each) for each in pairs])

    def _observed(self, X, y, sample_weight, reset=False):
        """Columns of identifiers, values, weights, and the shape if the data are a matrix.

        Observations of weight 0 are left out.
        """
        shape = None
        if self.input == "entries" and y is None:
            raise ValueError("input='entries' requires y to be passed, but the target y is None.")
        if self.input == "matrix" or y is None:
            X = self._matrix_of(X, reset)
            columns, y, sample_weight = self._entries(X, sample_weight)
            shape = X.shape
        else:
            columns = self._identified(X, reset)
            y = self._values(y, len(columns[0]), reset)
            sample_weight = checked_weight(sample_weight, columns[0])
        y = y if y.dtype == np.float32 else y.astype(float, copy=False)
        if sample_weight is None:
            return columns, y, None, shape
        # An observation of weight 0 must not add its identifiers.
        kept = sample_weight > 0
        columns = [column[kept] for column in columns]
        return columns, y[kept], sample_weight[kept].astype(y.dtype), shape

    def _identified(self, X, reset=False):
        """Validate the identifiers; return columns, each of one kind."""
        of_matrix = not reset and self._matrix
        columns = columns_apart(X)
        # A frame with columns of several kinds cannot pass scikit-learn's conversion to one array.
        # So its names are checked first, and then its shape with an array of the same shape.
        if columns is not None:
            if not of_matrix:
                validate_data(self, X, reset=reset, skip_check_array=True)
            check_array(np.empty((len(X), len(columns))), ensure_all_finite=False)
        else:
            checked = check_array if of_matrix else partial(validate_data, self, reset=reset)
            columns = list(checked(X, dtype=None).T)
        if of_matrix and len(columns) != 2:
            raise ValueError(
                f"X has {len(columns)} columns; an entry of the matrix is the number of its row "
                "and that of its column."
            )
        pairs = zip(columns, self._labels(len(columns)), strict=True)
        return [of_one_kind(*each) for each in pairs]

    def _labels(self, n):
        """The names of the columns of identifiers in messages."""
        of_matrix = getattr(self, "_matrix", False)
        names = range(n) if of_matrix else getattr(self, "feature_names_in_", range(n))
        return [f"column {name!r}" for name in names]

    def _values(self, y, n, reset):
        """The validated values of ``n`` observations."""
        # Small whole numbers take a place for the rows of ``X``, and are not checked to be finite.
        _, y = check_X_y(np.zeros((n, 1), np.int8), y, y_numeric=True, estimator=self)
        return y.astype(self.factors_[0].dtype) if not reset and self._matrix else y

    def _entries(self, X, sample_weight):
        """Row and column numbers, values and weights of the known entries of a matrix."""
        sample_weight = checked_weight(sample_weight, X)
        rows, columns, values = known_entries(X)
        if not len(values):
            raise ValueError("All entries of X are missing: there is nothing to learn from.")
        weight = None if sample_weight is None else sample_weight[rows]
        return [rows, columns], values, weight

    def _matrix_of(self, X, reset=False):
        """The validated matrix."""
        if not reset and not self._matrix:
            raise ValueError(
                f"{type(self).__name__} was fitted on identifiers and values: it requires y to be "
                "passed, but the target y is None."
            )
        X = validate_data(
            self,
            X,
            accept_sparse=("csr", "csc", "coo"),
            dtype=(np.float64, np.float32),
            ensure_all_finite="allow-nan",
            reset=reset,
        )
        if self.input == "auto" and looks_like_triples(X):
            raise ValueError(
                "The columns of X look like two kinds of identifiers and a value for each pair, "
                "and without y they would be learnt as a matrix of "
                f"{X.shape[1]} columns. Give the values as y: fit(X[:, :2], X[:, 2])."
            )
        return X


def looks_like_triples(X):
    """Whether a matrix looks like a list of entries.

    Each row of such a list has two whole numbers, which name an entry, and its value. No pair
    occurs twice, and both kinds have many identifiers that occur often. This is hardly ever true of
    a table of measurements.
    """
    if sparse.issparse(X) or X.shape[1] not in (3, 4) or len(X) < FEWEST_TRIPLES:
        return False
    pairs = X[:, :2]
    if not (np.isfinite(X).all() and (pairs == np.round(pairs)).all() and (pairs >= 0).all()):
        return False
    # The cheap checks come first; the last one sorts all pairs.
    n_each = [len(np.unique(column)) for column in pairs.T]
    return min(n_each) >= 10 and max(n_each) < len(X) and len(np.unique(pairs, axis=0)) == len(X)


def features(estimator, chosen):
    """Names of some features, or their positions if they have no names."""
    return getattr(estimator, "feature_names_in_", np.arange(len(chosen)))[chosen]


def known_entries(X):
    """Row numbers, column numbers and values of the entries of a matrix that are not missing."""
    if not sparse.issparse(X):
        rows, columns = np.nonzero(~np.isnan(X))
        return rows, columns, X[rows, columns]
    X = X.tocoo()
    known = ~np.isnan(X.data)
    return X.row[known].astype(np.intp), X.col[known].astype(np.intp), X.data[known]
