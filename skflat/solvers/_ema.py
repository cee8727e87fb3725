"""The exponential moving average of the weights."""

from numbers import Real

from scipy.linalg import get_blas_funcs

from .._compat import Interval, StrOptions
from ._averaging import Averaging


class EMA(Averaging):
    """Exponential moving average of the weights (Morales-Brotons and others, arXiv:2411.18704).

    The base optimizer trains. The result is a weighted average of the parameters after all steps:
    each step has ``decay`` times the weight of the next one. ``rho`` is not used.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    decay : float, default=0.999
        Weight of the old average in the new one, below 1. After ``t`` steps the weight is ``(1 + t)
        / (10 + t)`` if that is smaller. So the average reaches back about ``t /
        9`` steps, and never further than about ``1 / (1 - decay)``. 0 is the base optimizer itself.

    Notes
    -----
    A step costs one gradient, and the average costs one pass over the parameters. The solver keeps
    both the average and the last point. Validation scores, early stopping, callbacks and the fitted
    network use the average. Training continues from the last point, also in `partial_fit`. A
    ``fit`` with ``warm_start`` starts at the average. If parameters were set in between, point and
    average start there. The losses recorded are those of the point that trains.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import EMA
    >>> FlatMLPClassifier(solver=EMA(decay=0.99), early_stopping=True).solver
    EMA(decay=0.99)
    """

    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "decay": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, base="adam", *, decay=0.999):
        self.base = base
        self.decay = decay

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        memory = state.memory
        memory.point, memory.mean, memory.n_averaged, memory.unit = w.copy(), w.copy(), 1, 1.0
        return state

    def _average(self, state):
        # The average is ``unit * mean``. The update ``kept average + (1 - kept) point`` scales
        # ``unit`` instead of ``mean``. So it is one pass (axpy) over the vector and not two.
        memory = state.memory
        kept = min(self.decay, memory.n_averaged / (9 + memory.n_averaged))
        memory.n_averaged += 1
        memory.unit *= kept
        # Before ``unit`` underflows and ``mean`` overflows. Any moderate bound keeps this rare.
        if memory.unit < 1e-3:
            _to_unit_1(memory)
        (add,) = get_blas_funcs(("axpy",), (memory.mean,))
        add(memory.point, memory.mean, a=(1 - kept) / memory.unit)

    def _show(self, w, state):
        _to_unit_1(state.memory)
        super()._show(w, state)


def _to_unit_1(memory):
    memory.mean *= memory.unit
    memory.unit = 1.0
