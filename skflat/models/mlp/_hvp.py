"""Hessian products of a multi-layer perceptron, by Pearlmutter's R-operator.

The forward and the backward pass are differentiated along ``v``. All quantities that do not depend
on ``v`` are computed once for all products at the same point.
"""

import numpy as np

from ...objective import Workspace, product, row_scale, transposed_product


class Linearized:
    """The passes of a network at one point over some rows. A call with ``v`` returns ``H v``."""

    def __init__(self, model, loss, w, batch):
        self.model, self.loss, self.w, self.work = model, loss, w, Workspace()
        self.y = batch.y
        self.weights, _ = model.split(w)
        self.a, z = model._forward(w, batch.X, self.work)
        self.scale = row_scale(batch, w.dtype)
        # ``predict`` and ``residual`` overwrite their arguments, and both results are needed.
        self.P = loss.predict(z[-1].copy())
        delta = loss.residual(self.P.copy(), batch.y) * self.scale
        act, n_layers = model.activation, model.n_layers
        self.deltas, self.slopes, self.bends = [None] * n_layers, [None] * n_layers, {}
        for layer in range(n_layers - 1, -1, -1):
            self.deltas[layer] = delta
            if layer > 0:
                below, a = z[layer - 1], self.a[layer]
                self.slopes[layer] = act.derivative(below, a)
                back = delta @ self.weights[layer].T
                # For piecewise-linear units the second derivative is 0 almost everywhere.
                if not act.piecewise_linear:
                    self.bends[layer] = back * act.second_derivative(below, a)
                delta = back * self.slopes[layer]

    def __call__(self, v):
        moved, shifted = self.model.split(v)
        out = np.empty_like(self.w)
        out_weights, out_intercepts = self.model.split(out)
        Ra, Rz = self._forward(moved, shifted)
        Rdelta = self.loss.hvp(self.P, Rz[-1], self.y)
        Rdelta *= self.scale
        # Product rule of the backward pass: the gradient of a layer is ``a' delta``, so its change
        # is ``a' Rdelta + Ra' delta``. The inputs of the first layer do not change.
        for layer in range(self.model.n_layers - 1, -1, -1):
            transposed_product(self.a[layer], Rdelta, out_weights[layer])
            np.add.reduce(Rdelta, axis=0, out=out_intercepts[layer])
            if layer > 0:
                out_weights[layer] += Ra[layer].T @ self.deltas[layer]
                below = self._array("Rdelta", layer)
                np.matmul(Rdelta, self.weights[layer].T, out=below)
                below += self.deltas[layer] @ moved[layer].T
                below *= self.slopes[layer]
                if layer in self.bends:
                    below += self.bends[layer] * Rz[layer - 1]
                Rdelta = below
        return out

    def _forward(self, moved, shifted):
        """The derivatives of the inputs and pre-activations of every layer along ``v``."""
        Ra, Rz = [None], []
        for layer in range(self.model.n_layers):
            change = self._array("Rz", layer + 1)
            product(self.a[layer], moved[layer], change)
            change += shifted[layer]
            if layer > 0:
                change += Ra[layer] @ self.weights[layer]
            Rz.append(change)
            if layer < self.model.n_layers - 1:
                slope = self.slopes[layer + 1]
                Ra.append(np.multiply(slope, change, out=self._array("Ra", layer + 1)))
        return Ra, Rz

    def _array(self, name, layer):
        shape = (self.a[0].shape[0], self.model.sizes[layer])
        return self.work.array(f"{name} {layer}", shape, self.w.dtype)


class ScoreCurvature(Linearized):
    """The same without the curvature of the network itself: ``J' S J`` with ``S`` the loss's.

    It is never negative, and equals the Hessian where the residuals vanish.
    """

    def __init__(self, model, loss, w, batch):
        super().__init__(model, loss, w, batch)
        self.deltas = [np.zeros_like(delta) for delta in self.deltas]
        self.bends = {}
