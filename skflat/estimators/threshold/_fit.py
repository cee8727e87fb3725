"""The part that perceptrons and committees share: validation, scaling, decision, warnings."""

import warnings
from abc import abstractmethod
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite, check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import Interval, StrOptions, fit_context
from ...problems import one_vs_rest
from ...solvers import spawn_generator
from .._labels import sorted_labels
from .._pipeline import FlatEstimator, all_or_nothing, checked_weight
from ._outcome import shortcomings
from ._temperature import best_temperature, log_probabilities


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
            given = X, y, weight = self._prepare(X, y, sample_weight)
            targets = one_vs_rest(y, self.classes_, X.dtype)
            rows, place, counts = self._rows_to_learn(X, targets, weight)
            scaled = self._scaled(X[rows], counts)
            self._learn(scaled, targets[rows], counts, given)
            self.n_violated_ = self._violated(scaled[place], targets)
            self._finish(X, y, targets, weight)
            self._end()
        return self

    def _rows_to_learn(self, X, targets, weight):
        """The rows to learn, the place of every row among them, and their weights."""
        return slice(None), slice(None), weight

    @abstractmethod
    def _learn(self, X, targets, weight, given):
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
        """

    @abstractmethod
    def _violated(self, X, targets):
        """Number of rows of scaled features that are violated, for each problem."""

    def _prepare(self, X, y, sample_weight):
        """Validate the data, and set the attributes that every fit sets first.

        The result has only the rows that count.
        """
        self._check_measures()
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=(np.float64, np.float32))
        with config_context(assume_finite=False):  # a search would not end in a clear error
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
        sorted_labels(y)  # raises an error if the labels have no order
        check_classification_targets(y)
        weight = self._weights(checked_weight(sample_weight, X), y)
        X = X.toarray() if sparse.issparse(X) else X
        if weight is not None and not weight.all():
            X, y, weight = (array[weight > 0] for array in (X, y, weight))
        self.classes_ = sorted_labels(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {self.classes_[0]!r}."
            )
        self._random_state = check_random_state(self.random_state)
        self._measure_seed = int(spawn_generator(self._random_state).integers(2**31))
        self._forget_measurements()
        return X, y, weight

    def _weights(self, weight, y):
        """The weights of rows and classes together; None where all rows weigh the same."""
        if self.class_weight is None:
            return weight
        by_class = compute_sample_weight(self.class_weight, y)
        return checked_weight(by_class if weight is None else weight * by_class, y[:, None])

    def _scaled(self, X, weight):
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

    def _finish(self, X, y, targets, weight):
        """Count the errors, warn if something has not been learnt, and measure."""
        scores = self._scores(X)
        predicted = self._decided(scores)
        self.temperature_ = best_temperature(scores, targets, weight)
        self.n_errors_ = int(np.count_nonzero(predicted != y))
        if message := shortcomings(self, y, predicted, weight):
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        if self.measures is not None:
            self._measure(self.measures, X, y, weight, after_fit=True)

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


def _mean_and_deviation(X, weight):
    """Of every column, each row by its weight."""
    if weight is None:
        return X.mean(axis=0), X.std(axis=0)
    weight = (weight / weight.sum(dtype=float)).astype(X.dtype)
    mean = weight @ X
    return mean, np.sqrt(weight @ (X - mean) ** 2)
