"""Local learning coefficient: how fast the volume of good parameters shrinks with the loss."""

import warnings
from numbers import Integral, Real

import numpy as np

from ..._compat import Interval
from ..._parallel import run
from .._function import function_of
from .._measure import Measure, describe, seeds, undefined
from .._measurement import Measurement
from ..curvature import HessianProduct

N_PRODUCTS = 10  # Hessian products of the power method for the largest eigenvalue
STEP = 0.2  # step size times the largest curvature of the tempered loss


class LearningCoefficient(Measure):
    """Rise of the loss in equilibrium with noise, in units of the temperature; smaller is flatter.

    The value is ``n_beta * (E[f(w')] - f(w))`` (Lau and others, arXiv:2308.12108). Langevin
    dynamics draws ``w'`` around ``w`` from the density proportional to
    ``exp(-n_beta f(w') - localization |w' - w|^2 / 2)``. At a minimum with a regular Hessian the
    value tends to half the number of parameters as the localisation vanishes. It is smaller if the
    loss is degenerate: for ``w^4`` it is a quarter.

    The coefficient itself does not depend on coordinates. This estimate does, because localisation
    and steps are Euclidean, so it is invariant under isometries only. If ``w`` is no minimum, the
    value may be negative.

    Parameters
    ----------
    n_beta : float, default=None
        Number of rows times inverse temperature. None is ``n / log(n)`` for ``n`` rows, and at
        least 1.
    localization : float, default=100.0
        Strength of the quadratic term that keeps the chain near ``w``. 0 is none.
    step_size : float, default=None
        Step size of the dynamics. None is a fifth of the inverse of the largest curvature. That
        curvature is ``n_beta`` times that of the loss, by the power method, plus the localisation.
        Discrete steps then enlarge the contribution of no direction by more than about 5 %.
    n_chains : int, default=4
        Number of chains, at least 2.
    n_draws : int, default=100
        Steps of every chain that count.
    n_burn : int, default=50
        Steps of every chain before them.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    A step costs one gradient. Every gradient uses all rows, so there is no batch noise. ``samples``
    holds the estimate of every chain. Their spread gives the standard error. The table has the
    columns ``step`` and ``rise``, the mean over the chains. Chains start at ``w``. If they are too
    short to reach equilibrium, the value is too small. ``converged`` tells whether the two halves
    of the counted steps agree within two standard errors of their difference.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import LearningCoefficient
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> 0 < LearningCoefficient().measure(clf, X, y).value < (5 * 8 + 9 * 3) / 2
    True
    """

    _parameter_constraints: dict = {
        "n_beta": [None, Interval(Real, 0, None, closed="neither")],
        "localization": [Interval(Real, 0, None, closed="left")],
        "step_size": [None, Interval(Real, 0, None, closed="neither")],
        "n_chains": [Interval(Integral, 2, None, closed="left")],
        "n_draws": [Interval(Integral, 2, None, closed="left")],
        "n_burn": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(
        self,
        n_beta=None,
        localization=100.0,
        step_size=None,
        n_chains=4,
        n_draws=100,
        n_burn=50,
        n_jobs=None,
        random_state=0,
    ):
        self.n_beta = n_beta
        self.localization = localization
        self.step_size = step_size
        self.n_chains = n_chains
        self.n_draws = n_draws
        self.n_burn = n_burn
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        n = problem.sampled_from
        n_beta = self.n_beta or max(1.0, n / np.log(max(n, 2)))
        *chains, power = seeds(self.random_state, self.n_chains + 1)
        step = self.step_size or self._step(problem, n_beta, power)
        tasks = [(self, problem, n_beta, step, seed) for seed in chains]
        losses, rows = zip(*run(_chain, tasks, self.n_jobs), strict=True)
        rises = n_beta * (np.array(losses) - problem.loss)
        if not np.isfinite(rises).all():
            warnings.warn(
                f"Langevin dynamics diverged at step_size={step:.3g}: try a smaller one.",
                stacklevel=4,
            )
            return undefined(problem)
        counted = rises[:, self.n_burn :]
        values = counted.mean(axis=1)
        of_rows = 0.0
        if problem.sampled:
            of_rows = problem.row_error(n_beta * (np.mean(rows, axis=0) - _per_row(problem)))
        n_steps = rises.shape[1]
        return Measurement(
            value=float(values.mean()),
            stderr=float(np.hypot(_error(values), of_rows)),
            kind="estimate",
            n_evals=1 + n_steps * self.n_chains + (0 if self.step_size else 2 * N_PRODUCTS),
            converged=_settled(counted),
            samples=values,
            protocol=describe(
                problem,
                n_beta=float(n_beta),
                step_size=float(step),
                samples="one a chain",
                seed=self.random_state,
            ),
            table={"step": np.arange(n_steps), "rise": rises.mean(axis=0) / n_beta},
        )

    def _step(self, problem, n_beta, seed):
        """A step that is small for the direction of largest curvature."""
        # Every norm is a lower bound on the largest absolute eigenvalue. The maximum is the best.
        v = np.random.default_rng(seed).standard_normal(len(problem.w), dtype=problem.w.dtype)
        product, curvature = HessianProduct(problem, None), 0.0
        for _ in range(N_PRODUCTS):
            v /= np.linalg.norm(v) or 1.0
            v = product(v).astype(problem.w.dtype)
            curvature = max(curvature, float(np.linalg.norm(v)))
        return STEP / (n_beta * curvature + self.localization or 1.0)


def _chain(measure, problem, n_beta, step, seed):
    """One task: the loss before every step of a chain, and the mean loss of every row."""
    objective, w, rng = problem.objective, problem.w, np.random.default_rng(seed)
    here, losses, rows = w.copy(), [], 0.0
    for k in range(measure.n_burn + measure.n_draws):
        with np.errstate(over="ignore", invalid="ignore"):
            loss, drift = objective.loss_gradient(here)
            losses.append(loss)
            if problem.sampled and k >= measure.n_burn:
                rows = rows + objective.per_sample_loss(here) / measure.n_draws
            drift = n_beta * drift + measure.localization * (here - w)
        if not np.isfinite(loss):
            return np.full(measure.n_burn + measure.n_draws, np.nan), rows
        # Unadjusted Langevin: ``dw = -drift dt / 2 + dB`` has the density above as equilibrium.
        noise = rng.standard_normal(len(w), dtype=w.dtype)
        here = (here - step / 2 * drift + np.sqrt(step) * noise).astype(w.dtype)
    return np.array(losses), rows


def _per_row(problem):
    return problem.objective.per_sample_loss(problem.w)


def _error(values):
    """Standard error of a mean over chains."""
    return values.std(ddof=1) / np.sqrt(len(values))


def _settled(rises):
    """Whether the first and the second half of the chains have the same mean."""
    half = rises.shape[1] // 2
    change = rises[:, half:].mean(axis=1) - rises[:, :half].mean(axis=1)
    return bool(abs(change.mean()) <= 2 * _error(change))


learning_coefficient = function_of(LearningCoefficient, "learning_coefficient")
