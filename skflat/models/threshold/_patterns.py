"""Machines of threshold units with weights in {-1, +1}, and the rows to classify."""

from functools import cached_property

import numpy as np

FINENESS = 2.0**30  # parts of a weight of 1; sums are exact up to 2**23 rows


class Patterns:
    """Rows that a majority of threshold units must classify as +1. Labels are part of the rows.

    The units have weights ``w`` in {-1, +1}, an array of shape (n_units, n_inputs). The field of a
    unit is ``xi[k, row] @ w[k] + offset[k, row]``. A row is satisfied if more than half of the
    units have a positive field. With one unit, a perceptron, the field must also reach ``bar``.

    Parameters
    ----------
    xi : ndarray of shape (n_units, n_rows, n_inputs)
        Inputs times label. If the first axis has length 1, all units see the same inputs.
    n_units : int, default=None
        Number of units. None is the length of the first axis of ``xi``.
    bar : float, default=0.0
        The least field of a perceptron. A field must be greater than a bar of 0.
    offset : ndarray of shape (n_units, n_rows), default=0.0
        Real thresholds, times label.
    weight : ndarray of shape (n_rows,), default=1.0
        How much every row counts, see `counting_weight`. A row of weight 2 is two rows.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,) or None
        Coefficients of a free threshold in each row, see `FreeThreshold`. None without one.
    """

    labels = None

    def __init__(self, xi, n_units=None, bar=0.0, offset=0.0, weight=1.0):
        self.xi = xi
        self.weight = weight
        self.n_units = len(xi) if n_units is None else n_units
        self.bar = bar
        self.offset = offset

    @property
    def shape(self):
        """The shape of the weights, (n_units, n_inputs)."""
        return self.n_units, self.xi.shape[2]

    @property
    def n_rows(self):
        """Number of rows to satisfy."""
        return self.xi.shape[1]

    @property
    def matrix(self):
        """The rows of a perceptron, shape (n_rows, n_inputs)."""
        return self.xi[0]

    @cached_property
    def are_signs(self):
        """Whether all entries are -1 or +1. Then products with their squares are not needed."""
        # A few rows at a time, so that temporary arrays stay small.
        return all(
            (np.abs(unit[start : start + 64]) == 1).all()
            for unit in self.xi
            for start in range(0, self.n_rows, 64)
        )

    def take(self, rows):
        """The same machine on some of the rows."""
        offset = self.offset if np.ndim(self.offset) == 0 else self.offset[:, rows]
        weight = self.weight if np.ndim(self.weight) == 0 else self.weight[rows]
        return Patterns(self.xi[:, rows], self.n_units, self.bar, offset, weight)

    def without_inputs(self):
        """The same machine without inputs, for callers that already know the fields."""
        # A copy, because a view would keep the whole array in memory.
        inputs = self.xi[:, :, :0].copy()
        return Patterns(inputs, self.n_units, self.bar, self.offset, self.weight)

    def repeated(self, start):
        """This start of the weights, once for every problem to solve."""
        return start

    def inputs(self, rows):
        """The entries of some rows, shape (n_units, n_rows, n_inputs)."""
        return self.xi[:, rows]

    def row(self, row):
        """The entries of one row of a perceptron, shape (n_inputs,)."""
        return self.matrix[row]

    def projections(self, a, rows=slice(None)):
        """The product of these rows of a perceptron with ``a``, of shape (n_rows,)."""
        return self.matrix[rows] @ a

    def columns(self, g, rows=slice(None)):
        """The sum of these rows of a perceptron, each times its entry of ``g``."""
        return g @ self.matrix[rows]

    def columns_of_units(self, g):
        """The sum of the rows for every unit. ``g`` has the shape (n_units, n_rows)."""
        return np.matmul(g[:, None], self.xi)[:, 0]

    def fields(self, w):
        """The field of every unit in every row, shape (n_units, n_rows)."""
        w = np.reshape(w, self.shape).astype(self.xi.dtype, copy=False)
        return np.matmul(self.xi, w[:, :, None])[:, :, 0] + self.offset

    def satisfied(self, fields):
        """A mask of the rows that are satisfied by these fields of the units, shape (n_rows,)."""
        if self.n_units == 1:
            return fields[0] > 0 if self.bar == 0 else fields[0] >= self.bar
        return np.sign(fields).sum(axis=0) > 0

    def n_violated(self, w):
        """Number of rows that the weights do not satisfy, or the sum of their weights."""
        return self.n_short(self.fields(w))

    def n_short(self, fields):
        """Number of rows that these fields do not satisfy, or the sum of their weights."""
        return self.count(~self.satisfied(fields)).item()

    def count(self, rows):
        """Number of rows that are true along the last axis, or the sum of their weights."""
        return rows @ self.weight if np.ndim(self.weight) else np.count_nonzero(rows, axis=-1)

    def weighted(self, values, rows=slice(None)):
        """Values times the weights of the rows, along the last axis, in their own precision."""
        weight = self.weight if np.ndim(self.weight) == 0 else self.weight[rows]
        return values * np.asarray(weight, values.dtype)

    def total(self, messages, rows=slice(None)):
        """The sum of messages over the rows, the last axis but one, each by its weight."""
        if np.ndim(self.weight) == 0:
            return messages.sum(axis=-2)
        return np.matmul(self.weight[rows].astype(messages.dtype), messages)

    def own(self, messages, rows=slice(None)):
        """The part of its own message that a row must subtract from the fields that it sees.

        A row of weight 2 stands for two rows, and each of them sees the message of the other. A row
        of weight 1/2 has added only half of its message to the fields.
        """
        return self.own_of_rows(messages.swapaxes(-1, -2), rows).swapaxes(-1, -2)

    def own_of_rows(self, values, rows=slice(None)):
        """The same where the last axis has the rows: one value of each row for all weights."""
        if np.ndim(self.weight) == 0:
            return values
        return values * np.minimum(self.weight[rows], 1).astype(values.dtype)

    def leads(self, fields):
        """The differences between these fields and the bar."""
        return fields - self.bar

    def are_short(self, leads):
        """Which of these differences violate their row. A field must be greater than a bar of 0."""
        return leads <= 0 if self.bar == 0 else leads < 0


