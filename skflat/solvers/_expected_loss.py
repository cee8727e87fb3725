"""The solver that estimators of networks have by default: expected loss under noise, cheaply."""

from .._compat import StrOptions
from ..objective import TraceGradient, capability
from ._gradient import Based
from ._noise import OneSidedNoise
from ._trace import TracePenalty

#: Steps between two renewals of the trace's gradient.
INTERVAL = 50
#: The most that a renewal may cost, in gradients: 1.1 gradients a step on average.
MOST_A_RENEWAL = 5


class ExpectedLoss(Based):
    """Minimises the expected loss under noise of deviation ``rho`` for little more than a gradient.

    If the model has an exact trace of the Hessian whose gradient costs at most five gradients of
    the loss, the rule is ``TracePenalty(interval=50)``. That is so for networks with one hidden
    layer and for factorizations. Otherwise the rule is `OneSidedNoise`, which draws the noise:
    networks with more hidden layers and more than five outputs, smooth networks with more than two
    hidden layers, and models without a closed form.

    ``rho`` is the standard deviation of the noise on every parameter. ``"auto"`` is that of the
    rule: 0.05 for the trace, 0.01 for drawn noise.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.

    Notes
    -----
    A step costs 1.02 gradients with one hidden layer, at most 1.1 with more, and 1 with drawn
    noise. Rule, interval and radii were chosen on three data sets by ``benchmarks/default_solver.py
    --choose``: no candidate that gained more under label noise was nowhere significantly worse than
    ``base`` with the same number of gradients.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> FlatMLPClassifier(solver="auto", max_iter=1000, random_state=0).fit(X, y).rho_
    0.05
    """

    default_rho = 0.05
    _parameter_constraints: dict = {"base": [StrOptions({"adam", "sgd"})]}

    def __init__(self, base="adam"):
        self.base = base

    def for_objective(self, objective):
        trace = capability(objective, TraceGradient)
        if trace is not None and trace.cost <= MOST_A_RENEWAL:
            return TracePenalty(self.base, interval=INTERVAL)
        return OneSidedNoise(self.base)
