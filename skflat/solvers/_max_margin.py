"""The largest margin, by a support vector machine."""

from numbers import Real

import numpy as np
from sklearn.svm import SVC

from .._compat import Interval
from ..objective import Hyperplanes
from ._solver import Solver


class MaxMargin(Solver):
    """The perceptron of largest margin, by scikit-learn's exact linear `SVC`.

    For `FlatSphericalPerceptronClassifier`. Where no perceptron is right on all rows, rows short of
    the margin cost ``C`` times what they lack. One quadratic program for every one-vs-rest problem;
    the estimator's ``tol`` is that of the program, ``rho`` and ``max_iter`` are not used, and there
    are no gradients to count. If no direction is better than another (XOR, constant features, a
    large ``tol``), the weights stay where they started.

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
        if settings.tol == 0:
            raise ValueError("MaxMargin needs tol > 0, which its program ends by; got tol=0.")
        planes = objective.capability(Hyperplanes)
        for output, labels in enumerate(objective.data.y.T):
            found = self._separate(objective.data.X, labels > 0, planes.fit_intercept, settings.tol)
            if found.coef_.any():  # or no direction is better than another
                planes.place(w, output, found.coef_[0], found.intercept_[0])
            run.n_iter = max(run.n_iter, int(np.max(found.n_iter_)))
        run.history.add(objective.loss(w), None, w, settings)
        return w

    def _separate(self, X, is_positive, fit_intercept, tol):
        if not fit_intercept:
            # SVC always fits an intercept. For rows together with their negatives it is 0 by
            # symmetry, so this gives the largest margin through the origin.
            X, is_positive = np.concatenate([X, -X]), np.concatenate([is_positive, ~is_positive])
        # Given a seed, it leaves NumPy's global generator alone; the result does not depend on it.
        return SVC(kernel="linear", C=self.C, tol=tol, random_state=0).fit(X, is_positive)
