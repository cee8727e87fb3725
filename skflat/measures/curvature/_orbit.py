"""Measures at the flattest point of the orbit, which no rescaling can fool."""

from dataclasses import replace

from ..._compat import StrOptions
from ...objective import CRITERIA, Orbit, require
from .._function import function_of
from .._measure import Measure
from ._hessian_trace import HessianTrace


class OrbitMinimal(Measure):
    """A measure at the flattest of all parameters with the same function.

    A measure of the parameters can be made anything by changes that keep the function. At the
    flattest point of the orbit (see `skflat.symmetry.flatten`) it depends on the function alone, as
    far as the function decides about the orbit: it is unmoved by a rescaling of single units, by a
    permutation and by the other symmetries of the network.

    Parameters
    ----------
    base : Measure
        What to take there.
    criterion : {'trace', 'norm', 'lambda_max'}, default='trace'
        What is least at the flattest point.

    Notes
    -----
    Beside the measure it costs about a backward pass for every output. If units have no flattest
    scale, or the flattest point was not reached, ``converged`` is False. The protocol has the
    details under ``orbit``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import HessianEigenvalues, OrbitMinimal
    >>> from skflat.symmetry import rescale
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((6,), max_iter=2000, random_state=0).fit(X, y)
    >>> largest = OrbitMinimal(HessianEigenvalues())
    >>> one, two = (largest(each, X, y) for each in (clf, rescale(clf, 50.0)))
    >>> bool(np.isclose(one, two))
    True
    """

    _parameter_constraints: dict = {"base": [Measure], "criterion": [StrOptions(set(CRITERIA))]}
    requires = (Orbit,)

    def __init__(self, base, criterion="trace"):
        self.base = base
        self.criterion = criterion

    @property
    def sign(self):
        """That of the measure itself."""
        return self.base.sign

    def _evaluate(self, problem):
        there, found = at_flattest(problem, self.criterion)
        return noted(self.base.evaluate(there), found, self.criterion)


def orbit_minimal(measure, criterion="trace"):
    """The measure at the flattest point of the orbit, see `OrbitMinimal`.

    Parameters
    ----------
    measure : Measure
    criterion : {'trace', 'norm', 'lambda_max'}, default='trace'
        What is least at that point.

    Returns
    -------
    OrbitMinimal
        A measure, and so a scorer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import LevelSetDistance, flatness_report, orbit_minimal
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((6,), max_iter=2000, random_state=0).fit(X, y)
    >>> measures = {
    ...     "flatness": LevelSetDistance(), "orbit flatness": orbit_minimal(LevelSetDistance())
    ... }
    >>> sorted(flatness_report(clf, X, y, measures=measures).to_frame().index)
    ['flatness', 'orbit flatness']
    """
    return OrbitMinimal(measure, criterion)


class OrbitTrace(HessianTrace):
    """The least trace of the Hessian over all parameters with the same function.

    A sharpness that no rescaling of units can fool: `HessianTrace` at the flattest point of the
    orbit, see `skflat.symmetry.flatten`. For networks of relu units it is the global minimum of a
    convex function. For linear networks and factorizations it is the minimum over all invertible
    matrices between the layers, for logistic units that over ``h -> 1 - h``. Other units have
    isometries alone, and the trace itself.

    Parameters
    ----------
    n_products : int, default=60
        Number of Hessian products where the trace is estimated, see `HessianTrace`.
    random_state : int, RandomState instance or None, default=0
        Draws the probes of an estimate.

    Notes
    -----
    It costs the trace and about a backward pass for every output. The standard error that comes
    from the sampling of rows is that of the trace at the point found: to first order the point
    itself does not add to it, because the trace is least there. ``samples`` are the shares of the
    layers. At the minimum all hidden layers of a relu network have entries in balance, and still
    different shares.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import OrbitTrace, hessian_trace
    >>> from skflat.symmetry import rescale
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> sharp = rescale(clf, 100.0)
    >>> hessian_trace(sharp, X, y).value > 1000 * hessian_trace(clf, X, y).value
    True
    >>> abs(OrbitTrace()(sharp, X, y) / OrbitTrace()(clf, X, y) - 1) < 1e-8
    True
    """

    requires = (Orbit,)

    def _evaluate(self, problem):
        there, found = at_flattest(problem, "trace")
        return noted(super()._evaluate(there), found, "trace")


def at_flattest(problem, criterion):
    """The problem at the flattest point of its orbit, and what is known of that point."""
    found = require(problem.objective, Orbit, "orbit_minimal").flattest(problem.w, criterion)
    return replace(problem, w=found.w), found


def noted(measurement, found, criterion):
    """The measurement with what is known of the point where it was taken."""
    settled = found.converged and not found.details.get("unattained", 0)
    orbit = {"criterion": criterion, "kind": found.kind, **found.details}
    return replace(
        measurement,
        converged=measurement.converged and settled,
        protocol=measurement.protocol | {"orbit": orbit},
    )


orbit_trace = function_of(OrbitTrace, "orbit_trace")
