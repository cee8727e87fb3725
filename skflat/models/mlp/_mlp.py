"""The multi-layer perceptron, with hand-written passes on reused buffers."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms

from ...objective import (
    Layout,
    Model,
    Workspace,
    losses_and_residual,
    product,
    radius_of_data,
    row_scale,
    transposed_product,
)
from ._activations import as_activation
from ._capabilities import CAPABILITIES
from ._hvp import Linearized


class MLP(Model):
    """Fully connected layers. The last one has no activation, so its outputs are raw predictions.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of units of the inputs, of every hidden layer, and of the outputs.
    activation : str or callable
        Activation of the hidden layers: a name in ``ACTIVATIONS``, or an elementwise function
        written with ``autograd.numpy``.

    Notes
    -----
    The flat vector holds first all weight matrices, then all intercepts. This is scikit-learn's
    order. Layer ``l`` computes ``a[l] @ W[l] + b[l]``.
    """

    capabilities = CAPABILITIES

    def __init__(self, sizes, activation="relu"):
        self.sizes = tuple(int(size) for size in sizes)
        self.activation = as_activation(activation)
        self.n_layers = len(self.sizes) - 1
        self.width = sum(self.sizes[1:])
        shapes = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        self.layout = Layout(
            {f"W{layer}": shape for layer, shape in enumerate(shapes)}
            | {f"b{layer}": (shape[1],) for layer, shape in enumerate(shapes)}
        )
        self.penalized = slice(0, self.layout.slices["b0"].start)

    @property
    def units(self):
        """What the hidden units are called."""
        return f"{type(self.activation).__name__.lower()} units"

    @property
    def symmetry(self):
        """What keeps the function, which is the activation's affair."""
        return self.activation.symmetry(self)

    def common(self, w):
        """Sums over the outputs of the last layer's weights, and of its intercepts.

        Softmax does not notice a vector that is added to the weights of all classes: it shifts all
        scores of a row alike. So the gradient has no part along it, and the sums stay.
        """
        weights, intercepts = self.split(w.astype(float, copy=False))
        return np.append(weights[-1].sum(axis=1), intercepts[-1].sum())

    def init(self, random_state, dtype):
        """Glorot and Bengio's uniform initial weights, drawn in scikit-learn's order."""
        params = {}
        for layer in range(self.n_layers):
            shape = self.sizes[layer : layer + 2]
            bound = np.sqrt(self.activation.init_factor / sum(shape))
            params[f"W{layer}"] = random_state.uniform(-bound, bound, shape)
            params[f"b{layer}"] = random_state.uniform(-bound, bound, shape[1])
        return self.layout.pack(params, dtype)

    def split(self, w):
        """Two lists of views: the weight matrices and the intercepts."""
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
        """Outputs of the last hidden layer, or X itself without one."""
        features = self._forward(w, X, Workspace())[0][-1]
        return features.toarray() if sparse.issparse(features) else features

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        weights, _ = self.split(w)
        grad_weights, grad_intercepts = self.split(out)
        a, z = self._forward(w, batch.X, work)
        values, delta = losses_and_residual(loss, z[-1], batch.y, reported)
        # Scaling ``delta`` once turns all products below into gradients of the mean loss.
        delta *= row_scale(batch, delta.dtype)
        for layer in range(self.n_layers - 1, -1, -1):
            transposed_product(a[layer], delta, grad_weights[layer])
            np.add.reduce(delta, axis=0, out=grad_intercepts[layer])
            if layer > 0:
                shape = (len(batch), self.sizes[layer])
                below = work.array(f"delta {layer}", shape, w.dtype)
                delta = np.matmul(delta, weights[layer].T, out=below)
                self.activation.backward(delta, z[layer - 1], a[layer])
        return batch.mean(values)

    def linearized(self, loss, w, batch, work):
        return Linearized(self, loss, w, batch)

    def unit_radius(self, loss, batch):
        return radius_of_data(loss, batch)

    def scores_along(self, w, directions, steps, X, work):
        # The first layer is linear in the step, so one product of X serves all steps.
        weights, intercepts = self.split(w)
        start, slope, z = (
            work.array(name, (X.shape[0], self.sizes[1]), w.dtype)
            for name in ("start", "slope", "z 0")
        )
        product(X, weights[0], start)
        start += intercepts[0]
        for h in directions:
            # The arrays are reused, so each result must be read before the next step.
            moved, shifted = self.split(h)
            product(X, moved[0], slope)
            slope += shifted[0]
            for step in map(float, steps):  # a numpy scalar would promote float32 to float64
                np.multiply(slope, step, out=z)
                z += start
                above = [
                    [array + step * change for array, change in zip(*pair, strict=True)]
                    for pair in ((weights[1:], moved[1:]), (intercepts[1:], shifted[1:]))
                ]
                yield self._upper(z, *above, work)[1][-1]

    def score_slopes(self, w, v, X):
        weights, _ = self.split(w)
        moved, shifted = self.split(v)
        a, z = self._forward(w, X, Workspace())
        change = X @ moved[0] + shifted[0]  # of a sparse X, too, this is dense
        for layer in range(1, self.n_layers):
            change *= self.activation.derivative(z[layer - 1], a[layer])
            change = change @ weights[layer] + a[layer] @ moved[layer] + shifted[layer]
        return change

    def squared_gradients(self, loss, w, batch, work):
        weights, _ = self.split(w)
        a, z = self._forward(w, batch.X, work)
        delta = loss.residual(loss.predict(z[-1].copy()), batch.y)
        # The gradient of one row in ``W[l]`` is the outer product of ``a[l]`` and ``delta``, so its
        # squared norm is ``|a|^2 |delta|^2``. No per-row gradient is ever formed.
        norms = np.zeros(len(batch), w.dtype)
        for layer in range(self.n_layers - 1, -1, -1):
            inputs = row_norms(a[layer], squared=True) + 1  # + 1 for the intercept
            norms += inputs * row_norms(delta, squared=True)
            if layer > 0:
                delta = delta @ weights[layer].T
                self.activation.backward(delta, z[layer - 1], a[layer])
        return norms

    def _forward(self, w, X, work):
        """Inputs ``a[l]`` and pre-activations ``z[l]`` of every layer.

        Some activations overwrite ``z[l]`` with ``a[l + 1]``. The last ``z`` are the scores, and
        the caller may overwrite them.
        """
        weights, intercepts = self.split(w)
        # Only the first layer can have sparse inputs, so it is computed apart.
        first = work.array("z 0", (X.shape[0], self.sizes[1]), w.dtype)
        product(X, weights[0], first)
        first += intercepts[0]
        a, z = self._upper(first, weights[1:], intercepts[1:], work)
        return [X, *a], z

    def _upper(self, first, weights, intercepts, work):
        """The layers above the first pre-activations. The inputs returned start with layer 1."""
        a, z = [], [first]
        for layer, (W, b) in enumerate(zip(weights, intercepts, strict=True), start=1):
            a.append(self._activated(z[-1], layer, work))
            out = work.array(f"z {layer}", (len(first), self.sizes[layer + 1]), first.dtype)
            np.matmul(a[-1], W, out=out)
            out += b
            z.append(out)
        return a, z

    def _activated(self, z, layer, work):
        """The outputs of a layer's units, in the memory of ``z`` if ``z`` is no longer needed."""
        act = self.activation
        return act.forward(z, work.array(f"a {layer}", z.shape, z.dtype) if act.needs_input else z)
