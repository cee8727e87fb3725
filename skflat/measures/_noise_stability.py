"""Noise stability: how much random noise the parameters bear."""

from numbers import Real

import numpy as np

from .._compat import Interval
from ._base import Measure, describe, usual_level
from ._draws import NOISE_CONSTRAINTS, Draws, mean_and_error
from ._function import function_of
from ._measurement import Measurement

FINEST, WIDEST, N_BETWEEN = 1e-5, 1e3, 9  # of the scales looked at, in units of the noise


class NoiseStability(Measure):
    """Scale of the noise under which the mean loss rises by ``level``; larger is flatter.

    ``min { scale : E[f(w + scale u)] - f(w) >= level }`` with ``f`` the unpenalised mean training
    loss: to the local energy what the distance of level sets is to the maximal variation. A scale
    like this is what PAC-Bayes bounds ask for (Jiang and others, arXiv:1912.02178; Zhang, Li and
    Ju, arXiv:2306.08553).

    Invariant as `LocalEnergy` with the same noise: with ``"weight"`` under rescaling of layers and
    of single units, with ``"block"`` of layers, with ``"isotropic"`` and ``"sphere"`` under
    neither.

    Parameters
    ----------
    level : float, default=None
        In units of the mean loss. None is one tenth of the loss of the best constant
        prediction.
    noise : {'weight', 'block', 'isotropic', 'sphere'}, default='weight'
        See `LocalEnergy`.
    n_draws : int, default=30
        Perturbations ``u``; at least 2.
    antithetic : bool, default=True
        Evaluate ``+u`` and ``-u`` for every draw.
    n_jobs : int, default=None
        Workers; see `joblib.Parallel`. The result is the same to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    Every draw costs two losses in the first layer and 33 in the layers above (twice that with
    ``antithetic``): one pass over a coarse ladder of scales, one between the two around the level.
    In between the rise is taken for a power of the scale. The table has the columns ``scale``,
    ``rise`` and ``rise_stderr`` of the second pass.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import NoiseStability
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> 0.01 < NoiseStability().measure(clf, X, y).value < 1
    True
    """

    _parameter_constraints: dict = {
        "level": [None, Interval(Real, 0, None, closed="neither")],
        **NOISE_CONSTRAINTS,
    }

    def __init__(
        self,
        level=None,
        noise="weight",
        n_draws=30,
        antithetic=True,
        n_jobs=None,
        random_state=0,
    ):
        self.level = level
        self.noise = noise
        self.n_draws = n_draws
        self.antithetic = antithetic
        self.n_jobs = n_jobs
        self.random_state = random_state

    def evaluate(self, problem):
        level = usual_level(problem) if self.level is None else self.level
        draws = Draws(problem, self)
        coarse = np.geomspace(FINEST, WIDEST, 25) * _unit(problem.w, self.noise)
        near = _bracket(coarse, mean_and_error(*draws.rises(coarse))[0][0], level)
        scales = np.geomspace(*near, N_BETWEEN) if near else coarse
        mean, stderr = (column[0] for column in mean_and_error(*draws.rises(scales)))
        value, error = np.inf, 0.0
        if near:
            value, error = _crossing(scales, mean, stderr, level)
        return Measurement(
            value=value,
            stderr=error,
            kind="estimate",
            n_evals=draws.n_evals,
            converged=True,
            samples=mean,
            protocol=describe(
                problem,
                level=float(level),
                noise=self.noise,
                antithetic=self.antithetic,
                samples="mean rise of the loss, one a scale",
                seed=self.random_state,
            ),
            table={"scale": scales, "rise": mean, "rise_stderr": stderr},
        )


def _unit(w, noise):
    """The scale at which noise is about as large as the parameters."""
    size = float(np.linalg.norm(w))
    return {"isotropic": size / np.sqrt(len(w)), "sphere": size}.get(noise, 1.0) or 1.0


def _bracket(scales, mean, level):
    """The two scales between which the level is first passed, or None."""
    above = np.flatnonzero(~(mean < level))
    return (scales[above[0] - 1], scales[above[0]]) if len(above) and above[0] > 0 else None


def _crossing(scales, mean, stderr, level):
    """Where the rise passes the level, on a logarithmic scale, and the standard error of that."""
    k = min(max(1, int(np.argmax(~(mean < level)))), len(scales) - 1)
    tiny = np.finfo(float).tiny
    low, high = np.log(np.maximum(mean[k - 1 : k + 1], tiny)) - np.log(level)
    power = (high - low) / np.log(scales[k] / scales[k - 1])
    value = float(np.exp(np.log(scales[k - 1]) - low / power))
    return value, float(value * stderr[k] / (mean[k] * power))


noise_stability = function_of(NoiseStability, "noise_stability")
