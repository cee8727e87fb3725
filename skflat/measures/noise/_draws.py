"""Losses at many randomly perturbed points, spread over joblib's workers."""

from numbers import Integral

import numpy as np

from ..._compat import Interval, StrOptions
from ..._parallel import run
from ...objective import PERTURBATIONS
from .._measure import seeds
from .._memory import at_once

MAX_DRAWS = 16  # per task: enough work for a worker, few enough to spread over workers

NOISE_CONSTRAINTS = {
    "noise": [StrOptions(set(PERTURBATIONS))],
    "n_draws": [Interval(Integral, 2, None, closed="left")],
    "antithetic": ["boolean"],
    "n_jobs": [None, Integral],
    "random_state": ["random_state"],
}


class Draws:
    """Random perturbations of a fitted point, the same ones for every scale asked for.

    Parameters
    ----------
    problem : Problem
    measure : Measure
        With the parameters ``noise``, ``n_draws``, ``antithetic``, ``n_jobs`` and
        ``random_state``.
    """

    def __init__(self, problem, measure):
        self.problem, self.noise, self.n_jobs = problem, measure.noise, measure.n_jobs
        self.signs = np.array([1.0, -1.0] if measure.antithetic else [1.0])
        self.seeds = seeds(measure.random_state, measure.n_draws)
        # The size of a task must not depend on n_jobs. Then neither does the order of the sums, nor
        # any bit of the result.
        size = at_once(len(problem.w), MAX_DRAWS)
        self.tasks = [self.seeds[k : k + size] for k in range(0, len(self.seeds), size)]
        self.n_evals = 0

    def rises(self, scales):
        """Rise of loss and error at every scale and draw, and the error from sampling rows.

        Returns
        -------
        rises : ndarray of shape (2, n_scales, n_draws)
            Rises of the loss and of the error, averaged over both signs.
        row_error : ndarray of shape (2, n_scales)
            Standard error of the means over the draws that comes from the sampling of rows.
        """
        objective, w = self.problem.objective, self.problem.w
        steps = np.outer(scales, self.signs).ravel()
        sampled = objective.n_rows < self.problem.sampled_from
        tasks = [(objective, w, self.noise, part, steps, sampled) for part in self.tasks]
        sums = np.zeros((2, len(steps), objective.n_rows)) if sampled else None
        there = np.concatenate(run(_losses, tasks, self.n_jobs, then=_adding_to(sums)), axis=1)
        here, row_sums_here = _at(objective, w, [np.zeros_like(w)], [0.0], sampled)
        self.n_evals += 1 + len(self.seeds) * len(steps)
        n_draws, shape = len(self.seeds), (len(scales), len(self.signs))
        rises = there.reshape(2, n_draws, *shape).mean(axis=3).swapaxes(1, 2) - here
        row_error = np.zeros((2, len(scales)))
        if sampled:
            # Both means are over the same rows. The difference of each row removes the variation
            # that both have in common.
            rows = sums.reshape(2, *shape, -1).mean(axis=2) / n_draws
            for place in np.ndindex(row_error.shape):
                row_error[place] = self.problem.row_error(rows[place] - row_sums_here[place[0], 0])
        return rises, row_error


def _adding_to(sums):
    """A function that keeps the losses of a task and adds its sums over rows to ``sums`` at once.

    So the arrays of one number per row are not all in memory together.
    """

    def losses_of(found):
        losses, of_rows = found
        if sums is not None:
            sums[:] += of_rows
        return losses

    return losses_of


def _losses(objective, w, noise, seeds, steps, sampled):
    """One task: losses and errors of some draws at all steps."""
    draw = PERTURBATIONS[noise](w, objective.layout.parts).draw
    directions = [draw(np.random.default_rng(seed)) for seed in seeds]
    return _at(objective, w, directions, steps, sampled)


def _at(objective, w, directions, steps, sampled):
    sums = np.zeros((2, len(steps), objective.n_rows)) if sampled else None
    with np.errstate(over="ignore", invalid="ignore"):  # far out the loss may be infinite
        return objective.along(w, directions, steps, row_sums=sums), sums


def mean_and_error(rises, row_error):
    """Means over the draws, and their standard errors due to draws and rows.

    If a mean is infinite, its standard error is NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        stderr = rises.std(axis=-1, ddof=1) / np.sqrt(rises.shape[-1])
    return rises.mean(axis=-1), np.hypot(stderr, row_error)
