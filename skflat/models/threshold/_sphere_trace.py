"""The exact trace of the Hessian of a loss of stabilities, and its gradient.

Let ``n = |w|``, ``F = (x @ w + b) / n`` and ``beta = b / n``, with ``w`` in ``d`` dimensions.

* The squared gradient of ``F`` is ``(|x|^2 - F^2 + 2 F beta + 1) / n^2``.
* The Laplacian of ``F`` is ``((1 - d) F + 2 beta) / n^2``.

The trace for a loss of ``F`` is the second derivative of the loss times the squared gradient, plus
its first derivative times the Laplacian. Without a threshold the term 1 is missing.
"""

import numpy as np
from sklearn.utils.extmath import row_norms


class SphereTrace:
    """The traces of all rows at one point.

    Parameters
    ----------
    model : Sphere
    loss : StabilityLoss
    w : ndarray of shape (n_parameters,)
    batch : Batch
    """

    def __init__(self, model, loss, w, batch):
        views = model.layout.views(w)
        self.model, self.loss, self.batch, self.W = model, loss, batch, views["W"]
        self.norm = np.linalg.norm(self.W, axis=0)
        self.F = model.scores(w, batch.X)
        self.beta = views.get("b", np.zeros_like(self.norm)) / self.norm
        self.square = self._squared_gradient()
        self.bend = (1 - len(self.W)) * self.F + 2 * self.beta
        self.slope, self.curvature = loss.slopes(self.F, batch.y)

    def _squared_gradient(self):
        with np.errstate(over="ignore", invalid="ignore"):
            squares = row_norms(self.batch.X, squared=True)[:, None]
            squares = squares + float(self.model.fit_intercept)
            square = squares - self.F**2 + 2 * self.F * self.beta
        return np.where(np.isnan(square), np.inf, square)  # a difference of infinite squares

    def values(self):
        """The trace for every row and output, of shape (n_rows, n_outputs)."""
        with np.errstate(invalid="ignore"):
            curved = np.where(self.curvature == 0, 0, self.curvature * self.square)
        return (curved + self.slope * self.bend) / self.norm**2

    def gradient(self, out):
        """Write the gradient of the mean trace into ``out``. The traces of a row are summed."""
        batch, n = self.batch, self.norm
        weight = np.ones(len(batch)) if batch.weight is None else batch.weight
        total = batch.total_weight
        share = (weight / total if total > 0 else weight)[:, None].astype(self.F.dtype, copy=False)
        # By the chain rule through ``F``, ``beta`` and ``n``. So there is only one product with X,
        # as for a gradient.
        of_F, of_beta, of_n = (share * each for each in self._partial())
        views = self.model.layout.views(out)
        # F changes by (x - F w / n) / n, beta by -beta w / n^2, and n by w / n.
        radial = (of_n - (of_F * self.F + of_beta * self.beta) / n).sum(axis=0)
        views["W"][:] = (batch.X.T @ of_F + self.W * radial) / n
        if "b" in views:
            views["b"][:] = (of_F + of_beta).sum(axis=0) / n
        return out

    def _partial(self):
        """Derivatives of the traces in the scores, in ``beta`` and in the norm."""
        third, d, scale = self.loss.third(self.F, self.batch.y), len(self.W), self.norm**2
        lift = 2 * self.beta - 2 * self.F + self.bend
        of_F = third * self.square + self.curvature * lift + self.slope * (1 - d)
        of_beta = 2 * (self.F * self.curvature + self.slope)
        return of_F / scale, of_beta / scale, -2 * self.values() / self.norm
