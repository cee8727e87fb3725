"""Where a curve over sizes crosses a level, with an interval from the seeds."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import isotonic_regression

from ._fits import standard_error

# Number of bootstrap samples, and the share of them beyond either end of a 95 % interval.
N_RESAMPLES, OUTSIDE = 500, 0.025


@dataclass(frozen=True)
class Threshold:
    """A size at which a property begins, estimated from fits at several sizes.

    Attributes
    ----------
    size : float
        The threshold, interpolated between two of the sizes in their logarithm. It is NaN if the
        largest size does not reach the threshold, or the smallest size is beyond it.
    low, high : float
        The interval for the threshold. Its ends are sizes that were tried. ``low`` is 0 if the
        threshold may lie below all sizes, ``high`` is infinity if it may lie above all.
    reason : str
        Why there is no size. It is empty if there is one.

    Examples
    --------
    >>> from skflat.experiments import Threshold
    >>> float(Threshold(12.0, 10.0, 20.0))
    12.0
    """

    size: float
    low: float
    high: float
    reason: str = ""

    def __float__(self):
        return float(self.size)


def interpolation(sizes, solved):
    """The size at which half of the seeds find a solution.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
    solved : ndarray of bool, of shape (n_sizes, n_seeds)

    Returns
    -------
    Threshold
        With the two sizes of the ladder around it.
    """
    share = _share(solved)
    at = _first(share >= 0.5)
    ends = _bracket(sizes, at)
    if at == 0:
        why = f"half of the seeds reach zero training error at the smallest size, {sizes[0]:g}"
        return Threshold(np.nan, *ends, f"{why}, already: the ladder begins too high")
    if at == len(sizes):
        why = f"at the largest size, {sizes[-1]:g}, fewer than half of the seeds reach zero"
        return Threshold(np.nan, *ends, f"{why} training error: the ladder ends too low")
    return Threshold(_crossing(sizes, share, 0.5, at), *ends)


def flatness(sizes, solved, energy, fraction, level):
    """The size from which on the mean energy of the solutions is low.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
    solved : ndarray of bool, of shape (n_sizes, n_seeds)
    energy : ndarray of shape (n_sizes, n_seeds)
    fraction : float
        Share of the fall from interpolation to the largest size that may remain.
    level : float or None
        The energy that counts as low, instead of the fraction.

    Returns
    -------
    Threshold
        With the two sizes of the ladder around it.
    """
    start = interpolation(sizes, solved)
    at = _first(_share(solved) >= 0.5)
    if at == len(sizes):
        return start
    beyond = at + np.flatnonzero(solved[at:].any(axis=1))
    solutions = [energy[row, solved[row]] for row in beyond]
    if level is None:
        why = _no_fraction(start, solutions)
        if why:
            return Threshold(np.nan, start.low, np.inf, why)
        last = solutions[-1].mean()
        level = last + fraction * (solutions[0].mean() - last)
        # The largest size is low by definition. Only a second low size shows that the fall is over.
        return _falls_to(level, sizes[beyond], solutions, start, needed=2)
    return _falls_to(level, sizes[beyond], solutions, start, needed=1)


def _no_fraction(start, solutions):
    """Why the fall of the energy is not known well enough. Empty if it is."""
    if start.reason:
        return f"the local energy at interpolation is unknown, as {start.reason}"
    if len(solutions) < 3:
        return "fewer than three sizes of the ladder lie beyond interpolation"
    first, last = solutions[0], solutions[-1]
    if min(len(first), len(last)) < 2:
        return "with a single solution at either end, a fall cannot be told from chance"
    error = np.hypot(standard_error(first), standard_error(last))
    if first.mean() - last.mean() <= 2 * error:
        return (
            f"the local energy does not clearly fall: {first.mean():.3g} at interpolation, "
            f"{last.mean():.3g} at the largest size, standard error of the difference {error:.2g}"
        )
    return ""


def _falls_to(level, sizes, solutions, start, needed):
    """Where a monotone curve through the means falls to a level, at ``needed`` sizes or more."""
    n_solutions = np.array([len(each) for each in solutions], float)
    means = np.array([each.mean() for each in solutions])
    rising = isotonic_regression(-means, weights=n_solutions).x
    at = _first(rising >= -level)
    if at == 0:  # no gap between the two thresholds
        why = start.reason and f"the solutions at the smallest size, {sizes[0]:g}, are flat already"
        return replace(start, reason=why)
    if at > len(sizes) - needed:
        how = "still falling" if needed > 1 else f"above {level:g}"
        why = f"the local energy, {means[-1]:.3g}, is {how} where the ladder ends, at {sizes[-1]:g}"
        return Threshold(np.nan, float(sizes[-needed]), np.inf, why)
    return Threshold(_crossing(sizes, rising, -level, at), *_bracket(sizes, at))


def with_interval(find, *tables):
    """The threshold in some tables, with an interval that includes the chance of the seeds.

    This is a bootstrap. For every size, seeds are drawn with replacement. Each bootstrap sample has
    two sizes around its threshold. The interval reaches from the 2.5 % quantile of the lower sizes
    to the 97.5 % quantile of the upper sizes. It is never finer than the sizes themselves.

    Parameters
    ----------
    find : callable
        A function from tables to a `Threshold`.
    *tables : ndarray of shape (n_sizes, n_seeds)

    Returns
    -------
    Threshold
    """
    found, shape = find(*tables), tables[0].shape
    rng = np.random.default_rng(0)  # the same runs always have the same interval
    draws = []
    for _ in range(N_RESAMPLES):
        seeds = rng.integers(shape[1], size=shape)
        draws.append(find(*(np.take_along_axis(table, seeds, 1) for table in tables)))
    outside = int(OUTSIDE * N_RESAMPLES)
    low = sorted(draw.low for draw in draws)[outside]
    high = sorted(draw.high for draw in draws)[-1 - outside]
    return replace(found, low=min(low, found.low), high=max(high, found.high))


def _share(solved):
    """The share of seeds with a solution, as a curve that never decreases with the size."""
    return isotonic_regression(solved.sum(axis=1)).x / solved.shape[1]


def _first(reached):
    """Index of the first True, or the length if there is none."""
    return int(np.argmax(reached)) if reached.any() else len(reached)


def _bracket(sizes, at):
    """The sizes before and at an index. Beyond the ends they are 0 and infinity."""
    return (
        float(sizes[at - 1]) if at > 0 else 0.0,
        float(sizes[at]) if at < len(sizes) else np.inf,
    )


def _crossing(sizes, curve, level, at):
    """Where an increasing curve crosses a level between the sizes before and at an index."""
    share = (level - curve[at - 1]) / (curve[at] - curve[at - 1])
    # Linear interpolation in the logarithm of the size.
    return float(sizes[at - 1] ** (1 - share) * sizes[at] ** share)
