"""Replicated gradient descent, and the base class of rules with several points."""

import math
from numbers import Integral, Real

import numpy as np

from .._compat import Interval
from ..objective import cache_slices
from ._gradient import SGD
from ._solver import Rule, decayed
from ._steps import SGDStep


class Ensemble(Rule):
    """A rule that keeps several points as rows of one array. The loop's ``w`` is their centre."""

    base = "sgd"

    def n_points(self):
        """Number of points."""
        raise NotImplementedError

    def structure(self):
        return *super().structure(), self.n_points()

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory.points, state.memory.centre = np.tile(w, (self.n_points(), 1)), w.copy()
        return state

    def resume(self, w, state):
        memory = state.memory
        if not np.array_equal(memory.centre, w):
            # Someone has moved the centre. The points move with it and keep their arrangement.
            memory.points += w - memory.centre

    def leap(self, w, state):
        # The arrangement of the points has no meaning in other units of the parameters.
        state.base.forget()
        state.memory.points[:] = state.memory.centre = w.copy()

    def finalize(self, w, state):
        state.memory.centre = w.copy()
        return w


class ReplicatedSGD(Ensemble):
    """Coupled replicas of gradient descent (Pittorino and others, arXiv:2006.07897).

    Every replica takes steps of the base solver on the loss plus ``gamma / 2 |w_a - c|^2``, on
    batches of its own. Here ``c`` is the centre of all replicas. The centre is evaluated, validated
    and returned. ``gamma`` begins at ``1 / rho^2`` and grows steadily, by the factor ``growth``
    over ``max_iter`` epochs. So the replicas first explore a region together and then collapse to
    its centre.

    ``rho`` is the width of that region at the start. Useful values are 1 to 100. ``"auto"`` is 10,
    ours, because the published numbers could not be confirmed. On digits the coupling force is then
    0.02 times the gradient at first, and twice the gradient in the end. ``gamma`` is at most
    ``(1 - momentum) / (2 rate)``. With momentum this force moves a replica half of the way to the
    centre, which leaves room for the curvature of the loss.

    The base is gradient descent with momentum. Adam would divide the gradient by the size of the
    coupling force.

    A step costs ``n_replicas`` gradients. The solver converges where gradient descent does, in
    regions where the mean loss of scattered replicas is low. The loss reported is the mean over the
    replicas, each on its own batch. It is not the loss of the centre.

    Parameters
    ----------
    n_replicas : int, default=3
        Number of replicas. One replica is gradient descent itself.
    growth : float, default=1e4
        Factor by which the coupling grows until the end.

    Notes
    -----
    All replicas start at the same point, unlike the published ones. They separate because their
    batches differ. The first replica sees the batches that all solvers see, the others draw theirs
    without replacement. So with whole batches the method is gradient descent, whatever ``rho`` is.

    As ``rho`` tends to 0, the replicas stay within one step of their centre. The centre then
    follows the mean gradient of ``n_replicas`` batches.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import ReplicatedSGD
    >>> FlatMLPClassifier(solver=ReplicatedSGD(n_replicas=5), learning_rate_init=0.1).solver
    ReplicatedSGD(n_replicas=5)
    """

    default_rho = 10.0
    reach = 1.0  # at a larger radius the coupling has no visible effect
    auto_goes_by_size = False  # with the default the coupling is weak at first on any data
    _parameter_constraints: dict = {
        "n_replicas": [Interval(Integral, 1, None, closed="left")],
        "growth": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(self, n_replicas=3, *, growth=1e4):
        self.n_replicas = n_replicas
        self.growth = growth

    def delegate(self):
        return SGD()

    def n_points(self):
        return self.n_replicas

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.base = SGDStep(settings, state.memory.points.reshape(-1), self._decayed(objective, w))
        state.memory.n_rows_seen = 0
        return state

    def _decayed(self, objective, w):
        """The parts that weight decay shrinks, in the concatenated vector of all replicas."""
        starts, parts = range(0, self.n_replicas * len(w), len(w)), decayed(objective)
        ends = [(at, part.indices(len(w))) for at in starts for part in parts]
        return tuple(slice(at + start, at + stop) for at, (start, stop, _) in ends)

    def step(self, objective, w, batch, state):
        replicas, n_rows, loss = state.memory.points, len(batch), 0.0
        gradients = state.work.array("gradients of replicas", replicas.shape, w.dtype)
        for turn, (replica, gradient) in enumerate(zip(replicas, gradients, strict=True)):
            if turn > 0:
                batch = draw_batch(objective, n_rows, state)
            value, _ = objective.loss_gradient(replica, batch, gradient, state.work)
            loss += value / self.n_replicas
        if math.isfinite(loss):
            self._couple(replicas, w, gradients, self._gamma(objective, state))
            # Views, not copies: one step of the base optimizer moves all replicas.
            state.base.step(replicas.reshape(-1), gradients.reshape(-1))
            centre_of(replicas, out=w)
        state.memory.n_rows_seen += n_rows
        return loss

    def _gamma(self, objective, state):
        rho, n_epochs = state.settings.rho, state.settings.max_iter
        progress = min(state.memory.n_rows_seen / (objective.n_rows * n_epochs), 1.0)
        # Momentum multiplies a constant force by ``1 / (1 - momentum)``, so at this bound a replica
        # moves half of the way to the centre. Without a bound the steps would be unstable.
        most = (1 - state.settings.momentum) / (2 * state.base.learning_rate)
        return min(self.growth**progress / rho / rho, most)  # ``rho**2`` could underflow to 0

    def _couple(self, replicas, centre, gradients, gamma):
        """Add ``gamma (w_a - c)``, the gradient of the coupling, to the gradients."""
        for block in cache_slices(centre):
            for replica, gradient in zip(replicas, gradients, strict=True):
                apart = replica[block] - centre[block]
                apart *= gamma
                gradient[block] += apart


def centre_of(points, out):
    """The mean of the points. If all are equal, the mean is exactly that point."""
    # The mean of the differences to the first point, because a plain mean would round.
    for block in cache_slices(out):
        first, total = points[0, block], out[block]
        total[:] = 0
        for other in points[1:, block]:
            total += other
            total -= first
        total /= len(points)
        total += first
    return out


def draw_batch(objective, n_rows, state):
    """Random rows, drawn by the solver. They overwrite the memory of the loop's batch."""
    if n_rows >= objective.n_rows:
        return objective.batch()
    rows = state.rng.choice(objective.n_rows, n_rows, replace=False, shuffle=False)
    return objective.batch(rows, state.work)
