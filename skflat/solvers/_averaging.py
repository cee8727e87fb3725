"""The base of rules that train one point and return a mean of its past positions."""

from types import SimpleNamespace

import numpy as np

from ._solver import Rule


class Averaging(Rule):
    """The base optimizer moves a point that only the rule sees. The loop sees the mean.

    So validation scores, early stopping and callbacks see the mean, while training continues from
    the point. A subclass updates the mean in `_end_epoch`, in `_average`, or in both. As long as
    there is no separate point, the rule trains the loop's parameters.
    """

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory = SimpleNamespace(point=None, mean=None, n_averaged=0, rows=0)
        return state

    def resume(self, w, state):
        memory = state.memory
        if memory.mean is not None and not np.array_equal(w, memory.mean):
            # Someone has set other parameters. Older points must not enter a mean around these.
            memory.point[:], memory.mean[:], memory.n_averaged = w, w, 1

    def step(self, objective, w, batch, state):
        memory = state.memory
        memory.rows += len(batch)
        loss = super().step(objective, w if memory.point is None else memory.point, batch, state)
        self._average(state)
        if memory.rows >= objective.n_rows:
            memory.rows = 0
            self._end_epoch(state, w)
            self._show(w, state)
        return loss

    def finalize(self, w, state):
        if state.memory.rows > 0:  # of an epoch that was interrupted
            state.memory.rows = 0
            self._show(w, state)
        return w

    def _average(self, state):
        """Update the mean after a step."""

    def _end_epoch(self, state, w):
        """Update the mean after an epoch."""

    def _show(self, w, state):
        if state.memory.mean is not None:
            w[:] = state.memory.mean
