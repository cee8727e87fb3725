"""The mean loss of a model on some data, as a function of the flat vector."""

import numpy as np

from ._batch import Batch, take_rows
from ._blocks import blocks
from ._workspace import Workspace


class Objective:
    """``mean_i loss(model(w, x_i), y_i) + alpha / (2 n) |penalised part of w|^2``.

    A value: nothing in it changes after construction, it never writes to ``X`` and it
    holds no scratch. Solvers and measures know only its methods, so anything that has
    them can be minimised and measured.

    Parameters
    ----------
    model : Model
    loss : Loss
    X : ndarray or CSR of shape (n_rows, n_features)
    y : ndarray
        Targets as the loss wants them.
    sample_weight : ndarray of shape (n_rows,), default=None
    alpha : float, default=0.0
        Strength of the L2 penalty; as in scikit-learn it is divided by the sum of the
        weights of the rows at hand.
    reported : bool, default=False
        Whether loss values are the ones that scikit-learn prints (probabilities clipped
        at the dtype's eps, squared errors averaged over outputs). Gradients are the
        same either way.
    """

    def __init__(self, model, loss, X, y, sample_weight=None, alpha=0.0, reported=False):
        self.model = model
        self.loss_function = loss
        self.data = Batch(X, y, sample_weight)
        self.alpha = alpha
        self.reported = reported

    @property
    def n_rows(self):
        """Rows a full gradient differentiates."""
        return len(self.data)

    def _with(self, **changes):
        settings = {"alpha": self.alpha, "reported": self.reported, **changes}
        data = self.data
        return Objective(self.model, self.loss_function, data.X, data.y, data.weight, **settings)

    def unpenalized(self):
        """The same objective without the penalty: what the measures look at."""
        return self._with(alpha=0.0)

    def as_reported(self):
        """The same objective with scikit-learn's loss values: what training looks at."""
        return self._with(reported=True)

    def batch(self, rows=None, work=None):
        """Some of the rows: None (all), a slice, or indices gathered into ``work``."""
        data = self.data
        if rows is None or isinstance(rows, Batch):
            return data if rows is None else rows
        return Batch(
            take_rows(data.X, rows, "batch X", work),
            take_rows(data.y, rows, "batch y", work),
            take_rows(data.weight, rows, "batch weight", work),
        )

    def scores(self, w, X=None):
        """Raw outputs at ``w`` on the rows of ``X``, by default the objective's own."""
        return self.model.scores(w, self.data.X if X is None else X)

    def features(self, w, X=None):
        """Last hidden layer at ``w`` on ``X``, by default on the objective's own rows."""
        return self.model.features(w, self.data.X if X is None else X)

    def constant_loss(self):
        """Mean loss of the best constant prediction."""
        return self.loss_function.constant_loss(self.data)

    def per_sample_loss(self, w, batch=None, work=None):
        """Unpenalised loss of every row, shape (n_rows,)."""
        batch = self.batch(batch)
        F = self.model.scores(w, batch.X, work)
        if self.reported:
            return self.loss_function.as_reported(self.loss_function.predict(F), batch.y)
        return self.loss_function.per_sample(F, batch.y)

    def loss(self, w, batch=None, work=None):
        """The objective at ``w``. Differentiates nothing."""
        batch = self.batch(batch)
        return batch.mean(self.per_sample_loss(w, batch, work)) + self._penalty(w, batch)

    def loss_gradient(self, w, batch=None, out=None, work=None):
        """The objective and its gradient at ``w``, the gradient written into ``out``.

        Costs one gradient. ``out=None`` makes a new array, which belongs to the caller.
        """
        batch = self.batch(batch)
        work = Workspace() if work is None else work
        out = np.empty_like(w) if out is None else out
        work.rows += len(batch)
        value = self.model.loss_gradient(self.loss_function, w, batch, out, work, self.reported)
        if self.alpha == 0 or batch.total_weight == 0:
            return value, out
        penalized, gradient = w[self.model.penalized], out[self.model.penalized]
        rate = self._rate(batch)
        for block in blocks(penalized):
            gradient[block] += rate * penalized[block]
        return value + self._penalty(w, batch), out

    def hvp(self, w, v, batch=None, work=None):
        """Product of the objective's Hessian at ``w`` with ``v``. Costs two gradients."""
        batch = self.batch(batch)
        work = Workspace() if work is None else work
        work.rows += 2 * len(batch)
        product = self.model.hvp(self.loss_function, w, v, batch, work)
        part = self.model.penalized
        product[part] += self._rate(batch) * v[part]
        return product

    def hessian_trace(self, w, batch=None):
        """Exact trace of each row's loss Hessian by layer, or None; no penalty in it."""
        return self.model.hessian_trace(self.loss_function, w, self.batch(batch))

    def _rate(self, batch):
        total = batch.total_weight
        return self.alpha / total if total > 0 else 0.0

    def _penalty(self, w, batch):
        if self.alpha == 0:
            return 0.0
        part = w[self.model.penalized]
        return 0.5 * self._rate(batch) * float(part @ part)
