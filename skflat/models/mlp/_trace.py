"""The exact trace and diagonal of a multi-layer perceptron's loss Hessian.

A weight ``W[i, j]`` into unit ``j`` affects the scores through the pre-activation ``z_j`` alone. So
the second derivative along the weight is ``a_i^2 * d^2 loss / dz_j^2``. Both need only the
diagonal of the Hessian in the pre-activations of each layer. It has two parts:

* The Gauss-Newton part is ``J_j' S J_j``. Here ``J`` is the Jacobian from the layer to the scores,
  and ``S`` is the Hessian of the loss in the scores.
* Smooth activations add the second derivatives of the layer's own units and of the units in the
  layers above. The latter are propagated down to the layer. With one layer above, the propagated
  part is again diagonal. With more it is not, and there is no closed form at the cost of a
  gradient.
"""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms

from ...objective import Workspace, row_scale

CHUNK = 512  # rows at a time
# Most entries of the Jacobians of a chunk, 64 MB. Deeper networks have one Jacobian per row.
ENTRIES = 1 << 23


def hessian_trace(model, loss, w, batch):
    """Trace of each row's loss Hessian by layer.

    Returns
    -------
    ndarray of shape (n_rows, n_layers)
        The trace over weights and intercepts of each layer. It is exact for piecewise-linear
        networks of any depth, and for smooth networks with up to two hidden layers.
    """
    work = Workspace()
    pieces = [
        _trace_of_rows(model, loss, w, piece, work)
        for piece in batch.pieces(_rows_at_a_time(model))
    ]
    return np.concatenate(pieces)


def hessian_diagonal(model, loss, w, batch):
    """Diagonal of the Hessian of the mean loss, where `hessian_trace` is exact.

    Returns
    -------
    ndarray of float64 of shape (n_parameters,)
    """
    work, total = Workspace(), np.zeros(len(w))
    weights, intercepts = model.split(total)  # views
    for share, piece in batch.shares(_rows_at_a_time(model)):
        scale = share * np.broadcast_to(np.ravel(row_scale(piece, float)), len(piece))
        for layer, inputs, curvature in _curvatures(model, loss, w, piece, work):
            curvature = curvature.astype(float)
            weights[layer] += _squares(inputs).T @ (scale[:, None] * curvature)
            intercepts[layer] += scale @ curvature
    return total


def _rows_at_a_time(model):
    jacobian = max(model.sizes[1:-1], default=0) * model.sizes[-1] if model.n_layers > 2 else 0
    return min(CHUNK, max(1, ENTRIES // max(jacobian, 1)))


def _squares(a):
    """All entries squared, in double precision."""
    a = a.astype(float, copy=False)
    return a.multiply(a).tocsr() if sparse.issparse(a) else a**2


def _trace_of_rows(model, loss, w, batch, work):
    # In double precision: squares of features overflow long before the features do.
    trace = np.zeros((len(batch), model.n_layers))
    for layer, inputs, curvature in _curvatures(model, loss, w, batch, work):
        total = curvature.sum(axis=1)
        # A row without curvature adds nothing, even if its inputs are so large that they overflow.
        squares = _squared_norms(inputs) + 1  # + 1 for the intercept
        np.multiply(squares, total, out=trace[:, layer], where=total != 0)
    return trace


def _curvatures(model, loss, w, batch, work):
    """For each layer, from the top down: its number, its inputs, and its curvature.

    That is the diagonal of the Hessian of every row's loss in the pre-activations of the layer.
    """
    act, top = model.activation, model.n_layers - 1
    weights, _ = model.split(w)
    a, z = model._forward(w, batch.X, work)
    P = loss.predict(z[-1].copy())
    # ``delta`` multiplies second derivatives of activations, which are 0 if these are
    # piecewise linear.
    delta = None if act.piecewise_linear else loss.residual(P.copy(), batch.y)

    curvature = loss.quadratic(P)
    J, bend_above = None, None
    # ``J`` is the Jacobian from the outputs of the layer to the scores. Below the last hidden layer
    # it differs from row to row.
    for layer in range(top, -1, -1):
        if layer < top:
            slope = act.derivative(z[layer], a[layer + 1])
            J = weights[top] if J is None else np.matmul(weights[layer + 1], J)
            curvature = loss.quadratic(P, J) * slope**2
            if delta is not None:
                delta = delta @ weights[layer + 1].T
                bend = delta * act.second_derivative(z[layer], a[layer + 1])
                curvature += bend
                # The diagonal of ``W diag(bend_above) W'``, without forming the matrix.
                if bend_above is not None:
                    curvature += slope**2 * (bend_above @ (weights[layer + 1] ** 2).T)
                delta, bend_above = delta * slope, bend
            if layer > 0:
                J = slope[:, :, None] * J
        yield layer, a[layer], curvature


def _squared_norms(a):
    """Squared norm of every row in double precision, infinite if it overflows."""
    with np.errstate(over="ignore"):
        return row_norms(a.astype(float, copy=False), squared=True)
