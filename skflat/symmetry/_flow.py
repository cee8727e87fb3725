"""The way to the flattest of all networks with the same function."""

from itertools import islice

import numpy as np

from ..models import Flattest
from ..objective import Orbit, require
from ..problems import as_problem
from ._parameters import with_parameters

MOST_STEPS, SETTLED = 10_000, 1e-13
FALLING = ("trace", "norm")


def flattening_flow(estimator, X, y=None, sample_weight=None, *, criterion="trace", n_steps=100):
    """Estimators of the same function, ever flatter, on the way to the flattest.

    Every step keeps the function exactly, up to rounding. Units of relu networks go half the way,
    in ``log s``, that would balance them if their neighbours rested. The matrices of linear
    networks and factorizations go multiplicative steps ``expm(-t (A - B))`` along the gradient.

    Parameters
    ----------
    estimator, X, y, sample_weight
        As in `flatten`.
    criterion : {'trace', 'norm'}, default='trace'
        What falls along the way.
    n_steps : int, default=100

    Yields
    ------
    estimator
        Of the same class, ``n_steps`` of them after the one that was given.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import hessian_trace
    >>> from skflat.symmetry import flattening_flow
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> way = [hessian_trace(each, X, y).value for each in flattening_flow(clf, X, y, n_steps=5)]
    >>> way == sorted(way, reverse=True)
    True
    """
    check_flow(criterion)
    problem = as_problem(estimator, X, y, sample_weight)
    for w in islice(flow_of(problem, criterion), n_steps + 1):
        yield with_parameters(estimator, w)


def check_flow(criterion):
    """Refuse a criterion that no flow lowers."""
    if criterion not in FALLING:
        raise ValueError(f"A flow needs a criterion of {list(FALLING)}, got {criterion!r}.")


def along_the_flow(problem, criterion):
    """Where the flow comes to rest, a `Flattest`."""
    before, n_steps = None, 0
    for n_steps, w in enumerate(islice(flow_of(problem, criterion), MOST_STEPS)):
        if before is not None and np.linalg.norm(w - before) <= SETTLED * np.linalg.norm(w):
            return Flattest(w, details={"steps": n_steps})
        before = w
    return Flattest(before, converged=False, details={"steps": n_steps})


def flow_of(problem, criterion):
    """The points of the symmetry's flow from the problem's."""
    objective = problem.objective
    require(objective, Orbit, "flatten")
    return objective.model.symmetry.flow(objective, problem.w, criterion)
