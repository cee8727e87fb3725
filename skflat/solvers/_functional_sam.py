"""Sharpness-aware minimisation through the Jacobian of the network alone."""

import math

from .._compat import StrOptions
from ..objective import displaced
from ._gradient import Based


class FunctionalSAM(Based):
    """Functional SAM (Singh and others, arXiv:2502.02407; Baek and others, arXiv:2405.03676).

    The ascent by ``rho`` along the gradient is that of `SAM`. The step goes from ``w`` against
    ``J^T r``, where ``J`` is the Jacobian of the network's outputs at the end of the ascent and
    ``r`` is the derivative of the loss in the outputs at ``w``. SAM takes both at the end of the
    ascent. Its gain under label noise comes from the Jacobian, and the change of ``r`` is not
    needed for it.

    ``rho`` is the radius of the ascent. Useful values are 0.01 to 0.5, and more under label noise.
    ``"auto"`` is the 0.05 of SAM.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.

    Notes
    -----
    A step costs 2 gradients, and one forward pass that is not counted. If the outputs are linear in
    the parameters, as without a hidden layer, the Jacobian is constant and the step is plain. Near
    an interpolating minimum ``r`` vanishes and so does the step. So the solver settles there,
    unlike SAM. The L2 penalty is taken at the end of the ascent.

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
