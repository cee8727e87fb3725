"""Open pairs of two classes, for all probes at once."""

import numpy as np

from ._affine import Scaling, extent
from ._brackets import Brackets, in_chunks

# The other outcome is probably closed if the least value is this close to the value at the apex.
APEX = 1e-2
# A proof is first sought among this many rows per dimension of the features.
SUPPORT = 2


def settle_two_classes(completions, start, witnesses):
    """Decide the pairs of two classes from brackets of linear programs.

    Only the difference ``u`` of the two scores of a map matters. Consider the symmetric band of
    maps in which no row's margin is more than twice its margin at the start. Every map of the cone
    is a multiple of one in this band. If the difference at a probe changes its sign in the band,
    the other outcome is open. If not, its least value is 0, the value at the apex. The rows that
    are active there give the proof.

    Parameters
    ----------
    completions : Completions
        Of two classes.
    start : ndarray of shape (n_features + 1, 2)
        A map with positive margins.
    witnesses : Witnesses
        Receives the decisions.
    """
    difference = start[:, 1] - start[:, 0]
    held = extent(completions.rows)
    weighted = completions.rows[:, held] / (completions.rows @ difference)[:, None]
    scaled = Scaling(weighted, intercept=False)
    rows = scaled(weighted)
    for chunk in in_chunks(len(witnesses.rows), len(rows)):
        at_probes = witnesses.rows[chunk] @ difference
        goals = np.where(at_probes < 0, -1, 1)[:, None] * scaled(witnesses.rows[chunk][:, held])
        brackets = _bracket(goals, rows, -np.abs(at_probes), completions.budget)
        maps = np.repeat(start[None], len(goals), axis=0)
        maps[:, held, 1] += scaled.in_features(brackets.points.T).T
        witnesses.add(maps[brackets.upper < -np.abs(at_probes)])
        _settle_rest(completions, witnesses, chunk, brackets.multipliers)


def _bracket(goals, rows, apex, budget):
    one = np.ones(len(rows))
    brackets = Brackets(goals, rows, -one, one)
    brackets.narrow(lambda lower, upper: (upper < apex) | (lower > apex * (1 + APEX)), budget)
    return brackets


def _settle_rest(completions, witnesses, chunk, multipliers):
    """Decide the pairs that are left, first among the rows with the largest multipliers."""
    n_rows = SUPPORT * completions.rows.shape[1]
    for probe, outcome in witnesses.undecided():
        is_here = chunk.start <= probe < chunk.stop
        if not is_here or witnesses.index[probe, outcome] >= 0:  # settled by a map for another pair
            continue
        row = witnesses.rows[probe]
        holding = np.argsort(-np.abs(multipliers[probe - chunk.start]))[:n_rows]
        terms = completions.refute(row, outcome, 1 - outcome, among=holding)
        if terms is not None:
            witnesses.refute(probe, outcome, terms)
        else:
            completions.begin_with(holding)
            witnesses.settle(probe, outcome, *completions.decide(row, outcome))
