"""Successive halving over epochs, among neighbours on the grid.

At an early epoch the settings with a large radius are behind nearly all others, also where they
will be the best: they learn more slowly. So a rung compares only neighbours, which learn about
equally fast, and what goes on is spread over the whole range of radii.
"""

import math

import numpy as np

#: Where the two rungs are, as shares of a full fit.
FIRST, SECOND = 1 / 48, 1 / 12
#: What it costs to take a setting to the end: two begin to, and after the second rung one goes on.
PRICE = 2 * (SECOND - FIRST) + (1 - SECOND)


def default_budget(n_settings):
    """A fifth of the full search; of few settings, four full fits."""
    return max(4.0, n_settings / 5)


def rungs(n_settings, budget):
    """Pairs of a share of a full fit and how many settings go on from there.

    No pairs where the budget pays for all settings in full. One full fit is that of the setting in
    the middle, which is trained to its end at first, to know how long that is.
    """
    if n_settings <= budget:
        return []
    n_kept = math.floor((budget - 1 - n_settings * FIRST) / PRICE + 1e-9)
    if n_kept < 1:
        least = 1 + n_settings * FIRST + PRICE
        raise ValueError(
            f"budget={budget:g} full fits do not suffice for {n_settings} settings: they need "
            f"{least:.3g} at least."
        )
    return [(FIRST, 2 * n_kept), (SECOND, n_kept)]


def halve(trials, middle, budget):
    """Train the settings of `Trials`, in the order of their neighbourhood, within a budget."""
    everybody = list(range(len(trials.scores)))
    plan = rungs(len(everybody), budget)
    alive = everybody
    if plan:
        trials.train([middle])
        length = trials.length_of(middle)
        alive = [i for i in everybody if i != middle]
    for share, n_kept in plan:
        trials.train(alive, until=max(1, math.ceil(share * length)))
        alive = survivors(trials.scores, trials.running(alive), n_kept)
    trials.train(alive)


def survivors(scores, alive, n_kept):
    """One setting of every of ``n_kept`` groups of neighbours, by scores on all splits.

    It is the flattest of those that are not behind the best of the group by more than a standard
    error of the difference. As far as early scores can tell them apart no better, flatter ones
    gain more in the epochs to come.
    """
    groups = np.array_split(np.asarray(alive, dtype=int), n_kept)
    return [one for group in groups for one in _flattest(scores, group)]


def _flattest(scores, group):
    """A list of the one index, or an empty one if no score of the group is finite."""
    group = group[np.isfinite(scores[group]).all(axis=1)]
    if not len(group):
        return []
    best = scores[group[scores[group].mean(axis=1).argmax()]]
    behind, n_splits = best - scores[group], scores.shape[1]
    error = behind.std(axis=1, ddof=1) / np.sqrt(n_splits) if n_splits > 1 else 0.0
    return [int(group[behind.mean(axis=1) <= error][-1])]
