"""A model's mathematics on one flat parameter vector."""

from abc import ABC, abstractmethod
from threading import RLock

import autograd.numpy as anp
import numpy as np
from autograd import grad, make_vjp, value_and_grad

from ._batch import Batch
from ._glorot import glorot

#: Held while a derivative is traced: autograd keeps the depth of nested traces in one global.
ONE_AT_A_TIME = RLock()


class Model(ABC):
    """Base of all models. A new model needs a ``layout`` and a ``forward``.

    Gradient and Hessian product then come from autograd. The models of skflat override them with
    NumPy code, which is faster. Tests check that both agree.

    Attributes
    ----------
    layout : Layout
        Names and shapes of the parameters in the flat vector ``w``.
    penalized : slice
        The part of ``w`` to which the L2 penalty applies.
    penalized_by_batch : bool
        If True, the penalty is divided by the weight of the batch, as in scikit-learn. So an epoch
        of many batches penalises more. If False, it is divided by the weight of all rows.
    chunk : int or None
        Number of rows of one pass. None leaves the choice to the objective.
    width : int
        Approximate count of numbers that a pass keeps for every row.
    capabilities : dict
        What this model can do and others cannot. The keys are types of `Capability`. Each value is
        a function that makes one for an objective, or returns None.
    """

    penalized = slice(None)
    penalized_by_batch = True
    chunk = None
    width = 1
    capabilities: dict = {}

    def penalties(self, alpha):
        """Parts of ``w`` that are penalised, each with the strength of its L2 penalty.

        Parameters
        ----------
        alpha : float
            The estimator's parameter.

        Returns
        -------
        list of (slice, float)
        """
        return [(self.penalized, alpha)]

    @abstractmethod
    def forward(self, params, X):
        """Scores of some rows, written with ``autograd.numpy``.

        Parameters
        ----------
        params : dict of str to ndarray
            The arrays that ``layout`` names.
        X : ndarray or CSR of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
        """

    def init(self, random_state, dtype):
        """Where training starts, see `glorot`.

        Parameters
        ----------
        random_state : RandomState
        dtype : dtype

        Returns
        -------
        ndarray of shape (n_parameters,)
        """
        return self.layout.pack(glorot(self.layout.shapes, random_state), dtype)

    def scores(self, w, X, work=None):
        """Scores at the flat vector, see `forward`.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        X : ndarray or CSR of shape (n_rows, n_features)
        work : Workspace, default=None
            Buffers. The next call may overwrite the result.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
        """
        return self.forward(self.layout.views(w), X)

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        """Mean loss of a batch and its gradient, without a penalty.

        Parameters
        ----------
        loss : Loss
        w : ndarray of shape (n_parameters,)
        batch : Batch
        out : ndarray of shape (n_parameters,)
            Memory for the gradient.
        work : Workspace
        reported : bool, default=False
            Whether the loss is on the scale that scikit-learn reports. The gradient is the same.

        Returns
        -------
        float
            The weighted mean of the loss.
        """

        # autograd differentiates a dict of views. With slices of the flat vector it would make
        # one full-size array of zeros for every slice.
        def mean_loss(params):
            return _mean_loss(loss, self.forward(params, batch.X), batch)

        with ONE_AT_A_TIME:
            value, gradient = value_and_grad(mean_loss)(self.layout.views(w))
        out[:] = self.layout.pack(gradient)
        if reported:
            P = loss.predict(self.scores(w, batch.X))
            value = batch.mean(loss.as_reported(P, batch.y))
        return float(value)

    def linearized(self, loss, w, batch, work):
        """A function from ``v`` to the product of the Hessian of the mean loss with ``v``.

        Parameters
        ----------
        loss : Loss
        w : ndarray of shape (n_parameters,)
        batch : Batch
        work : Workspace

        Returns
        -------
        callable
            It returns a new array of shape (n_parameters,).
        """
        views = self.layout.views(w)

        def product(v):
            direction = self.layout.views(v)

            # The gradient of ``gradient . v`` is the Hessian times ``v``.
            def slope(params):
                gradient = grad(lambda p: _mean_loss(loss, self.forward(p, batch.X), batch))(params)
                return sum(anp.sum(gradient[name] * direction[name]) for name in direction)

            with ONE_AT_A_TIME:
                return self.layout.pack(grad(slope)(views), np.asarray(w).dtype)

        return product

    def scores_along(self, w, directions, steps, X, work):
        """Scores at ``w + s h``, for all steps of the first direction, then of the next one.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        directions : sequence of ndarray of shape (n_parameters,)
        steps : sequence of float
        X : ndarray or CSR of shape (n_rows, n_features)
        work : Workspace

        Yields
        ------
        ndarray of shape (n_rows, n_outputs)
            The next array may overwrite it.
        """
        for h in directions:
            for step in steps:
                yield self.scores(w + float(step) * h, X, work)

    def score_slopes(self, w, v, X):
        """Derivatives of the scores at ``w`` along ``v``: the Jacobian times ``v``.

        Parameters
        ----------
        w, v : ndarray of shape (n_parameters,)
        X : ndarray or CSR of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
        """
        direction = self.layout.views(v)
        with ONE_AT_A_TIME:
            pull, F = make_vjp(lambda params: self.forward(params, X))(self.layout.views(w))

            # What a vector on the scores is pulled back to is linear in it, and the gradient of a
            # linear function is its matrix.
            def pulled(scores):
                back = pull(scores)
                return sum(anp.sum(back[name] * direction[name]) for name in direction)

            return grad(pulled)(np.zeros_like(F))

    def squared_gradients(self, loss, w, batch, work):
        """Squared norm of the gradient of every row's loss.

        Parameters
        ----------
        loss : Loss
        w : ndarray of shape (n_parameters,)
        batch : Batch
        work : Workspace

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        # One gradient per row. A model with layers has a formula that needs no gradient of a row.
        out, norms = np.empty_like(w), []
        for row in Batch(batch.X, batch.y).pieces(1):
            self.loss_gradient(loss, w, row, out, work)
            norms.append(out @ out)
        return np.array(norms)

    def unit_radius(self, loss, batch):
        """The radius that corresponds to 1 on these data, see `Objective.unit_radius`.

        Parameters
        ----------
        loss : Loss
        batch : Batch

        Returns
        -------
        float
        """
        return 1.0


def _mean_loss(loss, F, batch):
    total = batch.total_weight
    share = 1 / total if total > 0 else 0.0  # 0 if all rows have weight 0
    weight = 1.0 if batch.weight is None else batch.weight
    return anp.sum(loss.per_sample(F, batch.y) * weight) * share
