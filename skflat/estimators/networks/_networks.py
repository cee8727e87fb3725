"""Multi-layer perceptrons that seek flat minima."""

from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_array, column_or_1d, compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from ..._compat import Interval, StrOptions, check_partial_fit_first_call, fit_context
from .._labels import sorted_labels
from .._pipeline import all_or_nothing, is_stochastic
from ._documentation import documented
from ._fit import BaseFlatMLP, one_validation_set


@documented
class FlatMLPClassifier(ClassifierMixin, BaseFlatMLP):
    """Multi-layer perceptron classifier that seeks a flat minimum, and measures it.

    Takes the place of scikit-learn's ``MLPClassifier``: every parameter, attribute and method
    of that exists here with the same name, default and meaning, except the default ``solver``.
    It minimises the log-loss.

    Parameters
    ----------
    {parameters}
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.
    label_smoothing : float, default=0.0
        Share of every label, in [0, 1], that training spreads evenly over the classes, its own
        included, as PyTorch's ``CrossEntropyLoss`` does; of two classes, and of each of several
        labels, over yes and no. ``loss_curve_`` is of that. Validation losses and measures are of
        the log-loss itself.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    {attributes}

    See Also
    --------
    FlatMLPRegressor : The same for continuous targets.
    skflat.solvers : The solvers, with what a step of each costs.
    skflat.measures : The measures, with what each is invariant to.

    Notes
    -----
    Unlike scikit-learn's, ``solver='lbfgs'`` has a ``loss_curve_`` and returns parameters of
    the input's dtype, and ``partial_fit`` supports ``early_stopping``.

    An interruption by the keyboard ends the training with a warning, and the network is usable as
    far as it came. As one of several fits, in a grid search or a cross-validation, it hands the
    interruption on, which ends them all.

    References
    ----------
    Sharpness-aware minimisation: Foret and others, arXiv:2010.01412. Flatness as the distance
    of level sets: Josz, arXiv:2509.11386. Weakness: Bennett, arXiv:2605.05209.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skflat import FlatMLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> clf = FlatMLPClassifier(solver="sam", rho=0.1, max_iter=1000, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), clf).fit(X_train, y_train)
    >>> pipe.score(X_test, y_test) > 0.95
    True
    >>> 0 <= clf.weakness_ <= 1 and clf.flatness_ > 0
    True
    """

    _parameter_constraints: dict = {
        **BaseFlatMLP._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="sam",
        rho="auto",
        class_weight=None,
        label_smoothing=0.0,
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        alpha=0.0001,
        weight_decay=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        warmup=0.0,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
    ):
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            rho=rho,
            class_weight=class_weight,
            label_smoothing=label_smoothing,
            measures=measures,
            measure_max_samples=measure_max_samples,
            alpha=alpha,
            weight_decay=weight_decay,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            warmup=warmup,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, validation_data=None, X_val=None, y_val=None):
        """Fit the network, and measure it unless ``measures=None``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels, or an indicator matrix of several labels a row.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.
        validation_data : tuple (X_val, y_val), default=None
            Rows to validate on, instead of a part of the training rows. One object, so that
            ``GridSearchCV`` passes it on whole.
        X_val, y_val : array-like, default=None
            The same as two arguments, for a Pipeline with ``transform_input=["X_val"]``. Where
            they have as many rows as ``X`` and meet a ``GridSearchCV`` on their way, wrap each
            in a tuple of one.

        Returns
        -------
        self : FlatMLPClassifier

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or training diverged.

        Warns
        -----
        ConvergenceWarning
            If training has not converged within ``max_iter``, or ended no better on the training
            rows than the best constant prediction; the latter says what to try.
        """
        with all_or_nothing(self):
            pair = one_validation_set(validation_data, X_val, y_val)
            return self._fit(X, y, sample_weight, pair)

    @available_if(is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X,
        y,
        sample_weight=None,
        classes=None,
        validation_data=None,
        X_val=None,
        y_val=None,
    ):
        """One epoch over the given rows. Measures nothing: call ``measure`` for that.

        Parameters that were changed since the last call take effect. The solver's state (moments,
        replicas) goes on, unless the solver is of another class or base; then a new one begins.

        Parameters
        ----------
        X, y, sample_weight, validation_data, X_val, y_val
            As in ``fit``.
        classes : array-like of shape (n_classes,), default=None
            All classes there will be; needed in the first call.

        Returns
        -------
        self : FlatMLPClassifier
        """
        with all_or_nothing(self):
            if check_partial_fit_first_call(self, classes):
                multilabel = type_of_target(y).startswith("multilabel")
                self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
            pair = one_validation_set(validation_data, X_val, y_val)
            return self._fit(X, y, sample_weight, pair, incremental=True)

    def predict(self, X):
        """The most probable class, or the set of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        P = self._outputs(X)
        return self._label_binarizer.inverse_transform(P.ravel() if P.shape[1] == 1 else P)

    def predict_proba(self, X):
        """Probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        P = self._outputs(X)
        return np.column_stack([1 - P, P]) if P.shape[1] == 1 else P

    def predict_log_proba(self, X):
        """Logarithm of ``predict_proba``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        P = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(P, out=P)

    def _validate_input(self, X, y, incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=self._input_dtype(reset),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        sorted_labels(y)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
            return X, y
        classes = unique_labels(y)
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {classes}."
            )
        return X, y

    def _weights(self, X, y, sample_weight, incremental):
        weight = super()._weights(X, y, sample_weight, incremental)
        if self.class_weight is None:
            return weight
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which sees a part of "
                "the classes at a time. Give the weights as a dict."
            )
        if y.ndim == 2:
            by_class = compute_sample_weight(self.class_weight, y)
        else:
            # Of all classes: in partial_fit some may be missing from ``y``.
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            by_class = of_class[np.searchsorted(self.classes_, y)]
        weight = by_class if weight is None else weight * by_class
        return super()._weights(X, y, weight, incremental)

    def _count_outputs(self, y):
        multilabel = self._label_binarizer.y_type_.startswith("multilabel")
        n_classes = len(self.classes_)
        return n_classes if multilabel or n_classes > 2 else 1

    def _out_activation(self):
        multiclass = self._label_binarizer.y_type_ == "multiclass"
        return "softmax" if multiclass else "logistic"

    def _score_of(self, P, batch):
        """Accuracy; of all labels at once where there are several."""
        if batch.y.ndim == 1:
            return batch.mean(P.argmax(axis=1) == batch.y)
        return batch.mean(np.all((P > 0.5) == batch.y, axis=1))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@documented
class FlatMLPRegressor(RegressorMixin, BaseFlatMLP):
    """Multi-layer perceptron regressor that seeks a flat minimum, and measures it.

    Takes the place of scikit-learn's ``MLPRegressor``: every parameter, attribute and method of
    that exists here with the same name, default and meaning, except the default ``solver``. It
    minimises half the squared error or half the Poisson deviance.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}, default='squared_error'
        What to minimise. ``'poisson'`` has a log link and needs ``y >= 0``.
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    FlatMLPClassifier : The same for classes.
    skflat.solvers : The solvers, with what a step of each costs.
    skflat.measures : The measures, with what each is invariant to.

    Notes
    -----
    Of several outputs the gradient is that of the summed loss, while ``loss_curve_`` reports the
    mean over the outputs, as in scikit-learn. Targets are converted to the dtype of ``X``.

    An interruption by the keyboard ends the training with a warning, and the network is usable as
    far as it came. As one of several fits, in a grid search or a cross-validation, it hands the
    interruption on, which ends them all.

    References
    ----------
    Sharpness-aware minimisation: Foret and others, arXiv:2010.01412. Flatness as the distance
    of level sets: Josz, arXiv:2509.11386. Weakness: Bennett, arXiv:2605.05209.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skflat import FlatMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = FlatMLPRegressor(rho=0.1, learning_rate_init=0.01, max_iter=1000, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), reg).fit(X, y)
    >>> pipe.score(X, y) > 0.4
    True
    """

    _parameter_constraints: dict = {
        **BaseFlatMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="sam",
        rho="auto",
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        alpha=0.0001,
        weight_decay=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        warmup=0.0,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
    ):
        super().__init__(
            loss=loss,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            rho=rho,
            measures=measures,
            measure_max_samples=measure_max_samples,
            alpha=alpha,
            weight_decay=weight_decay,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            warmup=warmup,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, validation_data=None, X_val=None, y_val=None):
        """Fit the network, and measure it unless ``measures=None``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.
        validation_data : tuple (X_val, y_val), default=None
            Rows to validate on, instead of a part of the training rows. One object, so that
            ``GridSearchCV`` passes it on whole.
        X_val, y_val : array-like, default=None
            The same as two arguments, for a Pipeline with ``transform_input=["X_val"]``. Where
            they have as many rows as ``X`` and meet a ``GridSearchCV`` on their way, wrap each
            in a tuple of one.

        Returns
        -------
        self : FlatMLPRegressor

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or training diverged.

        Warns
        -----
        ConvergenceWarning
            If training has not converged within ``max_iter``, or ended no better on the training
            rows than the best constant prediction; the latter says what to try.
        """
        with all_or_nothing(self):
            pair = one_validation_set(validation_data, X_val, y_val)
            return self._fit(X, y, sample_weight, pair)

    @available_if(is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, validation_data=None, X_val=None, y_val=None):
        """One epoch over the given rows. Measures nothing: call ``measure`` for that.

        Parameters that were changed since the last call take effect. The solver's state (moments,
        replicas) goes on, unless the solver is of another class or base; then a new one begins.

        Parameters
        ----------
        X, y, sample_weight, validation_data, X_val, y_val
            As in ``fit``.

        Returns
        -------
        self : FlatMLPRegressor
        """
        with all_or_nothing(self):
            pair = one_validation_set(validation_data, X_val, y_val)
            return self._fit(X, y, sample_weight, pair, incremental=True)

    def predict(self, X):
        """The network's output.

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
            accept_sparse="csr",
            multi_output=True,
            y_numeric=True,
            dtype=self._input_dtype(reset),
            reset=reset,
        )
        if y.dtype.kind in "OSU":  # refuses text, in scikit-learn's words
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
        if self.loss == "poisson" and np.any(y < 0):
            raise ValueError(
                "Some value(s) of y are out of the valid range of the loss 'poisson': y must be "
                f"non-negative, got {y.min()}."
            )

    def _count_outputs(self, y):
        return 1 if y.ndim == 1 else y.shape[1]

    def _out_activation(self):
        return "exp" if self.loss == "poisson" else "identity"

    def _score_of(self, P, batch):
        """The coefficient of determination, averaged over the outputs."""
        return r2_score(batch.y, P, sample_weight=batch.weight)
