"""The default: several rules, and the best of what they find."""

import copy

import numpy as np

from ...models.threshold import Problems
from ._amp import AMP
from ._binary_solver import BinarySolver, Found, as_start
from ._mean_field import MeanField
from .flips import FlipDescent, hebbian


class Auto(BinarySolver):
    """The solver ``"auto"``: several rules one after the other, until one finds a solution.

    If none does, flips of one or two weights improve each result. Then a tenth of the weights of
    the best result are flipped at random, and flips improve this, too. The rules are:

    * ``AMP(0.01, temperature=0.5, damping=0.9)``, for tables on which no weights are without error.
      It may ignore rows that it cannot satisfy, so it may miss solutions that exist.
    * ``AMP(0.003, temperature=0.1, damping=0.3)``, if features are uncorrelated, as in the patterns
      of theory. It finds solutions if there are enough of them, and it finds the teacher if there
      are enough rows to determine it.
    * ``MeanField()``, which ignores no row.
    * The sign of the mean row, with weight one half for each class.

    The first three take at most 300, 500 and 150 iterations, because after that the signs of the
    weights hardly change. If there are weights to start from, flips improve them, too.

    Parameters
    ----------
    scaled : bool, default=True
        Whether the features have been scaled, which is recommended for tables. If not, they are
        treated as patterns of theory, and ``AMP()`` comes first, with 4000 iterations.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import Auto
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 60, 201)))
    >>> Auto().solve(patterns, rng).n_violated
    0
    """

    max_iter = 100_000
    real_threshold = together = True
    _parameter_constraints: dict = {"scaled": ["boolean"]}

    def __init__(self, scaled=True):
        self.scaled = scaled

    def solve(self, patterns, rng, max_iter=None, verbose=False, hooks=None, start=None):
        self._validate_params()
        self.check(patterns)
        many = isinstance(patterns, Problems)
        problems = patterns if many else [patterns]
        most = self.max_iter if max_iter is None else max_iter
        results = [_Results(most) for _ in range(len(problems))]
        if start is not None:
            for each, found in zip(results, _known(start, patterns, many), strict=True):
                each.add(found)
        for solver, limit in self._messages(patterns, rng):
            some = [k for k, each in enumerate(results) if each.is_open]
            if not some:
                break
            limit = min(limit, *(results[k].left for k in some))
            part = patterns.only(some) if many else patterns
            found = _turn(solver, part, rng, limit, verbose, hooks)
            for k, each in zip(some, found if many else [found], strict=True):
                results[k].add(each)
        for k, each in enumerate(results):
            if each.is_open:
                # A copy, so that the result of a problem does not depend on the others.
                _improve(each, problems[k], copy.deepcopy(rng), verbose, hooks)
        return [each.result() for each in results] if many else results[0].result()

    def _messages(self, patterns, rng):
        """Pairs of a solver by message passing and its number of iterations."""
        if not self.scaled:
            yield AMP(), 4000
        yield AMP(0.01, temperature=0.5, damping=0.9), 300
        if self.scaled and are_independent(patterns, rng):  # otherwise that has had its turn
            yield AMP(0.003, temperature=0.1, damping=0.3), 500
        yield MeanField(), 150


class _Results:
    """What the turns have found for one problem, and the iterations that are left."""

    def __init__(self, left):
        self.found, self.left = [], left

    @property
    def is_open(self):
        """Whether there is another turn."""
        if not self.found:
            return True
        return self.best.n_violated > 0 and not self.found[-1].interrupted and self.left > 0

    @property
    def best(self):
        """The result that violates the fewest rows. The first one is taken if several do."""
        return min(self.found, key=lambda each: each.n_violated)

    def add(self, found):
        self.found.append(found)
        self.left -= found.n_iter

    def result(self):
        """The result of all turns together."""
        best, n_iter = self.best, sum(each.n_iter for each in self.found)
        exhausted = self.left == 0 and best.n_violated > 0
        return Found(best.w, best.n_violated, n_iter, self.found[-1].interrupted, exhausted)


def _known(start, patterns, many):
    """The weights to start from, as results that took no iteration."""
    start = as_start(start, patterns)
    n_violated = np.atleast_1d(patterns.n_violated(start)).tolist()
    weights = start.astype(float) if many else [start.astype(float)]
    return [Found(w, short, 0) for w, short in zip(weights, n_violated, strict=True)]


def _turn(solver, patterns, rng, limit, verbose, hooks):
    if verbose:
        print(f"{type(solver).__name__}:")
    return solver.solve(patterns, rng, limit, verbose, hooks)


def _improve(results, patterns, rng, verbose, hooks):
    """Add what flips make of every result, and then of weights close to the best one."""

    def starts():
        yield from [*(each.w for each in results.found), hebbian(patterns)]
        for _ in range(N_KICKS):
            yield kicked(results.best.w, rng)

    for start in starts():
        if not results.is_open:
            return
        limit = min(FlipDescent.max_iter, results.left)
        results.add(_turn(FlipDescent(start, N_PAIRS), patterns, rng, limit, verbose, hooks))


N_PAIRS = 16  # of weights whose flips together with any other are tried; all pairs cost too much
N_KICKS = 3
N_PROBES = 8
EXCESS = 4  # of squared correlations; 1 to 3 in independent features, tables have 10 to 1,000


def kicked(w, rng):
    """The weights after a tenth of them are flipped, at least 2 and at most 10."""
    n = w.size
    return np.where(rng.permutation(n) < min(max(2, n // 10), 10), -w, w)


def are_independent(patterns, rng):
    """Whether features are as little correlated as independent ones would be in so many rows."""
    xi = patterns.matrix
    squares = np.einsum("ri,ri->i", xi, xi)
    probes = rng.choice(np.array([-1, 1], xi.dtype), (xi.shape[1], N_PROBES))
    products = xi.T @ (xi @ probes) - squares[:, None] * probes  # of all pairs of two features
    expected = squares.sum() ** 2 / patterns.n_rows
    return bool(np.vdot(products, products) / N_PROBES <= EXCESS * expected)
