"""An average of the weights that forgets exponentially."""

from numbers import Real

from scipy.linalg import get_blas_funcs

from .._compat import Interval, StrOptions
from ._averaging import Averaging


class EMA(Averaging):
    """Exponential moving average of the weights (Morales-Brotons and others, arXiv:2411.18704).

    Trains with the base optimizer and returns an average of the parameters after all steps, in
    which step ``t`` counts for ``decay`` times as much as the one after it. ``rho`` is not used.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    decay : float, default=0.999
        What a step leaves of the average, below 1. Early on it is ``(1 + t) / (10 + t)`` where
        that is smaller, after ``t`` steps: so the average reaches back about ``t / 9`` steps, and
        never further than about ``1 / (1 - decay)``. 0 is the base optimizer itself.

    Notes
    -----
    A step costs one gradient, and the average a pass over the parameters. Both ends are kept:
    validation scores, early stopping, callbacks and the fitted network are those of the average,
    while training goes on from the last point, also in `partial_fit`. A ``fit`` with
    ``warm_start`` begins anew at the average. Where parameters were set in between, point and
    average begin there. The losses recorded are those of the point that trains.

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
        # In units of ``unit`` the weight of what is there stays, and a step is one pass.
        memory = state.memory
        kept = min(self.decay, memory.n_averaged / (9 + memory.n_averaged))
        memory.n_averaged += 1
        memory.unit *= kept
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
