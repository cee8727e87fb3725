"""The mean loss of a model on some data, as a function of the flat vector."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from ._batch import Batch, joined, take_rows
from ._cache import cache_slices
from ._workspace import Workspace
from .losses import HeldSlopes

CHUNK = 4096  # rows of one pass, because the activations of all rows may not fit into memory
# Hessian products at one point keep the activations of at most so many rows, and so many numbers.
MAX_KEPT, MAX_KEPT_NUMBERS = 1 << 15, 1 << 22


class Objective:
    """``mean_i loss(model(w, x_i), y_i) + alpha / (2 n) |penalised part of w|^2``.

    An objective is immutable. It never writes to ``X``, and it holds no scratch memory. Solvers and
    measures use only its methods, so any object with these methods can be minimised and measured.

    Parameters
    ----------
    model : Model
    loss : Loss
    X : ndarray or CSR of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Targets in the form that the loss expects.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights of the rows in the mean. None weights all rows alike.
    alpha : float, default=0.0
        Strength of the L2 penalty, or another value that `Model.penalties` accepts. As in
        scikit-learn it is divided by the total weight ``n`` of the batch. If the model says so, it
        is divided by the total weight of all rows.
    reported : bool, default=False
        Whether loss values are on the scale that scikit-learn reports (probabilities clipped at the
        dtype's eps, squared errors averaged over outputs). Gradients are the same either way.
    unit_radius : float, default=None
        The value from other rows, if it is to be used here. None computes it from the model and
        these rows.
    """

    def __init__(
        self, model, loss, X, y, sample_weight=None, alpha=0.0, reported=False, unit_radius=None
    ):
        self.model = model
        self.loss_function = loss
        self.data = Batch(X, y, sample_weight)
        self.alpha = alpha
        self.reported = reported
        if unit_radius is not None:
            self.unit_radius = unit_radius

    @cached_property
    def _total_weight(self):
        return self.data.total_weight

    @property
    def n_rows(self):
        """Number of rows, the cost of a full gradient."""
        return len(self.data)

    @property
    def chunk(self):
        """Number of rows that one pass takes at a time."""
        return self.model.chunk or CHUNK

    def _with(self, **changes):
        known = {"unit_radius": vars(self).get("unit_radius"), "loss": self.loss_function}
        settings = {"alpha": self.alpha, "reported": self.reported, **known, **changes}
        data, settings = self.data, {"model": self.model, **settings}
        return Objective(X=data.X, y=data.y, sample_weight=data.weight, **settings)

    def unpenalized(self):
        """The same objective without penalty and label smoothing. Measures use this one."""
        return self._with(alpha=0.0, loss=self.loss_function.unsmoothed())

    def with_model(self, model):
        """The same objective of another model.

        Parameters
        ----------
        model : Model

        Returns
        -------
        Objective
        """
        return self._with(model=model, unit_radius=None)

    def as_reported(self):
        """The same objective with scikit-learn's loss values. Training uses this one."""
        return self._with(reported=True)

    def on(self, rows):
        """The same objective on some of the rows.

        Parameters
        ----------
        rows : ndarray of int of shape (n_chosen,)

        Returns
        -------
        Objective
        """
        part = self.batch(rows)
        settings = {"alpha": self.alpha, "reported": self.reported}
        return Objective(self.model, self.loss_function, part.X, part.y, part.weight, **settings)

    def batch(self, rows=None, work=None):
        """Some of the rows.

        Parameters
        ----------
        rows : None, Batch, slice or ndarray of int, default=None
            None takes all rows. A `Batch` is returned as it is.
        work : Workspace, default=None
            Memory for rows chosen by indices. None makes new arrays.

        Returns
        -------
        Batch
        """
        data = self.data
        if rows is None or isinstance(rows, Batch):
            return data if rows is None else rows
        return Batch(
            take_rows(data.X, rows, "batch X", work),
            take_rows(data.y, rows, "batch y", work),
            take_rows(data.weight, rows, "batch weight", work),
            None if self.model.penalized_by_batch else self._total_weight,
        )

    @property
    def layout(self):
        """Names of the model's arrays and their slices of the flat vector."""
        return self.model.layout

    def capability(self, kind):
        """The capability of a type that the model or the loss has, or None.

        If a solver or measure cannot work without it, call `require`, which raises an error.

        Parameters
        ----------
        kind : type
            A `Capability`, or a contract of losses such as `ClassLoss`.

        Returns
        -------
        Capability, Loss or None
        """
        if isinstance(self.loss_function, kind):
            return self.loss_function
        make = self.model.capabilities.get(kind)
        return None if make is None else make(self)

    def chunks(self, X=None):
        """Pieces of ``X`` that fit into one pass.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_features), default=None
            None is the objective's own rows.

        Returns
        -------
        iterator of ndarray or CSR
        """
        X = self.data.X if X is None else X
        return (X[start : start + self.chunk] for start in range(0, X.shape[0], self.chunk))

    def scores(self, w, X=None):
        """Raw outputs of the model, before its link function.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        X : ndarray or CSR of shape (n_rows, n_features), default=None
            None is the objective's own rows.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
        """
        return joined([self.model.scores(w, rows) for rows in self.chunks(X)])

    @cached_property
    def unit_radius(self):
        """The radius that corresponds to 1 for features and targets of size 1.

        If features are larger, the same displacement of the parameters moves the outputs more.
        """
        return self.model.unit_radius(self.loss_function, self.data)

    @property
    def penalized(self):
        """Parts of the flat vector to which the L2 penalty applies, whatever its strength."""
        return [part for part, _ in self.model.penalties(self.alpha)]

    def constant_loss(self):
        """Mean loss of the best constant prediction, a float in the unit of the loss."""
        return self.loss_function.constant_loss(self.data)

    def per_sample_loss(self, w, batch=None, work=None):
        """Loss of every row, without the penalty. It costs no gradient.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.
        work : Workspace, default=None
            Buffers, and the count of rows differentiated.

        Returns
        -------
        ndarray of float64 of shape (n_rows,)
        """
        pieces = self.batch(batch).pieces(self.chunk)
        return joined([self._losses_of_scores(w, piece, work) for piece in pieces])

    def _losses_of_scores(self, w, batch, work):
        F = self.model.scores(w, batch.X, work)
        if self.reported:
            return self.loss_function.as_reported(self.loss_function.predict(F), batch.y)
        # In double precision, because measures look at small differences of the mean.
        return self.loss_function.per_sample(F.astype(float, copy=False), batch.y)

    def along(self, w, directions, steps, work=None, row_sums=None):
        """Mean loss and mean error at ``w + s h``, for directions ``h`` and steps ``s``.

        The error is the share of wrong labels, or the mean absolute error of a regression. The
        first layer of a network is computed only once for each direction, whatever the number of
        steps.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        directions : sequence of ndarray of shape (n_parameters,)
        steps : sequence of float
        work : Workspace, default=None
        row_sums : ndarray of shape (2, n_steps, n_rows), default=None
            The loss and the error of every row are added to it, summed over the directions.

        Returns
        -------
        ndarray of shape (2, n_directions, n_steps)
        """
        # Chunks are the outer loop: each chunk of rows multiplies a direction once for all steps.
        work, start = Workspace() if work is None else work, 0
        means = np.zeros((2, len(directions), len(steps)))
        for share, piece in self.data.shares(self.chunk):
            scores = self.model.scores_along(w, directions, steps, piece.X, work)
            rows = slice(start, start + len(piece))
            start = rows.stop
            for place, F in zip(np.ndindex(means.shape[1:]), scores, strict=True):
                losses = self.loss_function.per_sample(F.astype(float, copy=False), piece.y)
                errors = self.loss_function.errors(F, piece.y)
                for kind, values in enumerate((losses, errors)):
                    means[kind, *place] += share * piece.mean(values)
                    if row_sums is not None:
                        row_sums[kind, place[1], rows] += values
        return means

    def loss(self, w, batch=None, work=None):
        """The objective at ``w``. It costs no gradient.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.
        work : Workspace, default=None
            Buffers, and the count of rows differentiated.

        Returns
        -------
        float
        """
        batch = self.batch(batch)
        value = sum(
            share * piece.mean(self._losses_of_scores(w, piece, work))
            for share, piece in batch.shares(self.chunk)
        )
        return value + self._penalty(w, batch)

    def loss_gradient(self, w, batch=None, out=None, work=None):
        """The objective and its gradient at ``w``. Costs one gradient.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.
        out : ndarray of shape (n_parameters,), default=None
            Memory for the gradient. None makes a new array, which belongs to the caller.
        work : Workspace, default=None
            Buffers, and the count of rows differentiated.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (n_parameters,)
            ``out``, if that was given.
        """
        batch = self.batch(batch)
        work = Workspace() if work is None else work
        out = np.empty_like(w) if out is None else out
        work.rows += len(batch)
        value = self._data_gradient(w, batch, out, work)
        for part, rate in self._penalties(batch):
            penalized, gradient = w[part], out[part]
            for block in cache_slices(penalized):
                gradient[block] += rate * penalized[block]
        return value + self._penalty(w, batch), out

    def functional_gradient(self, w, foot, batch=None, out=None, work=None):
        """Gradient at ``w`` with the slopes of the loss in the scores taken at ``foot``.

        It is the gradient of ``mean_i r_i . F_i(w)`` and of the penalty, with the slopes ``r_i``
        held fixed. Costs one gradient and a forward pass.

        Parameters
        ----------
        w, foot : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.
        out : ndarray of shape (n_parameters,), default=None
        work : Workspace, default=None
            Buffers, and the count of rows differentiated.

        Returns
        -------
        ndarray of shape (n_parameters,)
        """
        batch = self.batch(batch)
        held = replace(batch, y=self._slopes(foot, batch, work))
        # A linear loss with these slopes has the wanted gradient, so any model's gradient serves.
        objective = Objective(self.model, HeldSlopes(), held.X, held.y, held.weight, self.alpha)
        return objective.loss_gradient(w, held, out, work)[1]

    def _slopes(self, w, batch, work):
        """Gradient of every row's loss in its scores, shape (n_rows, n_outputs)."""
        loss, slopes = self.loss_function, []
        for piece in batch.pieces(self.chunk):
            P = loss.predict(self.model.scores(w, piece.X, work))
            slopes.append(np.array(loss.residual(P, piece.y), dtype=w.dtype))
        return joined(slopes)

    def _data_gradient(self, w, batch, out, work):
        """Mean loss without the penalty, its gradient written into ``out``."""
        model, loss = self.model, self.loss_function
        if len(batch) <= self.chunk:
            return model.loss_gradient(loss, w, batch, out, work, self.reported)
        out[:], value, part = 0, 0.0, work.array("gradient of a chunk", w.shape, w.dtype)
        for share, piece in batch.shares(self.chunk):
            value += share * model.loss_gradient(loss, w, piece, part, work, self.reported)
            part *= share
            out += part
        return value

    def hvp(self, w, v, batch=None, work=None):
        """Product of the objective's Hessian at ``w`` with ``v``. Costs two gradients.

        Parameters
        ----------
        w, v : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.
        work : Workspace, default=None
            Buffers, and the count of rows differentiated.

        Returns
        -------
        ndarray of shape (n_parameters,)
            A new array.
        """
        return self.hessian_products(w, batch, work)(v)

    def hessian_products(self, w, batch=None, work=None):
        """A function from ``v`` to the product of the Hessian with ``v``, for many ``v``.

        The passes over the rows that do not depend on ``v`` are made once for all products. If the
        activations of all rows do not fit into memory, every product repeats these passes. Each
        product costs two gradients.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.
        work : Workspace, default=None
            Buffers, and the count of rows differentiated.

        Returns
        -------
        callable
        """
        batch = self.batch(batch)
        work = Workspace() if work is None else work

        def linearized():
            for share, piece in batch.shares(self.chunk):
                yield share, self.model.linearized(self.loss_function, w, piece, work)

        kept = list(linearized()) if len(batch) <= self._n_kept else None

        def product(v):
            work.rows += 2 * len(batch)
            out = sum(share * times(v) for share, times in kept or linearized())
            for part, rate in self._penalties(batch):  # the Hessian of the penalty is diagonal
                out[part] += rate * v[part]
            return out

        return product

    @property
    def _n_kept(self):
        """Largest number of rows whose activations are kept, at least the rows of one pass."""
        return max(self.chunk, min(MAX_KEPT, MAX_KEPT_NUMBERS // self.model.width))

    def squared_gradients(self, w, batch=None):
        """Squared norm of each row's gradient, without the penalty.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        pieces = self.batch(batch).pieces(self.chunk)
        work, loss = Workspace(), self.loss_function
        return joined([self.model.squared_gradients(loss, w, piece, work) for piece in pieces])

    def score_slopes(self, w, v, batch=None):
        """Derivatives of every row's scores at ``w`` along ``v``.

        Parameters
        ----------
        w, v : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows; None is all.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
        """
        pieces = self.batch(batch).pieces(self.chunk)
        return joined([self.model.score_slopes(w, v, piece.X) for piece in pieces])

    def _penalties(self, batch):
        """Parts of the flat vector that are penalised, each with the rate of its penalty."""
        total = batch.total_weight if batch.whole is None else batch.whole
        if total == 0:
            return []
        return [(part, a / total) for part, a in self.model.penalties(self.alpha) if a > 0]

    def _penalty(self, w, batch):
        squares = ((w[part], rate) for part, rate in self._penalties(batch))
        return sum((0.5 * rate * float(part @ part) for part, rate in squares), start=0.0)
