"""PAC-Bayes bound: a bound on the test error from the noise that a network tolerates."""

from numbers import Integral, Real

import numpy as np

from ..._compat import Interval
from ...objective import ClassLoss
from .._function import function_of
from .._measure import Measure, describe, undefined
from .._measurement import Measurement
from ._draws import Draws, mean_and_error
from ._noise_stability import NoiseStability

# The prior's standard deviation is exp(j / 10) for one of these j.
PRIORS = np.arange(-200, 201)
# Weights of the union bound, proportional to (|j| + 1)^-2. The sum of (|j| + 1)^-2 over all
# integers is pi^2 / 3 - 1, so these weights sum to less than 1.
LOG_WEIGHTS = -np.log(np.pi**2 / 3 - 1) - 2 * np.log(np.abs(PRIORS) + 1)


class PacBayesBound(Measure):
    """Bound on the test error of a classifier with noisy parameters; smaller is better.

    This is McAllester's bound with Maurer's constant (arXiv:cs/0411099). Consider the network with
    parameters ``w + scale * z``, where ``z`` is standard normal and drawn anew for every
    prediction. With probability ``1 - delta`` over independent and identically distributed training
    rows, its expected test error is at most

    ``E[training error] + sqrt((KL + log(2 sqrt(n) / delta)) / (2 n))``

    Here ``KL`` is the divergence of this posterior from a Gaussian prior. A flat minimum tolerates
    much noise, which makes ``KL`` small. The centre of the prior must not depend on the rows. Its
    width is chosen from a grid after seeing them, and a union bound accounts for this choice, as in
    Dziugaite and Roy (arXiv:1703.11008). Above 1 the bound is vacuous, as for most networks of some
    size, but it can still compare them. The measure is invariant under isometries of the parameters
    that keep the centre of the prior.

    Parameters
    ----------
    delta : float, default=0.05
        Probability with which the bound may fail.
    scale : float, default=None
        Standard deviation of the noise. None is the one that raises the mean loss by a tenth of the
        loss of the best constant prediction: `NoiseStability` with isotropic noise.
    start : array-like of shape (n_parameters,), default=None
        Centre of the prior: the flat vector from which training started, if it is known. None is 0.
    n_draws : int, default=10
        Number of perturbations, at least 2.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    Use the rows on which the network was trained. On other rows the value is no bound. The expected
    training error is an estimate from draws, and perhaps from a sample of the rows. The standard
    error is that of this estimate, and the theorem does not cover it. With weighted rows, ``n`` is
    the effective number of rows. ``samples`` holds the training error of every draw. ``protocol``
    has the terms: ``training_error``, ``complexity`` (the divergence and the cost of choosing the
    prior), ``n``, ``scale`` and ``prior_scale``. The bound costs as much as `NoiseStability`, and
    two losses per draw.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import PacBayesBound
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> found = PacBayesBound().measure(clf, X, y)
    >>> found.value > found.protocol["training_error"] >= 0
    True
    """

    _parameter_constraints: dict = {
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "scale": [None, Interval(Real, 0, None, closed="neither")],
        "start": ["array-like", None],
        "n_draws": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    requires = (ClassLoss,)
    sign = -1

    def __init__(self, delta=0.05, scale=None, start=None, n_draws=10, n_jobs=None, random_state=0):
        self.delta = delta
        self.scale = scale
        self.start = start
        self.n_draws = n_draws
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        noise = NoiseStability(
            noise="isotropic",
            n_draws=self.n_draws,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
        scale, n_evals = (self.scale, 0) if self.scale else _tolerated(noise.evaluate(problem))
        if not np.isfinite(scale):
            return undefined(problem)
        draws = Draws(problem, noise)
        rises, row_error = draws.rises([scale])
        training_error = _error(problem) + rises[1, 0]
        n = effective_rows(problem)
        complexity, prior = divergence_from_priors(self._distance(problem.w), len(problem.w), scale)
        slack = bound_slack(complexity, n, self.delta)
        best = int(np.argmin(slack))
        return Measurement(
            value=float(training_error.mean() + slack[best]),
            stderr=float(mean_and_error(rises, row_error)[1][1, 0]),
            kind="estimate",
            n_evals=n_evals + draws.n_evals + 1,
            converged=True,
            samples=training_error,
            protocol=describe(
                problem,
                training_error=float(training_error.mean()),
                complexity=float(complexity[best]),
                n=float(n),
                scale=float(scale),
                prior_scale=float(prior[best]),
                samples="training error, one a draw",
                seed=self.random_state,
            ),
        )

    def _distance(self, w):
        """Euclidean distance from the centre of the prior."""
        start = np.zeros(len(w)) if self.start is None else np.asarray(self.start, dtype=float)
        if start.shape != w.shape or not np.isfinite(start).all():
            raise ValueError(
                f"start must hold {len(w)} finite numbers, one a parameter, got {self.start!r}."
            )
        return float(np.linalg.norm(w - start))


def _tolerated(found):
    """The tolerated noise, at most the largest scale that was tried, and the cost of finding it."""
    return min(found.value, found.table["scale"][-1]) if found.table else np.nan, found.n_evals


def _error(problem):
    """Share of wrong labels at the fitted point."""
    objective, data = problem.objective, problem.objective.data
    return data.mean(objective.loss_function.errors(objective.scores(problem.w), data.y))


def divergence_from_priors(distance, n_dims, scale):
    """Divergence of the posterior from every prior of the grid, plus the cost of choosing it.

    Returns
    -------
    complexity : ndarray of shape (n_priors,)
        The divergence, minus the logarithm of the prior's weight in the union bound.
    prior : ndarray of shape (n_priors,)
        The standard deviations.
    """
    prior = np.exp(PRIORS / 10)
    ratio = (scale / prior) ** 2
    # Kullback-Leibler divergence of two isotropic Gaussians.
    kl = (n_dims * (ratio - 1 - np.log(ratio)) + (distance / prior) ** 2) / 2
    return kl - LOG_WEIGHTS, prior


def bound_slack(complexity, n, delta):
    """The term that the bound adds to the training error."""
    return np.sqrt((complexity + np.log(2 * np.sqrt(n) / delta)) / (2 * n))


def effective_rows(problem):
    """Number of training rows. With weights, the effective number ``(sum p)^2 / sum p^2``."""
    data = problem.objective.data
    if data.weight is None:
        return problem.sampled_from
    share = data.total_weight**2 / np.sum(data.weight**2) / len(data)
    return share * problem.sampled_from


pac_bayes_bound = function_of(PacBayesBound, "pac_bayes_bound")
