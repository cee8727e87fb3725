"""Sharpness-aware minimisation through the network's function alone."""

import math

from .._compat import StrOptions
from ..objective import displaced
from ._gradient import Based


class FunctionalSAM(Based):
    """Functional SAM (Singh and others, arXiv:2502.02407; Baek and others, arXiv:2405.03676).

    Climbs by ``rho`` along the gradient, as `SAM` does, and steps from ``w`` against ``J r``, with
    ``J`` the Jacobian of the network's outputs at the top and ``r`` the slopes of the loss in the
    outputs at ``w``. SAM takes both at the top: what it gains under label noise comes through the
    Jacobian, and what it changes of ``r`` may well be left out.

    ``rho`` is the radius of the climb; useful values are 0.01 to 0.5, under label noise more;
    ``"auto"`` is the 0.05 of SAM.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.

    Notes
    -----
    A step costs 2 gradients, and a pass forward that is not counted. Where outputs are linear in
    the parameters, as without a hidden layer, the Jacobian is the same everywhere and the step is
    plain. Near an interpolating minimum all slopes vanish, and with them the step: unlike SAM's it
    settles there. The L2 penalty is taken at the top.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import FunctionalSAM
    >>> FlatMLPClassifier(solver=FunctionalSAM(base="sgd"), rho=0.2).solver
    FunctionalSAM(base='sgd')
    """

    default_rho = 0.05
    _parameter_constraints: dict = {"base": [StrOptions({"adam", "sgd"})]}

    def __init__(self, base="adam"):
        self.base = base

    def direction(self, objective, w, batch, state):
        out = state.scratch("direction", w)
        loss, _ = objective.loss_gradient(w, batch, out, state.work)
        size = math.sqrt(float(out @ out))
        if size > 0:
            top = displaced(w, out, state.settings.rho / size, state.scratch("point", w))
            objective.functional_gradient(top, w, batch, out, state.work)
        return loss, out
