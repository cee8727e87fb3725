"""Stochastic belief-propagation-inspired learning."""

from numbers import Real

import numpy as np

from ..._compat import Interval
from ._binary_solver import COUNT, POSITIVE, OnlineSolver, signs
from ._real_threshold import inner


class SBPI(OnlineSolver):
    """On-line learning of hidden states that also reinforces barely satisfied rows.

    Every weight is the sign of a hidden state. Rows come one at a time in random order. A violated
    row moves all states by twice its entries. If a row is satisfied by less than ``threshold``,
    then with ``probability`` it moves the states with which it agrees. (The rule of Baldassi,
    Braunstein, Brunel and Zecchina, PNAS 104 (2007) 11079; the defaults are ours.)

    With a large threshold the search may freeze with a few violated rows, and with a small one it
    does not come close. So the threshold is halved in the second half of every ``period`` passes.
    With 1,001 weights, 300 passes and loads of 0.6, 0.65 and 0.68 this solved 10, 9 and 4 of ten
    instances. A fixed threshold solved 8, 3 and 1.

    An iteration is a pass over all rows, one after the other. The states begin at random signs, or
    at the weights to start from.

    Parameters
    ----------
    threshold : float, default=0.1
        In units of the stability, the field divided by the square root of the number of weights. If
        it is too large, reinforcement outweighs the corrections, and the search may freeze early.
        More weights need a smaller value: with 10,001 weights at half load, a fixed 0.1 froze in 3
        of 3 instances, and a fixed 0.05 in 1 of 3.
    probability : float, default=0.2
        Probability of reinforcement.
    bound : float or None, default=1.6
        Greatest absolute value of a hidden state, in units of the square root of the number of
        weights. Without a bound (None) states may grow so large that the last rows no longer move
        them. A bound below 1.5 loses solutions.
    period : int or None, default=100
        Passes from one fall of the threshold to the next. None keeps the threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import SBPI
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 60, 201)))
    >>> SBPI().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {
        "threshold": [Interval(Real, 0, None, closed="left")],
        "probability": [Interval(Real, 0, 1, closed="both")],
        "bound": [POSITIVE, None],
        "period": [COUNT, None],
    }

    max_iter = 300
    together = True

    def __init__(self, threshold=0.1, probability=0.2, bound=1.6, period=100):
        self.threshold = threshold
        self.probability = probability
        self.bound = bound
        self.period = period

    def begin(self, patterns, rng, start=None):
        h = patterns.repeated(rng.choice([-1.0, 1.0], patterns.shape[1]).astype(patterns.xi.dtype))
        return {"h": h if start is None else start.reshape(h.shape).copy(), "n_passes": 0}

    def advance(self, patterns, state, rng):
        n, h = patterns.shape[1], state["h"]
        bars = patterns.bar - np.broadcast_to(np.ravel(patterns.offset), patterns.n_rows)
        # On patterns of signs all states are odd, so none is ever 0. An odd bound keeps that.
        bound = np.inf if self.bound is None else 2 * (self.bound * np.sqrt(n) // 2) + 1
        threshold = self._threshold(state["n_passes"]) * np.sqrt(n)
        state["n_passes"] += 1
        w = signs(h)
        lucky = rng.random(patterns.n_rows) < self.probability
        for row in rng.permutation(visits(patterns, rng)):
            xi = patterns.row(row)
            lead = inner(xi, w) - bars[row]
            is_moved = lead <= (threshold if lucky[row] else 0)
            if not is_moved.any():
                continue
            # A barely satisfied row strengthens only the weights that agree with it.
            moved = is_moved[..., None] & ((lead <= 0)[..., None] | (xi * w > 0))
            h += 2 * np.where(moved, xi, 0)
            np.clip(h, -bound, bound, out=h)
            w = signs(h)
        return w

    def _threshold(self, n_passes):
        """The threshold of the pass after so many."""
        is_low = self.period is not None and n_passes % self.period >= self.period / 2
        return self.threshold / 2 if is_low else self.threshold


def visits(patterns, rng):
    """Rows to visit: each as often as its weight. A fraction of it is the chance of one more."""
    if np.ndim(patterns.weight) == 0:
        return patterns.n_rows
    times = np.floor(patterns.weight + rng.random(patterns.n_rows)).astype(int)
    return np.repeat(np.arange(patterns.n_rows), times)
