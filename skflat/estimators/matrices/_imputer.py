"""Imputation of missing entries by a factorization that seeks a flat minimum."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import fit_context, names_in
from ..._parallel import warning_filters
from ...solvers import ALS
from .._saved import Saved
from ._data import features
from ._factorization import FlatMatrixFactorization

HELD_OUT = 0.1  # share of the known entries on which ``rho`` is chosen
ROUGHLY = 1e-3  # tolerance of the fits for this choice, enough to compare them
LARGEST_RHO, SMALLEST_RHO, STEP = 0.4, 0.01, 0.6  # the grid: from the largest, times the step


class FlatMatrixImputer(Saved, TransformerMixin, BaseEstimator):
    """Fills missing entries with those of a factorization that seeks a flat minimum.

    Known entries are kept. Columns are standardised before the fit, and this is undone afterwards.
    So neither their units nor their origins matter. A constant column is filled with its constant.
    A new row is filled with the factors that best reproduce its known entries.

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
    add_indicator : bool, default=False
        Whether to append a column of ones and zeros for every column in which entries were missing
        in ``fit``.
    keep_empty_features : bool, default=False
        Whether to fill columns without any known entry with 0. Otherwise they are left out with a
        warning, as in scikit-learn's imputers.
    random_state : int, RandomState instance or None, default=None
        Draws the factors to start from and the held-out entries.

    Attributes
    ----------
    factorization_ : FlatMatrixFactorization
        The factorization of the standardised columns that are not empty.
    mean_ : ndarray of shape (`n_features_in_`,)
        Means of the columns. 0 for a column without known entries.
    scale_ : ndarray of shape (`n_features_in_`,)
        Standard deviations of the columns. 0 for a column that is constant or has no known entries.
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
        add_indicator=False,
        keep_empty_features=False,
        random_state=None,
    ):
        self.n_components = n_components
        self.missing_values = missing_values
        self.rho = rho
        self.alpha = alpha
        self.alpha_offsets = alpha_offsets
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.random_state = random_state

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
            If no column has a known entry, or the data are not valid.
        """
        X, missing = self._validated(X, reset=True)
        self.indicator_ = None
        if self.add_indicator:
            self.indicator_ = MissingIndicator(error_on_new=False).fit(np.where(missing, np.nan, X))
        self._known = ~missing.all(axis=0)
        if not self._known.any():
            raise ValueError("All entries of X are missing: there is nothing to learn from.")
        self.mean_, self.scale_ = np.zeros((2, X.shape[1]), X.dtype)
        known = np.where(missing, np.nan, X)[:, self._known]
        self.mean_[self._known], self.scale_[self._known] = _mean_and_deviation(known)
        table = self._standardised(X, missing)
        random_state = check_random_state(self.random_state)
        # One seed for all fits, so that the fits of the choice differ by the radius alone.
        seed = random_state.randint(2**31)
        rho = self.rho
        if rho == "auto" and (self.solver == "als" or isinstance(self.solver, ALS)):
            rho = self._chosen_rho(table, seed, random_state)
        self.factorization_ = self._model(rho, seed).fit(table)
        self.rho_, self.n_iter_ = self.factorization_.rho_, self.factorization_.n_iter_
        return self

    def transform(self, X):
        """Fill the missing entries.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows, n_columns_out)
        """
        check_is_fitted(self)
        X, missing = self._validated(X, reset=False)
        known, filled = self._known, X.copy()
        filled[missing] = 0  # columns without known entries in ``fit`` keep this 0
        if missing[:, known].any():
            model = self.factorization_
            whole = model.inverse_transform(model.transform(self._standardised(X, missing)))
            whole = whole * self.scale_[known] + self.mean_[known]
            filled[:, known] = np.where(missing[:, known], whole, X[:, known])
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
        """The table as floating point numbers, and a mask of its missing entries."""
        of_nan = np.isnan(self.missing_values)
        X = validate_data(
            self,
            X,
            dtype=(np.float64, np.float32),
            ensure_all_finite="allow-nan" if of_nan else True,
            reset=reset,
        )
        return X, np.isnan(X) if of_nan else self.missing_values == X

    def _standardised(self, X, missing):
        """The columns with known entries, with mean 0 and deviation 1. Constant ones are 0."""
        table = (np.where(missing, np.nan, X) - self.mean_)[:, self._known]
        scale = self.scale_[self._known]
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
        )

    def _chosen_rho(self, table, seed, random_state):
        """The radius that predicts held-out entries best, on a path down from the largest."""
        places = np.argwhere(~np.isnan(table))
        n_held_out = int(HELD_OUT * len(places))
        held_out = tuple(places[random_state.permutation(len(places))[:n_held_out]].T)
        rest = table.copy()
        rest[held_out] = np.nan
        rho, best, best_rho = LARGEST_RHO, np.inf, LARGEST_RHO
        while rho > SMALLEST_RHO and n_held_out > 0 and not np.isnan(rest).all():
            model = self._model(rho, seed).set_params(tol=max(self.tol, ROUGHLY))
            # Rough fits need not converge to be compared.
            with warning_filters({"action": "ignore", "category": UserWarning}):
                model.fit(rest)
            whole = model.inverse_transform(model.transform(rest))
            error = float(np.mean((whole[held_out] - table[held_out]) ** 2))
            if not error < best:  # also if the error is NaN
                break
            best, best_rho, rho = error, rho, STEP * rho
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
