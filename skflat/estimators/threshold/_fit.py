"""The part that perceptrons and committees share: validation, scaling, decision, warnings."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import Interval
from ...solvers import spawn_generator
from .._labels import sorted_labels
from .._pipeline import FlatEstimator
from ._outcome import shortcomings


class ThresholdClassifier(ClassifierMixin, FlatEstimator):
    """Base of all classifiers made of threshold units."""

    _parameter_constraints: dict = {
        "scale": ["boolean"],
        "fit_intercept": ["boolean"],
        "measures": ["array-like", None],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    #: Whether the weights are in {-1, +1}. They then come from a search, which may fail.
    _has_bits = False
    #: Estimators to try if this one does not fit the data.
    _alternatives: tuple = ()

    def _prepare(self, X, y):
        """Validate the data, and set the attributes that every fit sets first."""
        self._check_measures()
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        self.classes_ = sorted_labels(y)
        check_classification_targets(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {self.classes_[0]!r}."
            )
        self._random_state = check_random_state(self.random_state)
        self._measure_seed = int(spawn_generator(self._random_state).integers(2**31))
        self._forget_measurements()
        return X, y

    def _scaled(self, X):
        """Learn the scale of the features and apply it. Constant features become 0."""
        n_features, dtype = X.shape[1], X.dtype
        self.mean_, self.scale_ = np.zeros(n_features, dtype), np.ones(n_features, dtype)
        if not self.scale:
            return X
        # Each column is first divided by a power of two, which is exact. Then its squares neither
        # overflow nor underflow.
        exponents = np.frexp(np.abs(X).max(axis=0))[1]
        unit = np.ldexp(X, -exponents)
        mean, spread = unit.mean(axis=0), unit.std(axis=0)
        # The deviation of a constant column is not 0 but a rounding error of its mean.
        constant = spread <= 10 * np.finfo(dtype).eps * np.abs(unit).max(axis=0)
        scale = np.ldexp(spread, exponents)
        constant |= scale < np.finfo(dtype).tiny  # a division by it would overflow
        self.mean_ = np.ldexp(mean, exponents)
        self.scale_ = np.where(constant, 1, scale).astype(dtype, copy=False)
        X = (X - self.mean_) / self.scale_
        X[:, constant] = 0
        return X

    def _finish(self, X, y):
        """Count the errors, warn if something has not been learnt, and measure."""
        predicted = self._decided(self._scores(X))
        self.n_errors_ = int(np.count_nonzero(predicted != y))
        if message := shortcomings(self, y, predicted):
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        if self.measures is not None:
            self._measure(self.measures, X, y, None, after_fit=True)
        return self

    def decision_function(self, X):
        """The scores of each row. A positive score is in favour of the class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, a positive score is in favour of ``classes_[1]``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self.thresholds_.dtype, reset=False)
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """The predicted class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        return self._decided(scores[:, None] if scores.ndim == 1 else scores)

    def _decided(self, scores):
        """The classes with the greatest scores."""
        one = scores.shape[1] == 1
        return self.classes_[(scores[:, 0] > 0).astype(int) if one else scores.argmax(axis=1)]
