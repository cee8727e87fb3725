"""The best threshold for given fields."""

import numpy as np

ROUNDING = 8  # equal ends may differ by this many times the precision of the largest


def best_threshold(fields, positive, bar=0.0, weight=1.0):
    """The threshold that violates the fewest rows.

    For a positive row ``field + threshold`` must exceed the bar. For any other row it must be less
    than ``-bar``. Several intervals may be equally good. The result is the middle of the widest of
    them.

    Parameters
    ----------
    fields : ndarray of shape (n_rows,)
        Fields without the threshold.
    positive : ndarray of bool of shape (n_rows,)
        Whether the label of a row is +1.
    bar : float, default=0.0
        The least field.
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
    widths[[0, -1]] /= 2  # these two are unbounded, and an interval between rows is preferred
    candidates = np.flatnonzero(is_interval & (violated == violated[is_interval].min()))
    best = candidates[np.argmax(widths[candidates])]
    return float((edges[best] + edges[best + 1]) / 2)


def least_violated(fields, positive, bar=0.0, weight=1.0):
    """Number of rows that `best_threshold` violates, or the sum of their weights.

    It is at most the size of the rarer class.
    """
    _, violated, is_interval = _intervals(fields, positive, bar, weight)
    return violated[is_interval].min().item()


def least_violated_of_each(fields, positive, bar=0.0, weight=1.0):
    """The result of `least_violated` for every problem, by one sort of all of them.

    Parameters
    ----------
    fields, positive : ndarray of shape (n_problems, n_rows)
    bar, weight
        As in `best_threshold`.

    Returns
    -------
    ndarray of shape (n_problems,)
    """
    ends = np.where(positive, bar, -bar) - fields
    order = ends.argsort(axis=1)
    ends = np.take_along_axis(ends, order, axis=1)
    changes = np.where(positive, -1, 1) * weight
    below = -changes.sum(axis=1, where=positive)
    above = below[:, None] + np.take_along_axis(changes, order, axis=1).cumsum(axis=1)
    size = np.maximum(np.abs(ends[:, 0]), np.abs(ends[:, -1]))
    equal = ROUNDING * np.finfo(fields.dtype).eps * size[:, None]
    # The last interval is one in any case.
    is_interval = np.full(ends.shape, True)
    np.greater(ends[:, 1:] - ends[:, :-1], equal, out=is_interval[:, :-1])
    return np.minimum(below, above.min(axis=1, where=is_interval, initial=np.inf)).astype(
        changes.dtype
    )


def winning_threshold(scores, targets, k, weight=1.0):
    """The number to add to the scores of class ``k`` so that the fewest rows are wrong.

    The predicted class is the class with the greatest score.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
    targets : ndarray of shape (n_rows, n_classes)
        1 for the class of the row, 0 for all others.
    k : int
        The class whose scores change.
    weight : ndarray of shape (n_rows,), default=1.0
        How much every row counts.

    Returns
    -------
    float
    """
    rows, others = np.arange(len(scores)), scores.astype(float)
    others[:, k] = -np.inf
    rival = others.argmax(axis=1)
    mine = targets[:, k] > 0
    matters = mine | (targets[rows, rival] > 0)  # all other rows are wrong in any case
    lead = scores[:, k] - others[rows, rival]
    weight = weight if np.ndim(weight) == 0 else weight[matters]
    return best_threshold(lead[matters], mine[matters], weight=weight)


def _intervals(fields, positive, bar, weight):
    """Intervals of the threshold between which the number of violated rows changes.

    Returns
    -------
    ends : ndarray of shape (n_rows,)
        Sorted ends of the intervals.
    violated : ndarray of shape (n_rows + 1,)
        Number of violated rows in each interval, or the sum of their weights.
    is_interval : ndarray of bool of shape (n_rows + 1,)
        False for intervals of length 0, up to rounding.
    """
    # At each end, a rising threshold makes one more positive row right, or one other row wrong. So
    # one sort and one cumulative sum count all intervals.
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
    # Between equal ends there is no interval.
    is_interval = np.ones(len(violated), bool)
    equal = ROUNDING * np.finfo(fields.dtype).eps * max(abs(ends[0]), abs(ends[-1]))
    np.greater(ends[1:] - ends[:-1], equal, out=is_interval[1:-1])
    return ends, violated, is_interval
