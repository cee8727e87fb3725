"""Local volume: how much of parameter space behaves like the fitted point."""

from numbers import Integral, Real

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from ..._compat import Interval, StrOptions
from ..._parallel import run
from ...objective import Likelihood, require
from .._function import function_of
from .._measure import Measure, describe, group_error, seeds
from .._measurement import Measurement
from ._ellipsoid import Ellipsoid, curved
from ._rays import log_ball, log_mass

MAX_DRAWS = 8  # per task
MAX_LOG_RADIUS = 50.0  # a ray that stays below the cutoff up to here counts as endless
ENOUGH = 10  # effective number of directions in the mean for ``converged``


class LocalVolume(Measure):
    """Log-volume of the parameters around the fitted ones that behave alike; larger is flatter.

    Along every ray from ``w`` the region ends where the cost first exceeds ``cutoff``. The cost of
    a point is the mean divergence (Kullback-Leibler, in nats) of its predictions from those of
    ``w``, or the rise of the loss. The volume is the mass of a Gaussian prior or the Lebesgue
    volume. It is estimated from random directions (Scherlis and Belrose, arXiv:2501.18812). Let
    ``r`` be the radius along a direction and ``D`` the number of parameters. The Lebesgue volume is
    the mean of ``r ** D`` times the volume of the unit ball.

    The measure is invariant under isometries of the parameters only. A rescaling of layers changes
    the volume of the region.

    Parameters
    ----------
    cutoff : float, default=0.01
        Cutoff in nats, or in units of the loss.
    cost : {'divergence', 'loss'}, default='divergence'
        ``'divergence'`` compares functions and needs no labels. It is the mean over rows of the sum
        over outputs.
    prior : {'gaussian', 'uniform'}, default='gaussian'
        A Gaussian centred at 0, or Lebesgue measure.
    prior_scale : float, default=None
        Standard deviation of the Gaussian prior. None is the root mean square of the parameters.
    preconditioner : 'curvature', None or array-like of shape (n_parameters,), default='curvature'
        How to stretch the directions. This changes the variance of the estimate, but not its
        expectation. ``'curvature'`` uses the eigenvectors of the loss's Hessian. With more than 100
        parameters it uses estimates of the 100 directions of largest curvature. None does not
        stretch. An array stretches the coordinates by relative lengths, such as the inverse roots
        of an optimizer's second moments. With more than 40,000 parameters there are fewer
        directions, so that together they have at most 2 ** 22 numbers. ``protocol["axes"]`` has
        their number.
    n_draws : int, default=30
        Number of directions, at least 2.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    A direction costs about 12 losses, the preconditioner at most 200 Hessian products. ``samples``
    holds the log-volume that each direction alone would give. The value is the logarithm of the
    mean volume, and not the mean of the logarithms. With more than a few parameters, a few
    directions dominate that mean. The estimate is then likely to be too low by more than its
    standard error, which comes from a jackknife. ``protocol["effective_draws"]`` is the effective
    number of directions in the mean, and ``converged`` tells whether it is at least ten. Compare
    values only at the same ``n_draws``. The estimate ignores everything beyond the first crossing
    of a ray.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import LocalVolume
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> LocalVolume().measure(clf, X, y).value < 0
    True
    """

    _parameter_constraints: dict = {
        "cutoff": [Interval(Real, 0, None, closed="neither")],
        "cost": [StrOptions({"divergence", "loss"})],
        "prior": [StrOptions({"gaussian", "uniform"})],
        "prior_scale": [None, Interval(Real, 0, None, closed="neither")],
        "preconditioner": [StrOptions({"curvature"}), "array-like", None],
        "n_draws": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        cutoff=0.01,
        cost="divergence",
        prior="gaussian",
        prior_scale=None,
        preconditioner="curvature",
        n_draws=30,
        n_jobs=None,
        random_state=0,
    ):
        self.cutoff = cutoff
        self.cost = cost
        self.prior = prior
        self.prior_scale = prior_scale
        self.preconditioner = preconditioner
        self.n_draws = n_draws
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        *draws, seed = seeds(self.random_state, self.n_draws + 1)
        width = self.prior_scale or _root_mean_square(problem.w)
        ellipsoid, n_products = self._ellipsoid(problem, width, seed)
        sigma = width if self.prior == "gaussian" else None

        def log_volumes(batch):
            parts = [draws[k : k + MAX_DRAWS] for k in range(0, len(draws), MAX_DRAWS)]
            tasks = [(self, problem, batch, part, ellipsoid, sigma) for part in parts]
            found = run(_log_volumes, tasks, self.n_jobs)
            return np.concatenate([values for values, _ in found]), sum(n for _, n in found)

        values, n_evals = log_volumes(problem.objective.data)
        if np.isinf(values).any():  # one endless ray makes the Lebesgue volume infinite
            values = np.full(len(values), np.inf)
        effective = _effective(values)
        of_rows = group_error(problem, lambda batch: _log_mean(log_volumes(batch)[0]))
        return Measurement(
            value=_log_mean(values),
            stderr=float(np.hypot(_error(values), of_rows)),
            kind="estimate",
            n_evals=n_evals + 2 * n_products,
            converged=effective >= ENOUGH,
            samples=values,
            protocol=describe(
                problem,
                cutoff=self.cutoff,
                cost=self.cost,
                prior=self.prior,
                prior_scale=sigma,
                effective_draws=effective,
                axes=0 if self.preconditioner is None else len(ellipsoid.lengths),
                samples="log-volume, one a direction",
                seed=self.random_state,
            ),
        )

    def _ellipsoid(self, problem, width, seed):
        """Where the directions come from, and the products of the Hessian that it took."""
        size, lengths = len(problem.w), self.preconditioner
        if isinstance(lengths, str):
            return curved(problem, self.cutoff, width, seed)
        if lengths is None:
            return Ellipsoid(np.ones(size)), 0
        lengths = np.asarray(lengths, dtype=float)
        if lengths.shape != (size,) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise ValueError(
                f"preconditioner must hold {size} positive numbers, one a parameter, got "
                f"{self.preconditioner!r}."
            )
        return Ellipsoid(lengths), 0


