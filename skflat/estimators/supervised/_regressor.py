"""Regressors of any model."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from ..._compat import Interval, StrOptions, fit_context
from ...objective import REGRESSION_LOSSES, regression_loss
from .._pipeline import all_or_nothing, is_stochastic
from ._fit import DEFAULTS, FlatModel
from ._validation_data import one_validation_set

#: Links of the losses that have one, by scikit-learn's name of the last layer's function.
OUT = {"poisson": "exp", "gamma": "exp"}
#: What the losses ask of targets: a test of what is out of range, and its name.
RANGES = {
    "poisson": (lambda y: y < 0, "non-negative"),
    "gamma": (lambda y: y <= 0, "positive"),
}


class FlatModelRegressor(RegressorMixin, FlatModel):
    """Base of regressors of a `skflat.objective.Model` of your own.

    A subclass has a constructor, which names its parameters and hands them on to this one, and
    `make_model`. All of `FlatMLPRegressor` that does not know layers is here: the fit pipeline
    with all solvers, early stopping, ``partial_fit`` and measures, and the predictions.

    Parameters
    ----------
    **params
        What the constructor of the subclass hands on: some of the parameters of
        `FlatFunctionRegressor` from ``solver`` on, and ``loss``, ``quantile`` and ``delta``. All
        others have their defaults, and are no parameters of the subclass. It sets parameters of
        its model itself.

    Attributes
    ----------
    model_ : Model
        What `make_model` returned.
    params_ : dict of str to ndarray
        The fitted arrays that its layout names.
    n_outputs_ : int
        Columns of the scores.

    See Also
    --------
    FlatFunctionRegressor : The same for a model that is one function.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.estimators import FlatModelRegressor
    >>> from skflat.objective import Layout, Model
    >>> class Product(Model):
    ...     def __init__(self, n_features, n_outputs):
    ...         self.layout = Layout({name: (n_features, n_outputs) for name in "AB"})
    ...     def forward(self, params, X):
    ...         return (X @ params["A"]) * (X @ params["B"])
    >>> class ProductRegressor(FlatModelRegressor):
    ...     def __init__(self, solver="auto", rho="auto", random_state=None):
    ...         super().__init__(solver=solver, rho=rho, random_state=random_state)
    ...     def make_model(self, n_features, n_outputs):
    ...         return Product(n_features, n_outputs)
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> reg = ProductRegressor("lbfgs", random_state=0).fit(X, X[:, 0] * X[:, 1])
    >>> reg.score(X, X[:, 0] * X[:, 1]) > 0.99
    True
    """

    _defaults = DEFAULTS | {"loss": "squared_error", "quantile": 0.5, "delta": 1.0}

    _parameter_constraints: dict = {
        **FlatModel._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "delta": [Interval(Real, 0, None, closed="neither")],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, validation_data=None, X_val=None, y_val=None):
        """Fit the model, and measure it unless ``measures=None``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. They must not be negative.
        validation_data : tuple (X_val, y_val), default=None
            Rows to validate on, instead of a part of the training rows. It is one object, so that
            ``GridSearchCV`` does not slice it.
        X_val, y_val : array-like, default=None
            The same as two arguments, for a Pipeline with ``transform_input=["X_val"]``.
            ``GridSearchCV`` slices them if they have as many rows as ``X``. To prevent this, wrap
            each in a tuple of one element.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or training diverged.

        Warns
        -----
        ConvergenceWarning
            If training has not converged within ``max_iter``. Also if it ended no better on the
            training rows than the best constant prediction; this warning says what to try.
        """
        with all_or_nothing(self):
            pair = one_validation_set(validation_data, X_val, y_val)
            return self._fit(X, y, sample_weight, pair)

    @available_if(is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, validation_data=None, X_val=None, y_val=None):
        """Train for one epoch on the given rows. Call ``measure`` to measure the result.

        Parameters that were changed since the last call take effect. The solver keeps its state
        (moments, replicas). It begins a new one only if its class or its base has changed.

        Parameters
        ----------
        X, y, sample_weight, validation_data, X_val, y_val
            As in ``fit``.

        Returns
        -------
        self
        """
        with all_or_nothing(self):
            pair = one_validation_set(validation_data, X_val, y_val)
            return self._fit(X, y, sample_weight, pair, incremental=True)

    def predict(self, X):
        """The predictions: means, or what else the loss asks for.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        P = self._outputs(X)
        return P.ravel() if P.shape[1] == 1 else P

    def _validate_input(self, X, y, incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=self._accept_sparse,
            multi_output=True,
            y_numeric=True,
            dtype=self._input_dtype(reset),
            reset=reset,
        )
        if y.dtype.kind in "OSU":  # refuse text with scikit-learn's message
            y = check_array(y, dtype="numeric", ensure_2d=False, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._check_targets(y)
        if not reset and self._count_outputs(y) != self.n_outputs_:
            raise ValueError(
                f"y has {self._count_outputs(y)} outputs, but {type(self).__name__} was fitted "
                f"with {self.n_outputs_}."
            )
        return X, y

    def _check_targets(self, y):
        name = self.loss if isinstance(self.loss, str) else None
        is_out, what = RANGES.get(name, (None, None))
        if is_out is not None and np.any(is_out(y)):
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss {name!r}: y must be "
                f"{what}, got {y.min()}."
            )

    def _count_outputs(self, y):
        return 1 if y.ndim == 1 else y.shape[1]

    def _out_activation(self):
        return OUT.get(self.loss, "identity")

    def _new_loss(self):
        return regression_loss(self.loss, self.quantile, self.delta)

    def _score_of(self, P, batch):
        """The coefficient of determination, averaged over the outputs."""
        return r2_score(batch.y, P, sample_weight=batch.weight)
