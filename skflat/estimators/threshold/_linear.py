"""The part that perceptrons with binary weights and with real weights share."""

from abc import ABC, abstractmethod
from numbers import Real

import numpy as np

from ..._compat import Interval
from ._fit import ThresholdClassifier


class LinearThresholdClassifier(ThresholdClassifier, ABC):
    """Base of perceptrons: one row of weights and one threshold for each one-vs-rest problem.

    A subclass finds them in `_find`.
    """

    _parameter_constraints: dict = {
        **ThresholdClassifier._parameter_constraints,
        "margin": [Interval(Real, None, None, closed="neither")],
    }

    def _learn(self, X, targets, weight, given, known):
        weights, thresholds = self._find(X, targets, weight, given, known)
        self.__dict__.update(self._attributes(weights, thresholds))

    def _learn_part(self, X, targets, weight, given, known):
        weights, thresholds = self._find_in_part(X, targets, weight, given, known)
        self.__dict__.update(self._attributes(weights, thresholds))

    @abstractmethod
    def _find(self, X, targets, weight, given, known):
        """Find the weights and thresholds of all one-vs-rest problems.

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

        Returns
        -------
        weights : ndarray of shape (n_problems, n_features)
        thresholds : ndarray of shape (n_problems,)
        """

    @abstractmethod
    def _find_in_part(self, X, targets, weight, given, known):
        """The same by one pass over a part of the rows."""

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
