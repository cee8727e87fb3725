"""Soft rank of the Hessian: how many directions the rows determine."""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import eigh, eigh_tridiagonal

from ..._compat import Interval
from ..._parallel import run
from .._function import function_of
from .._measure import (
    Measure,
    bias_of_sample,
    describe,
    exactness,
    group_error,
    of_few_draws,
    seeds,
)
from .._measurement import Measurement
from ._eigenvalues import HessianProduct, products
from ._lanczos import lanczos
from ._spectral_density import first_vector


class SoftRank(Measure):
    """Effective dimension ``sum lambda / (lambda + damping)``; smaller is flatter.

    The sum is over the positive eigenvalues of the Hessian of the unpenalised mean training loss.
    An eigenvalue far above the damping counts as 1, and one far below as 0. So the value is the
    number of directions that the rows determine against a prior of precision ``n damping``
    (MacKay, Neural Computation 4, 1992; Maddox, Benton and Wilson, arXiv:2003.02139).

    The measure is invariant under isometries of the parameters only.

    Parameters
    ----------
    damping : float, default=None
        In units of the loss per squared unit of the parameters. None is one divided by the number
        of rows, which is the normal prior with variance 1.
    n_probes : int, default=10
        Number of random vectors of an estimate, at least 2.
    n_steps : int, default=60
        Number of Lanczos steps for each of them, each a Hessian product. If there are no more
        parameters than all these products, the whole spectrum is computed instead, and the value is
        exact.
    n_jobs : int, default=None
        Number of workers. A task is one probe. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    The estimate is stochastic Lanczos quadrature, see `SpectralDensity`. The standard error is that
    of the mean over the probes, with Student's distribution, and includes the sampling of rows to
    first order. It also includes the error of the quadrature: the difference from three quarters of
    the steps, which is more than that. ``samples`` holds the eigenvalues, or one estimate for each
    probe.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import SoftRank
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> SoftRank().measure(clf, X, y).value < sum(W.size for W in clf.coefs_ + clf.intercepts_)
    True
    """

    _parameter_constraints: dict = {
        "damping": [None, Interval(Real, 0, None, closed="neither")],
        "n_probes": [Interval(Integral, 2, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(self, damping=None, n_probes=10, n_steps=60, n_jobs=None, random_state=0):
        self.damping = damping
        self.n_probes = n_probes
        self.n_steps = n_steps
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        damping = self.damping or 1 / problem.sampled_from
        if len(problem.w) <= self.n_probes * self.n_steps:
            return self._whole(problem, damping)
        tasks = [
            (problem, min(self.n_steps, len(problem.w)), damping, seed)
            for seed in seeds(self.random_state, self.n_probes)
        ]
        found = run(_probe, tasks, self.n_jobs)
        ranks, earlier = np.array([each[0] for each in found]).T

        def change_on(batch):
            """The value to first order in the Hessian, on some of the rows."""
            times = problem.objective.hessian_products(problem.w, batch)
            return float(np.mean([slope @ times(start) for _, start, slope in found]))

        stderr = ranks.std(ddof=1) / np.sqrt(len(ranks)) * of_few_draws(len(ranks))
        stderr = np.hypot(stderr, ranks.mean() - earlier.mean())
        return Measurement(
            value=float(ranks.mean()),
            stderr=float(np.hypot(stderr, group_error(problem, change_on))),
            kind="estimate",
            n_evals=2 * self.n_probes * tasks[0][1],
            converged=True,
            samples=ranks,
            protocol=describe(
                problem,
                damping=float(damping),
                method="stochastic Lanczos quadrature",
                samples="one a probe",
                seed=self.random_state,
                **bias_of_sample(problem, "another value"),
            ),
        )

    def _whole(self, problem, damping):
        """From all eigenvalues, which cost no more if there are few parameters."""
        product, size = HessianProduct(problem), len(problem.w)
        matrix = products(product, np.eye(size))
        values, vectors = eigh((matrix + matrix.T) / 2)
        shares, slopes = _share(values, damping)

        def change_on(batch):
            times = problem.objective.hessian_products(problem.w, batch)
            columns = vectors.T[slopes > 0].astype(problem.w.dtype)
            return float(slopes[slopes > 0] @ [column @ times(column) for column in columns])

        return Measurement(
            value=float(shares.sum()),
            stderr=group_error(problem, change_on),
            kind=exactness(problem),
            n_evals=2 * product.n_products,
            converged=True,
            samples=values[::-1],
            protocol=describe(
                problem,
                damping=float(damping),
                method="all eigenvalues",
                samples="eigenvalues",
                **bias_of_sample(problem, "another value"),
            ),
        )


def _share(values, damping):
    """What each eigenvalue counts, and how that changes with it."""
    positive = np.maximum(values, 0)
    slopes = np.where(values > 0, damping / (positive + damping) ** 2, 0)
    return positive / (positive + damping), slopes


def _probe(problem, n_steps, damping, seed):
    """One estimate with all steps and with three quarters of them, and what changes it.

    The form of the last two vectors with a small change of the Hessian is the estimate's change.
    """
    start, size = first_vector(seed, problem.w), len(problem.w)
    diagonal, beside, basis = lanczos(HessianProduct(problem), start, n_steps)
    rank, slopes = _quadrature(diagonal, beside, damping)
    fewer = -(-3 * len(diagonal) // 4)
    earlier, _ = _quadrature(diagonal[:fewer], beside[:fewer], damping)
    slope = (size * (basis.T @ slopes)).astype(problem.w.dtype)
    return (size * rank, size * earlier), start.astype(problem.w.dtype), slope


def _quadrature(diagonal, beside, damping):
    """The mean share in the first direction, and its slopes in the coordinates of the basis."""
    nodes, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    shares, slopes = _share(nodes, damping)
    return float(vectors[0] ** 2 @ shares), vectors @ (slopes * vectors[0])


soft_rank = function_of(SoftRank, "soft_rank")
