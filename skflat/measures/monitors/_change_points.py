"""Where a curve changes: the breaks of its best piecewise linear fit."""

from numbers import Integral

import numpy as np

#: Points of a piece. Two would fit any line.
SHORTEST = 3


def change_points(values, at=None, *, most=3):
    """Places at which a curve changes its level or its slope.

    Straight pieces that need not meet are fitted by least squares, for every number of pieces by
    dynamic programming. The number with the least Bayesian information criterion is taken: with
    ``k`` pieces, ``n`` points and the mean squared residual ``r`` it is ``n log r +
    (3 k - 1) log n``, since a piece has two coefficients and a break its place.

    Parameters
    ----------
    values : array-like of shape (n_points,)
        Points that are NaN are left out.
    at : array-like of shape (n_points,), default=None
        Where the points are, increasing. None is 0, 1, 2 and so on.
    most : int, default=3
        Largest number of change points, at least 0.

    Returns
    -------
    ndarray of shape (n_changes,)
        The places ``at`` which new pieces begin.

    Raises
    ------
    ValueError
        If ``most`` is no integer of at least 0, if the shapes differ, or if ``at`` does not
        increase.

    Notes
    -----
    The cost is the square of the number of points for every change point. A smooth bend is no line,
    so it is cut into pieces, too, as far as noise does not hide it.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.measures import change_points
    >>> x = np.arange(30)
    >>> change_points(np.where(x < 12, 1.0, 4.0 - 0.1 * x)).tolist()
    [12]
    """
    values = np.asarray(values, dtype=float)
    at = np.arange(len(values)) if at is None else np.asarray(at)
    if not (isinstance(most, Integral) and most >= 0):
        raise ValueError(f"most must be an integer >= 0, got {most!r}.")
    if values.ndim != 1 or at.shape != values.shape or (np.diff(at) <= 0).any():
        raise ValueError(f"at must increase and have the shape of values, got {at!r}.")
    known = np.isfinite(values)
    values, at = values[known], at[known]
    n = len(values)
    if n < 2 * SHORTEST:
        return at[:0]
    residuals, breaks = _best_pieces(_residuals(at.astype(float), values), most + 1)
    # Rounding must not pay for a piece: a fit to a millionth of the deviations is exact.
    least = max(1e-12 * np.sum((values - values.mean()) ** 2), np.finfo(float).tiny)
    pieces = np.arange(1, len(residuals) + 1)
    criterion = n * np.log(np.maximum(residuals, least)) + (3 * pieces - 1) * np.log(n)
    return at[breaks[int(np.argmin(criterion))]]


def _residuals(x, y):
    """Sum of squares that a line leaves of the points from i to j, infinite where they are few."""
    n = len(y)
    found = np.full((n, n), np.inf)
    for i in range(n - SHORTEST + 1):
        # Sums from i on, around the first point, so that they lose no digits.
        dx, dy, count = x[i:] - x[i], y[i:] - y[i], np.arange(1, n - i + 1)
        sx, sy = np.cumsum(dx), np.cumsum(dy)
        xx = np.cumsum(dx * dx) - sx * sx / count
        xy = np.cumsum(dx * dy) - sx * sy / count
        yy = np.cumsum(dy * dy) - sy * sy / count
        left = yy - xy**2 / np.where(xx > 0, xx, 1.0)
        found[i, i + SHORTEST - 1 :] = np.maximum(left, 0.0)[SHORTEST - 1 :]
    return found


def _best_pieces(residuals, most):
    """For 1, 2, ... pieces: the least sum of squares, and the first points of all later pieces."""
    n = len(residuals)
    best, starts = residuals[0], [np.zeros(n, int)]
    totals, breaks = [best[-1]], [[]]
    for _ in range(1, min(most, n // SHORTEST)):
        # ``ways[i, j]``: the last piece goes from i to j, and what is before i is cut at best.
        ways = np.concatenate([[np.inf], best[:-1]])[:, None] + residuals
        starts.append(ways.argmin(axis=0))
        best = ways.min(axis=0)
        totals.append(best[-1])
        breaks.append(_traced(starts))
    return np.array(totals), breaks


def _traced(starts):
    """The first points of the pieces, from the last one back."""
    end, found = len(starts[0]) - 1, []
    for choice in starts[:0:-1]:
        found.append(int(choice[end]))
        end = found[-1] - 1
    return found[::-1]
