"""The unit in which a factorization is fitted."""

import numpy as np

from ...models.factorization import parts, sums_by_code, taken_off

N_TURNS = 5  # each turn fits the offsets of every kind once
RIDGE = 0.3  # less than one observation, but large enough for these turns to converge


def unit_of(codes, y, weight=None, fit_offsets=True):
    """Root mean square of the residuals of offsets, which the factors have to explain.

    Every value is compared with offsets that are fitted to all other values. Without offsets, and
    if all values are equal, it is the root mean square of the values themselves. If all are 0, it
    is 1. The unit of ``c y`` is ``c`` times the unit of ``y``. If weights are so uneven that the
    residuals are below the rounding of the largest value, the unit is that value.

    Parameters
    ----------
    codes : ndarray of int of shape (n, n_kinds)
        Codes of the identifiers.
    y : ndarray of shape (n,)
        Observed values.
    weight : ndarray of shape (n,), default=None
        Weights of the observations.
    fit_offsets : bool, default=True
        Whether the model has offsets.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the square of the unit is not finite in the dtype of ``y``, because losses are squares.
    """
    largest = float(np.abs(y).max())
    if largest == 0:
        return 1.0
    rest = y.astype(float) / largest  # squares of the quotients cannot overflow
    if fit_offsets and y.min() < y.max():
        rest = _left_out(codes, rest - np.average(rest, weights=weight), weight)
    unit = largest * float(np.sqrt(np.average(rest**2, weights=weight)))
    if unit > np.sqrt(np.finfo(y.dtype).max):
        raise ValueError(
            f"The values of y deviate by {unit:.3g}, whose square is not finite as {y.dtype}. "
            "The input data may contain large values and need to be preprocessed."
        )
    if unit <= np.finfo(y.dtype).eps * largest:  # by their weights the values are equal
        return max(largest, np.finfo(float).tiny)
    return max(unit, np.finfo(float).tiny)  # the smallest number with a finite inverse


def _left_out(codes, rest, weight):
    """Leave-one-out residuals of a ridge regression on offsets.

    An ordinary residual is ``1 / (1 + 1 / (n - 1 + ridge))`` times the leave-one-out residual, if
    its offset has ``n`` observations. This is exact for offsets of one kind, and for a single
    observation. A weight above 1 stands for repetitions, and one of them is left out.
    """
    columns = codes.T
    counts = [np.bincount(column, weight) for column in columns]
    offsets = [np.zeros(len(count)) for count in counts]
    # Block coordinate descent: one kind of offsets after the other, in closed form.
    for column, count, b in list(zip(columns, counts, offsets, strict=True)) * N_TURNS:
        sums = sums_by_code(column, rest, weight, len(b))
        step = (sums - RIDGE * b) / (count + RIDGE)
        b += step
        taken_off(rest, step, column)
    for part in parts(len(rest)):
        one = 1.0 if weight is None else np.minimum(weight[part], 1)
        others = (n.take(column[part]) for n, column in zip(counts, columns, strict=True))
        rest[part] *= 1 + sum(one / (n - one + RIDGE) for n in others)
    return rest
