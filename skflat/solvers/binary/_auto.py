"""The default: several rules, and the best of what they find."""

import numpy as np

from ._amp import AMP
from ._binary_solver import BinarySolver, Found
from ._flip_descent import FlipDescent, hebbian
from ._mean_field import MeanField


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
    weights hardly change.

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
    real_threshold = True
    _parameter_constraints: dict = {"scaled": ["boolean"]}

    def __init__(self, scaled=True):
        self.scaled = scaled

    def solve(self, patterns, rng, max_iter=None, verbose=False):
        self._validate_params()
        self.check(patterns)
        left, found = self.max_iter if max_iter is None else max_iter, []
        for solver, limit in self._turns(patterns, rng, found):
            if verbose:
                print(f"{type(solver).__name__}:")
            found.append(solver.solve(patterns, rng, min(limit, left), verbose))
            left -= found[-1].n_iter
            if found[-1].n_violated == 0 or found[-1].interrupted or left == 0:
                break
        best, n_iter = best_of(found), sum(each.n_iter for each in found)
        return Found(best.w, best.n_violated, n_iter, found[-1].interrupted)

    def _turns(self, patterns, rng, found):
        """Pairs of a solver and its number of iterations. `found` has the results so far."""
        if not self.scaled:
            yield AMP(), 4000
        yield AMP(0.01, temperature=0.5, damping=0.9), 300
        if self.scaled and are_independent(patterns, rng):  # otherwise that has had its turn
            yield AMP(0.003, temperature=0.1, damping=0.3), 500
        yield MeanField(), 150
        for start in [*(each.w for each in found), hebbian(patterns)]:
            yield FlipDescent(start, N_PAIRS), FlipDescent.max_iter
        for _ in range(N_KICKS):
            yield FlipDescent(kicked(best_of(found).w, rng), N_PAIRS), FlipDescent.max_iter


N_PAIRS = 16  # of weights whose flips together with any other are tried; all pairs cost too much
N_KICKS = 3
N_PROBES = 8
EXCESS = 4  # of squared correlations; 1 to 3 in independent features, tables have 10 to 1,000


def best_of(found):
    """The candidate that violates the fewest rows. The first one is taken if several do."""
    return min(found, key=lambda each: each.n_violated)


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
