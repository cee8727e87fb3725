"""From counts to preferences, with the confidences of implicit feedback."""

import numpy as np


def preferences(codes, counts, weight, confidence):
    """The pairs with positive counts, each once, and the excesses of their confidences.

    Parameters
    ----------
    codes : ndarray of int of shape (n_observations, 2)
    counts : ndarray of shape (n_observations,)
        Counts of a pair that occurs several times are added.
    weight : ndarray of shape (n_observations,) or None
        Multiplies the counts.
    confidence : float
        The excess of the confidence for a count of 1.

    Returns
    -------
    codes : ndarray of int of shape (n_pairs, 2)
        In ascending order.
    excess : ndarray of shape (n_pairs,)

    Raises
    ------
    ValueError
        If a count is negative.
    """
    if counts.min(initial=0) < 0:
        raise ValueError(f"Counts of implicit feedback must not be negative, got {counts.min():g}.")
    counts = counts if weight is None else counts * weight
    codes, counts = codes[counts > 0], counts[counts > 0]
    width = int(codes[:, 1].max(initial=0)) + 1
    keys, place = np.unique(codes[:, 0] * width + codes[:, 1], return_inverse=True)
    excess = confidence * np.bincount(place, counts)
    return np.column_stack(np.divmod(keys, width)), excess.astype(counts.dtype)
