"""The diagonal of a piecewise-linear network's Hessian, summed as far as rescaling allows.

The Hessian's entry of the weight from unit i to unit j is the mean of ``a_i^2 c_j``, with ``a`` the
activations and ``c`` the curvature of the loss in the pre-activations. Scales of the units multiply
it by ``s_i^2 / s_j^2``. Inputs, outputs and intercepts have no scale, so their entries are needed
only in sums. What is left is one product for every pair of neighbouring hidden layers.

The curvature is a sum of squares: with ``S = B B'`` the loss's Hessian in the scores and ``J`` the
map from a layer to the scores, ``c_j = sum_r (J B)_jr^2``. So one backward pass for every class
serves all layers, and no entry is ever negative by rounding.
"""

import numpy as np
from sklearn.utils.extmath import row_norms

from ....objective import Workspace, row_scale
from ._balancing import ScaledEntries

CHUNK = 512  # rows at a time


def trace_chain(model, loss, w, batch):
    """The trace as a `ScaledEntries` over the hidden layers, without what no scale changes.

    The entries are sums in double precision of products in the precision of ``w``. It costs a
    forward pass and, for each output, a backward pass without the first layer.
    """
    work, total = Workspace(), None
    for share, piece in batch.shares(CHUNK):
        found = _of_rows(model, loss, w, piece, work)
        if total is None:
            total = ScaledEntries(*([np.zeros(each.shape) for each in part] for part in found))
        for there, part in zip((total.source, total.sink, total.links), found, strict=True):
            for array, each in zip(there, part, strict=True):
                array += share * each
    return total


def _of_rows(model, loss, w, batch, work):
    """Mean entries of some rows: source, sink and links."""
    weights, _ = model.split(w)
    a, z = model._forward(w, batch.X, work)
    slopes = [model.activation.derivative(z[k], a[k + 1]) for k in range(len(a) - 1)]
    P = loss.predict(z[-1].copy())
    curvatures = _curvatures(loss, P, weights, slopes, work)
    scale = np.broadcast_to(np.ravel(row_scale(batch, float)), len(batch))
    # The inputs and the intercept of the first layer together, of all others the intercept.
    source = [scale @ each.astype(float, copy=False) for each in curvatures]
    source[0] = (scale * (row_norms(a[0], squared=True) + 1.0)) @ curvatures[0]
    squares = [np.square(each) * scale[:, None].astype(each.dtype) for each in a[1:]]
    sink = [np.zeros(each.shape[1]) for each in curvatures]
    sink[-1] = squares[-1].T @ loss.curvature(P).sum(axis=1)
    links = [s.T @ c for s, c in zip(squares[:-1], curvatures[1:], strict=True)]
    return source, sink, links


def _curvatures(loss, P, weights, slopes, work):
    """Curvature of every row in the pre-activations of every hidden layer, first layer first."""
    found = [np.zeros_like(each) for each in slopes]
    for delta in loss.roots(P, weights[-1]):
        for layer in range(len(slopes) - 1, -1, -1):
            delta *= slopes[layer]
            square = work.array(f"square {layer}", delta.shape, delta.dtype)
            found[layer] += np.square(delta, out=square)
            if layer > 0:
                shape = (len(delta), weights[layer].shape[0])
                below = work.array(f"root {layer}", shape, delta.dtype)
                delta = np.matmul(delta, weights[layer].T, out=below)
    return found
