"""The part that perceptrons with binary weights and with real weights share."""

from abc import ABC, abstractmethod
from numbers import Real

import numpy as np

from ..._compat import Interval, fit_context
from ...problems import one_vs_rest
from .._pipeline import all_or_nothing
from ._fit import ThresholdClassifier


class LinearThresholdClassifier(ThresholdClassifier, ABC):
    """Base of perceptrons: one row of weights and one threshold for each one-vs-rest problem.

    A subclass finds them in `_find`.
    """

    _parameter_constraints: dict = {
        **ThresholdClassifier._parameter_constraints,
        "margin": [Interval(Real, None, None, closed="neither")],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Find the weights, and measure them unless ``measures=None``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels.

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
            X, y = self._prepare(X, y)
            rows, targets = self._scaled(X), one_vs_rest(y, self.classes_, X.dtype)
            weights, thresholds = self._find(rows, targets, (X, y))
            self.__dict__.update(self._attributes(weights, thresholds))
            self.n_violated_ = self._violated(rows, targets)
            return self._finish(X, y)

    @abstractmethod
    def _find(self, X, targets, given):
        """Find the weights and thresholds of all one-vs-rest problems.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            The scaled features.
        targets : ndarray of shape (n_rows, n_problems)
            The targets, 0 or 1.
        given : tuple of X and y
            The validated data before scaling, for callbacks.

        Returns
        -------
        weights : ndarray of shape (n_problems, n_features)
        thresholds : ndarray of shape (n_problems,)
        """

    def _attributes(self, weights, thresholds):
        """The attributes of the classifier, for the scaled features and for the given ones."""
        coef = weights / self.scale_
        return {
            "weights_": weights,
            "thresholds_": thresholds,
            "coef_": coef,
            "intercept_": thresholds - coef @ self.mean_,
        }

    def _bar(self, n_features):
        """The margin in units of the field, which ``t (w @ x + b)`` must reach."""
        bar = self.margin * np.sqrt(n_features)
        # Fields of binary patterns are integers. Without this slack, rounding could make a margin
        # of k / sqrt(n) require more than k.
        return bar - 1e-12 * abs(bar)

    def _violated(self, X, targets):
        fields = (2 * targets - 1) * (X @ self.weights_.T + self.thresholds_)
        bar = self._bar(X.shape[1])
        # At margin 0 a field of exactly 0 decides nothing, so it counts as violated.
        return np.count_nonzero(fields <= 0 if bar == 0 else fields < bar, axis=0)

    def _scores(self, X):
        return X @ self.coef_.T + self.intercept_
