"""Sharpness-aware perturbation."""

import math
from numbers import Integral

import numpy as np

from .._compat import Interval
from ..objective import Batch, displaced
from ._perturbed import Perturbed


class SAP(Perturbed):
    """Sharpness-aware perturbation (Ahn, Jadbabaie and Sra, arXiv:2305.15659, Algorithm 2).

    With ``g`` the gradient of the batch and ``g_i`` that of one random row it steps against
    ``g + v``, where ``v`` is the part orthogonal to ``g`` of the row's gradient at
    ``w + rho s g_i / |g_i|``, with a random sign ``s``. Near a minimum without loss it follows the
    trace of the Hessian down as `RSP` does, ``d`` times as fast for ``d`` parameters.

    ``rho`` is the length of the displacement; useful values are 0.01 to 0.3 for toys and 0.01 to
    0.05 for small networks, more with larger samples. ``"auto"`` is 0.05, ours (that of `SAM`): the
    published one is a rate in an accuracy, no number.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='sgd'
        The optimizer that takes the step; its numbers are the estimator's.
    sample_size : int, default=1
        Rows of the random micro-batch that takes the place of one row; the paper compares 1, 64
        and 128. It is drawn from the batch by the weights of the rows, systematically: without
        repetition where they are equal.
    centered : bool, default=True
        Take ``g_i`` off the row's gradient at the displaced point (ours; False is the paper's). On
        average over the rows its part orthogonal to ``g`` is 0, so the mean step is the same; what
        goes is the noise of the rows, which far from a minimum without loss is as large as the
        gradient itself.
    tolerance : float, default=inf
        Perturb only where the norm of ``g`` is at most this, the algorithm's ``eps_0``. The
        default takes every point as near enough to a minimum; 0 is the base optimizer.
    final_plain : float, default=0.0
        Share of the ``max_iter`` epochs, at the end, with plain steps: they settle in the minimum
        and do not move along it (ours). Without effect in a fit that stops before.

    Notes
    -----
    A perturbed step differentiates the rows of the batch and ``2 sample_size``, and as many again
    as the sample has where its gradient is exactly 0: there the direction is that of its gradient
    a hundredth of ``rho`` away (Remark 2). A plain step differentiates the batch. The algorithm has
    the gradient of all rows; here that of the batch is the step, the test against the tolerance
    and what ``v`` is orthogonal to.

    It converges to minima where the trace of the Hessian is stationary among minima, if no row has
    a loss there, and tends to its base as ``rho`` tends to 0. With ``centered=False``, and rows
    that keep gradients of their own, ``v`` is of their size however small ``rho`` is: the rule then
    tends to stochastic descent on the sample, and from a random start fails at rates at which its
    base does not. Then enlarge the sample, set a tolerance, or start from where another solver
    ended.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SAP
    >>> FlatMLPClassifier(solver=SAP(sample_size=8), rho=0.1).solver
    SAP(sample_size=8)
    """

    default_rho = 0.05
    _parameter_constraints: dict = {
        **Perturbed._parameter_constraints,
        "sample_size": [Interval(Integral, 1, None, closed="left")],
        "centered": ["boolean"],
    }

    def __init__(
        self, base="sgd", *, sample_size=1, centered=True, tolerance=np.inf, final_plain=0.0
    ):
        self.base = base
        self.sample_size = sample_size
        self.centered = centered
        self.tolerance = tolerance
        self.final_plain = final_plain

    def _found(self, objective, w, batch, state):
        out, climb, point = (state.scratch(name, w) for name in ("total", "piece", "at"))
        rho, rng, work = state.settings.rho, state.rng, state.work
        sample, sign = _sample(batch, self.sample_size, rng), 1 - 2 * int(rng.integers(2))
        objective.loss_gradient(w, sample, climb, work)
        size = at_w = math.sqrt(float(climb @ climb))
        if at_w == 0:
            rng.standard_normal(dtype=w.dtype, out=point)
            displaced(w, point, 0.01 * rho / math.sqrt(float(point @ point)), out=point)
            objective.loss_gradient(point, sample, climb, work)
            size = math.sqrt(float(climb @ climb))
        displaced(w, climb, sign * rho / size if size > 0 else 0.0, out=point)
        objective.loss_gradient(point, sample, out, work)
        if self.centered and at_w > 0:
            out -= climb
        return out, 1


def _sample(batch, size, rng):
    """Rows drawn by their weights, and weighing together what the batch weighs.

    The mean over the draws is the batch's mean, and the penalty is the batch's.
    """
    n_rows, size, weight = len(batch), min(size, len(batch)), batch.weight
    ends = np.arange(1.0, n_rows + 1) if weight is None else np.cumsum(weight, dtype=float)
    share = float(ends[-1]) / size
    rows = np.searchsorted(ends, share * (np.arange(size) + rng.random()), side="right")
    np.minimum(rows, n_rows - 1, out=rows)  # a product rounded up to the total
    return Batch(batch.X[rows], batch.y[rows], np.full(size, share, batch.X.dtype))
