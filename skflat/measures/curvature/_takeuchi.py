"""Takeuchi's criterion: the generalisation gap that curvature and gradient noise predict."""

from dataclasses import replace
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
    error_of_groups,
    exactness,
    of_few_draws,
    seeds,
)
from .._measurement import Measurement
from ._eigenvalues import HessianProduct, products
from ._lanczos import lanczos


class TakeuchiCriterion(Measure):
    """Predicted generalisation gap ``tr(F (H + damping)^-1) / n``; smaller is better.

    ``F`` is the mean of ``g g'`` over the ``n`` rows, with ``g`` the gradient of a row's loss, and
    ``H`` is the Hessian of the unpenalised mean training loss. Without damping this is the penalty
    of Takeuchi's information criterion: the difference of test and training loss to first order in
    ``1 / n`` (Thomas and others, arXiv:1906.07774). It is defined if ``H`` is positive definite.
    For a well-specified model ``F = H``, and it is Akaike's penalty, parameters over rows. A
    network has directions without curvature. So the damping is not 0 by default, and directions of
    negative curvature are left out.

    The measure is invariant under isometries of the parameters only. Without damping it is
    invariant under every linear change of the parameters.

    Parameters
    ----------
    damping : float, default=None
        In units of the loss per squared unit of the parameters. None is one divided by the number
        of rows, which is the normal prior with variance 1. 0 is Takeuchi's own.
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
    A probe is the sum of the gradients of all rows with random signs. Its quadratic form with a
    matrix ``A`` has the mean ``tr(F A)``. Lanczos' method begins there. The standard error includes
    the difference from three quarters of the steps, and the sampling of rows to first order. For an
    estimate that part is too large rather than too small. The exact value costs a gradient of every
    single row beside the Hessian products. ``samples`` holds what each row adds, times the number
    of rows, or one estimate for each probe.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import TakeuchiCriterion
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> 0 < TakeuchiCriterion().measure(clf, X, y).value < 1
    True
    """

    _parameter_constraints: dict = {
        "damping": [None, Interval(Real, 0, None, closed="left")],
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
        damping = 1 / problem.sampled_from if self.damping is None else self.damping
        few = len(problem.w) <= self.n_probes * self.n_steps
        value, stderr, samples, details = (self._whole if few else self._drawn)(problem, damping)
        n = problem.sampled_from
        return Measurement(
            value=float(value / n),
            stderr=float(stderr / n),
            kind=exactness(problem) if few else "estimate",
            n_evals=details.pop("n_evals"),
            converged=True,
            samples=samples / n,
            protocol=describe(
                problem,
                damping=float(damping),
                **details,
                **bias_of_sample(problem, "another value"),
            ),
        )

    def _whole(self, problem, damping):
        """From all eigenvalues, which cost no more if there are few parameters."""
        product, share = HessianProduct(problem), _shares(problem)
        matrix = products(product, np.eye(len(problem.w)))
        curvatures, axes = eigh((matrix + matrix.T) / 2)
        gradients, inverse = _gradients(problem) @ axes, _inverse(curvatures, damping)
        by_row = gradients**2 @ inverse
        # The inverse changes by minus itself times the change of the Hessian times itself.
        back = (gradients * inverse) @ axes.T
        weights, vectors = eigh((back * share[:, None]).T @ back)
        kept = weights > 1e-12 * weights[-1]

        def change_on(rows):
            times = problem.objective.hessian_products(problem.w, rows)
            columns = vectors.T[kept].astype(problem.w.dtype)
            of_hessian = weights[kept] @ [column @ times(column) for column in columns]
            return problem.objective.batch(rows).mean(by_row[rows]) - float(of_hessian)

        details = {
            "method": "all eigenvalues",
            "samples": "one a row",
            "n_evals": 2 * product.n_products + 1,
        }
        return share @ by_row, error_of_groups(problem, change_on), by_row, details

    def _drawn(self, problem, damping):
        n_steps = min(self.n_steps, len(problem.w))
        draws = seeds(self.random_state, self.n_probes)
        found = run(_probe, [(problem, n_steps, damping, seed) for seed in draws], self.n_jobs)
        values, earlier = np.array([each[0] for each in found]).T

        def change_on(rows):
            return float(np.mean([_change(problem, rows, *each[1:]) for each in found]))

        stderr = values.std(ddof=1) / np.sqrt(len(values)) * of_few_draws(len(values))
        stderr = np.hypot(stderr, values.mean() - earlier.mean())
        stderr = np.hypot(stderr, error_of_groups(problem, change_on))
        details = {
            "method": "stochastic Lanczos quadrature",
            "samples": "one a probe",
            "seed": self.random_state,
            "n_evals": (2 * n_steps + 1) * self.n_probes,
        }
        return values.mean(), stderr, values, details


def _inverse(curvatures, damping):
    """``1 / (curvature + damping)`` where the curvature is positive beyond rounding, else 0."""
    least = len(curvatures) * np.finfo(float).eps * np.abs(curvatures).max()
    positive = curvatures > least
    return np.where(positive, 1 / np.where(positive, curvatures + damping, 1), 0)


def _shares(problem):
    """The share of every row in a mean over the rows."""
    data = problem.objective.data
    weight = np.ones(len(data)) if data.weight is None else data.weight.astype(float)
    return weight / weight.sum()


def _gradients(problem):
    """The gradient of every row's loss, shape (n_rows, n_parameters)."""
    objective, rows = problem.objective, range(problem.objective.n_rows)
    singles = (replace(objective.batch(slice(k, k + 1)), weight=None) for k in rows)
    return np.array([objective.loss_gradient(problem.w, each)[1] for each in singles], float)


def _signed(problem, signs, rows=slice(None)):
    """Sum over some rows of sign, root of the row's share, and gradient of its loss."""
    roots, out = np.sqrt(_shares(problem)), np.zeros(len(problem.w))
    chosen = np.arange(len(roots))[rows]
    for sign in (1, -1):
        part = chosen[signs[chosen] == sign]
        if len(part) and roots[part].sum() > 0:
            batch = replace(problem.objective.batch(part), weight=roots[part])
            _, gradient = problem.objective.loss_gradient(problem.w, batch)
            out += sign * roots[part].sum() * gradient.astype(float)
    return out


def _probe(problem, n_steps, damping, seed):
    """One estimate with all steps and with three quarters of them, its signs and its solution."""
    signs = np.random.default_rng(seed).choice([-1, 1], size=problem.objective.n_rows)
    start = _signed(problem, signs)
    size = np.linalg.norm(start)
    if size == 0:
        return (0.0, 0.0), signs, start
    diagonal, beside, basis = lanczos(HessianProduct(problem), start / size, n_steps)
    fewer = -(-3 * len(diagonal) // 4)
    solved = _solved(diagonal, beside, damping)
    earlier = _solved(diagonal[:fewer], beside[:fewer], damping)
    values = size**2 * solved[0], size**2 * earlier[0]
    return values, signs, size * (basis.T @ solved)


def _solved(diagonal, beside, damping):
    """The damped inverse times the first basis vector, in the coordinates of the basis."""
    nodes, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    return vectors @ (_inverse(nodes, damping) * vectors[0])


def _change(problem, rows, signs, solution):
    """What some of the rows make of an estimate, to first order in gradients and Hessian."""
    share = _shares(problem)[rows].sum()
    of_gradients = 2 * solution @ _signed(problem, signs, rows) / share
    direction = solution.astype(problem.w.dtype)
    return of_gradients - float(direction @ problem.objective.hvp(problem.w, direction, rows))


takeuchi_criterion = function_of(TakeuchiCriterion, "takeuchi_criterion")
