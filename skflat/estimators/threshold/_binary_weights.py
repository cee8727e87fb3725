"""The part that classifiers with weights in {-1, +1} share: one search per one-vs-rest problem."""

from numbers import Integral

import numpy as np

from ..._compat import Interval, StrOptions
from ..._parallel import run
from ...measures import BINARY_MEASURES, MEASURES
from ...solvers import spawn_generator


class BinaryWeights:
    """Mixin of a `ThresholdClassifier` that gets its weights from `skflat.solvers.binary`."""

    _parameter_constraints: dict = {
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    _known_measures = MEASURES | BINARY_MEASURES
    _has_bits = True

    def _search(self, patterns_of, targets):
        """Solve every one-vs-rest problem; return a list of the results.

        Parameters
        ----------
        patterns_of : callable
            Maps labels in {-1, +1} to the patterns of a problem. It must be possible to pickle it.
        targets : ndarray of shape (n_rows, n_problems)
            The targets, 0 or 1.
        """
        solver = self._solver()
        max_iter = None if self.max_iter == "auto" else self.max_iter
        seeds = spawn_generator(self._random_state).integers(2**63, size=targets.shape[1])
        found = []

        # A generator, because a task must know the results so far.
        def tasks():
            for y, seed in zip(targets.T, seeds, strict=True):
                # An interruption applies to the whole fit. Every remaining problem needs some
                # weights, so it gets a single iteration.
                limit = 1 if any(each.interrupted for each in found) else max_iter
                yield solver, patterns_of, 2 * y - 1, seed, limit, self.verbose

        run(_solve, tasks(), self.n_jobs, then=found.append)
        self.n_iter_ = max(each.n_iter for each in found)
        # An iteration takes about two products with the patterns.
        products = 2.0 * sum(each.n_iter for each in found)
        self._cost = products * len(targets) * self.n_features_in_
        return found


def _solve(solver, patterns_of, labels, seed, max_iter, verbose):
    """One task: a one-vs-rest problem."""
    return solver.solve(patterns_of(labels), np.random.default_rng(seed), max_iter, verbose)
