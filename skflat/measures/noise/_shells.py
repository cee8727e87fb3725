"""Solutions at a given number of flips from weights in {-1, +1}: counts and estimates."""

import numpy as np
from scipy.special import gammaln, logsumexp

from .._memory import at_once


def counts_by_distance(patterns, w):
    """How many weights of a perceptron satisfy all rows, by the number of flips away from ``w``.

    The method is enumeration. All fields of the first half of the weights are added to all fields
    of the second half. Rows come in chunks, and only weights that satisfy all earlier rows stay.

    Parameters
    ----------
    patterns : Patterns
    w : ndarray of shape (n_inputs,)
        Weights -1 or +1.

    Returns
    -------
    ndarray of int of shape (n_inputs + 1,)
    """
    eta = (patterns.matrix * w).astype(float)  # gauge transformation: ``w`` becomes all +1
    n_rows, n = eta.shape
    halves = slice(n // 2), slice(n // 2, n)
    first, second = (_all_signs(half.stop - (half.start or 0)) for half in halves)
    offset = np.broadcast_to(np.ravel(patterns.offset), n_rows)
    solves = np.ones((len(first), len(second)), bool)
    size = at_once(len(second), n_rows)
    for rows in (slice(start, start + size) for start in range(0, n_rows, size)):
        there = second @ eta[rows, halves[1]].T + offset[rows]
        for fields, left in zip(first @ eta[rows, halves[0]].T, solves, strict=True):
            alive = np.flatnonzero(left)
            left[alive] = patterns.satisfied((there[alive] + fields)[None]).all(axis=1)
    counts, flips = np.zeros(n + 1, int), _n_flips(second)
    for k, left in zip(_n_flips(first), solves, strict=True):
        counts[k:] += np.bincount(flips[left], minlength=n + 1)[: n + 1 - k]
    return counts


def _all_signs(n):
    """All vectors of ``n`` signs, shape (2^n, n)."""
    return 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)


def _n_flips(signs):
    return np.count_nonzero(signs < 0, axis=1)


def log_binomial(n, k):
    """Logarithm of the number of weights at ``k`` flips.

    Parameters
    ----------
    n : int
        Number of weights.
    k : int or ndarray of int
        Number of flips.

    Returns
    -------
    float or ndarray
    """
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def sampled_log_count(patterns, w, n_flips, rng, n_chains=200, n_levels=60, strongest=6.0):
    """Logarithm of the number of solutions of a perceptron at ``n_flips`` from ``w``, estimated.

    The method is annealed importance sampling (Neal, arXiv:physics/9803008). Chains start uniformly
    on the shell. A move exchanges a flipped weight for another one. The penalty for violated rows
    rises from 0 to ``strongest``. The estimate of the count is unbiased.

    Parameters
    ----------
    patterns : Patterns
    w : ndarray of shape (n_inputs,)
        Weights -1 or +1.
    n_flips : int
    rng : numpy.random.Generator
    n_chains : int, default=200
    n_levels : int, default=60
        Number of strengths of the penalty.
    strongest : float, default=6.0

    Returns
    -------
    log_count, stderr : float
        Minus infinity, and infinity, if no chain ends at a solution.
    """
    chains = _Chains(patterns, w, n_flips, rng, n_chains)
    log_weight, beta = np.zeros(n_chains), 0.0
    for level in np.linspace(0, strongest, n_levels + 1)[1:]:
        # Importance weight of the change of temperature, before the moves at the new one.
        log_weight -= (level - beta) * chains.n_violated
        beta = level
        for _ in range(patterns.shape[1]):
            chains.exchange(beta)
    solved = chains.n_violated == 0
    if not solved.any():
        return -np.inf, np.inf
    # The final density is ``exp(-strongest * n_violated)``. On solutions it is 1, so solved chains
    # need no further weight, and all others count 0.
    log_mean = logsumexp(log_weight[solved]) - np.log(n_chains)
    shares = np.where(solved, np.exp(log_weight - log_mean), 0.0)
    stderr = shares.std(ddof=1) / np.sqrt(n_chains)
    return log_binomial(patterns.shape[1], n_flips) + log_mean, stderr


class _Chains:
    """Weights at a fixed number of flips, and the fields of all rows."""

    def __init__(self, patterns, w, n_flips, rng, n_chains):
        self.patterns, self.rng, self.n_flips = patterns, rng, n_flips
        self.columns = np.ascontiguousarray((patterns.matrix * w).astype(float).T)
        n = len(self.columns)
        # The first ``n_flips`` of every permutation are the flipped weights.
        self.order = rng.permuted(np.tile(np.arange(n), (n_chains, 1)), axis=1)
        s = np.ones((n_chains, n))
        np.put_along_axis(s, self.order[:, :n_flips], -1.0, axis=1)
        self.fields = s @ self.columns + np.ravel(patterns.offset)
        self.n_violated = self._violated(self.fields)

    def _violated(self, fields):
        return fields.shape[1] - np.count_nonzero(self.patterns.satisfied(fields[None]), axis=1)

    def exchange(self, beta):
        """One Metropolis step in every chain: flip one weight back and another one instead."""
        n_chains, n = self.order.shape
        if self.n_flips == n:
            return
        chains = np.arange(n_chains)
        back = self.rng.integers(self.n_flips, size=n_chains)
        away = self.rng.integers(self.n_flips, n, size=n_chains)
        i, j = self.order[chains, back], self.order[chains, away]
        fields = self.fields + 2 * (self.columns[i] - self.columns[j])
        n_violated = self._violated(fields)
        odds = np.exp(np.minimum(0, beta * (self.n_violated - n_violated)))
        moved = self.rng.random(n_chains) < odds
        self.fields[moved], self.n_violated[moved] = fields[moved], n_violated[moved]
        self.order[chains[moved], back[moved]] = j[moved]
        self.order[chains[moved], away[moved]] = i[moved]
