"""The best threshold for given fields."""

import numpy as np

ROUNDING = 8  # times the precision of the greatest: what ends that are equal may differ by


def best_threshold(fields, positive, bar=0.0, weight=1.0):
    """The threshold that leaves the fewest rows short of the bar.

    A positive row wants ``field + threshold`` to exceed the bar, any other row ``-bar`` to exceed
    it. Of all intervals that are equally good the widest is taken, and its middle.

    Parameters
    ----------
    fields : ndarray of shape (n_rows,)
    positive : ndarray of bool of shape (n_rows,)
    bar : float, default=0.0
    weight : ndarray of shape (n_rows,), default=1.0
        How much every row counts.

    Returns
    -------
    float
    """
    ends, violated, is_interval = _intervals(fields, positive, bar, weight)
    reach = max(1.0, float(ends[-1] - ends[0]))
    edges = np.concatenate([[ends[0] - reach], ends, [ends[-1] + reach]])
    widths = np.diff(edges)
    widths[[0, -1]] /= 2  # without an end on the other side, these are as wide as one likes
    candidates = np.flatnonzero(is_interval & (violated == violated[is_interval].min()))
    best = candidates[np.argmax(widths[candidates])]
    return float((edges[best] + edges[best + 1]) / 2)


def least_violated(fields, positive, bar=0.0, weight=1.0):
    """Rows that `best_threshold` leaves short of the bar: no more than those of either class."""
    _, violated, is_interval = _intervals(fields, positive, bar, weight)
    return violated[is_interval].min().item()


def winning_threshold(scores, targets, k, weight=1.0):
    """What to add to the scores of class ``k`` so that the greatest scores err the least.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
    targets : ndarray of shape (n_rows, n_classes)
        1 for the class of the row, 0 for all others.
    k : int
    weight : ndarray of shape (n_rows,), default=1.0

    Returns
    -------
    float
    """
    rows, others = np.arange(len(scores)), scores.astype(float)
    others[:, k] = -np.inf
    rival = others.argmax(axis=1)
    mine = targets[:, k] > 0
    matters = mine | (targets[rows, rival] > 0)  # the others are wrong in any case
    lead = scores[:, k] - others[rows, rival]
    weight = weight if np.ndim(weight) == 0 else weight[matters]
    return best_threshold(lead[matters], mine[matters], weight=weight)


def _intervals(fields, positive, bar, weight):
    """Sorted ends of intervals of the threshold, what is violated in each, and which are any."""
    # Going up, the threshold passes where one positive row more, or one other row less, is right.
    ends = np.where(positive, bar, -bar) - fields
    order = ends.argsort()
    ends = ends[order]
    changes = np.where(positive, -1, 1)
    if np.ndim(weight):
        changes = changes * weight
    violated = np.empty(len(ends) + 1, changes.dtype)
    violated[0] = -changes[positive].sum()
    changes[order].cumsum(out=violated[1:])
    violated[1:] += violated[0]
    # A step between equal ends is no interval.
    is_interval = np.ones(len(violated), bool)
    equal = ROUNDING * np.finfo(fields.dtype).eps * max(abs(ends[0]), abs(ends[-1]))
    np.greater(ends[1:] - ends[:-1], equal, out=is_interval[1:-1])
    return ends, violated, is_interval
