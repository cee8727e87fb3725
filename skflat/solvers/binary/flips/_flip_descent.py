"""Descent by flips of single weights and of pairs."""

import numpy as np

from .._binary_solver import BinarySolver, signs


class FlipDescent(BinarySolver):
    """Descent by flips: a weight is flipped if fewer rows are then violated.

    An iteration tries to flip every weight, one after the other in random order. If none of these
    flips helps, it tries pairs of flips. The first is one of ``n_pairs`` random weights, the second
    the best of all others for the present threshold. Pairs help with correlated features: often
    their weights can only be flipped together. The search ends if no flip helps.

    Parameters
    ----------
    start : ndarray of shape (1, n_inputs)
        The weights to begin with.
    n_pairs : int, default=0
    """

    real_threshold = True

    def __init__(self, start, n_pairs=0):
        self.start = start
        self.n_pairs = n_pairs

    def candidates(self, patterns, rng):
        descent = _Descent(patterns, self.start)
        before = None
        while descent.least != before:
            before = descent.least
            order = rng.permutation(patterns.shape[1])
            for i in order:
                descent.flip(i)
            if descent.least == before:
                for i in order[: self.n_pairs]:
                    descent.flip_with_another(i)
            yield descent.w


class _Descent:
    """Weights, the fields of all rows, and the amount by which each flip lowers them."""

    def __init__(self, patterns, start):
        self.patterns = patterns
        self.w = np.ravel(start).astype(patterns.xi.dtype)
        # The change of all fields by each flip, in one contiguous row per weight. So a flip costs
        # one subtraction.
        self._drops = np.multiply(2 * self.w[:, None], patterns.matrix.T, order="C")
        self._fields = patterns.fields(self.w)
        self.least = patterns.n_short(self._fields)

    def flip(self, *weights):
        """Flip these weights if that violates fewer rows."""
        fields = self._fields - sum(self._drops[i] for i in weights)
        n_short = self.patterns.n_short(fields)
        if n_short < self.least:
            self.least, self._fields = n_short, fields
            for i in weights:
                self.w[i] *= -1
                self._drops[i] *= -1

    def flip_with_another(self, i):
        """Flip this weight and its best partner, if that violates fewer rows."""
        leads = self.patterns.leads(self._fields)[0] - self._drops[i]
        n_short = self.patterns.count(leads <= self._drops)
        n_short[i] = self.patterns.n_rows + 1  # more than all: a flip with itself is none
        if n_short.min() < self.least:
            self.flip(i, n_short.argmin())


def hebbian(patterns):
    """The signs of the mean of all rows, in which each class has the weight one half.

    Parameters
    ----------
    patterns : skflat.models.threshold.Patterns

    Returns
    -------
    ndarray of shape (n_inputs,)
        In {-1, +1}.
    """
    share = np.ones(patterns.n_rows, patterns.xi.dtype)
    if patterns.labels is not None:
        share -= patterns.weighted(patterns.labels).mean() * patterns.labels
    return signs(patterns.weighted(share) @ patterns.matrix)
