"""Flat minima: how far a point is from a stationary point of the trace among minima."""

import warnings
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsmr
from sklearn.exceptions import ConvergenceWarning

from ..._compat import Interval
from ...objective import TraceGradient, capability
from .._function import function_of
from .._measure import Measure, describe, exactness, generator, group_error
from .._measurement import Measurement
from ._eigenvalues import HessianProduct, eigenpairs
from ._hessian_trace import HessianTrace

# Products of the iteration that projects; it usually ends after a few times the number of distinct
# eigenvalues above the cutoff.
MOST_PRODUCTS = 2000


class FlatMinimum(Measure):
    """Slope of the trace of the Hessian among minima; 0 at a flat minimum.

    Ahn, Jadbabaie and Sra (arXiv:2305.15659) call a minimum flat if the mean eigenvalue of the
    Hessian, ``tr(H) / d`` for ``d`` parameters, is stationary among the minima nearby. A point
    ``w`` is (eps, eps')-flat if ``f(w) - f(p) <= eps`` and ``|P grad tr(H) / d| <= eps'``. Here
    ``p`` is the point to which gradient flow leads from ``w``. ``P`` is the projection onto the
    null space of the Hessian at ``p``, which is the tangent space of the minima. The value is
    ``|P grad tr(H) / d|``; the table has all the rest. The loss is the unpenalised mean training
    loss.

    The measure finds a property of ``p`` and not of the fitted point, and costs hundreds of
    gradients. So it is not among `MEASURES`, and no report includes it. It is invariant under
    isometries of the parameters only.

    Parameters
    ----------
    step : float, default=0.2
        The flow is followed by steps of gradient descent at the rate ``step / lambda``, with
        ``lambda`` the largest eigenvalue of the Hessian at the start. If the loss rises, the rate
        is halved. Smaller steps follow the flow more closely.
    max_iter : int, default=1000
        Most steps. 0 takes the fitted point for ``p``.
    tol : float, default=1e-8
        The steps end when ``|gradient| <= tol * lambda * (1 + |w|)``.
    cutoff : float, default=1e-4
        Eigenvalues far below ``cutoff * lambda`` count as 0. The projection is
        ``c^2 / (H^2 + c^2)`` with ``c = cutoff * lambda``. It is smooth, so it needs products with
        the Hessian and no eigenvectors.
    random_state : int, RandomState instance or None, default=0
        Draws the start vector of the search for ``lambda``.

    Notes
    -----
    The table has two rows, the fitted point and ``p``, and the columns ``loss``, ``trace`` (of the
    Hessian, not divided by ``d``) and ``gradient_norm``. ``eps`` is the difference of the two
    losses, and the value is ``eps'``. ``samples`` has the norms of ``grad tr(H) / d`` at ``p``
    before and after the projection.

    If the steps end without reaching ``tol``, there is a `ConvergenceWarning` and ``converged`` is
    False. That is the rule for networks with cross-entropy, whose loss has no minimum where all
    rows are right. The standard error is due to the sampling of rows, at ``p``.

    It needs the gradient of the exact trace. Factorizations with the squared loss have it, and
    networks with piecewise linear units or at most two hidden layers.

    Examples
    --------
    Of all factors with the same product, those with the least trace are a flat minimum. Balanced
    factors of a matrix that is not square are not:

    >>> import numpy as np
    >>> from skflat import FlatMatrixFactorization
    >>> from skflat.measures import flat_minimum
    >>> X, y = np.argwhere(np.ones((3, 2))), np.outer([1, 2, 3], [2.0, 1]).ravel()
    >>> plain = dict(n_components=1, rho=0.0, alpha=0.0, fit_offsets=False, random_state=0)
    >>> for balance in ("trace", "frobenius"):
    ...     model = FlatMatrixFactorization(**plain, balance=balance).fit(X, y)
    ...     print(round(flat_minimum(model, X, y).value, 3))
    0.0
    0.136
    """

    _parameter_constraints: dict = {
        "step": [Interval(Real, 0, 1, closed="right")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "cutoff": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    requires = (TraceGradient,)
    sign = -1

    def __init__(self, step=0.2, max_iter=1000, tol=1e-8, cutoff=1e-4, random_state=0):
        self.step = step
        self.max_iter = max_iter
        self.tol = tol
        self.cutoff = cutoff
        self.random_state = random_state

    def _evaluate(self, problem):
        largest, n_products = self._largest(problem)
        w, n_steps, converged = self._polished(problem, largest)
        polished = replace(problem, w=w)
        slope = _mean_slope(polished)
        again, more = self._largest(polished)
        tangent, n_projecting = self._projected(polished, slope, again)
        value = float(np.linalg.norm(tangent))
        points = [_looked_at(each) for each in (problem, polished)]
        columns = zip(*points, strict=True)
        names = ("loss", "trace", "gradient_norm")
        return Measurement(
            value=value,
            stderr=_row_error(polished, tangent),
            kind=exactness(problem),
            n_evals=n_steps + 2 * (n_products + more + n_projecting) + 4,
            converged=converged,
            samples=np.array([np.linalg.norm(slope), value]),
            protocol=describe(
                problem,
                largest_eigenvalue=again,
                n_steps=n_steps,
                samples="norm of the slope before and after the projection",
                seed=self.random_state,
            ),
            table={name: np.array(column) for name, column in zip(names, columns, strict=True)},
        )

    def _largest(self, problem):
        """The eigenvalue of greatest size of the Hessian, and the products it took."""
        product = HessianProduct(problem)
        rng = generator(self.random_state)
        values, _, _ = eigenpairs(product, 2, "both", 1e-3, None, rng)
        return float(np.abs(values).max(initial=0.0)), product.n_products

    def _polished(self, problem, largest):
        """Where steps of gradient descent lead, their number, and whether they converged."""
        w, objective = problem.w.copy(), problem.objective
        loss, gradient = objective.loss_gradient(w)
        if largest == 0:
            return w, 0, not gradient.any()
        rate = self.step / largest
        for n_steps in range(self.max_iter + 1):
            if np.linalg.norm(gradient) <= self.tol * largest * (1 + np.linalg.norm(w)):
                return w, n_steps, True
            if n_steps == self.max_iter:
                break
            there = w - rate * gradient
            lower, slope = objective.loss_gradient(there)
            # Near a minimum the loss rises by rounding errors, which no shorter step avoids.
            if lower <= loss + 4 * np.finfo(w.dtype).eps * abs(loss):
                w, loss, gradient = there, lower, slope
            else:
                rate /= 2
        if self.max_iter == 0:
            return w, 0, False
        warnings.warn(
            f"{self.max_iter} steps of gradient descent did not reach a minimum: the norm of the "
            f"gradient is {np.linalg.norm(gradient):.3g}. Raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=4,
        )
        return w, self.max_iter, False

    def _projected(self, problem, slope, largest):
        """The part of a vector in the null space of the Hessian, and the products it took."""
        if largest == 0:
            return slope, 0
        product = HessianProduct(problem)
        size = len(slope)
        operator = LinearOperator((size, size), matvec=product, rmatvec=product, dtype=float)
        # The residual of the damped least squares problem ``|H z - v|^2 + c^2 |z|^2`` is
        # ``c^2 / (H^2 + c^2)`` times ``v``.
        damp = self.cutoff * largest
        found = lsmr(operator, slope, damp, 1e-10, 1e-10, 1 / self.cutoff**2, MOST_PRODUCTS)
        return slope - product(found[0]), product.n_products


def _mean_slope(problem, batch=None):
    """The gradient of ``tr(H) / d``."""
    known = capability(problem.objective, TraceGradient)
    return known.gradient(problem.w, batch).astype(float) / len(problem.w)


def _looked_at(problem):
    """Loss, trace and norm of the gradient at a point."""
    loss, gradient = problem.objective.loss_gradient(problem.w)
    trace = HessianTrace().evaluate(problem).value
    return float(loss), trace, float(np.linalg.norm(gradient))


def _row_error(problem, tangent):
    """Standard error of the length of ``tangent``, from the slopes of groups of rows along it."""
    size = np.linalg.norm(tangent)
    if size == 0:
        return 0.0
    return group_error(problem, lambda batch: float(_mean_slope(problem, batch) @ tangent) / size)


flat_minimum = function_of(FlatMinimum, "flat_minimum")
