"""The part that classifiers with weights in {-1, +1} share: one search per one-vs-rest problem."""

from numbers import Integral

import numpy as np

from ..._callbacks import PartHooks
from ..._compat import Interval, StrOptions
from ..._parallel import in_turn, run
from ...measures import BINARY_MEASURES, MEASURES
from ...models.threshold import counting_weight
from ...solvers import spawn_generator
from ._distinct import distinct_rows


class BinaryWeights:
    """Mixin of a `ThresholdClassifier` that gets its weights from `skflat.solvers.binary`."""

    _parameter_constraints: dict = {
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    _known_measures = MEASURES | BINARY_MEASURES
    _has_bits = True

    def _rows_to_learn(self, X, targets, weight):
        return distinct_rows(X, targets, weight)

    def _search(self, patterns_of, targets, given):
        """Solve every one-vs-rest problem; return a list of the results.

        Parameters
        ----------
        patterns_of : callable
            Maps labels in {-1, +1} to the patterns of a problem. It must be possible to pickle it.
        targets : ndarray of shape (n_rows, n_problems)
            The targets, 0 or 1.
        given : tuple of X, y and sample_weight
            All validated data before scaling, for callbacks.
        """
        solver = self._solver()
        max_iter = None if self.max_iter == "auto" else self.max_iter
        seeds = spawn_generator(self._random_state).integers(2**63, size=targets.shape[1])
        found, stopped = [], []
        self._hooks = PartHooks(self, *given, n_parts=len(seeds))
        is_here = in_turn(self.n_jobs)

        # A generator, because a task must know the results so far.
        def tasks():
            for y, seed in zip(targets.T, seeds, strict=True):
                # An interruption applies to the whole fit. Every remaining problem needs some
                # weights, so it gets a single iteration.
                limit = 1 if any(stopped) else max_iter
                hooks = self._hooks.begin()
                hooks = hooks if is_here else None  # they know the estimator, and stay here
                yield solver, patterns_of, 2 * y - 1, seed, limit, self.verbose, hooks

        def then(each):
            found.append(each)
            stopped.append(self._hooks.end() or each.interrupted)

        run(_solve, tasks(), self.n_jobs, then=then)
        self._exhausted = any(each.exhausted for each in found) and not any(stopped)
        self.n_iter_ = max(each.n_iter for each in found)
        # An iteration takes about two products with the patterns.
        products = 2.0 * sum(each.n_iter for each in found)
        self._cost = products * len(targets) * self.n_features_in_
        return found

    def _end(self):
        vars(self).pop("_hooks").end_fit()


def row_counts(weight):
    """How much every row counts in a search; 1 where all weigh the same."""
    return 1.0 if weight is None else counting_weight(weight)


def _solve(solver, patterns_of, labels, seed, max_iter, verbose, hooks):
    """One task: a one-vs-rest problem."""
    rng = np.random.default_rng(seed)
    return solver.solve(patterns_of(labels), rng, max_iter, verbose, hooks)
