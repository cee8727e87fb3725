"""Cross-entropy of stabilities."""

import autograd.numpy as anp
import numpy as np
from scipy.special import expit

from ...objective import ClassLoss


class StabilityLoss(ClassLoss):
    """``log(1 + exp(gain (margin - t F))) / gain``, summed over the outputs of a row.

    ``t`` is the label of an output, -1 or +1, and ``F`` is its score. As the gain grows, the loss
    tends to the hinge loss ``max(0, margin - t F)``. Predictions are the scores themselves.

    Parameters
    ----------
    gain : float, default=1.0
        Steepness of the cross-entropy.
    margin : float, default=0.0
        Stability that every row should reach.

    Notes
    -----
    Targets have shape (n_rows, n_outputs) and are 0 or 1. With several outputs the output with the
    greatest score is the predicted class.
    """

    def __init__(self, gain=1.0, margin=0.0):
        self.gain = float(gain)
        self.margin = float(margin)

    def per_sample(self, F, y):
        gap = self.gain * (self.margin - (2 * y - 1) * F)
        # ``logaddexp`` does not overflow for rows that are far on the wrong side.
        return anp.sum(anp.logaddexp(0.0, gap), axis=1) / self.gain

    def slopes(self, F, y):
        """First and second derivative in every score."""
        t = 2 * y - 1
        p = expit(self.gain * (self.margin - t * F))
        return -t * p, self.gain * p * (1 - p)

    def third(self, F, y):
        """Third derivative in every score."""
        t = 2 * y - 1
        p = expit(self.gain * (self.margin - t * F))
        return -t * self.gain**2 * p * (1 - p) * (1 - 2 * p)

    def predict(self, F):
        return F

    def as_reported(self, P, y):
        return self.per_sample(P, y)

    def residual(self, P, y):
        return self.slopes(P, y)[0]

    def hvp(self, P, R, y):
        return self.slopes(P, y)[1] * R

    def errors(self, F, y):
        if F.shape[1] == 1:
            return (F > 0)[:, 0] != (y > 0)[:, 0]
        return F.argmax(axis=1) != y.argmax(axis=1)

    def margins(self, F, y):
        if F.shape[1] == 1:
            return np.ravel((2 * y - 1) * F)
        # Each row has one target 1, so the mask selects one score per row, in order.
        rival = np.where(y > 0, -np.inf, F).max(axis=1)
        return F[y > 0] - rival

    def constant_loss(self, batch):
        share = np.average(batch.y, axis=0, weights=batch.weight)
        shares, best = np.array([share, 1 - share]), self._best_constant(share)
        gaps = self.gain * (self.margin - np.array([[1.0], [-1.0]]) * best)
        # If a class is empty, the best constant is infinite and the empty class costs nothing.
        losses = np.logaddexp(0.0, np.where(shares > 0, gaps, 0.0))
        return float((shares * losses).sum() / self.gain)

    def _best_constant(self, share):
        """The constant with derivative 0. It solves a quadratic equation in ``exp(gain F)``."""
        # In logarithms, because the exponentials may overflow. All terms are positive, so nothing
        # cancels. By symmetry it is solved for the rarer class, and the sign is added at the end.
        rare = np.minimum(share, 1 - share)
        with np.errstate(divide="ignore"):
            half = self.gain * self.margin + np.log(0.5 - rare)
            root = np.logaddexp(2 * half, np.log(rare * (1 - rare))) / 2
            size = (np.logaddexp(root, half) - np.log(rare)) / self.gain
        return np.where(share < 0.5, -size, size)
