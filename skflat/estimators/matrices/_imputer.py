"""Imputation of missing entries by a factorization that seeks a flat minimum."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._callbacks import CallbackSupportMixin, PartHooks
from ..._compat import fit_context, names_in
from ..._parallel import warning_filters
from ...solvers import ALS
from .._saved import Saved
from ._columns import (
    apart,
    bounds_of,
    categories_of,
    category_codes,
    chosen_columns,
    indicators,
    label,
    no_number,
    whole_range,
)
from ._data import features
from ._factorization import FlatMatrixFactorization

HELD_OUT = 0.1  # share of the known entries on which ``rho`` is chosen
ROUGHLY = 1e-3  # tolerance of the fits for this choice, enough to compare them
LARGEST_RHO, SMALLEST_RHO, STEP = 0.4, 0.01, 0.6  # the grid: from the largest, times the step


class FlatMatrixImputer(Saved, CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Fills missing entries with those of a factorization that seeks a flat minimum.

    Known entries are kept. Columns are standardised before the fit, and this is undone afterwards.
    So neither their units nor their origins matter. A constant column is filled with its constant.
    A new row is filled with the factors that best reproduce its known entries. A column of
    categories is fitted as one column of ones and zeros for each category, and filled with the
    category of the largest value.

    Parameters
    ----------
    n_components : int, default=10
        Length of the factors.
    missing_values : int, float or np.nan, default=np.nan
        The value that stands for a missing entry.
    rho : 'auto' or float, default='auto'
        Standard deviation of the noise on the parameters. The expected loss under this noise is
        minimised, see `FlatMatrixFactorization`, for columns of standard deviation 1. ``'auto'``
        holds out a tenth of the known entries. It starts at 0.4 and multiplies by 0.6 as long as
        the held-out entries are predicted better. This takes up to nine more fits.
    alpha : 'auto' or float, default=0.01
        Strength of the L2 penalty on all factors.
    alpha_offsets : float, default=0.1
        Strength of the L2 penalty on all offsets.
    solver : str or solver object, default='als'
        As in `FlatMatrixFactorization`. ``rho='auto'`` is chosen by prediction for ``'als'`` only.
        For other solvers it is their default.
    max_iter : int, default=1000
        Largest number of sweeps.
    tol : float, default=1e-4
        Training ends if the loss falls by less than this share in a sweep.
    min_value, max_value : float or array-like of shape (n_columns,), default=None
        Bounds of the filled values, one for all columns or one for each. None is no bound. They do
        not matter for columns of categories.
    integer_features : array-like of bool, int or str, default=None
        Columns of whole numbers: a mask, positions, or names of the columns of a frame. Filled
        values are rounded, and lie between the smallest and the largest known value of the column.
        If ``min_value`` or ``max_value`` excludes these, the nearest whole number that it allows is
        filled in.
    categorical_features : array-like of bool, int or str, default=None
        Columns of categories, which are numbers or strings. In a column of strings, None, NaN and
        pandas' NA are missing, too. If there is a column of strings, ``transform`` returns an array
        of objects.
    add_indicator : bool, default=False
        Whether to append a column of ones and zeros for every column in which entries were missing
        in ``fit``.
    keep_empty_features : bool, default=False
        Whether to fill columns without any known entry with 0. Otherwise they are left out with a
        warning, as in scikit-learn's imputers.
    random_state : int, RandomState instance or None, default=None
        Draws the factors to start from and the held-out entries.
    n_jobs : int, default=None
        Number of workers, as in `FlatMatrixFactorization`. Results do not depend on it.

    Attributes
    ----------
    factorization_ : FlatMatrixFactorization
        The factorization of the standardised columns that are not empty.
    mean_ : ndarray of shape (n_fitted_columns,)
        Means of the columns, and then of the ones and zeros of every category. 0 for a column
        without known entries, and in place of a column of categories. Without categories this has
        the shape (`n_features_in_`,).
    scale_ : ndarray of shape (n_fitted_columns,)
        Standard deviations of the same. 0 for a column that is constant or has no known entries.
    categories_ : list of ndarray or None
        For every column its sorted categories. None for a column of numbers.
    rho_ : float
        The radius used.
    indicator_ : MissingIndicator or None
    n_iter_ : int
        Number of sweeps of the last fit.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if ``X`` had string names.

    See Also
    --------
    FlatMatrixFactorization : The model, also for identifiers and values.

    Notes
    -----
    The filled values are linear in a few hidden factors. A sweep costs
    ``n_known n_components^2 + (n_rows + n_columns) n_components^3`` operations.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import FlatMatrixImputer
    >>> rng = np.random.default_rng(0)
    >>> M = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 8))
    >>> X = np.where(rng.random(M.shape) < 0.2, np.nan, M)
    >>> filled = FlatMatrixImputer(4, random_state=0).fit_transform(X)
    >>> bool(np.abs(filled - M).max() < 0.2)
    True
    """

    _parameter_constraints: dict = {
        **FlatMatrixFactorization._parameter_constraints,
        "missing_values": [Real],
        "min_value": [Real, "array-like", None],
        "max_value": [Real, "array-like", None],
        "integer_features": ["array-like", None],
        "categorical_features": ["array-like", None],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
    }

    def __init__(
        self,
        n_components=10,
        *,
        missing_values=np.nan,
        rho="auto",
        alpha=0.01,
        alpha_offsets=0.1,
        solver="als",
        max_iter=1000,
        tol=1e-4,
        min_value=None,
        max_value=None,
        integer_features=None,
        categorical_features=None,
        add_indicator=False,
        keep_empty_features=False,
        random_state=None,
        n_jobs=None,
    ):
        self.n_components = n_components
        self.missing_values = missing_values
        self.rho = rho
        self.alpha = alpha
        self.alpha_offsets = alpha_offsets
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.min_value = min_value
        self.max_value = max_value
        self.integer_features = integer_features
        self.categorical_features = categorical_features
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the factors of the columns.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        y : ignored

        Returns
        -------
        self : FlatMatrixImputer

        Raises
        ------
        ValueError
            If no column has a known entry, or the data are not valid. Also if a column that is not
            named in ``categorical_features`` holds strings.
        """
        X, missing = self._validated(X, reset=True)
        self._check_columns(X, missing)
        self.indicator_ = None
        if self.add_indicator:
            self.indicator_ = MissingIndicator(error_on_new=False).fit(np.where(missing, np.nan, X))
        self._known = ~missing.all(axis=0)
        if not self._known.any():
            raise ValueError("All entries of X are missing: there is nothing to learn from.")
        whole = self._expanded(X, missing)
        used = self._used = ~np.isnan(whole).all(axis=0)
        self.mean_, self.scale_ = np.zeros((2, whole.shape[1]), X.dtype)
        self.mean_[used], self.scale_[used] = _mean_and_deviation(whole[:, used])
        table = self._standardised(whole)
        hooks = PartHooks(self, X, name="factorization")
        random_state = check_random_state(self.random_state)
        # One seed for all fits, so that the fits of the choice differ by the radius alone.
        seed = random_state.randint(2**31)
        rho = self.rho
        if rho == "auto" and (self.solver == "als" or isinstance(self.solver, ALS)):
            rho = self._chosen_rho(table, seed, random_state, hooks)
        hooks.begin()
        self.factorization_ = self._model(rho, seed).fit(table)
        self.rho_, self.n_iter_ = self.factorization_.rho_, self.factorization_.n_iter_
        hooks.end()
        hooks.end_fit()
        return self

    def transform(self, X):
        """Fill the missing entries.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows, n_columns_out)

        Raises
        ------
        ValueError
            If a column has a category that it had not in ``fit``, or the data are not valid.
        """
        check_is_fitted(self)
        X, missing = self._validated(X, reset=False)
        filled = X.copy()
        filled[missing] = 0  # columns without known entries in ``fit`` keep this 0
        if missing[:, self._known].any():
            filled[missing] = self._completed(X, missing)[missing]
        filled = self._with_categories(filled)
        filled = filled if self.keep_empty_features else self._without_empty(filled)
        if self.indicator_ is None:
            return filled
        return np.hstack([filled, self.indicator_.transform(np.where(missing, np.nan, X))])

    def _without_empty(self, filled):
        """The columns with known entries in ``fit``; a warning of others, as in `SimpleImputer`."""
        known = self._known
        if not known.all():
            warnings.warn(
                f"Skipping features without any observed values: {features(self, ~known)}. At "
                "least one non-missing value is needed for imputation.",
                stacklevel=4,
            )
        return filled[:, known]

    def get_feature_names_out(self, input_features=None):
        """Names of the columns that ``transform`` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns. None stands for the names seen in ``fit``, or ``x0``, ``x1`` and
            so on.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names = names_in(self, input_features)
        kept = names if self.keep_empty_features else names[self._known]
        if self.indicator_ is None:
            return kept
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)])

    def _validated(self, X, reset):
        """The table as floating point numbers, and a mask of its missing entries.

        Categories are replaced by their codes.
        """
        if self.categorical_features is not None and len(self.categorical_features):
            return self._coded(X, reset)
        if reset:
            self.categories_ = None
        X = self._numbers(X, reset)
        if reset:
            self.categories_ = [None] * X.shape[1]
        return X, np.isnan(X) if np.isnan(self.missing_values) else self.missing_values == X

    def _numbers(self, X, reset):
        of_nan = np.isnan(self.missing_values)
        try:
            return validate_data(
                self,
                X,
                dtype=(np.float64, np.float32),
                ensure_all_finite="allow-nan" if of_nan else True,
                reset=reset,
            )
        except ValueError as error:
            if "could not convert" in str(error):
                raise no_number(apart(X), getattr(X, "columns", None)) or error from error
            raise

    def _coded(self, X, reset):
        """As `_validated`, if there are columns of categories."""
        validate_data(self, X, reset=reset, skip_check_array=True)
        columns, names = apart(X), getattr(self, "feature_names_in_", None)
        n, missing_values = len(columns), self.missing_values
        if reset:
            self.n_features_in_ = n
            chosen = chosen_columns(self.categorical_features, names, n, "categorical_features")
            self.categories_ = [
                categories_of(column, missing_values, label(names, j)) if is_one else None
                for j, (column, is_one) in enumerate(zip(columns, chosen, strict=True))
            ]
        if n != self.n_features_in_:
            raise ValueError(
                f"X has {n} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        numeric = [j for j, categories in enumerate(self.categories_) if categories is None]
        table = np.full((len(columns[0]), n), np.nan)
        if numeric:
            table[:, numeric] = self._checked_numbers([columns[j] for j in numeric], names, numeric)
        missing = table == missing_values
        for j, categories in enumerate(self.categories_):
            if categories is not None:
                name = label(names, j)
                table[:, j] = category_codes(columns[j], categories, missing_values, name)
        return table, missing | np.isnan(table)

    def _checked_numbers(self, columns, names, places):
        error = no_number(columns, names, places)
        if error is not None:
            raise error
        return check_array(
            np.column_stack([column.astype(float) for column in columns]),
            ensure_all_finite="allow-nan" if np.isnan(self.missing_values) else True,
            estimator=self,
        )

    def _check_columns(self, X, missing):
        """Check the parameters that are about single columns, and keep what they say."""
        names, n = getattr(self, "feature_names_in_", None), X.shape[1]
        self._bounds = bounds_of(self.min_value, self.max_value, n)
        whole = chosen_columns(self.integer_features, names, n, "integer_features")
        for j in np.flatnonzero(whole):
            known = X[~missing[:, j], j]
            if self.categories_[j] is not None or (known != np.round(known)).any():
                raise ValueError(
                    f"integer_features names {label(names, j)}, which has values that are not "
                    "whole numbers, or categories."
                )
            if len(known):
                self._bounds[:, j] = whole_range(known, *self._bounds[:, j], label(names, j))
        self._whole = whole

    def _expanded(self, X, missing):
        """The table with NaN where entries are missing, and the indicators of all categories.

        Columns of categories are NaN, because their indicators stand for them.
        """
        table, parts = np.where(missing, np.nan, X), []
        for j, categories in enumerate(self.categories_):
            if categories is not None:
                parts.append(indicators(table[:, j], len(categories)))
                table[:, j] = np.nan
        return np.hstack([table, *parts])

    def _completed(self, X, missing):
        """All entries as the factors give them, within the bounds, and codes of categories."""
        model, used = self.factorization_, self._used
        table = self._standardised(self._expanded(X, missing))
        found = model.inverse_transform(model.transform(table))
        whole = np.zeros((len(X), len(used)), X.dtype)
        whole[:, used] = found * self.scale_[used] + self.mean_[used]
        n = X.shape[1]
        table, rest = whole[:, :n], whole[:, n:]
        table[:, self._whole] = np.round(table[:, self._whole])
        table = np.clip(table, *self._bounds).astype(X.dtype)
        for j, categories in enumerate(self.categories_):
            if categories is not None and len(categories):
                own, rest = np.split(rest, [len(categories)], axis=1)
                table[:, j] = own.argmax(axis=1)
        table[:, ~self._known] = 0
        return table

    def _with_categories(self, filled):
        """The table with categories in place of their codes."""
        of_strings = [c is not None and c.dtype.kind != "f" for c in self.categories_]
        filled = filled.astype(object) if any(of_strings) else filled
        for j, categories in enumerate(self.categories_):
            if categories is not None and len(categories):
                filled[:, j] = categories[filled[:, j].astype(int)]
        return filled

    def _standardised(self, whole):
        """The columns with known entries, with mean 0 and deviation 1. Constant ones are 0."""
        table = (whole - self.mean_)[:, self._used]
        scale = self.scale_[self._used]
        return np.divide(table, scale, out=np.zeros_like(table), where=scale > 0)

    def _model(self, rho, seed):
        return FlatMatrixFactorization(
            self.n_components,
            rho=rho,
            alpha=self.alpha,
            alpha_offsets=self.alpha_offsets,
            solver=self.solver,
            max_iter=self.max_iter,
            tol=self.tol,
            measures=None,
            random_state=seed,
            n_jobs=self.n_jobs,
        )

    def _chosen_rho(self, table, seed, random_state, hooks):
        """The radius that predicts held-out entries best, on a path down from the largest.

        A callback that asks to stop ends the path, and the best radius so far is taken.
        """
        places = np.argwhere(~np.isnan(table))
        n_held_out = int(HELD_OUT * len(places))
        held_out = tuple(places[random_state.permutation(len(places))[:n_held_out]].T)
        rest = table.copy()
        rest[held_out] = np.nan
        rho, best, best_rho = LARGEST_RHO, np.inf, LARGEST_RHO
        while rho > SMALLEST_RHO and n_held_out > 0 and not np.isnan(rest).all():
            model = self._model(rho, seed).set_params(tol=max(self.tol, ROUGHLY))
            hooks.begin()
            # Rough fits need not converge to be compared.
            with warning_filters({"action": "ignore", "category": UserWarning}):
                model.fit(rest)
            whole = model.inverse_transform(model.transform(rest))
            error = float(np.mean((whole[held_out] - table[held_out]) ** 2))
            stop = hooks.end() or not error < best  # also if the error is NaN
            if error < best:
                best, best_rho, rho = error, rho, STEP * rho
            if stop:
                break
        return best_rho

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = bool(np.isnan(self.missing_values))
        return tags


def _mean_and_deviation(table):
    """The mean and deviation of every column. The deviation of a constant column is exactly 0."""
    # The largest value is the unit. So no square overflows or underflows.
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    unit = np.maximum(np.abs(low), np.abs(high))
    unit[unit == 0] = 1
    mean, deviation = np.nanmean(table / unit, axis=0), np.nanstd(table / unit, axis=0)
    constant = low == high
    return np.where(constant, low, mean * unit), np.where(constant, 0, deviation * unit)
