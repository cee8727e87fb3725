"""Logistic units: each can be replaced by one minus itself."""

import numpy as np
from sklearn.utils.extmath import row_norms

from ....objective import ExactTrace, Workspace, require, row_scale
from ..._symmetry import Flattest, Symmetry


class Complements(Symmetry):
    """``h -> 1 - h``: incoming weights and intercept change their sign, the outgoing weights, too.

    The intercepts above take up what that shifts. Shifting them is no isometry, so the trace
    changes: in the layer above, the squared activation ``h^2`` of the unit becomes ``(1 - h)^2``.
    Nothing else in it moves, so every unit is decided for itself.

    Parameters
    ----------
    model : MLP
    """

    group = "complements of logistic units"
    criteria = ("trace",)

    def flattest(self, objective, w, criterion="trace"):
        self.check(criterion)
        flips = np.concatenate([gain > 0 for gain in self._gains(objective, w)] or [np.zeros(0)])
        return Flattest(self.moved(w, flips.astype(float)), details={"flipped": int(flips.sum())})

    def flow(self, objective, w, criterion="trace"):
        """There is no way between two points of this orbit: the second point is the last."""
        yield w.copy()
        while True:
            yield self.flattest(objective, w, criterion).w

    def n_coordinates(self):
        return sum(self.model.sizes[1:-1])

    def moved(self, w, coordinates):
        """Units whose coordinate is 1/2 or more are flipped."""
        out = w.copy()
        weights, intercepts = self.model.split(out)
        flips = np.split(np.asarray(coordinates) >= 0.5, np.cumsum(self.model.sizes[1:-1])[:-1])
        for layer, flip in enumerate(flips[: self.model.n_layers - 1]):
            intercepts[layer + 1] += weights[layer + 1][flip].sum(axis=0)
            for array in (weights[layer].T, intercepts[layer], weights[layer + 1]):
                array[flip] *= -1
        return out

    def _gains(self, objective, w):
        """By how much the flip of each unit lowers the trace, by hidden layer."""
        exact = require(objective, ExactTrace, "The flattest of networks of logistic units")
        gains = [np.zeros(size) for size in self.model.sizes[1:-1]]
        for share, batch in objective.data.shares(objective.chunk):
            a, _ = self.model._forward(w, batch.X, Workspace())
            trace = exact.of_rows(w, batch)
            for layer, gain in enumerate(gains, start=1):
                # The trace of a layer is ``(|a|^2 + 1)`` times its curvature.
                curvature = trace[:, layer] / (row_norms(a[layer], squared=True) + 1)
                scale = share * np.ravel(row_scale(batch, float)) * curvature
                gain += scale @ (2 * a[layer].astype(float) - 1)
        return gains
