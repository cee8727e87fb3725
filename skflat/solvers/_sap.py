"""Sharpness-aware perturbation."""

import math
from numbers import Integral

import numpy as np

from .._compat import Interval
from ..objective import Batch, displaced
from ._perturbed import Perturbed


class SAP(Perturbed):
    """Sharpness-aware perturbation (Ahn, Jadbabaie and Sra, arXiv:2305.15659, Algorithm 2).

    Let ``g`` be the gradient of the batch and ``g_i`` the gradient of one random row. A step goes
    against ``g + v``. Here ``v`` is the part orthogonal to ``g`` of the row's gradient at
    ``w + rho s g_i / |g_i|``, with a random sign ``s``. Near a minimum of loss 0 the solver
    decreases the trace of the Hessian as `RSP` does, ``d`` times as fast for ``d`` parameters.

    ``rho`` is the length of the displacement. Useful values are 0.01 to 0.3 for toys and 0.01 to
    0.05 for small networks, more with larger samples. ``"auto"`` is 0.05, ours (that of `SAM`),
    because the paper gives an order in the accuracy and no number.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='sgd'
        The optimizer that takes the step; its numbers are the estimator's.
    sample_size : int, default=1
        Rows of the random micro-batch that replaces the single row. The paper compares 1, 64 and
        128. The micro-batch is drawn from the batch by systematic sampling, in proportion to the
        weights of the rows. With equal weights no row is drawn twice.
    centered : bool, default=True
        Whether to subtract ``g_i`` from the row's gradient at the displaced point (ours; False is
        the paper's). Averaged over the rows, the part of ``g_i`` orthogonal to ``g`` is 0, so the
        mean step is the same. The subtraction removes the noise of the rows. Far from a minimum of
        loss 0 that noise is as large as the gradient itself.
    tolerance : float, default=inf
        Perturb only if the norm of ``g`` is at most this, the algorithm's ``eps_0``. The default
        perturbs everywhere. 0 is the base optimizer.
    final_plain : float, default=0.0
        Share of the ``max_iter`` epochs, at the end, with plain steps. They settle in the minimum
        and do not move along it (ours). It has no effect on a fit that stops earlier.
    orthogonal : {'gradient', 'step'}, default='gradient'
        ``'gradient'`` is the paper's: ``v`` is orthogonal to ``g``, and the base takes a step along
        ``g + v``. That is orthogonal to ``g`` for plain steps only. Momentum accumulates ``v`` of
        past steps, and Adam divides every parameter by a scale of its own, so the part due to ``v``
        can work against the descent of the loss. With ``'step'`` (ours) momentum and Adam's moments
        are those of ``g`` alone. ``v`` has the scale of the parameters but no momentum, and is
        orthogonal to ``g`` in that scale. So its step never changes the loss to first order.
    plain_rate : float, default=1.0
        The learning rate of plain steps in units of that of perturbed ones: ``eta' / eta`` of the
        paper.

    Notes
    -----
    A perturbed step differentiates the rows of the batch and ``2 sample_size`` further rows. If the
    gradient of the sample is exactly 0, it differentiates the sample once more: the direction is
    then the gradient of the sample at a distance of ``rho / 100`` (Remark 2). A plain step
    differentiates the batch. The paper's algorithm uses the gradient of all rows. Here the gradient
    of the batch takes its place: in the step, in the test against the tolerance, and in the
    projection of ``v``.

    The solver converges to minima where the trace of the Hessian is stationary among minima, if
    every row has loss 0 there and *one* output. The reason is that the Hessian of such a row has
    rank one, with the row's gradient as its eigenvector. With two outputs and more a row has more
    directions of curvature than its gradient shows. Then the solver still seeks flat minima, but
    settles elsewhere. So the theory does not cover three classes and more.

    The solver tends to its base as ``rho`` tends to 0. With ``centered=False``, and rows whose
    gradients do not vanish, ``v`` is as large as these gradients, however small ``rho`` is. The
    rule then tends to stochastic descent on the sample. From a random start it fails at learning
    rates at which its base succeeds. In that case enlarge the sample, set a tolerance, or start at
    the result of another solver. From a bad minimum that form escapes better
    (``benchmarks/escape.py``). The estimators' default momentum of 0.9 applies to ``g + v``; the
    theory has none.

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
        self,
        base="sgd",
        *,
        sample_size=1,
        centered=True,
        tolerance=np.inf,
        final_plain=0.0,
        orthogonal="gradient",
        plain_rate=1.0,
    ):
        self.base = base
        self.sample_size = sample_size
        self.centered = centered
        self.tolerance = tolerance
        self.final_plain = final_plain
        self.orthogonal = orthogonal
        self.plain_rate = plain_rate

    def _found(self, objective, w, batch, state):
        out, climb, point = (state.scratch(name, w) for name in ("total", "piece", "at"))
        rho, rng, work = state.settings.rho, state.rng, state.work
        sample, sign = _sample(batch, self.sample_size, rng), 1 - 2 * int(rng.integers(2))
        objective.loss_gradient(w, sample, climb, work)
        size = at_w = math.sqrt(float(climb @ climb))
        if at_w == 0:
            # At loss 0 the sample's gradient has no direction. A small random displacement finds
            # one: there the gradient lies along the Hessian's range (Remark 2 of the paper).
            rng.standard_normal(dtype=w.dtype, out=point)
            displaced(w, point, 0.01 * rho / math.sqrt(float(point @ point)), out=point)
            objective.loss_gradient(point, sample, climb, work)
            size = math.sqrt(float(climb @ climb))
        displaced(w, climb, sign * rho / size if size > 0 else 0.0, out=point)
        objective.loss_gradient(point, sample, out, work)
        # If ``at_w`` is 0, ``climb`` is the gradient at another point and must not be subtracted.
        if self.centered and at_w > 0:
            out -= climb
        return out, 1


def _sample(batch, size, rng):
    """Rows drawn in proportion to their weights. Their total weight is that of the batch.

    So the mean over the draws is the batch's mean, and the penalty is the batch's penalty.
    """
    # Systematic sampling: ``size`` equally spaced positions on the cumulated weights, shifted by
    # one random number. Its variance is smaller than that of independent draws.
    n_rows, size, weight = len(batch), min(size, len(batch)), batch.weight
    ends = np.arange(1.0, n_rows + 1) if weight is None else np.cumsum(weight, dtype=float)
    share = float(ends[-1]) / size
    rows = np.searchsorted(ends, share * (np.arange(size) + rng.random()), side="right")
    np.minimum(rows, n_rows - 1, out=rows)  # the last position may be rounded up to the total
    return Batch(batch.X[rows], batch.y[rows], np.full(size, share, batch.X.dtype))
