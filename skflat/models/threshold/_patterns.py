"""Machines of threshold units with weights in {-1, +1}, and the rows they must classify."""

from functools import cached_property

import numpy as np


class Patterns:
    """Rows that a majority of threshold units must answer with +1, their labels absorbed.

    The units have weights ``w`` in {-1, +1}, an array of shape (n_units, n_inputs). A row is
    satisfied if more than half of the units have a field ``xi[k, row] @ w[k] + offset[k, row]``
    that is positive; for one unit, a perceptron, the field must also reach ``bar``.

    Parameters
    ----------
    xi : ndarray of shape (n_units, n_rows, n_inputs)
        Inputs times label. With a first axis of length 1 all units see the same inputs.
    n_units : int, default=None
        None is the length of the first axis of ``xi``.
    bar : float, default=0.0
        What the field of a perceptron must reach; 0 must be exceeded.
    offset : ndarray of shape (n_units, n_rows), default=0.0
        Real thresholds, times label.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,) or None
        Where there is a threshold to choose, see `FreeThreshold`, what it counts in each row.
    """

    labels = None

    def __init__(self, xi, n_units=None, bar=0.0, offset=0.0):
        self.xi = xi
        self.n_units = len(xi) if n_units is None else n_units
        self.bar = bar
        self.offset = offset

    @property
    def shape(self):
        """That of the weights, (n_units, n_inputs)."""
        return self.n_units, self.xi.shape[2]

    @property
    def n_rows(self):
        """Rows to satisfy."""
        return self.xi.shape[1]

    @property
    def matrix(self):
        """The rows of a perceptron, shape (n_rows, n_inputs)."""
        return self.xi[0]

    @cached_property
    def are_signs(self):
        """Whether all entries are -1 or +1, which spares the products with their squares."""
        # A few rows at a time, so that nothing as large as all of them is made.
        return all(
            (np.abs(unit[start : start + 64]) == 1).all()
            for unit in self.xi
            for start in range(0, self.n_rows, 64)
        )

    def take(self, rows):
        """The same machine on some of the rows."""
        offset = self.offset if np.ndim(self.offset) == 0 else self.offset[:, rows]
        return Patterns(self.xi[:, rows], self.n_units, self.bar, offset)

    def without_inputs(self):
        """The same machine for fields that are known: all that is left out are the inputs."""
        return Patterns(self.xi[:, :, :0].copy(), self.n_units, self.bar, self.offset)

    def fields(self, w):
        """What every unit sees in every row, shape (n_units, n_rows)."""
        w = np.reshape(w, self.shape).astype(self.xi.dtype, copy=False)
        return np.matmul(self.xi, w[:, :, None])[:, :, 0] + self.offset

    def satisfied(self, fields):
        """Which rows are, given the fields of the units: shape (n_rows,)."""
        if self.n_units == 1:
            return fields[0] > 0 if self.bar == 0 else fields[0] >= self.bar
        return np.sign(fields).sum(axis=0) > 0

    def n_violated(self, w):
        """Rows that the weights do not satisfy."""
        return self.n_short(self.fields(w))

    def n_short(self, fields):
        """Rows that these fields of the units do not satisfy."""
        return int(self.n_rows - np.count_nonzero(self.satisfied(fields)))

    def leads(self, fields):
        """How far these fields are above the bar."""
        return fields - self.bar


def majority(up):
    """Probability that more than half of the units are up, and how it depends on each of them.

    Exact, for independent units, by convolution.

    Parameters
    ----------
    up : ndarray of shape (n_units, n_rows)
        Probability of every unit to be up.

    Returns
    -------
    ndarray of shape (n_rows,)
        Probability of a majority.
    ndarray of shape (2, n_units, n_rows)
        The same if that unit is known to be down, and up.
    """
    n_units, n_rows = up.shape
    needed = n_units // 2 + 1
    given = np.empty((2, n_units, n_rows), up.dtype)
    for unit in range(n_units):
        counts = _counts(np.delete(up, unit, axis=0))
        given[0, unit] = counts[needed:].sum(axis=0)
        given[1, unit] = counts[needed - 1 :].sum(axis=0)
    total = up[0] * given[1, 0] + (1 - up[0]) * given[0, 0]
    return total, given


def _counts(up):
    """Distribution of the number of units that are up, shape (n_units + 1, n_rows)."""
    counts = np.zeros((len(up) + 1, up.shape[1]), up.dtype)
    counts[0] = 1
    for p in up:
        moved = p * counts[:-1]
        counts *= 1 - p
        counts[1:] += moved
    return counts
