"""The gradient of the exact trace of a multi-layer perceptron's loss Hessian.

This file has the formulas of `_trace.py` for autograd. For one piecewise-linear hidden layer they
are differentiated by hand. The parameters of the first layer enter the trace only through its
pre-activations. So autograd never sees the inputs, which may be sparse. As in a gradient, there are
two products with the inputs.
"""

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.tracer import getval
from sklearn.utils.extmath import row_norms

from ...objective import ONE_AT_A_TIME, product, row_scale, transposed_product

CHUNK = 512  # rows at a time, because deeper networks hold one Jacobian per row


def trace_gradient(model, loss, w, batch, out, work):
    """Gradient of the weighted mean trace, written into ``out``.

    It is defined for the networks whose trace `hessian_trace` can compute. At a kink of a
    piecewise-linear activation the trace jumps, and this is its slope beside the jump.
    """
    smooth = not model.activation.piecewise_linear
    work.rows += len(batch) * cost(model)
    of_rows = _by_autograd if smooth or model.n_layers != 2 else _by_hand
    if len(batch) <= CHUNK:
        of_rows(model, loss, w, batch, out, work)
        return out
    out[:], part = 0, np.empty_like(w)
    for share, piece in batch.shares(CHUNK):
        of_rows(model, loss, w, piece, part, work)
        part *= share
        out += part
    return out


def cost(model):
    """What it counts as, in gradients of the loss.

    With at most one hidden layer it is one gradient. Every further hidden layer counts one gradient
    per output, because the Jacobians that pass through it have that width.
    """
    return max(1, (model.n_layers - 2) * model.sizes[-1])


def _by_hand(model, loss, w, batch, out, work):
    """One hidden layer. ``slopes`` are squared derivatives, constant between two kinks."""
    (_, W), _ = model.split(w)
    (into_W0, into_W), (into_b0, into_b) = model.split(out)
    (X, a), (z, F) = model._forward(w, batch.X, work)
    scale = np.asarray(row_scale(batch, w.dtype), w.dtype).ravel()
    slopes = model.activation.derivative(z, a)
    slopes *= slopes * (scale * (row_norms(X, squared=True) + 1))[:, None]
    P = loss.predict(F.copy())
    curvature = loss.curvature(P)
    top = scale * curvature.sum(axis=1)  # coefficient of every squared hidden unit in the trace

    # The trace is (|a|^2 + 1) sum_c curvature_c + sum_j slopes_j quadratic_j, summed over rows.
    inputs = (scale * (row_norms(a, squared=True) + 1))[:, None]
    delta, into_W[:] = loss.quadratic_gradient(P, W, inputs, slopes)
    into_W += a.T @ delta
    np.add.reduce(delta, axis=0, out=into_b)
    below = delta @ W.T
    below += 2 * top[:, None] * a
    model.activation.backward(below, z, a)
    transposed_product(X, below, into_W0)
    np.add.reduce(below, axis=0, out=into_b0)


def _by_autograd(model, loss, w, batch, out, work):
    params, into = model.layout.views(w), model.layout.views(out)
    first = np.empty((len(batch), model.sizes[1]), w.dtype)
    product(batch.X, params.pop("W0"), first)
    first += params.pop("b0")
    scale = np.asarray(row_scale(batch, w.dtype), w.dtype).ravel()
    X_norms = row_norms(batch.X, squared=True)

    def mean_trace(params):
        return anp.sum(_traces(model, loss, params, X_norms, batch.y) * scale)

    with ONE_AT_A_TIME:
        gradient = grad(mean_trace)(params | {"z0": first})
    slope = gradient.pop("z0")
    transposed_product(batch.X, slope, into["W0"])
    np.add.reduce(slope, axis=0, out=into["b0"])
    for name, array in gradient.items():
        into[name][:] = array


def _traces(model, loss, params, X_norms, y):
    """Trace of every row's loss Hessian, from the first pre-activations on."""
    top, smooth = model.n_layers - 1, not model.activation.piecewise_linear
    a, z, slopes, bends = _passes(model, params)
    P = loss.traced_predict(z[top])
    delta = P - loss.targets(y, P.shape[1], P.dtype) if smooth else None
    curvature = loss.curvature(P)
    total = 0.0 * anp.sum(P, axis=1)  # autograd warns if a result does not depend on its input
    J, bend_above = None, None
    for layer in range(top, -1, -1):
        if layer < top:
            W = params[f"W{layer + 1}"]
            J = W if J is None else anp.matmul(W, J)
            curvature = loss.quadratic(P, J) * slopes[layer] ** 2
            if smooth:
                delta = anp.dot(delta, W.T)
                bend = delta * bends[layer]
                curvature = curvature + bend
                if bend_above is not None:
                    curvature = curvature + slopes[layer] ** 2 * anp.dot(bend_above, (W**2).T)
                delta, bend_above = delta * slopes[layer], bend
            if layer > 0:
                J = slopes[layer][:, :, None] * J
        norms = X_norms if layer == 0 else anp.sum(a[layer] ** 2, axis=1)
        total = total + (norms + 1) * anp.sum(curvature, axis=1)  # + 1 for the intercept
    return total


def _passes(model, params):
    """Inputs, pre-activations, and the derivatives of the activation there, layer by layer."""
    act = model.activation
    a, z, slopes, bends = [None], [params["z0"]], [], []
    for layer in range(1, model.n_layers):
        below = z[-1]
        a.append(act.traced(below))
        if act.piecewise_linear:
            # Constant between two kinks, so autograd must not trace it.
            slopes.append(act.derivative(getval(below), getval(a[-1])))
        else:
            first, second = act.traced_derivatives()
            slopes.append(first(below, a[-1]))
            bends.append(second(below, a[-1]))
        z.append(anp.dot(a[-1], params[f"W{layer}"]) + params[f"b{layer}"])
    return a, z, slopes, bends
