"""Successive halving over epochs, among neighbours on the grid.

At an early epoch the settings with a large radius are behind nearly all others, also where they
will be the best: they learn more slowly. So a rung compares only neighbours, which learn about
equally fast, and what goes on is spread over the whole range of radii.
"""

import math

import numpy as np

#: Where the two rungs are, as shares of a full fit.
FIRST, SECOND = 1 / 24, 1 / 8
#: Scores that differ by that share are equal: weighted means come in more than one order.
ROUNDING = 1e-12


def default_budget(n_settings):
    """A quarter of the full search; of few settings, four full fits."""
    return max(4.0, n_settings / 4)


def plan(n_settings, budget):
    """How many settings go on from the first rung and from the second, and how many follow.

    Those that follow are neighbours of the best that has ended by then. None where the budget pays
    for all settings in full. One full fit is that of the setting in the middle, which is trained to
    its end at first, to know how long that is.
    """
    if n_settings <= budget:
        return None
    n_ends = 0
    while n_ends < n_settings and cost(n_settings, *_shared_out(n_ends + 1)) <= budget:
        n_ends += 1
    if n_ends == 0:
        raise ValueError(
            f"budget={budget:g} full fits do not suffice for {n_settings} settings: they need "
            f"{cost(n_settings, *_shared_out(1)):.3g} at least."
        )
    return _shared_out(n_ends)


def cost(n_settings, n_first, n_second, n_followers):
    """What a plan costs, in full fits."""
    return (
        1
        + n_settings * FIRST
        + n_first * (SECOND - FIRST)
        + n_second * (1 - SECOND)
        + n_followers * (1 - FIRST)
    )


def _shared_out(n_ends):
    """The plan in which so many settings are trained to the end beside the one in the middle."""
    n_followers = n_ends // 3
    return 2 * n_ends, n_ends - n_followers, n_followers


def halve(trials, shape, budget):
    """Train settings within a budget.

    Parameters
    ----------
    trials : Trials
        Of the settings of a grid, row by row.
    shape : pair of int
        Numbers of radii and of penalties.
    budget : float
        In full fits.
    """
    everybody, planned = range(math.prod(shape)), plan(math.prod(shape), budget)
    if planned is None:
        trials.train(list(everybody))
        return
    *kept, n_followers = planned
    middle = shape[0] // 2 * shape[1] + shape[1] // 2
    trials.train([middle])
    length, alive = trials.length_of(middle), [i for i in everybody if i != middle]
    for share, n_kept in zip((FIRST, SECOND), kept, strict=True):
        trials.train(alive, until=max(1, math.ceil(share * length)))
        alive = survivors(trials.scores, trials.running(alive), n_kept)
    trials.train(alive)
    for _ in range(n_followers):
        trials.train(follower(trials.scores, trials.running(everybody), shape))


def survivors(scores, alive, n_kept):
    """One setting of every of ``n_kept`` groups of neighbours, by scores on all splits.

    It is the flattest of those that are not behind the best of the group by more than a standard
    error of the difference. As far as early scores can tell them apart no better, flatter ones
    gain more in the epochs to come.
    """
    groups = np.array_split(np.asarray(alive, dtype=int), n_kept)
    return [one for group in groups for one in _flattest(scores, group)]


def follower(scores, running, shape):
    """A list of the one setting that is next to the best that has ended; of several the flattest.

    Empty if there is none of either kind, or if all that have ended are within one standard error
    of the best: then it matters little which one it is.
    """
    mean = scores.mean(axis=1)
    running = np.array([i for i in running if np.isfinite(mean[i])], dtype=int)
    ended = np.setdiff1d(np.flatnonzero(np.isfinite(mean)), running)
    if not (len(running) and len(ended)):
        return []
    best = ended[mean[ended].argmax()]
    if mean[ended].min() >= mean[best] - _standard_error(scores[best]):
        return []
    here, there = np.unravel_index(best, shape), np.unravel_index(running, shape)
    steps = sum(abs(a - b) for a, b in zip(here, there, strict=True))
    return [int(running[steps == steps.min()][-1])]


def _flattest(scores, group):
    """A list of the one index, or an empty one if no score of the group is finite."""
    group = group[np.isfinite(scores[group]).all(axis=1)]
    if not len(group):
        return []
    best = scores[group[scores[group].mean(axis=1).argmax()]]
    behind = best - scores[group]
    error = _standard_error(behind)
    slack = ROUNDING * np.abs(best).max()
    return [int(group[behind.mean(axis=1) <= error + slack][-1])]


def _standard_error(values):
    """That of the mean over the last axis; 0 of a single value."""
    n_values = values.shape[-1]
    return values.std(axis=-1, ddof=1) / np.sqrt(n_values) if n_values > 1 else 0.0
