"""Reinforced approximate message passing."""

from math import sqrt
from numbers import Real

import numpy as np
from scipy.special import erfcx, ndtr

from ..._compat import Interval
from ._binary_solver import SHARE, BinarySolver
from ._real_threshold import RealThreshold


class AMP(BinarySolver):
    """Reinforced approximate message passing: the fastest strong solver of perceptrons.

    Approximate message passing estimates the mean of every weight over all weight vectors that
    satisfy the rows. The reinforcement adds a growing share ``1 - (1 - reinforcement)^t`` of the
    fields of one iteration to the next, until the means become -1 or +1. The solutions found lie in
    dense regions (Baldassi and others, arXiv:2107.01163).

    Newton's method moves a free threshold, with the same damping.

    An iteration costs two products with the matrix of patterns if all entries are -1 or +1, and
    four otherwise. Violated rows are counted in every tenth iteration. The search ends when the
    reinforcement is complete, after ``7 / reinforcement`` iterations.

    Parameters
    ----------
    reinforcement : float, default=1e-3
        Smaller is slower and stronger. Useful values are 1e-4 to 1e-2.
    temperature : float, default=0.0
        A violated row has weight ``exp(-1 / temperature)``. At 0 all rows must be satisfied. If
        that is impossible, as on most tables of data, 0.5 is useful.
    damping : float, default=0.0
        Share of the old fields in the new ones. Correlated patterns need it: 0.9 is useful on
        tables of data.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import AMP
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 100, 201)))
    >>> AMP().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {
        "reinforcement": [SHARE],
        "temperature": [Interval(Real, 0, None, closed="left")],
        "damping": [Interval(Real, 0, 1, closed="left")],
    }

    max_iter = 100_000
    interval = 10
    real_threshold = together = True

    def __init__(self, reinforcement=1e-3, temperature=0.0, damping=0.0):
        self.reinforcement = reinforcement
        self.temperature = temperature
        self.damping = damping

    def candidates(self, patterns, rng):
        nodes, n = Nodes(patterns, self._push, 1 - self.damping), patterns.shape[1]
        a = patterns.repeated((1e-3 * rng.standard_normal(n)).astype(nodes.products.dtype))
        h, kept = np.zeros_like(a), 0.0
        while kept < 0.999:
            new = nodes.field(a)
            new += kept * h
            # Reinforcement: the old field acts as an external field of growing strength.
            h = new if self.damping == 0 else self.damping * h + (1 - self.damping) * new
            np.tanh(h, out=a)
            kept = 1 - (1 - kept) * (1 - self.reinforcement)
            yield h

    def _push(self, x):
        """Slope of the logarithm of a row's weight, at ``x`` standard deviations above the bar."""
        push = inverse_mills(-x)
        # At a low temperature this underflows to 0, and the row is treated as at temperature 0.
        violated = np.exp(-1 / self.temperature) if self.temperature > 0 else 0.0
        if violated > 0:
            satisfied = (1 - violated) * ndtr(x)
            push *= satisfied / (violated + satisfied)
        return push


BLOCK = 1 << 20  # bytes of rows at a time, so that both products read them from memory once
TINY = 1e-6  # least mean variance of a weight; the variances tend to 0 as the search ends


class Nodes:
    """The node equations of approximate message passing: fields on weights from their means.

    Parameters
    ----------
    patterns : skflat.models.threshold.Patterns or Problems
    push : callable
        Slope of the logarithm of a row's weight, see `AMP`.
    share : float
        Share of a Newton step by which a free threshold moves.
    """

    def __init__(self, patterns, push, share=1.0):
        self.patterns, self.products = patterns, Products(patterns)
        bar = (patterns.bar - np.ravel(patterns.offset)).astype(self.products.dtype)
        self.bar = np.broadcast_to(bar, patterns.n_rows)
        self.blocks = blocks_of_rows(patterns)
        self.g, self.push, self.share = np.zeros_like(self.bar), push, share
        self.threshold = RealThreshold(patterns)

    def field(self, a):
        """The field of all rows on every weight, without its own reaction, for the means ``a``."""
        patterns, products = self.patterns, self.products
        V = np.maximum(products.variances(a), TINY * patterns.shape[1])
        parts, field = [], 0.0
        for rows in self.blocks:
            g, curvature = self._slopes(a, V, rows)
            field += products.columns(patterns.weighted(g, rows), rows)
            parts.append((g, curvature))
        self.g, curvature = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
        self.threshold.move(self.g, curvature, self.share)
        field += a * products.column_squares(patterns.weighted(curvature))
        return field

    def _slopes(self, a, V, rows):
        """Slope and curvature of the logarithm of each row's weight, with their sign changed."""
        sd = np.sqrt(V)
        x = self.products.rows(a, rows)
        # The Onsager term removes the reaction of a row to its own last message.
        x -= V * self.patterns.own_of_rows(self.g[..., rows], rows)
        x -= self.bar[..., rows]
        self.threshold.add_to(x, rows)
        x /= sd
        g = self.push(x) / sd
        return g, g * (x / sd + g)


def blocks_of_rows(patterns):
    """Slices of the rows that fit into the cache; one of all rows if they have variances each."""
    size = max(1, BLOCK // (patterns.shape[1] * patterns.xi.itemsize))
    if size >= patterns.n_rows or not patterns.are_signs:
        return [slice(None)]
    return [slice(start, start + size) for start in range(0, patterns.n_rows, size)]


class Products:
    """Products with the patterns of perceptrons and with their squares."""

    def __init__(self, patterns):
        self._patterns, self._xi, self.dtype = patterns, patterns.matrix, patterns.xi.dtype
        self._squares = None if patterns.are_signs else self._xi**2

    def rows(self, a, some=slice(None)):
        """``xi @ a`` for some of the rows."""
        return self._patterns.projections(a, some)

    def columns(self, g, some=slice(None)):
        """``xi.T @ g`` for some of the rows."""
        return self._patterns.columns(g, some)

    def variances(self, a):
        """``xi**2 @ (1 - a**2)``, one number where all rows have the same."""
        if self._squares is None:
            return len(a) - a @ a if a.ndim == 1 else a.shape[1] - (a * a).sum(axis=1)[:, None]
        rest = 1 - a * a
        return self._squares @ rest if a.ndim == 1 else rest @ self._squares.T

    def column_squares(self, v):
        """``(xi**2).T @ v``, one number where all columns have the same."""
        return v.sum(axis=-1, keepdims=v.ndim > 1) if self._squares is None else v @ self._squares


def inverse_mills(x):
    """Density of the standard normal at ``x``, divided by the probability to exceed ``x``."""
    # Below this argument the result is 0 up to rounding, and erfcx would overflow.
    lowest = -9 if x.dtype == np.float32 else -26
    return sqrt(2 / np.pi) / erfcx(np.maximum(x * sqrt(0.5), lowest))
