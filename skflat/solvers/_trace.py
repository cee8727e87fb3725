"""Descent on the loss and the exact trace of its Hessian."""

from .._compat import StrOptions
from ..objective import TraceGradient, cache_slices
from ._gradient import Based


class TracePenalty(Based):
    """Minimises ``loss + rho^2 / 2 * tr(H)`` with the exact trace of the loss's Hessian ``H``.

    A step follows the gradient of the batch's loss plus ``rho^2 / 2`` times the gradient of the
    batch's mean trace, both exact. That sum is what noise of standard deviation ``rho`` on every
    parameter makes of the mean loss, up to ``rho^4``: methods that draw the noise approximate it
    (Zhang, Li and Ju, arXiv:2306.08553).

    ``rho`` is that standard deviation; useful values are 0.01 to 0.2. ``"auto"`` is 0.05, ours.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.

    Notes
    -----
    It needs a model that knows its exact trace, and refuses others: piecewise-linear networks of
    any depth have one, and smooth ones of up to two hidden layers. A step costs 2 gradients with
    one hidden layer or none, and with more ``1 + (n_hidden - 1) n_outputs``: so they are counted,
    and smooth networks take longer than that, because autograd does it. It converges to a
    stationary point of the sum, without noise of its own. The losses recorded leave the trace out.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import TracePenalty
    >>> FlatMLPClassifier(solver=TracePenalty(base="sgd"), rho=0.1).solver
    TracePenalty(base='sgd')
    """

    default_rho = 0.05
    requires = (TraceGradient,)
    _parameter_constraints: dict = {"base": [StrOptions({"adam", "sgd"})]}

    def __init__(self, base="adam"):
        self.base = base

    def direction(self, objective, w, batch, state):
        out, slope = state.scratch("direction", w), state.scratch("slope of the trace", w)
        loss, _ = objective.loss_gradient(w, batch, out, state.work)
        objective.capability(TraceGradient).gradient(w, batch, slope, state.work)
        for block in cache_slices(out):
            slope[block] *= 0.5 * state.settings.rho**2
            out[block] += slope[block]
        return loss, out
