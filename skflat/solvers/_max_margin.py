"""The largest margin, by a support vector machine."""

from numbers import Real

import numpy as np
from sklearn.svm import SVC

from .._compat import Interval
from .._parallel import warn_or_raise
from ..objective import Hyperplanes
from ._solver import Solver

STEPS = 1000  # of a program, per row and iteration


class MaxMargin(Solver):
    """The perceptron of largest margin, by scikit-learn's exact linear `SVC`.

    It is for `FlatSphericalPerceptronClassifier`. If no perceptron is right on all rows, a row
    short of the margin costs ``C`` times the shortfall, times its weight. There is one quadratic
    program for every one-vs-rest problem. The estimator's ``tol`` is the tolerance of the program.
    A program takes at most ``1000 max_iter`` steps per row. ``rho`` is not used, and there are no
    gradients to count. If no direction is better than another (XOR, constant features, a large
    ``tol``), the weights stay where they started.

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

    def n_epochs(self, objective, max_iter):
        return objective.data.y.shape[1]  # a program a one-vs-rest problem

    def solve(self, w, state, run):
        objective, settings = run.objective, run.settings
        if settings.tol == 0:
            raise ValueError("MaxMargin needs tol > 0, which its program ends by; got tol=0.")
        planes = objective.capability(Hyperplanes)
        try:
            for output in range(objective.data.y.shape[1]):
                if run.interrupted:
                    break
                run.hooks.begin_epoch()
                self._place(w, output, planes, run)
                run.interrupted = run.hooks.end_epoch(w)
        except KeyboardInterrupt:  # it arrives when a program has ended
            run.interrupted = True
            warn_or_raise("Training interrupted by user.", stacklevel=5)
        run.history.add(objective.loss(w), None, w, settings)
        return w

    def _place(self, w, output, planes, run):
        """Solve the program of one output, and write its plane to ``w``."""
        data = run.objective.data
        found = self._separate(data, data.y[:, output] > 0, planes.fit_intercept, run.settings)
        if found.coef_.any():  # or no direction is better than another
            planes.place(w, output, found.coef_[0], found.intercept_[0])
        run.n_iter = max(run.n_iter, int(np.max(found.n_iter_)))

    def _separate(self, data, is_positive, fit_intercept, settings):
        X, weight = data.X, data.weight
        most = min(STEPS * settings.max_iter * len(data), np.iinfo(np.int32).max)
        if not fit_intercept:
            # SVC always fits an intercept. For rows together with their negatives it is 0 by
            # symmetry, so this gives the largest margin through the origin.
            X, is_positive = np.concatenate([X, -X]), np.concatenate([is_positive, ~is_positive])
            weight = None if weight is None else np.concatenate([weight, weight])
        # Given a seed, it leaves NumPy's global generator alone; the result does not depend on it.
        svc = SVC(kernel="linear", C=self.C, tol=settings.tol, max_iter=most, random_state=0)
        return svc.fit(X, is_positive, sample_weight=weight)
