"""The unit in which a factorization is fitted."""

import numpy as np

N_TURNS = 5  # of the offsets of every kind
RIDGE = 0.3  # on them: small beside one observation, and large enough for these turns to suffice


def unit_of(codes, y, weight=None, fit_offsets=True):
    """Root mean square of what is left for factors to explain: what offsets do not.

    Every value is compared with offsets that are fitted to all others. Without offsets, and where
    all values are the same, it is that of the values themselves; 1 where all are 0. It is ``c``
    times as large for ``c y``.

    Parameters
    ----------
    codes : ndarray of int of shape (n, n_kinds)
    y : ndarray of shape (n,)
    weight : ndarray of shape (n,), default=None
    fit_offsets : bool, default=True

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the square of it is not finite in the dtype of ``y``: losses are squares.
    """
    largest = float(np.abs(y).max())
    if largest == 0:
        return 1.0
    rest = y.astype(float) / largest  # nothing overflows, and nothing is lost
    if fit_offsets and y.min() < y.max():
        rest = _left_out(codes, rest - np.average(rest, weights=weight), weight)
    unit = largest * float(np.sqrt(np.average(rest**2, weights=weight)))
    if unit > np.sqrt(np.finfo(y.dtype).max):
        raise ValueError(
            f"The values of y deviate by {unit:.3g}, whose square is not finite as {y.dtype}. "
            "The input data may contain large values and need to be preprocessed."
        )
    return max(unit, np.finfo(float).tiny)  # whose inverse is finite


def _left_out(codes, rest, weight):
    """Residuals of offsets by ridge regression, each as if its own value had been left out.

    That is exact for offsets of one kind, of which ``n`` observations leave the share
    ``1 / (1 + 1 / (n - 1 + ridge))`` of it, and for an observation alone. Of a weight above 1,
    which stands for repetitions, one is left out.
    """
    one = 1.0 if weight is None else np.minimum(weight, 1)
    columns = list(np.ascontiguousarray(codes.T))
    counts = [np.bincount(column, weight) for column in columns]
    offsets = [np.zeros(len(count)) for count in counts]
    for column, count, b in list(zip(columns, counts, offsets, strict=True)) * N_TURNS:
        sums = np.bincount(column, rest if weight is None else weight * rest)
        step = (sums - RIDGE * b) / (count + RIDGE)
        b += step
        rest -= step.take(column)
    others = [n.take(column) - one + RIDGE for n, column in zip(counts, columns, strict=True)]
    return rest * (1 + sum(one / n for n in others))
