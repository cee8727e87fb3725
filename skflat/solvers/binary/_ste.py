"""The straight-through estimator."""

import numpy as np
from scipy.special import expit

from ._binary_solver import COUNT, POSITIVE, OnlineSolver, signs


class STE(OnlineSolver):
    """Gradient descent with the straight-through estimator: the baseline.

    Hidden states in [-1, 1] follow the gradient of the cross-entropy
    ``log(1 + exp(-2 gain stability)) / (2 gain)`` with respect to their signs (BinaryNet:
    Courbariaux and others, arXiv:1602.02830).

    An iteration is a pass over all rows. The states begin at random in [-0.1, 0.1], with the signs
    of the weights to start from, if there are any.

    Parameters
    ----------
    gain : float, default=1.0
        Steepness of the cross-entropy.
    rate : float, default=0.05
        Step size.
    batch_size : int, default=100

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import STE
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 40, 201)))
    >>> STE().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {"gain": [POSITIVE], "rate": [POSITIVE], "batch_size": [COUNT]}

    max_iter = 2000
    together = True

    def __init__(self, gain=1.0, rate=0.05, batch_size=100):
        self.gain = gain
        self.rate = rate
        self.batch_size = batch_size

    def begin(self, patterns, rng, start=None):
        n = patterns.shape[1]
        h = patterns.repeated(rng.uniform(-0.1, 0.1, n).astype(patterns.xi.dtype))
        return {"h": h if start is None else np.abs(h) * start.reshape(h.shape)}

    def advance(self, patterns, state, rng):
        n, h = patterns.shape[1], state["h"]
        order = rng.permutation(patterns.n_rows)
        for first in range(0, len(order), self.batch_size):
            batch = patterns.take(order[first : first + self.batch_size])
            stability = (batch.fields(signs(h))[..., 0, :] - batch.bar) / np.sqrt(n)
            push = expit(-2 * self.gain * stability).astype(h.dtype) / batch.n_rows
            h += self.rate * batch.columns(batch.weighted(push))
            np.clip(h, -1, 1, out=h)
        return h
