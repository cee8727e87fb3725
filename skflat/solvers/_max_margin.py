"""The largest margin, by a support vector machine."""

from numbers import Real

import numpy as np
from sklearn.svm import SVC

from .._compat import Interval
from ..objective import Hyperplanes
from ._solver import Solver


class MaxMargin(Solver):
    """The perceptron of largest margin, by scikit-learn's exact linear `SVC`.

    It is a solver of `FlatSphericalPerceptronClassifier`. If no perceptron classifies all rows
    correctly, each row that falls short of the margin costs ``C`` times the shortfall. Every
    one-vs-rest problem is one quadratic program. The estimator's ``tol`` is the tolerance of that
    program. ``rho`` and ``max_iter`` are not used, and there are no gradients to count.

    Parameters
    ----------
    C : float, default=100.0
        Cost of a shortfall. A greater value is closer to a hard margin.

    Examples
    --------
    >>> from skflat import FlatSphericalPerceptronClassifier
    >>> from skflat.solvers import MaxMargin
    >>> FlatSphericalPerceptronClassifier(solver=MaxMargin(C=1.0)).solver
    MaxMargin(C=1.0)
    """

    _parameter_constraints: dict = {"C": [Interval(Real, 0, None, closed="neither")]}

    stochastic = False
    requires = (Hyperplanes,)

    def __init__(self, C=100.0):
        self.C = C

    def solve(self, w, state, run):
        objective, settings = run.objective, run.settings
        planes = objective.capability(Hyperplanes)
        for output, labels in enumerate(objective.data.y.T):
            found = self._separate(objective.data.X, labels > 0, planes.fit_intercept, settings.tol)
            planes.place(w, output, found.coef_[0], found.intercept_[0])
            run.n_iter = max(run.n_iter, int(np.max(found.n_iter_)))
        run.history.add(objective.loss(w), None, w, settings)
        return w

    def _separate(self, X, is_positive, fit_intercept, tol):
        if not fit_intercept:
            # SVC always fits an intercept. For rows together with their negatives it is 0 by
            # symmetry, so this gives the largest margin through the origin.
            X, is_positive = np.concatenate([X, -X]), np.concatenate([is_positive, ~is_positive])
        return SVC(kernel="linear", C=self.C, tol=tol).fit(X, is_positive)
