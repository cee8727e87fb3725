"""Surrogate gap guided sharpness-aware minimisation."""

from numbers import Real

from .._compat import Interval, StrOptions
from ._climb import climb, orthogonal_part
from ._gradient import Based


class GSAM(Based):
    """Surrogate gap guided SAM (Zhuang and others, arXiv:2203.08065).

    The ascent by ``rho`` along the gradient ``g`` is that of `SAM`. The step goes against
    ``p - gap g'``, where ``p`` is the gradient at the end of the ascent and ``g'`` is the part of
    ``g`` orthogonal to ``p``. So the step decreases the perturbed loss. It also increases the loss
    at ``w``, without a first-order change of the perturbed loss. The gap between the two losses
    shrinks, and the largest curvature determines this gap.

    ``rho`` is the radius of the ascent. Useful values are 0.01 to 0.5. ``"auto"`` is the 0.05 of
    SAM. The paper decreases it together with the learning rate; here it is constant.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    gap : float, default=0.1
        Weight of ``g'``, the paper's ``alpha``. The paper tunes it for each model; the default is
        ours. 0 is SAM.

    Notes
    -----
    A step costs 2 gradients. It converges where SAM does: near a minimum, and on batches of all
    rows to a cycle around it. If the gradient is exactly 0, so is the step.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import GSAM
    >>> FlatMLPClassifier(solver=GSAM(gap=0.3), rho=0.1).solver
    GSAM(gap=0.3)
    """

    default_rho = 0.05
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "gap": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, base="adam", *, gap=0.1):
        self.base = base
        self.gap = gap

    def direction(self, objective, w, batch, state):
        top, plain = state.scratch("direction", w), state.scratch("plain", w)
        loss = climb(objective, w, batch, state, top, plain)
        # ``plain`` is not needed any more, so it becomes its own orthogonal part.
        orthogonal_part(plain, top, out=plain)
        plain *= self.gap
        top -= plain
        return loss, top
