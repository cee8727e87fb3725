"""The part that classifiers with weights in {-1, +1} share: one search per one-vs-rest problem."""

import copy
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..._callbacks import PartHooks
from ..._compat import Interval, StrOptions
from ..._parallel import in_turn, run
from ...measures import BINARY_MEASURES, MEASURES
from ...models.threshold import counting_weight, nearest_bits
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
    #: Attributes that follow from the weights, the thresholds and the scale of the features.
    _derived: tuple = ()

    def _rows_to_learn(self, X, targets, weight):
        return distinct_rows(X, targets, weight)

    def _start(self, known, shape):
        """The weights to start from and bits of their thresholds, for every unit; or None.

        Parameters
        ----------
        known : tuple of weights and thresholds, or None
        shape : tuple of int
            Of the weights, (n_problems, n_units, n_inputs).
        """
        if known is None:
            return None
        weights, thresholds = known
        if (weights.size, thresholds.size) != (np.prod(shape), np.prod(shape[:2])):
            raise ValueError(
                f"The fitted weights have the shape {weights.shape}, and those to learn {shape}: "
                "after a change of the units, fit anew with warm_start=False."
            )
        bits = nearest_bits(thresholds.reshape(shape[:2]), shape[2])
        bits = bits[..., : bits.shape[-1] if self.fit_intercept else 0]
        return np.concatenate([weights.reshape(shape), bits], axis=2)

    def _search(self, patterns_of, targets, given, start):
        """Solve all one-vs-rest problems; return a list of the results.

        Parameters
        ----------
        patterns_of : callable
            Maps labels in {-1, +1} to patterns: those of one problem to `Patterns`, and an array of
            shape (n_problems, n_rows) to `Problems`. It must be possible to pickle it.
        targets : ndarray of shape (n_rows, n_problems)
            The targets, 0 or 1.
        given : tuple of X, y and sample_weight
            All validated data before scaling, for callbacks.
        start : ndarray or None
            Weights to start from, see `_start`.
        """
        self._online = None
        solver, labels = self._solver(), 2 * targets.T - 1
        max_iter = None if self.max_iter == "auto" else self.max_iter
        # All problems have the same seed. So what the rows do not determine is equal for all
        # classes, and does not decide between them.
        seed = spawn_generator(self._random_state).integers(2**63)
        found, stopped = [], []
        self._hooks = PartHooks(self, *given, n_parts=len(labels))
        is_here = in_turn(self.n_jobs)
        size = problems_together(solver, len(targets) * self.n_features_in_)
        n_groups = -(-len(labels) // size)
        groups = np.array_split(labels, n_groups)
        starts = [None] * n_groups if start is None else np.array_split(start, n_groups)

        # A generator, because a task must know the results so far.
        def tasks():
            for group, start in zip(groups, starts, strict=True):
                # An interruption applies to the whole fit. Every remaining problem needs some
                # weights, so it gets a single iteration.
                limit = 1 if any(stopped) else max_iter
                # The iterations of a group are told as those of its first problem.
                first, *_ = [self._hooks.begin() for _ in group]
                hooks = first if is_here else None  # they know the estimator, and stay here
                yield solver, patterns_of, group, seed, limit, self.verbose, hooks, start

        def then(group):
            found.extend(group)
            ended = [self._hooks.end() for _ in group]
            stopped.append(any(ended) or any(each.interrupted for each in group))

        run(_solve, tasks(), self.n_jobs, then=then)
        self._exhausted = any(each.exhausted for each in found) and not any(stopped)
        self.n_iter_ = max(each.n_iter for each in found)
        # An iteration takes about two products with the patterns.
        products = 2.0 * sum(each.n_iter for each in found)
        self._cost = products * len(targets) * self.n_features_in_
        return found

    def _pass(self, patterns_of, targets, start):
        """Pass once over the rows, for all problems together.

        Returns
        -------
        ndarray of shape (n_problems, n_units, n_inputs)
            The weights. If there are thresholds, their bits follow.
        """
        solver, labels = self._solver(), 2 * targets.T - 1
        patterns = patterns_of(labels if len(labels) > 1 else labels[0])
        rule = type(solver).__name__, solver.get_params(), self.fit_intercept
        known = getattr(self, "_online", None)
        if known is None or known["rule"] != rule:
            seed = spawn_generator(self._random_state).integers(2**63)
            known = {"rule": rule, "state": None, "rng": np.random.default_rng(seed)}
        # A copy, so that a failure leaves the state as it was.
        known = copy.deepcopy(known)
        known["state"], w = solver.resume(patterns, known["state"], known["rng"], start)
        self._online, self.n_iter_ = known, 1
        self._cost = 2.0 * targets.size * self.n_features_in_
        return w

    def packed(self):
        """The weights with one bit each.

        Returns
        -------
        ndarray of uint8 of shape (n_bytes,)
            The bits of ``weights_`` in their order, 1 for +1. The last byte is filled with 0.
            ``2 * numpy.unpackbits(packed, count=weights_.size) - 1.0`` are the weights again.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from skflat import FlatPerceptronClassifier
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> clf = FlatPerceptronClassifier(measures=None, random_state=0).fit(X, y)
        >>> clf.weights_.shape, clf.packed().nbytes
        ((1, 30), 4)
        """
        check_is_fitted(self)
        return np.packbits(self.weights_ > 0)

    def __getstate__(self):
        """Weights are saved with one bit each, and what follows from them is not saved."""
        state = super().__getstate__()
        weights = state.get("weights_")
        if weights is not None and np.all(np.abs(weights) == 1):
            state["weights_"] = {BITS: self.packed(), "shape": weights.shape}
            for name in self._derived:
                state.pop(name, None)
        return state

    def __setstate__(self, state):
        state, saved = dict(state), state.get("weights_")
        is_packed = isinstance(saved, dict)
        if is_packed:
            dtype, shape = state["thresholds_"].dtype, saved["shape"]
            bits = np.unpackbits(saved[BITS], count=int(np.prod(shape)))
            state["weights_"] = (2 * bits.astype(dtype) - 1).reshape(shape)
        super().__setstate__(state)
        if is_packed and self._derived:
            vars(self).update(self._attributes(self.weights_, self.thresholds_))

    def _end(self):
        vars(self).pop("_hooks").end_fit()


BITS = "bits"  # the key of the packed weights in a saved estimator


def row_counts(weight):
    """How much every row counts in a search; 1 where all weigh the same."""
    return 1.0 if weight is None else counting_weight(weight)


ENTRIES = 1 << 20  # of the rows, times problems: fewer are not worth a worker of their own


def problems_together(solver, n_entries):
    """Number of problems in a group. It does not depend on the number of workers."""
    return max(solver.least_together, ENTRIES // n_entries) if solver.together else 1


def _solve(solver, patterns_of, labels, seed, max_iter, verbose, hooks, start):
    """One task: a group of one-vs-rest problems."""
    rng = np.random.default_rng(seed)
    if len(labels) > 1:
        return solver.solve(patterns_of(labels), rng, max_iter, verbose, hooks, start)
    start = None if start is None else start[0]
    return [solver.solve(patterns_of(labels[0]), rng, max_iter, verbose, hooks, start)]
