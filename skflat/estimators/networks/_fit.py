"""Fitting a multi-layer perceptron: from validated data to fitted attributes."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import Interval, StrOptions, fit_context
from ...models.mlp import ACTIVATIONS, MLP
from ...objective import Objective, Workspace
from ...problems import Problem, encode, loss_of, network
from .._pipeline import SETTINGS, FlatEstimator, Training, checked_weight
from ._exchange import Exchange
from ._outcome import warn_unless_better


class BaseFlatMLP(Exchange, FlatEstimator):
    """The part that classifier and regressor share."""

    _parameter_constraints: dict = {
        **FlatEstimator._parameter_constraints,
        **SETTINGS,
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "warmup": [Interval(Real, 0, 1, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS)), callable],
    }

    def __init__(self, **params):
        for name, value in params.items():
            setattr(self, name, value)

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
        first_pass = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
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
            attributes=lambda w: dict(zip(("coefs_", "intercepts_"), model.split(w), strict=True)),
            validate=self._validator(objective, held_out, task),
        )
        w = self._train(training, first_pass=first_pass, incremental=incremental, until=until)
        if incremental or until is not None:
            return self
        plain = objective.unpenalized()
        if not self._cut_short:  # otherwise the user has been warned already
            warn_unless_better(self, plain, w, task)
        if self.measures is not None:
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

    def _publish(self, settings):
        super()._publish(settings)
        self.rho_ = settings.rho

    def _start(self, X, y, first_pass):
        """The model and the parameters to start from."""
        if not first_pass:
            return network(self)
        hidden = self.hidden_layer_sizes
        hidden = list(hidden) if hasattr(hidden, "__iter__") else [hidden]
        if not all(isinstance(size, Integral) and size > 0 for size in hidden):
            raise ValueError(f"hidden_layer_sizes must be integers > 0, got {hidden}.")
        self.n_outputs_ = self._count_outputs(y)
        self.n_layers_ = len(hidden) + 2
        self.out_activation_ = self._out_activation()
        model = MLP([X.shape[1], *hidden, self.n_outputs_], self.activation)
        return model, model.init(self._random_state, X.dtype)

    def _input_dtype(self, reset):
        return (np.float64, np.float32) if reset else self.coefs_[0].dtype

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
        splits = self._split(X.shape[0], "samples", stratify)
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
            accept_sparse="csr",
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
            P = loss.predict(model.scores(w, X, work))
            if not np.isfinite(P).all():
                return np.nan, np.nan
            return self._score_of(P, batch), batch.mean(loss.as_reported(P, batch.y))

        return validate

    def _outputs(self, X):
        """Predictions of the network, of shape (n_samples, n_outputs): probabilities or means."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        model, w = network(self)
        loss, _ = loss_of(self)
        # As in scikit-learn, rows of higher precision than the parameters are not rounded.
        return loss.predict(model.scores(w.astype(np.result_type(w, X), copy=False), X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def one_validation_set(validation_data, X_val, y_val):
    """The pair of validation inputs and targets, or None. It can be given in two ways.

    A tuple of one element stands for the element. Meta-estimators slice every argument that has as
    many rows as ``X``, but they do not slice a tuple. A Pipeline transforms the elements of a
    tuple.
    """
    if validation_data is not None:
        if X_val is not None or y_val is not None:
            raise ValueError("Give validation_data or X_val and y_val, not both.")
        if not (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2):
            raise ValueError(
                "validation_data must be a pair (X_val, y_val), got "
                f"{type(validation_data).__name__}."
            )
        return tuple(validation_data)
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(f"{given} is provided, but {missing} was not provided.")
    pair = (X_val, y_val)
    return tuple(part[0] if isinstance(part, tuple) else part for part in pair)
