"""Sharpness-aware minimisation along the momentum, for one gradient."""

from .._compat import StrOptions
from ._gradient import Based


class MSAM(Based):
    """Momentum-SAM (Becker, Altrock and Risse, arXiv:2401.12033).

    Steps from ``w`` against the gradient at ``w - rho v / |v|``, with ``v`` the optimizer's running
    mean of the gradients. Where steps go to and fro across a valley that point lies beyond its
    floor, on the far wall, and the gradient there is the one of SAM's climb: without the gradient
    that SAM climbs by.

    ``rho`` is the distance of that point; useful values are 0.1 to 3, larger than SAM's. ``"auto"``
    is 0.3, ours; the paper takes 3 for large networks.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step, and whose momentum is followed; its numbers are the
        estimator's. With a ``momentum`` of 0 SGD has none, and steps are plain.

    Notes
    -----
    A step costs 1 gradient. The first is plain, because there is no momentum yet. As SAM on batches
    of all rows it does not settle at a minimum but in a cycle around it. The losses recorded are
    those of the points that were looked at.

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
