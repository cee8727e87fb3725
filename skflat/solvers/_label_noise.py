"""Gradient descent on labels with fresh noise in every step."""

from .._compat import StrOptions
from ..objective import Batch
from ._gradient import Based


class LabelNoise(Based):
    """Stochastic gradient descent with label noise (Damian, Ma and Lee, arXiv:2106.06530).

    Every step draws new noise on the labels of its batch. In regression a target becomes
    ``y + rho`` or ``y - rho``, each with probability 1/2. Counts (Poisson) are then clipped at 0.
    In classification, where the paper extends its method to other losses, a label is replaced with
    probability ``rho`` by one of the other classes, all equally likely. With several labels a row
    (multilabel), each label is flipped independently.

    In regression ``rho`` is the standard deviation of the label noise, in units of the target.
    Useful values are 0.05 to 1 standard deviation of the target. In classification ``rho`` is the
    probability of a wrong label, and values above 1 count as 1. Useful values are 0.02 to 0.3.
    ``"auto"`` is 0.1, ours.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='sgd'
        The optimizer that takes the step; its numbers are the estimator's. The theory assumes SGD.

    Notes
    -----
    A step costs one gradient. For the squared loss with step size ``eta`` and batches of ``B`` rows
    the solver converges to the neighbourhood of stationary points of ``loss + (eta rho^2 / B) R``
    with ``R = -tr log(1 - eta H / 2) / (2 eta)``. This is about a quarter of the trace of the
    Hessian ``H``. The noise of the gradient vanishes only as ``eta`` tends to 0. Flipped classes
    also smooth the labels: the mean loss has soft targets. The losses recorded are those on the
    noisy labels, because the true labels would need another forward pass. In regression they are
    higher by half the squared noise on average.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import LabelNoise
    >>> FlatMLPClassifier(solver=LabelNoise(), rho=0.1, learning_rate_init=0.1).solver
    LabelNoise()
    """

    default_rho = 0.1
    reach = 4.0  # a share of the labels is at most 1
    auto_goes_by_size = False  # ``rho`` is a share of the labels and not a radius in the parameters
    _parameter_constraints: dict = {"base": [StrOptions({"adam", "sgd"})]}

    def __init__(self, base="sgd"):
        self.base = base

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory.n_outputs = None  # the first forward pass shows it
        return state

    def direction(self, objective, w, batch, state):
        memory = state.memory
        if memory.n_outputs is None:
            memory.n_outputs = objective.scores(w, batch.X[:1]).shape[1]
        noise = state.settings.rho, state.rng, memory.n_outputs
        noisy = Batch(batch.X, objective.loss_function.noisy(batch.y, *noise), batch.weight)
        return objective.loss_gradient(w, noisy, state.scratch("direction", w), state.work)
