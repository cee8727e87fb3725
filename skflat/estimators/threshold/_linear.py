"""What perceptrons with binary and with real weights share."""

from abc import ABC, abstractmethod
from numbers import Real

import numpy as np

from ..._compat import Interval
from ._fit import ThresholdClassifier


class LinearThresholdClassifier(ThresholdClassifier, ABC):
    """Base of perceptrons: one row of weights and one threshold for each one-vs-rest problem.

    A subclass says in `_find` how it comes to them.
    """

    _parameter_constraints: dict = {
        **ThresholdClassifier._parameter_constraints,
        "margin": [Interval(Real, None, None, closed="neither")],
    }

    def _learn(self, X, targets, given):
        weights, thresholds = self._find(X, targets, given)
        self.__dict__.update(self._attributes(weights, thresholds))
        self.n_violated_ = self._violated(X, targets)

    @abstractmethod
    def _find(self, X, targets, given):
        """Weights and thresholds of all one-vs-rest problems.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            The scaled features.
        targets : ndarray of shape (n_rows, n_problems)
            0 or 1.
        given : tuple of X, y and sample_weight
            The validated data as they are.

        Returns
        -------
        weights : ndarray of shape (n_problems, n_features)
        thresholds : ndarray of shape (n_problems,)
        """

    def _attributes(self, weights, thresholds):
        """What describes the classifier, in the scaled features and in those given."""
        coef = weights / self.scale_
        return {
            "weights_": weights,
            "thresholds_": thresholds,
            "coef_": coef,
            "intercept_": thresholds - coef @ self.mean_,
        }

    def _bar(self, n_features):
        """What ``t (w @ x + b)`` must reach: the margin in units of the field."""
        bar = self.margin * np.sqrt(n_features)
        return bar - 1e-12 * abs(bar)  # or a margin of k / sqrt(n) might ask for more than k

    def _violated(self, X, targets):
        fields = (2 * targets - 1) * (X @ self.weights_.T + self.thresholds_)
        bar = self._bar(X.shape[1])
        return np.count_nonzero(fields <= 0 if bar == 0 else fields < bar, axis=0)

    def _scores(self, X):
        return X @ self.coef_.T + self.intercept_
