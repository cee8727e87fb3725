"""The settings of a search: radii and penalties."""

from itertools import product
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from .._pipeline import LARGEST_RHO

#: The largest radius of a grid, divided by the smallest one above 0.
SPAN = 64.0
LARGEST = float(np.finfo(float).max)


def radii(rhos, network, data):
    """The radii to search, in rising order.

    A list is taken as it is. For a number, this many radii are derived from the data.
    """
    if not isinstance(rhos, Integral):
        return _numbers("rhos", rhos, LARGEST_RHO)
    largest = largest_radius(network, *data)
    if np.isnan(largest):
        raise ValueError(
            f"rhos={rhos} needs a solver with one default radius, and the stages of "
            f"{network.solver!r} have several. Give the radii as a list."
        )
    if largest == 0 or rhos == 1:
        return np.zeros(1)
    return np.r_[0.0, np.geomspace(largest, largest / SPAN, rhos - 1)[::-1]]


def penalties(alphas):
    """The penalties to search, in rising order."""
    return _numbers("alphas", alphas)


def largest_radius(network, X, y, sample_weight):
    """The solver's ``reach`` times the value of ``rho="auto"`` on these data.

    It is 0 for a solver without a radius.
    """
    network._random_state = check_random_state(0)
    weight = network._weights(X, y, sample_weight, incremental=False)
    # The initial weights are not used, so any seed will do.
    model, _ = network._start(X, y, first_pass=True)
    objective, _ = network._objective(model, X, y, weight, goes_on=False)
    solver = network._solver().for_objective(objective)
    solver.check(objective)
    return solver.reach * solver.auto_rho(objective)


def settings(rhos, alphas):
    """Dicts of parameters. Neighbours are side by side, and the flattest are at the end."""
    return [{"alpha": float(alpha), "rho": float(rho)} for rho, alpha in product(rhos, alphas)]


def _numbers(name, values, most=LARGEST):
    values = list(values)
    if not values or not all(isinstance(v, Real) and 0 <= v <= most for v in values):
        raise ValueError(
            f"{name} must be numbers >= 0, one at least, got {values!r}. The largest that is "
            f"allowed is {most:.3g}."
        )
    return np.unique(np.asarray(values, dtype=float))
