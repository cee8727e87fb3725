"""Messages at zero temperature from a row of signs to its weights."""

import numpy as np


def max_sum_messages(a, needed):
    """The max-sum message from each row to each of its weights.

    Let ``M(s)`` be the greatest sum ``sum_j a_j s_j`` over the alignments ``s_j`` in {-1, +1} of
    all other weights, if the weight's own alignment is ``s`` and at least ``needed`` of all
    alignments are +1. The message is ``(M(+1) - M(-1)) / 2``. It is the size of the last field that
    has to be reversed.

    Parameters
    ----------
    a : ndarray of shape (n_rows, n_weights)
        Cavity fields times the entries of the row.
    needed : int
        Alignments that satisfy a row, at most ``n_weights - 1``.

    Returns
    -------
    ndarray of shape (n_rows, n_weights)
    """
    if a.shape[1] == 1:  # a single weight decides its row alone: every row has one vote
        return np.ones_like(a)
    against = a <= 0
    cost = np.where(against, -a, np.inf)
    lacking = needed - np.count_nonzero(~against, axis=1)
    # The cheapest ``lacking`` fields are reversed. So one sort per row gives all messages, in
    # ``n log n`` instead of ``n^2``.
    ordered = np.sort(cost, axis=1)
    last, further = (_ordered(ordered, lacking + extra) for extra in (0, 1))
    # If a weight is itself among those to reverse, the next one takes its place.
    of_against = np.where((cost <= last) & (lacking > 0)[:, None], further, last)
    return np.where(against, of_against, further)


def _ordered(ordered, count):
    """The ``count``-th smallest cost of every row, as a column; 0 if ``count`` is not positive."""
    found = np.take_along_axis(ordered, np.maximum(count - 1, 0)[:, None], axis=1)
    return np.where(count[:, None] > 0, found, 0)