def _root_mean_square(w):
    return float(np.linalg.norm(w) / np.sqrt(len(w))) or 1.0


def _log_mean(values):
    return float(logsumexp(values) - np.log(len(values)))


def _effective(values):
    """Effective number of directions in the mean: ``(sum V)^2 / sum V^2``."""
    shares = np.exp(values - values.max()) if np.isfinite(values).all() else np.ones(len(values))
    return float(shares.sum() ** 2 / np.sum(shares**2))


def _error(values):
    """The jackknife's standard error of the logarithm of the mean."""
    if np.isinf(values[0]):
        return 0.0
    n, top = len(values), values.argmax()
    shares = np.exp(values - values[top])
    rest = shares.sum() - shares
    # If one direction dominates, ``sum - share`` would cancel to rounding errors.
    rest[top] = np.delete(shares, top).sum()
    without = np.log(np.maximum(rest, np.finfo(float).tiny))
    return np.sqrt((n - 1) * without.var())


def _log_volumes(measure, problem, batch, seeds, ellipsoid, sigma):
    """One task: the log-volume from each of some directions, and the passes over the rows."""
    w = problem.w.astype(float)
    cost = _Cost(problem, batch, measure.cost)
    values = []
    for seed in seeds:
        v = ellipsoid.direction(seed)
        radius = _radius(cost, v, measure.cutoff)
        if sigma is None:
            # The radius is in units of ``v``. The map that stretches ``v`` has determinant 1, so it
            # does not change the volume.
            values.append(len(w) * np.log(radius) + log_ball(len(w)))
        else:
            values.append(log_mass(w, v, radius, sigma))
    return np.array(values), cost.n_evals


class _Cost:
    """The cost of ``w + v``: its divergence from ``w``, or the rise of the loss."""

    def __init__(self, problem, batch, kind):
        self.problem, self.batch, self.kind, self.n_evals = problem, batch, kind, 1
        objective, w = problem.objective, problem.w
        # With ``cost="loss"`` the objective need not have outputs.
        by_loss = kind == "loss"
        self.here = objective.loss(w, batch) if by_loss else self._scores(w)
        self.likelihood = None if by_loss else require(objective, Likelihood, "The divergence")

    def _scores(self, w):
        return self.problem.objective.scores(w, self.batch.X).astype(float, copy=False)

    def __call__(self, v):
        objective, w = self.problem.objective, self.problem.w
        there = (w + v).astype(w.dtype)
        self.n_evals += 1
        with np.errstate(over="ignore", invalid="ignore"):
            if self.kind == "loss":
                cost = objective.loss(there, self.batch) - self.here
            else:
                rows = self.likelihood.divergence(self.here, self._scores(there))
                cost = self.batch.mean(rows)
        return cost if np.isfinite(cost) else np.finfo(float).max


def _radius(cost, v, cutoff):
    """The multiple of ``v`` at which the cost first exceeds the cutoff; perhaps infinite.

    The cost is roughly a power of the distance, so the root is searched in logarithms.
    """

    def excess(log_radius):
        found = max(cost(np.exp(log_radius) * v), np.finfo(float).tiny)
        return float(np.log(found) - np.log(cutoff))

    # For a quadratic cost, the root is at half the excess (in logarithms). Shorter steps avoid
    # jumping over the first crossing.
    near = 0.0
    while (over := excess(near)) >= 0:
        near -= max(over / 2, np.log(2))
    far = near
    while (short := excess(far)) < 0:
        near, far = far, far + np.clip(-short / 2, np.log(2) / 8, np.log(2)) * (1 + 1e-6)
        if far > MAX_LOG_RADIUS:
            return np.inf
    return float(np.exp(brentq(excess, near, far, xtol=1e-9, rtol=1e-12)))


local_volume = function_of(LocalVolume, "local_volume")
