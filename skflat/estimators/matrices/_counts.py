"""From counts to preferences, with the confidences of implicit feedback."""

import numpy as np

from ...models.factorization import rows_by_code


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
        If a count is negative, or if the square of the sum of the excesses is not finite in the
        dtype of the counts, because losses and their sums are of that size.
    """
    if counts.min(initial=0) < 0:
        raise ValueError(f"Counts of implicit feedback must not be negative, got {counts.min():g}.")
    counts = counts if weight is None else counts * weight
    if not (counts > 0).all():
        codes, counts = codes[counts > 0], counts[counts > 0]
    if not confidence * counts.sum(dtype=float) < np.sqrt(np.finfo(counts.dtype).max):
        raise ValueError(
            f"confidence={confidence:g} is too large for counts with the sum {counts.sum():g}: the "
            f"square of their product is not finite as {counts.dtype}."
        )
    order = _in_order(codes)
    codes, counts = codes[order], counts[order]
    is_new = np.append(True, (codes[1:] != codes[:-1]).any(axis=1))[: len(codes)]
    excess = confidence * np.bincount(np.cumsum(is_new) - 1, counts)
    return codes[is_new], excess.astype(counts.dtype)


def _in_order(codes):
    """The rows by the first code, and of equal ones by the second."""
    sizes = codes.max(axis=0, initial=-1) + 1
    by_second = rows_by_code(codes[:, 1], sizes[1])
    return by_second[rows_by_code(codes[by_second, 0], sizes[0])]
