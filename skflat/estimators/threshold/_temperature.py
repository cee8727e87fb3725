"""From the scores of threshold units to probabilities: one number, fitted to the training rows."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

# Bounds of the inverse temperature, for scores whose typical distance in a row is 1.
LEAST, MOST = 1e-3, 1e3
CERTAIN = 0.99  # the probability of a row's class; all classes share the rest equally


def log_probabilities(scores, temperature):
    """Logarithms of the probabilities of all classes, in the order of the scores."""
    return log_softmax(_logits(scores) / temperature, axis=1)


def best_temperature(scores, targets, weight):
    """The temperature that makes the training rows most probable.

    No row counts as certain (`CERTAIN`), so the temperature stays positive if all rows are right.
    Platt's rule depends on the number of rows. This rule depends only on the ratios of the weights,
    and a row of weight 2 is the same as two rows.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_problems)
    targets : ndarray of shape (n_rows, n_problems)
        1 for the class of the row and 0 for all others.
    weight : ndarray of shape (n_rows,) or None

    Returns
    -------
    float
        1 if no scores differ.
    """
    logits, is_class = _logits(scores.astype(float)), _indicators(targets)
    weight = np.ones(len(logits)) if weight is None else weight
    weight = weight / weight.sum(dtype=float)
    smooth = CERTAIN * is_class + (1 - CERTAIN) / is_class.shape[1]
    unit = float(weight @ np.ptp(logits, axis=1))
    if unit == 0:
        return 1.0
    logits = logits / unit

    def excess(coldness):
        """How much greater the mean score is by the probabilities than by the classes."""
        P = softmax(coldness * logits, axis=1)
        return float(weight @ ((P - smooth) * logits).sum(axis=1))

    # It increases with the coldness, as the loss is convex.
    if excess(LEAST) >= 0:
        return unit / LEAST
    return unit / (brentq(excess, LEAST, MOST, xtol=1e-14) if excess(MOST) > 0 else MOST)


def _logits(scores):
    """A score for each class. With two classes, the score of the first one is 0."""
    return np.pad(scores, ((0, 0), (1, 0))) if scores.shape[1] == 1 else scores


def _indicators(targets):
    """1 for the class of each row."""
    targets = targets.astype(float)
    return np.column_stack([1 - targets, targets]) if targets.shape[1] == 1 else targets
