"""The multi-layer perceptron, written by hand on buffers that are reused."""

import numpy as np
from scipy import sparse

from ._activations import as_activation
from ._layout import Layout
from ._mlp_trace import hessian_trace
from ._model import Model
from ._workspace import Workspace


class MLP(Model):
    """Fully connected layers with one activation and raw scores at the end.

    Parameters
    ----------
    sizes : sequence of int
        Units of every layer: inputs, hidden layers, outputs.
    activation : {'identity', 'logistic', 'tanh', 'relu'} or callable
        Of the hidden layers. A callable is an elementwise function written with
        ``autograd.numpy``.

    Notes
    -----
    The flat vector holds first all weight matrices, then all intercepts, the order in
    which scikit-learn packs them. Layer ``l`` computes ``a[l] @ W[l] + b[l]``.
    """

    def __init__(self, sizes, activation="relu"):
        self.sizes = tuple(int(size) for size in sizes)
        self.activation = as_activation(activation)
        self.n_layers = len(self.sizes) - 1
        shapes = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        self.layout = Layout(
            {f"W{layer}": shape for layer, shape in enumerate(shapes)}
            | {f"b{layer}": (shape[1],) for layer, shape in enumerate(shapes)}
        )
        self.penalized = slice(0, self.layout.slices["b0"].start)

    def init(self, random_state, dtype):
        """Glorot and Bengio's uniform start, drawn in scikit-learn's order."""
        params = {}
        for layer in range(self.n_layers):
            shape = self.sizes[layer : layer + 2]
            bound = np.sqrt(self.activation.init_factor / sum(shape))
            params[f"W{layer}"] = random_state.uniform(-bound, bound, shape)
            params[f"b{layer}"] = random_state.uniform(-bound, bound, shape[1])
        return self.layout.pack(params, dtype)

    def split(self, w):
        """Views of the weight matrices and of the intercepts, two lists."""
        views = list(self.layout.views(w).values())
        return views[: self.n_layers], views[self.n_layers :]

    def join(self, weights, intercepts):
        """One flat vector from lists of weight matrices and intercepts."""
        return np.concatenate([np.ravel(array) for array in (*weights, *intercepts)])

    def forward(self, params, X):
        a = X
        for layer in range(self.n_layers):
            a = a @ params[f"W{layer}"] + params[f"b{layer}"]
            if layer < self.n_layers - 1:
                a = self.activation.traced(a)
        return a

    def scores(self, w, X, work=None):
        return self._forward(w, X, Workspace() if work is None else work)[1][-1]

    def features(self, w, X):
        a, _ = self._forward(w, X, Workspace())
        return a[-1]

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        weights, _ = self.split(w)
        grad_weights, grad_intercepts = self.split(out)
        a, z = self._forward(w, batch.X, work)
        values, delta = _losses_and_residual(loss, z[-1], batch.y, reported)
        delta *= _row_scale(batch, delta.dtype)
        for layer in range(self.n_layers - 1, -1, -1):
            transposed_product(a[layer], delta, grad_weights[layer])
            np.add.reduce(delta, axis=0, out=grad_intercepts[layer])
            if layer > 0:
                shape = (len(batch), self.sizes[layer])
                below = work.array(f"delta {layer}", shape, w.dtype)
                delta = np.matmul(delta, weights[layer].T, out=below)
                self.activation.backward(delta, z[layer - 1], a[layer])
        return batch.mean(values)

    def hvp(self, loss, w, v, batch, work):
        """Pearlmutter's R-operator: forward and backward pass differentiated along v."""
        act, last = self.activation, self.n_layers - 1
        weights, _ = self.split(w)
        moved, shifted = self.split(v)
        out = np.empty_like(w)
        out_weights, out_intercepts = self.split(out)
        a, z = self._forward(w, batch.X, work)
        slopes = [act.derivative(z[layer], a[layer + 1]) for layer in range(last)]

        Ra, Rz = [None], []
        for layer in range(self.n_layers):
            Rz.append(a[layer] @ moved[layer] + shifted[layer])
            if layer > 0:
                Rz[layer] += Ra[layer] @ weights[layer]
            if layer < last:
                Ra.append(slopes[layer] * Rz[layer])

        scale = _row_scale(batch, w.dtype)
        P = loss.predict(z[-1].copy())
        Rdelta = loss.hvp(P, Rz[-1]) * scale
        delta = loss.residual(P, batch.y) * scale
        for layer in range(last, -1, -1):
            transposed_product(a[layer], Rdelta, out_weights[layer])
            if layer > 0:
                out_weights[layer] += Ra[layer].T @ delta
            np.add.reduce(Rdelta, axis=0, out=out_intercepts[layer])
            if layer > 0:
                back = delta @ weights[layer].T
                Rdelta = Rdelta @ weights[layer].T + delta @ moved[layer].T
                Rdelta *= slopes[layer - 1]
                if not act.piecewise_linear:
                    bend = act.second_derivative(z[layer - 1], a[layer])
                    Rdelta += back * bend * Rz[layer - 1]
                delta = back * slopes[layer - 1]
        return out

    def hessian_trace(self, loss, w, batch):
        return hessian_trace(self, loss, w, batch)

    def _forward(self, w, X, work):
        """Inputs ``a[l]`` and pre-activations ``z[l]`` of every layer.

        Built-in activations overwrite: their ``z[l]`` is ``a[l + 1]``. The last ``z``
        are the scores, which the caller may overwrite.
        """
        weights, intercepts = self.split(w)
        a, z = [X], []
        for layer in range(self.n_layers):
            out = work.array(f"z {layer}", (X.shape[0], self.sizes[layer + 1]), w.dtype)
            product(a[layer], weights[layer], out)
            out += intercepts[layer]
            z.append(out)
            if layer < self.n_layers - 1:
                a.append(self.activation.forward(out))
        return a, z


def product(A, B, out):
    """``out = A @ B`` where A is dense or CSR."""
    if sparse.issparse(A):
        out[...] = A @ B
    else:
        np.matmul(A, B, out=out)


def transposed_product(A, B, out):
    """``out = A.T @ B`` where A is dense or CSR."""
    product(A.T, B, out)


def _losses_and_residual(loss, F, y, reported):
    """Loss of every row and its gradient in the scores, in the memory of ``F``."""
    values = None if reported else loss.per_sample(F, y)
    P = loss.predict(F)
    if reported:
        values = loss.as_reported(P, y)
    return values, loss.residual(P, y)


def _row_scale(batch, dtype):
    """What turns a row's gradient into its share of the weighted mean."""
    total = batch.total_weight
    share = 1.0 / total if total > 0 else 0.0
    if batch.weight is None:
        return share
    return (batch.weight * share).astype(dtype, copy=False)[:, None]
