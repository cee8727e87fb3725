"""The way up: the same function at a sharper point."""

import numpy as np
from scipy.optimize import brentq

from ..objective import ExactTrace, NotDefinedError, require
from ..problems import as_problem
from ._parameters import with_parameters

FARTHEST, TOLERANCE = 50.0, 1e-10


def sharpen(estimator, X, y=None, sample_weight=None, *, factor=100.0):
    """The same function with a trace of the Hessian ``factor`` times as large.

    For demonstrations: whatever a sharpness of the parameters is said to predict, it predicts
    another thing of this estimator, which has the same predictions. `flatten` brings it back.

    Parameters
    ----------
    estimator, X, y, sample_weight
        As in `flatten`. Networks of relu, leaky relu or identity units, and factorizations.
    factor : float, default=100.0
        At least 1.

    Returns
    -------
    estimator
        A copy of the same class.

    Raises
    ------
    NotDefinedError
        If the estimator has no symmetry but isometries and flips.
    ValueError
        If ``factor`` is below 1, or so large that no parameters in reach have it.

    Notes
    -----
    It moves along one line of the group: all units of the first hidden layer (all factors of the
    first kind) become smaller alike, by a factor that is found by bisection. It costs some 20 exact
    traces.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import hessian_trace
    >>> from skflat.symmetry import flatten, sharpen
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> sharp = sharpen(clf, X, y, factor=100)
    >>> round(hessian_trace(sharp, X, y).value / hessian_trace(clf, X, y).value, 6)
    100.0
    >>> back = flatten(sharp, X, y)
    >>> hessian_trace(back, X, y).value < hessian_trace(clf, X, y).value
    True
    """
    if not factor >= 1:
        raise ValueError(f"factor must be at least 1, got {factor!r}.")
    problem = as_problem(estimator, X, y, sample_weight)
    model, w = problem.objective.model, problem.w
    exact, line = require(problem.objective, ExactTrace, "sharpen"), _line(model.symmetry)

    def trace(step):
        with np.errstate(over="ignore", invalid="ignore"):
            rows = exact.of_rows(model.symmetry.moved(w, step * line)).sum(axis=1)
        return problem.objective.data.mean(rows)

    goal = np.log(factor) + np.log(trace(0.0))
    step = _where(lambda s: np.log(trace(s)) - goal, factor)
    return with_parameters(estimator, model.symmetry.moved(w, step * line))


def _line(symmetry):
    """The coordinates that shrink the outputs of the first hidden layer, or factors of a kind."""
    line = symmetry.shrinking()
    if not np.any(line):
        raise NotDefinedError(
            f"Nothing but {symmetry.group} keeps the function of this estimator, so there is no "
            "sharper point with it."
        )
    return line


def _where(excess, factor):
    """The step at which the trace is right, beyond the minimum along the line."""
    end = 0.25 * np.log(factor) + 0.1
    while excess(end) < 0:
        end *= 2
        if end > FARTHEST:
            raise ValueError(f"factor is too large, got {factor!r}.")
    return brentq(excess, 0.0, end, xtol=1e-12, rtol=TOLERANCE) if excess(0.0) < 0 else 0.0
