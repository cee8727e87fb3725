"""Fitting a model to classes or numbers: from validated data to fitted attributes."""

from abc import abstractmethod
from numbers import Real

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import Interval, StrOptions, fit_context
from ...objective import Objective, Workspace
from ...problems import Problem, encode, loss_of
from .._pipeline import SETTINGS, FlatEstimator, Training, checked_weight
from ._outcome import warn_unless_better
from ._predictions import predictions, warn_unless_finite

#: What the parameters are that a subclass does not name.
DEFAULTS = {
    "solver": "auto",
    "rho": "auto",
    "measures": "auto",
    "measure_max_samples": 2000,
    "alpha": 0.0001,
    "weight_decay": 0.0,
    "batch_size": "auto",
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
    "power_t": 0.5,
    "warmup": 0.0,
    "max_iter": 200,
    "shuffle": True,
    "random_state": None,
    "tol": 1e-4,
    "verbose": False,
    "warm_start": False,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "n_iter_no_change": 10,
    "max_fun": 15000,
}


class FlatModel(FlatEstimator):
    """Everything that classifiers and regressors share, whatever their model.

    Parameters
    ----------
    **params
        Those of the constructor of a subclass, which names each. All others have their defaults.
    """

    #: The sparse format that ``X`` may have, or False.
    _accept_sparse = False
    #: The defaults of this kind of estimator.
    _defaults = DEFAULTS
    #: A fitted attribute, by which it is known whether there are parameters to go on from.
    _fitted_attribute = "params_"

    _parameter_constraints: dict = {
        **FlatEstimator._parameter_constraints,
        **SETTINGS,
        "measures": ["array-like", None, StrOptions({"auto"})],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "warmup": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, **params):
        unknown = sorted(params.keys() - self._defaults.keys())
        if unknown:
            raise TypeError(f"{type(self).__name__} has no parameters {', '.join(unknown)}.")
        for name, value in (self._defaults | params).items():
            setattr(self, name, value)

    @abstractmethod
    def make_model(self, n_features, n_outputs):
        """The model of an estimator of your own.

        Parameters
        ----------
        n_features : int
            Columns of ``X``.
        n_outputs : int
            Columns of the scores: 1 of two classes, else one a class, label or target.

        Returns
        -------
        Model
            It is kept as ``model_``.
        """

    def _new_model(self, n_features, n_outputs, dtype):
        """The model and the parameters to start from."""
        model = self.make_model(n_features, n_outputs)
        return model, model.init(self._random_state, dtype)

    def _fitted_model(self):
        """The model and the fitted parameters as one vector."""
        return self.model_, self.model_.layout.pack(self.params_)

    def _attributes(self, model, w):
        """The fitted attributes of the parameters ``w``."""
        return {"model_": model, "params_": model.layout.views(w)}

    def _new_loss(self):
        """The loss of a first fit, where that is not the one of ``out_activation_``; or None."""
        return None

    @fit_context(prefer_skip_nested_validation=True)
    def _fit_until(self, epoch, X, y, sample_weight=None):
        """Fit, but halt after that epoch. Another call continues.

        The result is bit for bit that of a single fit. Every call needs the same data and a
        ``random_state`` that is a number. Nothing is measured.
        """
        return self._fit(X, y, sample_weight, None, until=epoch)

    def _fit(self, X, y, sample_weight, validation, incremental=False, until=None):
        """Fit and measure; ``validation`` is None or a pair of inputs and targets."""
        self._check_measures()
        first_pass = not hasattr(self, self._fitted_attribute) or not (
            self.warm_start or incremental
        )
        X, y = self._validate_input(X, y, incremental, first_pass)
        sample_weight = self._weights(X, y, sample_weight, incremental)
        self._random_state = check_random_state(self.random_state)
        # The initial weights are drawn before the split, in scikit-learn's order.
        model, w = self._start(X, y, first_pass)

        held_out, (X, y, sample_weight) = self._hold_out(X, y, sample_weight, validation)
        goes_on = incremental and not first_pass
        objective, task = self._objective(model, X, y, sample_weight, goes_on)
        training = Training(
            objective,
            w,
            (X, y, sample_weight),
            attributes=lambda w: self._attributes(model, w),
            validate=self._validator(objective, held_out, task),
            **self._moves(objective, complete=not incremental and until is None),
        )
        w = self._train(training, first_pass=first_pass, incremental=incremental, until=until)
        if incremental or until is not None:
            return self
        plain = objective.unpenalized()
        if not self._cut_short:  # otherwise the user has been warned already
            warn_unless_better(self, plain, w, task)
        if self._names_of_measures() is not None:
            probes = None if held_out is None else held_out[0]
            self._measure_training(Problem(plain, w, task, plain.n_rows), y, probes)
        return self

    def _objective(self, model, X, y, sample_weight, goes_on):
        """The training objective, and the task."""
        loss, task = loss_of(self, getattr(self, "label_smoothing", 0.0))
        targets = self._encode(y, task, X.dtype)
        # The first call fixes the unit of rho="auto". Otherwise it would change with the rows of
        # every `partial_fit`.
        known = getattr(self, "_unit_radius", None) if goes_on else None
        objective = Objective(model, loss, X, targets, sample_weight, self.alpha, unit_radius=known)
        self._unit_radius = objective.unit_radius if self.rho == "auto" else known
        return objective, task

    def _moves(self, objective, complete):
        """What moves the parameters beside the solver: ``finish`` and ``between`` of `Training`."""
        return {}

    def _publish(self, settings):
        super()._publish(settings)
        self.rho_ = settings.rho

    def _start(self, X, y, first_pass):
        """The model and the parameters to start from."""
        if not first_pass:
            return self._fitted_model()
        self.n_outputs_ = self._count_outputs(y)
        self.out_activation_ = self._out_activation()
        self._fitted_loss = self._new_loss()
        return self._new_model(X.shape[1], self.n_outputs_, X.dtype)

    def _input_dtype(self, reset):
        """The precisions that ``X`` may have."""
        return (np.float64, np.float32) if reset else self._fitted_model()[1].dtype

    def _weights(self, X, y, sample_weight, incremental):
        """The checked weights of the rows, or None if all weigh the same."""
        return checked_weight(sample_weight, X)

    def _hold_out(self, X, y, sample_weight, validation):
        """The validation rows and the training rows, each as ``(X, y, sample_weight)``.

        None stands for no validation rows.
        """
        if validation is not None:
            return (*self._validated(*validation, X, y), None), (X, y, sample_weight)
        # As in scikit-learn: only binary targets are stratified.
        stratify = y if is_classifier(self) and self.n_outputs_ == 1 else None
        splits = self._split(X.shape[0], "samples", stratify, sample_weight)
        if splits is None:
            return None, (X, y, sample_weight)
        train, held_out = (
            tuple(None if array is None else array[rows] for array in (X, y, sample_weight))
            for rows in splits
        )
        return held_out, train

    def _validated(self, X_val, y_val, X, y):
        """The given validation rows, checked against the training rows."""
        X_val, y_val = validate_data(
            self,
            X_val,
            y_val,
            accept_sparse=self._accept_sparse,
            multi_output=True,
            y_numeric=not is_classifier(self),
            dtype=X.dtype,
            reset=False,
        )
        if y_val.ndim == 2 and y_val.shape[1] == 1:
            y_val = column_or_1d(y_val)
        if y_val.shape[1:] != y.shape[1:]:
            raise ValueError(
                f"y_val must have as many columns as y: their shapes are {y_val.shape} and "
                f"{y.shape}."
            )
        self._check_targets(y_val)
        return X_val, y_val

    def _check_targets(self, y):
        """Refuse targets for which the loss is not defined."""

    def _encode(self, y, task, dtype):
        return encode(y, task, getattr(self, "classes_", None), dtype)

    def _validator(self, objective, held_out, task):
        """A function from ``w`` to ``(score, loss)`` on the held-out rows, or None."""
        if held_out is None:
            return None
        X, y, sample_weight = held_out
        targets = self._encode(y, task, X.dtype)
        # Label smoothing is part of the training loss only.
        model, loss = objective.model, objective.loss_function.unsmoothed()
        batch, work = Objective(model, loss, X, targets, sample_weight).batch(), Workspace()

        def validate(w):
            P = predictions(model, loss, w, X, work)
            if not np.isfinite(P).all():
                return np.nan, np.nan
            return self._score_of(loss.shown(P), batch), batch.mean(loss.as_reported(P, batch.y))

        return validate

    def _outputs(self, X):
        """Predictions of the model, of shape (n_samples, n_outputs): probabilities or means."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=self._accept_sparse, reset=False)
        model, w = self._fitted_model()
        loss, _ = loss_of(self)
        # As in scikit-learn, rows of higher precision than the parameters are not rounded.
        w = w.astype(np.result_type(w, X), copy=False)
        P = predictions(model, loss, w, X)
        warn_unless_finite(P, X)
        return loss.shown(P)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accept_sparse)
        return tags
