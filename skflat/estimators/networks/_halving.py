"""Successive halving over epochs, among neighbours on the grid.

Settings with a large radius learn more slowly. So they are behind nearly all others at an early
epoch, even if they will be the best in the end. A rung therefore compares only neighbours, which
learn about equally fast. The settings that continue are then spread over the whole range of radii.
"""

import math

import numpy as np

#: The epochs of the two rungs, as shares of a full fit.
FIRST, SECOND = 1 / 24, 1 / 8
#: Scores with a smaller relative difference are equal, because weighted means are summed in
#: different orders.
ROUNDING = 1e-12


def default_budget(n_settings):
    """A quarter of the full search, but at least four full fits."""
    return max(4.0, n_settings / 4)


def plan(n_settings, budget):
    """How many settings continue after the first rung and after the second, and how many follow.

    A follower is a neighbour of the best setting that has ended by then. None if the budget is
    enough to train all settings to their end. The setting in the middle of the grid is trained to
    its end first. Its length is the length of a full fit.
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
    """The cost of a plan, in full fits."""
    return (
        1  # the setting in the middle
        + n_settings * FIRST
        + n_first * (SECOND - FIRST)
        + n_second * (1 - SECOND)
        + n_followers * (1 - FIRST)
    )


def _shared_out(n_ends):
    """The plan that trains ``n_ends`` settings to the end, besides the one in the middle."""
    # A third of the full fits goes to followers. Twice as many settings pass the first rung as the
    # number of full fits.
    n_followers = n_ends // 3
    return 2 * n_ends, n_ends - n_followers, n_followers


def halve(trials, shape, budget):
    """Train settings within a budget.

    Parameters
    ----------
    trials : Trials
        The trials of all settings of a grid, row by row.
    shape : pair of int
        Numbers of radii and of penalties.
    budget : float
        The budget, in full fits.
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
    """One setting from each of ``n_kept`` groups of neighbours, by scores on all splits.

    A setting is a candidate if it is behind the best of its group by at most one standard error of
    the difference. The flattest candidate survives. Early scores cannot distinguish the candidates,
    and the flatter ones gain more in the epochs to come.
    """
    groups = np.array_split(np.asarray(alive, dtype=int), n_kept)
    return [one for group in groups for one in _flattest(scores, group)]


def follower(scores, running, shape):
    """A list with the one running setting that is nearest to the best setting that has ended.

    If several are equally near, it is the flattest. The list is empty if no setting is running or
    none has ended. It is also empty if all that have ended are within one standard error of the
    best, because it then matters little which one is chosen.
    """
    mean = scores.mean(axis=1)
    running = np.array([i for i in running if np.isfinite(mean[i])], dtype=int)
    ended = np.setdiff1d(np.flatnonzero(np.isfinite(mean)), running)
    if not (len(running) and len(ended)):
        return []
    best = ended[mean[ended].argmax()]
    if mean[ended].min() >= mean[best] - _standard_error(scores[best]):
        return []
    # Distance in steps on the grid. The last of the nearest has the largest radius.
    here, there = np.unravel_index(best, shape), np.unravel_index(running, shape)
    steps = sum(abs(a - b) for a, b in zip(here, there, strict=True))
    return [int(running[steps == steps.min()][-1])]


def _flattest(scores, group):
    """A list with the index of the survivor; it is empty if no score of the group is finite."""
    group = group[np.isfinite(scores[group]).all(axis=1)]
    if not len(group):
        return []
    best = scores[group[scores[group].mean(axis=1).argmax()]]
    # Paired by split, because the splits differ more in difficulty than the settings in quality.
    behind = best - scores[group]
    error = _standard_error(behind)
    slack = ROUNDING * np.abs(best).max()
    return [int(group[behind.mean(axis=1) <= error + slack][-1])]


def _standard_error(values):
    """The standard error of the mean over the last axis. For a single value it is 0."""
    n_values = values.shape[-1]
    return values.std(axis=-1, ddof=1) / np.sqrt(n_values) if n_values > 1 else 0.0
