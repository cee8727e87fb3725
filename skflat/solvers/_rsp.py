"""Randomly smoothed perturbation."""

from numbers import Integral

import numpy as np

from .._compat import Interval
from ..objective import PERTURBATIONS, rounded_normals
from ._perturbed import Perturbed, sum_around


class RSP(Perturbed):
    """Randomly smoothed perturbation (Ahn, Jadbabaie and Sra, arXiv:2305.15659, Algorithm 1).

    Let ``g`` be the gradient of the batch and ``u`` uniform on the unit sphere. A step goes against
    ``g + v``, where ``v`` is the part orthogonal to ``g`` of the gradient at ``w + rho u``. On
    average ``v`` points up the trace of the Hessian, by ``rho^2 / (2 d)`` times its gradient for
    ``d`` parameters. As ``v`` is orthogonal to ``g``, plain steps along it do not work against the
    descent of the loss to first order. For momentum and ``base="adam"`` see ``orthogonal``.

    ``rho`` is the length of the displacement. It corresponds to noise of standard deviation
    ``rho / sqrt(d)`` in every parameter. Useful values are 0.1 to 0.5 for toys and 1 to 5 for small
    networks. ``"auto"`` is 1, ours, because the paper gives an order in the accuracy and no number.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='sgd'
        The optimizer that takes the step; its numbers are the estimator's.
    tolerance : float, default=inf
        Perturb only if the norm of ``g`` is at most this, the algorithm's ``eps_0``. The default
        perturbs everywhere. 0 is the base optimizer.
    n_directions : int, default=1
        Displacements whose gradients are averaged (more than 1 is ours).
    antithetic : bool, default=False
        Whether to use ``w - rho u``, too. The noise of size ``rho`` then cancels, and noise of size
        ``rho^2`` remains (ours).
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
    A perturbed step costs ``1 + n_directions`` gradients, or ``1 + 2 n_directions`` with
    ``antithetic``. A plain step costs 1. The paper's algorithm uses the gradient of all rows. Here
    the gradient of the batch takes its place: in the step, in the test against the tolerance, and
    in the projection of ``v``. If it is 0, ``v`` is the whole perturbed gradient, so the solver can
    leave a minimum. The solver converges to minima where the trace of the Hessian is stationary
    among minima, up to normal fluctuations of about the learning rate times ``rho`` times the
    curvature. The estimators' default momentum of 0.9 applies to ``g + v``; the theory has none.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import RSP
    >>> FlatMLPClassifier(solver=RSP(antithetic=True), rho=2.0).solver
    RSP(antithetic=True)
    """

    default_rho = 1.0
    reach = 8.0
    _parameter_constraints: dict = {
        **Perturbed._parameter_constraints,
        "n_directions": [Interval(Integral, 1, None, closed="left")],
        "antithetic": ["boolean"],
    }

    def __init__(
        self,
        base="sgd",
        *,
        tolerance=np.inf,
        n_directions=1,
        antithetic=False,
        final_plain=0.0,
        orthogonal="gradient",
        plain_rate=1.0,
    ):
        self.base = base
        self.tolerance = tolerance
        self.n_directions = n_directions
        self.antithetic = antithetic
        self.final_plain = final_plain
        self.orthogonal = orthogonal
        self.plain_rate = plain_rate

    def _found(self, objective, w, batch, state):
        # ``direction`` holds ``g`` already, so the sum needs another buffer.
        total = state.scratch("total", w)
        sphere = PERTURBATIONS["sphere"](w, objective.layout.parts, rounded_normals)
        around = sphere, self.n_directions, self.antithetic
        return total, sum_around(*around, objective, w, batch, state, total)[1]
