"""Sharpness-aware minimisation that goes less along what noisy labels ask for."""

from numbers import Real

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices
from ._climb import climb
from ._gradient import Based


class SANER(Based):
    """Sharpness-aware noise-explicit reweighting (Luong and others, arXiv:2411.17132).

    Climbs as `SAM` does. Of the gradient ``p`` found at the top, the components that are smaller
    than those of the gradient ``g`` at ``w``, and of the same sign, are made smaller still: where
    ``0 < p / g < 1`` they are multiplied by ``1 - reduction``. There the pull of wrong labels
    prevails, the paper finds, which SAM reduces already.

    ``rho`` is the radius of the climb; useful values are 0.02 to 1, under label noise the larger
    ones. ``"auto"`` is the published 0.1.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    reduction : float, default=0.5
        What those components lose, as published, where it grows from 0 to that over the first 50
        epochs; here it stays. 0 is SAM, 1 leaves nothing of them.

    Notes
    -----
    A step costs 2 gradients. A component is reduced by as much however short the climb is, so that
    the rule does not tend to the base optimizer as ``rho`` tends to 0; at ``rho=0`` it is that
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
            g *= p  # positive where p lies between 0 and g
            np.multiply(p, 1 - self.reduction, out=p, where=g > 0)
        return loss, top
