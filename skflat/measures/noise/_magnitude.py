"""Magnitude-aware sharpness: how little noise, relative to each parameter, wrong labels need."""

from numbers import Real

import numpy as np

from ..._compat import Interval
from ...objective import ClassLoss
from .._function import function_of
from .._measure import Measure, describe, of_few_draws
from .._measurement import Measurement
from ._draws import NOISE_CONSTRAINTS, Draws, mean_and_error
from ._noise_stability import FINEST, N_BETWEEN, WIDEST, bracket, crossing


class MagnitudeSharpness(Measure):
    """Inverse square of the relative noise that raises the training error by ``level``.

    Every parameter gets normal noise with standard deviation ``scale`` times its own size. The
    value is ``1 / scale^2`` for the scale at which the mean share of wrong labels has risen by
    ``level``; smaller is flatter. This is "pacbayes-mag-flat" of Jiang and others
    (arXiv:1912.02178), which ranked networks best there. It leads the PAC-Bayes bound with such
    noise. `NoiseStability` looks at the loss in place of the error.

    The measure is invariant under rescaling of layers and of single units.

    Parameters
    ----------
    level : float, default=0.1
        Rise of the share of wrong labels.
    n_draws : int, default=30
        Number of perturbations, at least 2.
    antithetic : bool, default=True
        Whether to evaluate both signs of every perturbation.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    It costs as much as `NoiseStability`. If no noise raises the error so far, the value is 0. The
    table has the columns ``scale``, ``error_rise`` and ``error_rise_stderr``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import MagnitudeSharpness
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> MagnitudeSharpness().measure(clf, X, y).value > 1
    True
    """

    _parameter_constraints: dict = {
        "level": [Interval(Real, 0, 1, closed="neither")],
        **{name: each for name, each in NOISE_CONSTRAINTS.items() if name != "noise"},
    }

    requires = (ClassLoss,)
    sign = -1

    #: What `Draws` asks for.
    noise = "weight"

    def __init__(self, level=0.1, n_draws=30, antithetic=True, n_jobs=None, random_state=0):
        self.level = level
        self.n_draws = n_draws
        self.antithetic = antithetic
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        draws = Draws(problem, self)
        coarse = np.geomspace(FINEST, WIDEST, 25)
        near = bracket(coarse, mean_and_error(*draws.rises(coarse))[0][1], self.level)
        scales = np.geomspace(*near, N_BETWEEN) if near else coarse
        mean, stderr = (column[1] for column in mean_and_error(*draws.rises(scales)))
        value, error = 0.0, 0.0
        if near:
            scale, _ = crossing(scales, mean, self.level)
            k = int(np.argmin(np.abs(scales - scale)))
            value, around = scale**-2, slice(max(0, k - 2), k + 3)
            # The error levels off where labels are wrong by chance, so only the slope nearby holds.
            slope = max(np.polyfit(scales[around], mean[around], 1)[0], np.finfo(float).tiny)
            # The error of a function of the scale is its slope times the scale's.
            error = float(2 * scale**-3 * stderr[k] * of_few_draws(self.n_draws) / slope)
        return Measurement(
            value=value,
            stderr=error,
            kind="estimate",
            n_evals=draws.n_evals,
            converged=True,
            samples=mean,
            protocol=describe(
                problem,
                level=float(self.level),
                antithetic=self.antithetic,
                samples="mean rise of the error, one a scale",
                seed=self.random_state,
            ),
            table={"scale": scales, "error_rise": mean, "error_rise_stderr": stderr},
        )


magnitude_sharpness = function_of(MagnitudeSharpness, "magnitude_sharpness")
