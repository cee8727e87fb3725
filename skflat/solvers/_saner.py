"""Sharpness-aware minimisation that reduces the components due to noisy labels."""

from numbers import Real

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices
from ._climb import climb
from ._gradient import Based


class SANER(Based):
    """Sharpness-aware noise-explicit reweighting (Luong and others, arXiv:2411.17132).

    The ascent is that of `SAM`. Let ``g`` be the gradient at ``w`` and
    ``p`` the gradient at the end of the ascent. Components with ``0 < p / g <
    1`` are multiplied by ``1 - reduction``. The paper finds that wrong labels dominate these
    components, which SAM already reduces.

    ``rho`` is the radius of the ascent. Useful values are 0.02 to 1, the larger ones under label
    noise. ``"auto"`` is the published 0.1.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    reduction : float, default=0.5
        The share that those components lose. The value is the published one. In the paper the share
        grows from 0 to this value over the first 50 epochs; here it is constant. 0 is SAM, 1
        removes the components.

    Notes
    -----
    A step costs 2 gradients. The reduction does not depend on the length of the ascent. So the rule
    does not tend to the base optimizer as ``rho`` tends to 0, but at ``rho=0`` it is that
    optimizer. The losses recorded are those at ``w``.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SANER
    >>> FlatMLPClassifier(solver=SANER(reduction=0.8), rho=0.2).solver
    SANER(reduction=0.8)
    """

    default_rho = 0.1
    reach = 16.0
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "reduction": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, base="adam", *, reduction=0.5):
        self.base = base
        self.reduction = reduction

    def direction(self, objective, w, batch, state):
        top, plain = state.scratch("direction", w), state.scratch("plain", w)
        loss = climb(objective, w, batch, state, top, plain)
        for block in cache_slices(top):
            p, g = top[block], plain[block]
            g -= p
            # Instead of a division by g: ``(g - p) p > 0`` exactly if p lies between 0 and g.
            g *= p
            np.multiply(p, 1 - self.reduction, out=p, where=g > 0)
        return loss, top
