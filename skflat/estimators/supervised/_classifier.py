"""Classifiers of any model."""

from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from ..._compat import Interval, StrOptions, check_partial_fit_first_call, fit_context
from .._labels import sorted_labels
from .._pipeline import all_or_nothing, is_stochastic
from ._fit import DEFAULTS, FlatModel
from ._validation_data import one_validation_set


class FlatModelClassifier(ClassifierMixin, FlatModel):
    """Base of classifiers of a `skflat.objective.Model` of your own.

    A subclass has a constructor, which names its parameters and hands them on to this one, and
    `make_model`. All of `FlatMLPClassifier` that does not know layers is here: the fit pipeline
    with all solvers, early stopping, ``partial_fit`` and measures, and the predictions.

    Parameters
    ----------
    **params
        What the constructor of the subclass hands on: some of the parameters of
        `FlatFunctionClassifier` from ``solver`` on, and ``class_weight`` and ``label_smoothing``.
        All others have their defaults, and are no parameters of the subclass. It sets parameters of
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
    FlatFunctionClassifier : The same for a model that is one function.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat.estimators import FlatModelClassifier
    >>> from skflat.objective import Layout, Model
    >>> class Squares(Model):
    ...     def __init__(self, n_features, n_outputs):
    ...         self.layout = Layout({"A": (n_features, n_outputs), "b": (n_outputs,)})
    ...     def forward(self, params, X):
    ...         return (X**2) @ params["A"] + params["b"]
    >>> class SquaresClassifier(FlatModelClassifier):
    ...     def __init__(self, solver="auto", rho="auto", max_iter=200, random_state=None):
    ...         super().__init__(
    ...             solver=solver, rho=rho, max_iter=max_iter, random_state=random_state
    ...         )
    ...     def make_model(self, n_features, n_outputs):
    ...         return Squares(n_features, n_outputs)
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SquaresClassifier("lbfgs", max_iter=1000, random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.9, clf.sharpness_ > 0
    (True, True)
    """

    _defaults = DEFAULTS | {"class_weight": None, "label_smoothing": 0.0}

    _parameter_constraints: dict = {
        **FlatModel._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="both")],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, validation_data=None, X_val=None, y_val=None):
        """Fit the model, and measure it unless ``measures=None``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels, or an indicator matrix if a row has several labels.
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
        """Train for one epoch on the given rows. Call ``measure`` to measure the result.

        Parameters that were changed since the last call take effect. The solver keeps its state
        (moments, replicas). It begins a new one only if its class or its base has changed.

        Parameters
        ----------
        X, y, sample_weight, validation_data, X_val, y_val
            As in ``fit``.
        classes : array-like of shape (n_classes,), default=None
            All classes that can occur in any call. The first call needs it.

        Returns
        -------
        self
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
        if self.out_activation_ == "softmax":
            return self.classes_[P.argmax(axis=1)]
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
        # With two classes the network has one output, the probability of the second class.
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
        with np.errstate(divide="ignore"):  # a probability that underflowed to 0 gives -inf
            return np.log(P, out=P)

    def _validate_input(self, X, y, incremental, reset):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=self._accept_sparse,
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
            # The weights of all classes, because in `partial_fit` some may be missing from ``y``.
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
        """Accuracy. In a multilabel target a row counts if all its labels are right."""
        if batch.y.ndim == 1:
            return batch.mean(P.argmax(axis=1) == batch.y)
        return batch.mean(np.all((P > 0.5) == batch.y, axis=1))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
