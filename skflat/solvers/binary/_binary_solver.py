"""The base of solvers of binary weights: a rule proposes weights, and a loop counts errors."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from ..._callbacks import NoHooks
from ..._compat import Interval
from ..._parallel import warn_or_raise
from ...models.threshold import Problems
from ...objective import Documented

POSITIVE = Interval(Real, 0, None, closed="neither")
SHARE = Interval(Real, 0, 1, closed="neither")
COUNT = Interval(Integral, 1, None, closed="left")


@dataclass
class Found:
    """The result of a search.

    Attributes
    ----------
    w : ndarray of shape (n_units, n_inputs)
        The weights, -1 or +1, that violate the fewest rows among all weights that were tried.
    n_violated : int or float
        Number of rows that they violate, or the sum of their weights. 0 is success.
    n_iter : int
        Iterations until the end of the search.
    interrupted : bool
        Whether the user ended it, by a key or by a callback.
    exhausted : bool
        Whether it ended without a solution because there were no more iterations.
    """

    w: np.ndarray
    n_violated: int
    n_iter: int
    interrupted: bool = False
    exhausted: bool = False


class BinarySolver(Documented, BaseEstimator):
    """Base of the solvers of weights in {-1, +1}. All numbers of a rule are its own parameters.

    A subclass defines in `candidates` how one proposal follows from the last one. If it can do so
    for arrays of several problems, it sets `together`.
    """

    #: The value of ``max_iter="auto"`` of the estimators.
    max_iter = 1000
    #: Iterations from one count of the violated rows to the next.
    interval = 1
    #: Whether it can train more than one unit.
    committees = False
    #: Whether it can use real thresholds. For other solvers a threshold is several more weights.
    real_threshold = False
    #: Whether it can solve several `skflat.models.threshold.Problems` together.
    together = False
    #: Whether it learns from a part of the rows at a time, see `OnlineSolver`.
    stochastic = False
    #: Problems to solve together however many rows there are. A product of matrices is then at its
    #: full speed. Rules that need much memory for each problem have a smaller number.
    least_together = 8
    _parameter_constraints: dict = {}

    def check(self, patterns):
        """Refuse patterns that this rule is not defined for.

        Parameters
        ----------
        patterns : Patterns
        """
        if patterns.n_units > 1 and not self.committees:
            raise ValueError(
                f"{type(self).__name__} is a solver of perceptrons, not of committees."
            )

    def candidates(self, patterns, rng):
        """A generator of arrays, one per iteration. Their signs are weights to try.

        It ends when the rule ends. The next iteration may overwrite the array. If `patterns` are
        `skflat.models.threshold.Problems`, the array has one more axis, the first.

        Parameters
        ----------
        patterns : Patterns
        rng : numpy.random.Generator
        """
        raise NotImplementedError

    def candidates_from(self, start, patterns, rng):
        """The same for a search that has weights to start from.

        Most rules have no use for them: they compute everything from the rows.

        Parameters
        ----------
        start : ndarray of shape (n_units, n_inputs)
            Weights in {-1, +1}. `Problems` have one such array each.
        patterns : Patterns
        rng : numpy.random.Generator

        Returns
        -------
        iterator of ndarray
            As of `candidates`.
        """
        return self.candidates(patterns, rng)

    def solve(self, patterns, rng, max_iter=None, verbose=False, hooks=None, start=None):
        """Search for weights that satisfy all rows.

        The search stops at the first proposal without a violated row, when the rule ends, or after
        ``max_iter`` iterations. All problems of `Problems` are solved together. They get the same
        random numbers, so the result of each is that of a search for it alone, up to rounding.

        Parameters
        ----------
        patterns : skflat.models.threshold.Patterns or Problems
        rng : numpy.random.Generator
        max_iter : int, default=None
            None is the solver's own `max_iter`.
        verbose : bool, default=False
            Whether to print the number of violated rows whenever they are counted.
        hooks : object, default=None
            Called whenever violated rows are counted, see ``skflat._callbacks.NoHooks``.
        start : ndarray of shape (n_units, n_inputs), default=None
            Weights to start from, and to keep unless others violate fewer rows. With a free
            threshold, its bits may follow the weights, see `skflat.models.threshold.nearest_bits`.
            `Problems` have one such array each.

        Returns
        -------
        Found or list of Found
            A list for `Problems`.

        Raises
        ------
        ValueError
            If the rule is not defined for these patterns.
        """
        self._validate_params()
        n_inputs = patterns.shape[1]
        if patterns.labels is not None and not self.real_threshold:
            patterns = patterns.in_bits()
        self.check(patterns)
        start = as_start(start, patterns)
        hooks = NoHooks() if hooks is None else hooks
        search = _SearchRecord(type(self).__name__, patterns, verbose, hooks)
        max_iter = self.max_iter if max_iter is None else max_iter
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # see `ends_with`
                self._search(patterns, rng, max_iter, search, start)
        except KeyboardInterrupt:
            search.interrupted = True
            warn_or_raise("Training interrupted by user.", stacklevel=2)
        found = search.found(n_inputs)
        return found if isinstance(patterns, Problems) else found[0]

    def _search(self, patterns, rng, max_iter, search, start):
        if start is None:
            candidates = self.candidates(patterns, rng)
        elif search.ends_with(start, False):
            return
        else:
            candidates = self.candidates_from(start, patterns, rng)
        for w in candidates:
            search.n_iter += 1
            last = search.n_iter == max_iter
            if (last or search.n_iter % self.interval == 0) and search.ends_with(w, last):
                return
        search.count(w)


class OnlineSolver(BinarySolver):
    """Base of rules that pass over the rows, and keep a state from one pass to the next.

    A subclass defines the first state in `begin`, and a pass in `advance`. The rows of a pass may
    be others than those before.
    """

    stochastic = True

    def begin(self, patterns, rng, start=None):
        """The state before the first pass.

        Parameters
        ----------
        patterns : Patterns
        rng : numpy.random.Generator
        start : ndarray of shape (n_units, n_inputs), default=None
            Weights in {-1, +1} to start from. `Problems` have one such array each.

        Returns
        -------
        dict of str to ndarray or float
        """
        raise NotImplementedError

    def advance(self, patterns, state, rng):
        """One pass over the rows, which changes the state; return a candidate.

        Parameters
        ----------
        patterns : Patterns
        state : dict
        rng : numpy.random.Generator
        """
        raise NotImplementedError

    def candidates(self, patterns, rng):
        return self.candidates_from(None, patterns, rng)

    def candidates_from(self, start, patterns, rng):
        state = self.begin(patterns, rng, start)
        while True:
            yield self.advance(patterns, state, rng)

    def resume(self, patterns, state, rng, start=None):
        """One pass over these rows, from the state after the last one.

        Parameters
        ----------
        patterns : skflat.models.threshold.Patterns or Problems
        state : dict or None
            What `begin` has returned; it is changed. None begins.
        rng : numpy.random.Generator
        start : ndarray, default=None
            Weights to begin with, as in `solve`.

        Returns
        -------
        state : dict
            For the next pass.
        w : ndarray of shape (n_problems, n_units, n_inputs)
            Weights in {-1, +1}. The bits of a free threshold follow them.

        Raises
        ------
        ValueError
            If the rule is not defined for these patterns, or the state overflows.
        """
        self._validate_params()
        patterns = patterns if patterns.labels is None else patterns.in_bits()
        self.check(patterns)
        if state is None:
            state = self.begin(patterns, rng, as_start(start, patterns))
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            w = self.advance(patterns, state, rng)
        if not all(np.isfinite(each).all() for each in state.values()):
            raise ValueError(
                f"{type(self).__name__} overflowed: the features may be too large, see scale=True."
            )
        return state, signs(w).reshape(-1, *patterns.shape)


def as_start(start, patterns):
    """The weights to start from, without bits of a threshold that the patterns do not have."""
    if start is None:
        return None
    return np.asarray(start, patterns.xi.dtype)[..., : patterns.shape[1]]


OPEN = -1  # in place of the iteration at which a problem ended


class _SearchRecord:
    """The best weights of every problem so far, and how the search went on."""

    def __init__(self, name, patterns, verbose, hooks):
        self.name = name
        self.patterns, self.verbose, self.hooks, self.n_iter = patterns, verbose, hooks, 0
        self.interrupted = self.exhausted = False
        self.begin()
        n_problems = len(patterns) if isinstance(patterns, Problems) else 1
        self.best = np.ones((n_problems, *patterns.shape))
        self.n_violated = np.full(n_problems, patterns.n_rows + 1.0)
        self.ended = np.full(n_problems, OPEN)  # the iteration at which each ended

    def begin(self):
        """Tell the callbacks that iterations begin."""
        self.hooks.begin_epoch()
        self.is_open = True

    def end(self, w):
        """Tell the callbacks that they have ended. True if a callback asks to stop."""
        self.is_open = False
        return bool(self.hooks.end_epoch(w))

    def ends_with(self, w, last):
        """Count the violated rows, and tell the callbacks. True if the search ends."""
        is_finite = np.isfinite(w).reshape(len(self.best), -1).all(axis=1)
        if not is_finite.all():
            self._overflowed(is_finite)
            if self.all_ended:
                return True
        self.count(w)
        solved = self.all_ended
        self.interrupted = self.end(w)
        self.exhausted = last and not solved
        ended = solved or self.interrupted or last
        if not ended:
            self.begin()
        return ended

    @property
    def all_ended(self):
        """Whether no problem is open."""
        return bool((self.ended != OPEN).all())

    def _overflowed(self, is_finite):
        """What has overflowed is not finite from now on, so each problem is told of once."""
        new = ~is_finite & (self.ended == OPEN)
        self.ended[new] = self.n_iter
        if new.any():
            warnings.warn(
                f"{self.name} overflowed after {self.n_iter} iterations: the features may be too "
                "large, see scale=True. The best weights before that are kept.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def count(self, w):
        """Count the rows that the signs of ``w`` violate. The best weights so far are kept."""
        w = signs(w)
        n_violated = np.atleast_1d(self.patterns.n_violated(w))
        if self.verbose:
            print(f"Iteration {self.n_iter}, violated rows = {n_violated.sum()}")
        better = (n_violated < self.n_violated) & (self.ended == OPEN)
        self.n_violated[better] = n_violated[better]
        self.best[better] = w.reshape(self.best.shape)[better]
        self.ended[(self.n_violated == 0) & (self.ended == OPEN)] = self.n_iter

    def found(self, n_inputs):
        """The best weights of every problem, without those that make up a threshold."""
        if (self.n_violated > self.patterns.n_rows).any():  # interrupted before the first count
            self.n_violated[:] = self.patterns.n_violated(self.best)
        if self.is_open:
            self.end(self.best)
        n_iter = np.where(self.ended == OPEN, self.n_iter, self.ended)
        whole = np.ndim(self.patterns.weight) == 0  # then rows are counted
        return [
            Found(
                w[:, :n_inputs],
                int(short) if whole else float(short),
                int(each),
                self.interrupted,
                self.exhausted and short > 0,
            )
            for w, short, each in zip(self.best, self.n_violated, n_iter, strict=True)
        ]


def signs(h):
    """-1 or +1 for every field, +1 at 0, in the dtype of ``h``."""
    return np.where(h >= 0, 1, -1).astype(h.dtype)


def best_of(patterns, candidates):
    """Of every problem, the candidate that violates the fewest rows."""
    best = np.argmin([patterns.n_violated(w) for w in candidates], axis=0)
    return np.take_along_axis(np.array(candidates), best[None, ..., None, None], axis=0)[0]
