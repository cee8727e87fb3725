"""Noise stability: how much random noise the parameters tolerate."""

import warnings
from numbers import Real

import numpy as np

from ..._compat import Interval
from .._function import function_of
from .._measure import Measure, describe, group_error, level_of, of_few_draws, undefined
from .._measurement import Measurement
from ._draws import NOISE_CONSTRAINTS, Draws, mean_and_error

# Smallest and largest scale, in units of the noise, and the number of scales in the second pass.
FINEST, WIDEST, N_BETWEEN = 1e-5, 1e3, 9


class NoiseStability(Measure):
    """Scale of the noise under which the mean loss rises by ``level``; larger is flatter.

    The value is ``min { scale : E[f(w + scale u)] - f(w) >= level }`` with ``f`` the unpenalised
    mean training loss. It is the inverse of the local energy, as the distance of level sets is the
    inverse of the maximal variation. PAC-Bayes bounds use such a scale (Jiang and others,
    arXiv:1912.02178; Zhang, Li and Ju, arXiv:2306.08553).

    The measure has the invariance of `LocalEnergy` with the same noise. With ``"weight"`` it is
    invariant under rescaling of layers and of single units, with ``"block"`` under rescaling of
    layers, with ``"isotropic"`` and ``"sphere"`` under neither.

    Parameters
    ----------
    level : float, default=None
        Rise of the mean loss. None is one tenth of the loss of the best constant prediction.
    noise : {'weight', 'block', 'isotropic', 'sphere'}, default='weight'
        See `LocalEnergy`.
    n_draws : int, default=30
        Number of perturbations ``u``, at least 2.
    antithetic : bool, default=True
        Whether to evaluate ``+u`` and ``-u`` for every draw.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    The first pass uses a coarse grid of scales. The second pass refines between the two scales
    around the level. A draw costs two losses in the first layer and 34 in the layers above, or
    twice as many with ``antithetic``. Between two scales the rise is interpolated as a power of the
    scale. The table has the columns ``scale``, ``rise`` and ``rise_stderr`` of the second pass.

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

    def _evaluate(self, problem):
        level = level_of(problem) if self.level is None else self.level
        if not level > 0:
            warnings.warn(
                "The target is constant, so the loss of the best constant prediction is 0 and no "
                "noise is too small to raise the loss by a tenth of it.",
                stacklevel=4,
            )
            return undefined(problem)
        # Two passes with the same draws: a coarse grid over all scales, and a fine one between the
        # two scales around the crossing. One fine grid over all scales would cost far more.
        draws = Draws(problem, self)
        coarse = np.geomspace(FINEST, WIDEST, 25) * _unit(problem.w, self.noise)
        near = bracket(coarse, mean_and_error(*draws.rises(coarse))[0][0], level)
        scales = np.geomspace(*near, N_BETWEEN) if near else coarse
        mean, stderr = (column[0] for column in mean_and_error(*draws.rises(scales)))
        value, error = np.inf, 0.0
        if not near:
            warnings.warn(
                f"No noise up to {WIDEST:g} times the size of the parameters raises the loss by "
                f"{level:.3g}: the stability is infinite, as far as it was tried.",
                stacklevel=4,
            )
        if near:
            value, slope = crossing(scales, mean, level)
            of_level = 0.0
            if self.level is None:
                of_level = group_error(problem, lambda batch: level_of(problem, batch))
            # The error of the inverse of a function is the error of its value over its slope.
            k = int(np.argmin(np.abs(scales - value)))
            own = stderr[k] * of_few_draws(self.n_draws)
            error = float(np.hypot(own, of_level) / slope)
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


def bracket(scales, mean, level):
    """The two scales between which the rise first exceeds the level, or None if it never does."""
    above = np.flatnonzero(~(mean < level))
    if not len(above):
        return None
    k = max(1, above[0])
    return scales[k - 1], scales[k]


def crossing(scales, mean, level):
    """The scale at which the rise exceeds the level, and the slope of the rise.

    Between two scales the rise is interpolated as a power of the scale, or linearly if it is not
    positive. The slope is fitted over all scales, because noise has less influence on that fit.
    """
    k = min(max(1, int(np.argmax(~(mean < level)))), len(scales) - 1)
    ends = np.array([scales[k - 1 : k + 1], mean[k - 1 : k + 1]])
    powers = (ends[1] > 0).all() and np.isfinite(ends[1]).all()
    (x0, x1), (y0, y1) = np.log(ends) if powers else ends
    # A rise that is flat from the finest scale on exceeds the level there already.
    share = ((np.log(level) if powers else level) - y0) / (y1 - y0) if y1 != y0 else 0.0
    value = x0 + share * (x1 - x0) if np.isfinite(y1) else x0
    finite = np.isfinite(mean)
    slope = np.polyfit(scales[finite], mean[finite], 1)[0] if finite.sum() > 1 else np.inf
    return float(np.exp(value) if powers else value), max(float(slope), np.finfo(float).tiny)


noise_stability = function_of(NoiseStability, "noise_stability")
