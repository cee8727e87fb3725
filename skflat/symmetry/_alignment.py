"""Several networks in comparable parameters: flattened, with units in one order."""

from numbers import Integral

import numpy as np

from ..objective import CRITERIA
from ..problems import as_problem, fitted_model
from ._flatten import flatten
from ._matching import check_alike, match_units


def aligned(estimators, X, y, sample_weight, *, match, balance):
    """Networks at the flattest points of their orbits, in the order of the units of the first.

    Parameters
    ----------
    estimators : sequence of fitted estimator
    X, y, sample_weight
        Rows on which the loss is taken.
    match : bool
    balance : str or None
        See `barrier`.

    Returns
    -------
    estimators : list of fitted estimator
        Copies.
    problems : list of Problem
        One for each, on the same rows.

    Raises
    ------
    TypeError, ValueError
        See `barrier`.
    """
    if balance is not None and balance not in CRITERIA:
        raise ValueError(f"balance must be None or one of {list(CRITERIA)}, got {balance!r}.")
    first, *others = estimators
    for other in others:
        check_alike(fitted_model(first)[0], fitted_model(other)[0])
    if balance is not None:
        first, *others = (
            flatten(each, X, y, sample_weight, criterion=balance) for each in estimators
        )
    if match:
        others = [match_units(other, first) for other in others]
    found = [first, *others]
    problems = [as_problem(each, X, y, sample_weight) for each in found]
    for problem in problems[1:]:
        _check_comparable(problems[0].objective, problem.objective)
    return found, problems


def check_whole(name, value, least):
    """Refuse what is no integer of at least ``least``."""
    if not (isinstance(value, Integral) and not isinstance(value, bool) and value >= least):
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}.")


def rise(share, loss):
    """The greatest rise of the loss above the straight line between the losses of both ends."""
    return float((loss - ((1 - share) * loss[0] + share * loss[-1])).max())


def _check_comparable(first, second):
    """Refuse two objectives that are not the same function of the parameters."""
    losses = [type(each.loss_function).__name__ for each in (first, second)]
    if losses[0] != losses[1]:
        raise ValueError(f"Both networks must have the same loss, got {losses[0]} and {losses[1]}.")
    unlike = np.abs(first.data.X - second.data.X).max()
    if unlike > 1e-5 * np.abs(first.data.X).max():
        raise ValueError(
            "Both networks must see the same inputs, but the Pipelines transform X differently."
        )
