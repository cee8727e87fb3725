"""Belief propagation for threshold units with weights in {-1, +1}."""

import numpy as np
from scipy.special import log_ndtr, ndtr

from ._patterns import majority

BLOCK = 1 << 17  # messages at a time, so that intermediate arrays stay in the cache
# Blocks of rows per sweep. Rows of a block see the same fields, and the next block sees their new
# messages. This is between row by row (small arrays) and all rows at once.
N_BLOCKS = 20
LARGEST = 30.0  # messages are clipped to this size, which is a probability of exp(-60)


class BeliefPropagation:
    """Messages between the weights of a machine and the rows it must satisfy.

    All messages are fields: a weight of field ``h`` has the mean ``tanh(h)``. A row sends the
    message ``u[k, row, i]`` to the weight ``i`` of unit ``k``. It depends on the messages from all
    other rows to the weights. The sum of many weights in a row is approximated as normal. The
    majority of several units is computed exactly.

    Parameters
    ----------
    patterns : Patterns or Problems
        With `Problems` all arrays have one more axis, the first.
    rng : numpy.random.Generator
    spread : float, default=0.01
        The first messages are uniform in ``[-spread, spread]``. Several units need this to become
        different from each other.
    exact : bool, default=False
        Whether messages are exact instead of normal, for one unit with an odd number of weights and
        patterns of signs without thresholds. A sweep then takes ``n_inputs`` times as long.

    Attributes
    ----------
    u : ndarray of shape (n_units, n_rows, n_inputs)
        Messages from rows to weights.
    external : ndarray of shape (n_units, n_inputs)
        Field that no row is responsible for. Set it by `set_external`.
    total : ndarray of shape (n_units, n_inputs)
        All fields on each weight.
    """

    def __init__(self, patterns, rng, spread=0.01, exact=False):
        n_units, n_inputs = patterns.shape
        dtype = patterns.xi.dtype
        self.patterns, self.exact = patterns, exact
        u = rng.uniform(-spread, spread, (n_units, patterns.n_rows, n_inputs)).astype(dtype)
        self.u = patterns.repeated(u)
        self.total = patterns.total(self.u)
        self.external = np.zeros_like(self.total)

    def set_external(self, field):
        """Replace the external field."""
        self.total += field - self.external
        self.external = np.array(field, dtype=self.total.dtype)

    def sweep(self, rng, respond=None, damping=0.0):
        """Pass over all rows once, in a random order; return the largest change of a mean.

        Parameters
        ----------
        rng : numpy.random.Generator
        respond : callable, default=None
            Called as ``respond(self)`` before every block of rows. It returns the external field
            to set.
        damping : float, default=0.0
            Share of the old messages in the new ones.
        """
        before = np.tanh(self.total)
        order = rng.permutation(self.patterns.n_rows)
        for rows in np.array_split(order, min(N_BLOCKS, len(order))):
            if respond is not None:
                self.set_external(respond(self))
            self._update(rows, damping)
        # A new sum, because rounding errors of the incremental updates would accumulate.
        self.total = self.patterns.total(self.u) + self.external
        return float(np.abs(np.tanh(self.total) - before).max())

    def _update(self, rows, damping):
        old = self.u[..., rows, :]
        new = self._messages(rows, self.total[..., None, :] - self.patterns.own(old, rows))
        if damping:
            new += damping * (old - new)
        self.total += self.patterns.total(new - old, rows)
        self.u[..., rows, :] = new

    def _messages(self, rows, cavity):
        """The messages of these rows, of shape (n_units, n_rows, n_inputs), given cavity fields."""
        # Central limit theorem: without its own term, the field of weight ``i`` is normal with mean
        # ``sums - mean_i`` and variance ``spread - var_i``. The message is half the logarithm of
        # the ratio of two probabilities: that the row is satisfied with ``w_i = +1`` and with
        # ``w_i = -1``. The variance may round to a negative number.
        xi, offset = self.patterns.inputs(rows), self._offset(rows)
        if self.exact:
            return _exact_messages(xi, cavity)
        mean, var, sums, spread = _moments(xi, cavity, offset)
        mean, sd = sums - mean, np.sqrt(np.maximum(spread - var, _tiny(xi)))
        above, below = (mean + xi) / sd, (mean - xi) / sd
        if self.patterns.n_units == 1:
            u = log_ndtr(above) - log_ndtr(below)
        else:
            weights = self._log_odds_of_majority(sums, spread)
            u = _log_mixture(above, *weights) - _log_mixture(below, *weights)
        return np.clip(0.5 * u, -LARGEST, LARGEST).astype(xi.dtype, copy=False)

    def _log_odds_of_majority(self, sums, spread):
        """Log-probabilities of a majority if each unit is down, and if it is up."""
        up = ndtr(sums / np.sqrt(np.maximum(spread, _tiny(sums))))[..., 0]
        _, given = majority(np.moveaxis(up, -2, 0))
        return _log(np.moveaxis(given, 1, -2))[..., None]

    def _offset(self, rows):
        # The bar acts like a negative threshold: the field must then exceed 0.
        offset = np.asarray(self.patterns.offset, self.patterns.xi.dtype) - self.patterns.bar
        return offset[:, rows, None] if offset.ndim else offset

    def log_partition(self):
        """The Bethe estimate of the logarithm of the sum over all weights that satisfy all rows.

        Each weight vector counts ``exp(external * w)``. The estimate is stationary at a fixed point
        of the messages.
        """
        n_rows, rest = self.patterns.n_rows, _log_2_cosh(self.total).sum()
        value, size = float(rest), max(1, BLOCK // self.total.size)
        for start in range(0, n_rows, size):
            value += self._log_partition_of(np.arange(start, min(start + size, n_rows)))
        return value

    def _log_partition_of(self, rows):
        cavity = self.total[:, None] - self.u[:, rows]
        _, _, sums, spread = _moments(self.patterns.xi[:, rows], cavity, self._offset(rows))
        ratio = (sums / np.sqrt(np.maximum(spread, _tiny(sums))))[:, :, 0].astype(float)
        satisfied = log_ndtr(ratio[0]) if len(ratio) == 1 else _log(majority(ndtr(ratio))[0])
        # The Bethe formula has one term per weight, one per row, and these per pair of the two.
        links = _log_2_cosh(cavity) - _log_2_cosh(self.total)[:, None]
        return float(satisfied.sum() + links.sum(dtype=float))


def _exact_messages(xi, cavity):
    """Messages of a row of signs: its field is positive if most weights agree with it."""
    agree = (1 + xi * np.tanh(cavity)) / 2
    _, given = majority(agree[0].T)
    down, up = _log(given)
    return np.clip(0.5 * xi * (up - down).T, -LARGEST, LARGEST).astype(xi.dtype, copy=False)


def _moments(xi, cavity, offset):
    """Mean and variance of every term of a row's field, and of the whole field."""
    h = np.tanh(cavity)
    mean, var = xi * h, xi * xi * (1 - h * h)
    return mean, var, mean.sum(axis=-1, keepdims=True) + offset, var.sum(axis=-1, keepdims=True)


def _log_mixture(x, log_down, log_up):
    """Log-probability of a majority if a unit is up with probability ``ndtr(x)``."""
    return np.logaddexp(log_up + log_ndtr(x), log_down + log_ndtr(-x))


def _log(p):
    """Logarithm of probabilities. It is finite for the probability 0."""
    return np.log(np.maximum(p, np.finfo(p.dtype).tiny))


def _log_2_cosh(x):
    x = np.abs(x)  # so that the exponential cannot overflow
    return x + np.log1p(np.exp(-2 * x))


def _tiny(array):
    """The smallest variance of a sum of fields that is distinguished from 0."""
    return np.finfo(array.dtype).eps
