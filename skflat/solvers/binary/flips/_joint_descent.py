"""Descent by flips of the log-loss of all classes together."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from ...._parallel import warn_or_raise

SWEEPS = 20  # usually 5 to 10 are enough
ENTRIES = 1 << 17  # of the rows at a time, so that arrays stay in the cache
CERTAIN = 0.99  # the target of a row's class; all classes share the rest, so scores stay bounded
COLDNESS = 1e-3, 1e6  # bounds, for scores of which the largest is 1
LONGEST = 700.0  # the exponential of more overflows
LEAST = 1e-12  # a flip that improves the mean loss by less is rounding


def joint_descent(X, targets, weights, thresholds, counts=1.0, fit_intercept=True):
    """Improve weights in {-1, +1} of one-vs-rest problems for the classifier that they form.

    A problem alone counts violated rows. If classes are many, the best that it can do is often to
    reject every row. The classifier takes the class with the greatest score, so it needs scores
    that can be compared. They are the logits of a softmax, which has one temperature for all
    classes. A sweep fits the temperature and the thresholds, and then flips the weights of one
    class after the other if that lowers the log-loss of the training rows. It ends if no flip does.

    A sweep costs about two products with the rows for each class.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows, n_classes)
        1 for the class of the row, 0 for all others.
    weights : ndarray of shape (n_classes, n_features)
        Where the descent begins.
    thresholds : ndarray of shape (n_classes,)
    counts : ndarray of shape (n_rows,), default=1.0
        How much every row counts.
    fit_intercept : bool, default=True
        Whether there are thresholds.

    Returns
    -------
    weights : ndarray of shape (n_classes, n_features)
    thresholds : ndarray of shape (n_classes,)
        Those given, if the classifier that they form is wrong in fewer rows.
    """
    joint = _Joint(X, targets, weights, thresholds, counts, fit_intercept)
    try:
        for _ in range(SWEEPS):
            joint.calibrate()
            if not any([joint.sweep(k) for k in range(len(weights))]):
                break
    except KeyboardInterrupt:
        warn_or_raise("Training interrupted by user.", stacklevel=4)
    joint.calibrate()
    found = joint.weights.astype(X.dtype), joint.thresholds.astype(X.dtype)
    given = weights, thresholds
    return min(given, found, key=lambda each: n_wrong(X, targets, *each, counts))


def n_wrong(X, targets, weights, thresholds, counts=1.0):
    """Number of rows in which another class has the greatest score, or the sum of their weights.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows, n_classes)
        As in `joint_descent`.
    weights : ndarray of shape (n_classes, n_features)
    thresholds : ndarray of shape (n_classes,)
    counts : float or ndarray of shape (n_rows,), default=1.0

    Returns
    -------
    float
    """
    scores = X @ weights.T + thresholds
    wrong = np.take_along_axis(targets, scores.argmax(axis=1)[:, None], axis=1)[:, 0] == 0
    return (wrong * counts).sum()


class _Joint:
    """The weights, and the logits of all rows."""

    def __init__(self, X, targets, weights, thresholds, counts, fit_intercept):
        self.X, self.weights = X, weights.astype(float)
        self.share = counts / np.sum(counts * np.ones(len(X))) * np.ones(len(X))
        self.smooth = CERTAIN * targets + (1 - CERTAIN) / targets.shape[1]
        self.thresholds, self.fit_intercept = thresholds.astype(float), fit_intercept
        self.coldness = None

    def calibrate(self):
        """Fit the temperature, which is the inverse of ``coldness``, and the thresholds."""
        fields = (self.X @ self.weights.T.astype(self.X.dtype)).astype(float)
        unit = np.abs(fields).max() or 1.0
        fields /= unit
        cold = 1.0 if self.coldness is None else self.coldness * unit
        start = np.append(cold * self.thresholds / unit, cold)

        def loss(at):
            logits = at[-1] * fields + at[:-1]
            value = -self.share @ (self.smooth * log_softmax(logits, axis=1)).sum(axis=1)
            slope = self.share[:, None] * (softmax(logits, axis=1) - self.smooth)
            of_thresholds = slope.sum(axis=0) if self.fit_intercept else 0 * at[:-1]
            return value, np.append(of_thresholds, (slope * fields).sum())

        bounds = [(None, None)] * len(self.weights) + [COLDNESS]
        at = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        self.coldness, self.thresholds = at[-1] / unit, at[:-1] / at[-1] * unit
        self.logits = at[-1] * fields + at[:-1]

    def sweep(self, k):
        """Flip the weights of one class. Return whether any flip has improved the loss."""
        changes = self._changes(k)
        improved = False
        for i in changes.argsort():
            if changes[i] > -LEAST:
                break
            # The flips before have changed the logits.
            rises = -2 * self.coldness * self.weights[k, i] * self.X[:, i].astype(float)
            if self._change(k, slice(None), rises[:, None])[0] < -LEAST:
                self.logits[:, k] += rises
                self.weights[k, i] *= -1
                improved = True
        return improved

    def _changes(self, k):
        """The change of the mean loss by every flip of a weight of class ``k``."""
        size, total = max(1, ENTRIES // self.X.shape[1]), 0.0
        for start in range(0, len(self.X), size):
            rows = slice(start, start + size)
            rises = -2 * self.coldness * self.weights[k] * self.X[rows].astype(float)
            total = total + self._change(k, rows, rises)
        return total

    def _change(self, k, rows, rises):
        """The change of the loss if the logit of class ``k`` rises so in these rows."""
        p = softmax(self.logits[rows], axis=1)[:, [k]]
        growth = np.log1p(p * np.expm1(np.minimum(rises, LONGEST)))
        return self.share[rows] @ (growth - self.smooth[rows][:, [k]] * rises)
