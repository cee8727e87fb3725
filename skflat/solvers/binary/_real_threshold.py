"""A real threshold for weights that are random variables during the search."""

import numpy as np


class RealThreshold:
    """The threshold for uncertain weights, by Newton's method.

    It is a single number in the means of all rows. The alternative is several weights with constant
    inputs. Their fields would be equal, but mean-field methods assume independent weights. So these
    weights would overshoot together, and the threshold could not exceed their sum.

    Parameters
    ----------
    patterns : skflat.models.threshold.Patterns
        If their threshold is not free, the value stays 0.
    """

    def __init__(self, patterns):
        self._labels, self.value, self._weighted = patterns.labels, 0.0, patterns.weighted
        if self._labels is not None:
            self._least = np.finfo(patterns.xi.dtype).tiny
            # Ignored rows have no curvature, so a Newton step could be arbitrarily long.
            self._longest = float(np.linalg.norm(patterns.matrix) / np.sqrt(patterns.n_rows))

    def add_to(self, fields, rows=slice(None)):
        """Add the threshold to the fields of these rows, in place."""
        if self._labels is not None:
            fields += self.value * self._labels[..., rows]

    def move(self, g, curvature, share=1.0):
        """Take this share of a Newton step, from slopes and curvatures of the log-probabilities."""
        if self._labels is not None:
            pull, bend = self._weighted(g), self._weighted(curvature)
            size = np.maximum(np.maximum(bend.sum(axis=-1), inner(pull, g)), self._least)
            step = np.clip(inner(self._labels, pull) / size, -self._longest, self._longest)
            self.value = self.value + share * step[..., None]


def inner(a, b):
    """The inner product of two vectors, or of every row of two matrices."""
    return a @ b if a.ndim == 1 else np.einsum("kr,kr->k", a, b)
