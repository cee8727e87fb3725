"""The part that perceptrons and committees share: validation, scaling, decision, warnings."""

import warnings
from abc import abstractmethod
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import (
    assert_all_finite,
    check_random_state,
    compute_class_weight,
    compute_sample_weight,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import Interval, StrOptions, check_partial_fit_first_call, fit_context
from ...problems import one_vs_rest
from ...solvers import spawn_generator
from .._labels import sorted_labels
from .._pipeline import FlatEstimator, all_or_nothing, checked_weight
from ._outcome import shortcomings
from ._temperature import best_temperature, log_probabilities


def learns_in_parts(estimator):
    """Whether ``partial_fit`` is available. This is the condition for ``available_if``."""
    # An object that is not a solver passes here, as the validation has a better message for it.
    if not getattr(estimator._solver(), "stochastic", True):
        names = sorted(
            name for name, each in estimator._solvers.items() if getattr(each, "stochastic", False)
        )
        raise AttributeError(
            f"partial_fit is not available with solver={estimator.solver!r}, which needs all rows "
            f"at once. It is with {', '.join(names)}."
        )
    return True


class ThresholdClassifier(ClassifierMixin, FlatEstimator):
    """Base of all classifiers made of threshold units."""

    _parameter_constraints: dict = {
        "scale": ["boolean"],
        "fit_intercept": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "measures": ["array-like", None],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
    }

    #: Whether the weights are in {-1, +1}. They then come from a search, which may fail.
    _has_bits = False
    #: Estimators to try if this one does not fit the data.
    _alternatives: tuple = ()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the weights, and measure them unless ``measures=None``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Sparse data are made dense in the fit.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts. It is multiplied by ``class_weight``. Only the ratios matter.
            Rows of weight 0 are left out.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or the solver cannot handle them.
        """
        with all_or_nothing(self):
            known = self._known() if self.warm_start else None
            given = X, y, weight = self._prepare(X, y, sample_weight, reset=known is None)
            targets = one_vs_rest(y, self.classes_, X.dtype)
            rows, place, counts = self._rows_to_learn(X, targets, weight)
            scaled = self._learn_scale(X[rows], counts)
            self._learn(scaled, targets[rows], counts, given, known)
            self.n_violated_ = self._violated(scaled[place], targets)
            predicted = self._count_errors(X, y, targets, weight)
            if message := shortcomings(self, y, predicted, weight):
                warnings.warn(message, ConvergenceWarning, stacklevel=3)
            if self.measures is not None:
                self._measure(self.measures, X, y, weight, after_fit=True)
            self._end()
        return self

    @available_if(learns_in_parts)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Pass once over the given rows, from the present weights and the solver's state.

        The first call fixes the scale of the features. So it should have many rows; or scale the
        features before, with all rows, and set ``scale=False``. Call ``measure`` to measure the
        result. ``n_errors_``, ``n_violated_`` and ``temperature_`` are those of the given rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            All classes that can occur in any call. The first call needs it.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts. It is multiplied by ``class_weight``. In a search for
            weights in {-1, +1} a row of weight 2 has the effect of two rows. With real weights
            only the ratios matter.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        AttributeError
            If the solver needs all rows at once.
        ValueError
            If the data or a parameter is not valid, or a label is not among the classes.
        """
        with all_or_nothing(self):
            first, known = check_partial_fit_first_call(self, classes), self._known()
            given = X, y, weight = self._prepare_part(X, y, sample_weight, reset=first)
            targets = one_vs_rest(y, self.classes_, X.dtype)
            scaled = self._learn_scale(X, weight) if first else (X - self.mean_) / self.scale_
            self._learn_part(scaled, targets, weight, given, known)
            self.n_violated_ = self._violated(scaled, targets)
            self._count_errors(X, y, targets, weight)
        return self

    def _known(self):
        """The present weights and thresholds; None before the first fit."""
        return (self.weights_, self.thresholds_) if hasattr(self, "weights_") else None

    def _rows_to_learn(self, X, targets, weight):
        """The rows to learn, the place of every row among them, and their weights."""
        return slice(None), slice(None), weight

    @abstractmethod
    def _learn(self, X, targets, weight, given, known):
        """Find the weights, and set the fitted attributes.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            The scaled features.
        targets : ndarray of shape (n_rows, n_problems)
            The targets, 0 or 1.
        weight : ndarray of shape (n_rows,) or None
        given : tuple of X, y and sample_weight
            All validated data before scaling, for callbacks.
        known : tuple of weights and thresholds, or None
            Where to start.
        """

    @abstractmethod
    def _learn_part(self, X, targets, weight, given, known):
        """Pass once over these rows, and set the fitted attributes. The parameters are the same."""

    @abstractmethod
    def _violated(self, X, targets):
        """Number of rows of scaled features that are violated, for each problem."""

    def _prepare(self, X, y, sample_weight, reset):
        """Validate the data, and set the attributes that every fit sets first.

        The result has only the rows that count.
        """
        X, y = self._validated(X, y, (np.float64, np.float32), reset)
        weight = self._weights(checked_weight(sample_weight, X), y)
        X, y, weight = counting_rows(X, y, weight)
        classes = sorted_labels(y)
        if not reset and not np.array_equal(classes, self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )
        self._begin_with(classes)
        return X, y, weight

    def _prepare_part(self, X, y, sample_weight, reset):
        """The same for a part of the rows."""
        dtypes = (np.float64, np.float32) if reset else self.thresholds_.dtype
        X, y = self._validated(X, y, dtypes, reset)
        unknown = np.setdiff1d(sorted_labels(y), self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the classes {unknown}, which are not among the classes of the first call, "
                f"{self.classes_}."
            )
        weight = self._weights_of_part(checked_weight(sample_weight, X), y)
        self._begin_with(self.classes_)
        return counting_rows(X, y, weight)

    def _validated(self, X, y, dtype, reset):
        """Validated features and labels."""
        self._check_measures()
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=dtype, reset=reset)
        with config_context(assume_finite=False):  # a search would not end in a clear error
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
        sorted_labels(y)  # raises an error if the labels have no order
        check_classification_targets(y)
        return X, y

    def _begin_with(self, classes):
        """Set the attributes that every fit sets first."""
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {classes[0]!r}."
            )
        self.classes_ = classes
        self._random_state = check_random_state(self.random_state)
        self._measure_seed = int(spawn_generator(self._random_state).integers(2**31))
        self._forget_measurements()

    def _weights(self, weight, y):
        """The weights of rows and classes together; None where all rows weigh the same."""
        if self.class_weight is None:
            return weight
        by_class = compute_sample_weight(self.class_weight, y)
        return checked_weight(by_class if weight is None else weight * by_class, y[:, None])

    def _weights_of_part(self, weight, y):
        """The same for a part of the rows, in which classes may be missing."""
        if self.class_weight is None:
            return weight
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which sees a part of "
                "the classes at a time. Give the weights as a dict."
            )
        of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        by_class = of_class[np.searchsorted(self.classes_, y)]
        return checked_weight(by_class if weight is None else weight * by_class, y[:, None])

    def _learn_scale(self, X, weight):
        """Learn the scale of the features and apply it. Constant features become 0."""
        n_features, dtype = X.shape[1], X.dtype
        self.mean_, self.scale_ = np.zeros(n_features, dtype), np.ones(n_features, dtype)
        if not self.scale:
            return X
        # Each column is first divided by a power of two, which is exact. Then its squares neither
        # overflow nor underflow.
        exponents = np.frexp(np.abs(X).max(axis=0))[1]
        unit = np.ldexp(X, -exponents)
        mean, spread = _mean_and_deviation(unit, weight)
        # The deviation of a constant column is not 0 but a rounding error of its mean.
        constant = spread <= 10 * np.finfo(dtype).eps * np.abs(unit).max(axis=0)
        scale = np.ldexp(spread, exponents)
        constant |= scale < np.finfo(dtype).tiny  # a division by it would overflow
        self.mean_ = np.ldexp(mean, exponents)
        self.scale_ = np.where(constant, 1, scale).astype(dtype, copy=False)
        X = (X - self.mean_) / self.scale_
        X[:, constant] = 0
        return X

    def _count_errors(self, X, y, targets, weight):
        """Set the temperature and the number of errors; return the predicted classes."""
        scores = self._scores(X)
        predicted = self._decided(scores)
        self.temperature_ = best_temperature(scores, targets, weight)
        self.n_errors_ = int(np.count_nonzero(predicted != y))
        return predicted

    def _end(self):
        """What a subclass does when the estimator is fitted."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def decision_function(self, X):
        """The scores of each row. A positive score is in favour of the class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, a positive score is in favour of ``classes_[1]``.
        """
        scores = self._validated_scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """The predicted class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._decided(self._validated_scores(X))

    def predict_proba(self, X):
        """Probabilities of all classes: the softmax of `decision_function` over ``temperature_``.

        With two classes, the score of the first one is 0. The temperature is fitted to the training
        rows, so the probabilities of new rows may be too close to 0 and 1.
        `sklearn.calibration.CalibratedClassifierCV` fits probabilities to rows that were held out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Logarithms of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return log_probabilities(self._validated_scores(X), self.temperature_)

    def _validated_scores(self, X):
        """A column for every one-vs-rest problem."""
        check_is_fitted(self)
        dtype = self.thresholds_.dtype
        return self._scores(validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=False))

    def _decided(self, scores):
        """The classes with the greatest scores."""
        one = scores.shape[1] == 1
        return self.classes_[(scores[:, 0] > 0).astype(int) if one else scores.argmax(axis=1)]


def counting_rows(X, y, weight):
    """The dense rows that have a weight, their labels and weights."""
    X = X.toarray() if sparse.issparse(X) else X
    if weight is None or weight.all():
        return X, y, weight
    return tuple(array[weight > 0] for array in (X, y, weight))


def _mean_and_deviation(X, weight):
    """Of every column, each row by its weight."""
    if weight is None:
        return X.mean(axis=0), X.std(axis=0)
    weight = (weight / weight.sum(dtype=float)).astype(X.dtype)
    mean = weight @ X
    return mean, np.sqrt(weight @ (X - mean) ** 2)
