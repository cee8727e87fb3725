"""Linear programs in rational arithmetic, and hostile pairs that they decide."""

from fractions import Fraction
from math import lcm

import numpy as np


def has_solution(inequalities):
    """Whether ``inequalities @ u > 0`` for some ``u``, exactly, for floats as they are stored.

    By Gordan's theorem there is none if and only if a convex combination of the rows is 0. Phase
    one of the simplex method looks for it. All numbers are integers over one common denominator
    (Edmonds), so every division has remainder 0. Bland's rule prevents cycles.
    """
    rows = np.array([_integers(row) for row in inequalities], dtype=object)
    n, size = rows.shape
    # The columns are the weights, one artificial variable per equation, and the right side.
    table = np.zeros((size + 2, n + size + 2), dtype=object)
    table[:size, :n], table[size, :n], table[size, -1] = rows.T, 1, 1
    table[: size + 1, n : n + size + 1] = np.eye(size + 1, dtype=int).astype(object)
    table[-1, :n] = -table[: size + 1, :n].sum(axis=0)
    table[-1, -1] = -1
    basis, unit = list(range(n, n + size + 1)), 1
    while True:
        falling = np.flatnonzero(table[-1, :n] < 0)
        if not len(falling):
            return bool(table[-1, -1] < 0)
        column = falling[0]
        places = np.flatnonzero(table[:-1, column] > 0)
        ratios = [(Fraction(table[r, -1], table[r, column]), basis[r]) for r in places]
        row = places[ratios.index(min(ratios))]
        table, unit = _pivoted(table, row, column, unit), table[row, column]
        basis[row] = column


def _pivoted(table, row, column, unit):
    """The table after one variable enters the basis, over the new denominator."""
    pivot_row = table[row].copy()
    table = (table * pivot_row[column] - np.outer(table[:, column], pivot_row)) // unit
    table[row] = pivot_row
    return table


def _integers(row):
    ratios = [float(entry).as_integer_ratio() for entry in row]
    unit = lcm(*(denominator for _, denominator in ratios))
    return [numerator * (unit // denominator) for numerator, denominator in ratios]


def pairs_by_rational_programs(features, labels, probes, n_classes):
    """Which (probe, outcome) pairs are open, of shape (n_probes, n_classes)."""
    table = np.zeros((len(probes), n_classes), dtype=bool)
    for probe, outcome in np.ndindex(table.shape):
        rows = np.column_stack([np.vstack([features, probes[probe]]), np.ones(len(features) + 1)])
        every = np.append(labels, outcome)
        gaps = np.eye(n_classes)[every][:, None, :] - np.eye(n_classes)
        gaps = gaps[np.arange(n_classes) != every[:, None]][:, :-1]
        each = np.repeat(rows, n_classes - 1, axis=0)
        system = (gaps[:, :, None] * each[:, None, :]).reshape(len(each), -1)
        table[probe, outcome] = has_solution(system)
    return table
