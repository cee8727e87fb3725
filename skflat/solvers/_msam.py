"""Sharpness-aware minimisation along the momentum, for one gradient."""

from .._compat import StrOptions
from ._gradient import Based


class MSAM(Based):
    """Momentum-SAM (Becker, Altrock and Risse, arXiv:2401.12033).

    A step goes from ``w`` against the gradient at ``w - rho v / |v|``, where ``v`` is the
    optimizer's running mean of the gradients. If the steps oscillate across a valley, that point
    lies on the opposite side of the valley. The gradient there is like the one that SAM finds, but
    SAM needs another gradient for its ascent.

    ``rho`` is the distance of that point. Useful values are 0.1 to 3, larger than SAM's. ``"auto"``
    is 0.3, ours. The paper takes 3 for large networks.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step. Its momentum is used; its numbers are the estimator's.
        SGD with ``momentum=0`` takes plain steps.

    Notes
    -----
    A step costs 1 gradient. The first step is plain, because there is no momentum yet. On batches
    of all rows the solver ends in a cycle around a minimum, as SAM does. The losses recorded are
    those at the perturbed points.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import MSAM
    >>> FlatMLPClassifier(solver=MSAM(base="sgd"), rho=1.0).solver
    MSAM(base='sgd')
    """

    default_rho = 0.3
    reach = 16.0
    _parameter_constraints: dict = {"base": [StrOptions({"adam", "sgd"})]}

    def __init__(self, base="adam"):
        self.base = base

    def direction(self, objective, w, batch, state):
        there = state.base.ahead(w, state.settings.rho, out=state.scratch("point", w))
        return objective.loss_gradient(there, batch, state.scratch("direction", w), state.work)