def counting_weight(sample_weight):
    """Weights of mean 1, rounded so that sums of them are exact in any order.

    Otherwise two searches could disagree by rounding about which weights are better.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,) or None

    Returns
    -------
    ndarray of shape (n_rows,), or None
    """
    weight = sample_weight / sample_weight.mean(dtype=float)
    return np.round(weight.astype(float) * FINENESS) / FINENESS


def majority(up):
    """Probability that more than half of the units are up, and its dependence on each unit.

    The result is exact for independent units. It uses the distribution of the number of units that
    are up, which is computed by convolution.

    Parameters
    ----------
    up : ndarray of shape (n_units, ..., n_rows)
        Probability that each unit is up.

    Returns
    -------
    ndarray of shape (n_rows,)
        Probability of a majority.
    ndarray of shape (2, n_units, n_rows)
        Conditional probability of a majority, given that the unit is down, and given that it is up.
    """
    n_units = len(up)
    needed = n_units // 2 + 1
    given = np.empty((2, *up.shape), up.dtype)
    # Each unit is left out in turn. Dividing it out of the full convolution would be faster, but
    # would lose digits.
    for unit in range(n_units):
        counts = _counts(np.delete(up, unit, axis=0))
        given[0, unit] = counts[needed:].sum(axis=0)
        given[1, unit] = counts[needed - 1 :].sum(axis=0)
    total = up[0] * given[1, 0] + (1 - up[0]) * given[0, 0]
    return total, given


def _counts(up):
    """Distribution of the number of units that are up, shape (n_units + 1, n_rows)."""
    counts = np.zeros((len(up) + 1, *up.shape[1:]), up.dtype)
    counts[0] = 1
    for p in up:  # in place: one convolution with (1 - p, p) per unit
        moved = p * counts[:-1]
        counts *= 1 - p
        counts[1:] += moved
    return counts
