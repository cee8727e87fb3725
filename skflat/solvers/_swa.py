"""Averaging the weights along the tail of training."""

from numbers import Integral, Real

import numpy as np

from .._compat import Interval, StrOptions
from ._averaging import Averaging
from ._stages import Onward


class SWA(Averaging):
    """Stochastic weight averaging (Izmailov and others, arXiv:1803.05407).

    The base optimizer trains. The result is the running mean of the parameters at the ends of the
    later epochs, the tail. The tail begins after a share ``start`` of the ``max_iter`` epochs, or
    earlier if training would stop. The mean includes the point where the tail begins. ``rho`` is
    not used.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='sgd'
        The optimizer that takes the step; its numbers are the estimator's. The paper's is SGD.
    start : float, default=0.75
        Share of the ``max_iter`` epochs before the tail, as published.
    cycle : int, default=1
        Epochs between two points that are averaged.
    rate : {'constant', 'cyclic'}, default='constant'
        Learning rate in the tail. ``'constant'`` keeps the base optimizer's rate. ``'cyclic'``
        lowers the rate linearly from ``learning_rate_init`` within every cycle, so the rate is
        smallest when a point is averaged.
    ratio : float, default=100.0
        Factor by which the rate falls in a cycle. Only used if ``rate="cyclic"``.

    Notes
    -----
    A step costs one gradient. An average costs one vector. SGD at a constant rate fluctuates around
    a minimum. On a quadratic the mean is much closer to the minimum than the points are. The mean
    has no influence on training: `partial_fit` continues from the last point, but a ``fit`` with
    ``warm_start`` starts at the mean. If parameters were set in between, point and mean start
    there. In the tail validation scores, early stopping and callbacks see the mean. The losses
    recorded are those of the point that trains. Between two averages the mean and its score do not
    change, so ``n_iter_no_change`` should exceed ``cycle`` under early stopping.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SWA
    >>> FlatMLPClassifier(solver=SWA(rate="cyclic", cycle=5), learning_rate_init=0.05).solver
    SWA(cycle=5, rate='cyclic')
    """

    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "start": [Interval(Real, 0, 1, closed="both")],
        "cycle": [Interval(Integral, 1, None, closed="left")],
        "rate": [StrOptions({"constant", "cyclic"})],
        "ratio": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(self, base="sgd", *, start=0.75, cycle=1, rate="constant", ratio=100.0):
        self.base = base
        self.start = start
        self.cycle = cycle
        self.rate = rate
        self.ratio = ratio

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.base = Onward(state.base, "The averaging begins.")
        state.memory.first = None
        return state

    def step(self, objective, w, batch, state):
        memory = state.memory
        if memory.first is not None and self.rate == "cyclic":
            share = (memory.rows + len(batch)) / objective.n_rows
            epochs = (state.epoch - memory.first) % self.cycle + share
            # Within a cycle the rate falls linearly to ``1 / ratio`` of its start.
            fall = (1 - 1 / self.ratio) * epochs / self.cycle
            state.base.set_rate(state.settings.learning_rate_init * (1 - fall))
        return super().step(objective, w, batch, state)

    def _end_epoch(self, state, w):
        """Add the point to the mean at the end of a cycle. In the tail ``w`` is the mean."""
        memory, epoch = state.memory, state.epoch + 1
        if memory.first is None and state.base.is_over(epoch, self.start, state.settings):
            memory.first, memory.point, memory.mean = epoch, w.copy(), np.zeros_like(w)
        if memory.first is not None and (epoch - memory.first) % self.cycle == 0:
            memory.n_averaged += 1
            # The running mean needs no sum of all points, so rounding errors do not grow with it.
            memory.mean += (memory.point - memory.mean) / memory.n_averaged
