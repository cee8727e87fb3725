"""Local energy: how much the loss rises if random noise perturbs the parameters."""

from numbers import Real

import numpy as np

from ...objective import ClassLoss
from .._function import function_of
from .._measure import Measure, describe, ladder
from .._measurement import Measurement
from ._draws import NOISE_CONSTRAINTS, Draws, mean_and_error


class LocalEnergy(Measure):
    """Mean rise of loss and error under random perturbations; smaller is flatter.

    The value is ``E[f(w + scale u)] - f(w)`` with ``f`` the unpenalised mean training loss. It is a
    curve over scales, with the same draws of ``u``. With ``noise="weight"``, and the error in place
    of the loss, it is the local energy of Pittorino and others (arXiv:2006.07897). With
    ``noise="isotropic"`` it is the noise stability of Zhang, Li and Ju (arXiv:2306.08553), which
    tends to ``scale^2 / 2`` times the trace of the Hessian as the scale goes to 0.

    The measure is invariant under permutations of units. With ``noise="weight"`` or ``"block"`` it
    is also invariant under rescaling of layers against each other, and with ``"weight"`` under
    rescaling of single units. With ``"isotropic"`` and ``"sphere"`` it is not.

    Parameters
    ----------
    scale : float or array-like, default=(0.1, 0.2, 0.3, 0.4, 0.5)
        Scales of the noise. The value belongs to the last one.
    noise : {'weight', 'block', 'isotropic', 'sphere'}, default='weight'
        ``'weight'`` is ``w * (1 + scale z)`` with ``z`` standard normal. ``'block'`` is normal, and
        for every array of parameters the expected length is the scale times the array's norm.
        ``'isotropic'`` is normal with the scale as its standard deviation. ``'sphere'`` is uniform
        on the sphere with the scale as its radius.
    n_draws : int, default=100
        Number of perturbations ``u``, at least 2.
    antithetic : bool, default=True
        Whether to average ``+u`` and ``-u`` for every draw. Terms linear in the noise then cancel.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The result is equal to the bit for any number and
        any backend.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    In the first layer a draw costs one loss, whatever the number of scales. In the layers above it
    costs one loss per scale and sign.

    The table has the columns ``scale``, ``rise``, ``rise_stderr``, ``error_rise`` and
    ``error_rise_stderr``. The error is the share of wrong labels, or the mean absolute error of a
    regressor. As flips of labels may be too rare for the draws, its standard error has a part that
    corresponds to one flip more in all draws. ``samples`` holds the rise of the loss for every
    scale and draw.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import LocalEnergy
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> energy = LocalEnergy().measure(clf, X, y)
    >>> energy.table["scale"].tolist(), energy.value > 3 * energy.stderr
    ([0.1, 0.2, 0.3, 0.4, 0.5], True)
    """

    _parameter_constraints: dict = {"scale": ["array-like", Real], **NOISE_CONSTRAINTS}

    sign = -1

    def __init__(
        self,
        scale=(0.1, 0.2, 0.3, 0.4, 0.5),
        noise="weight",
        n_draws=100,
        antithetic=True,
        n_jobs=None,
        random_state=0,
    ):
        self.scale = scale
        self.noise = noise
        self.n_draws = n_draws
        self.antithetic = antithetic
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        scales, draws = ladder("scale", self.scale), Draws(problem, self)
        rises, row_error = draws.rises(scales)
        mean, stderr = mean_and_error(rises, row_error)
        stderr[1] = np.hypot(stderr[1], _rare_flip(problem, rises.shape[-1]))
        return Measurement(
            value=float(mean[0, -1]),
            stderr=float(stderr[0, -1]),
            kind="estimate",
            n_evals=draws.n_evals,
            converged=True,
            samples=rises[0],
            protocol=describe(
                problem,
                noise=self.noise,
                antithetic=self.antithetic,
                samples="rise of the loss, one a scale and draw",
                seed=self.random_state,
            ),
            table={
                "scale": scales,
                "rise": mean[0],
                "rise_stderr": stderr[0],
                "error_rise": mean[1],
                "error_rise_stderr": stderr[1],
            },
        )


def _rare_flip(problem, n_draws):
    """The mean error that one label more, wrong in one of the draws, would add."""
    of_classes = isinstance(problem.objective.loss_function, ClassLoss)
    return 1 / (problem.objective.n_rows * n_draws) if of_classes else 0.0


local_energy = function_of(LocalEnergy, "local_energy")
