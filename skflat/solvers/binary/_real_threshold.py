"""A threshold beside weights that are random for as long as the search goes on."""

import numpy as np


class RealThreshold:
    """The threshold that goes with uncertain weights, by Newton's method.

    It is a single number that the means of all rows depend on. As several weights with constant
    inputs it would be these that agree with each other, against what mean fields assume: they would
    overshoot together, and reach no further than their sum.

    Parameters
    ----------
    patterns : skflat.models.threshold.Patterns
        Without a threshold to choose it stays 0.
    """

    def __init__(self, patterns):
        self._labels, self._value = patterns.labels, 0.0
        if self._labels is not None:
            self._least = np.finfo(patterns.xi.dtype).tiny
            # Where rows are given up there is no curvature to hold a step back.
            self._longest = float(np.linalg.norm(patterns.matrix) / np.sqrt(patterns.n_rows))

    def add_to(self, fields):
        """What it contributes to the fields of all rows, in place."""
        if self._labels is not None:
            fields += self._value * self._labels

    def move(self, g, curvature, share=1.0):
        """Go that share of a step, from the slopes and curvatures of the rows' log-probability."""
        if self._labels is not None:
            step = float(self._labels @ g / max(curvature.sum(), g @ g, self._least))
            self._value += share * min(max(step, -self._longest), self._longest)
