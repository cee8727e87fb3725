"""Committee machines: majorities of threshold units with weights in {-1, +1}."""

import numpy as np

from ...objective import BinaryMachines, HiddenLayer, Layout, Model, NotDefinedError
from ._patterns import Patterns

# The message of the errors for models that have no gradient.
NO_SLOPES = "The votes of a committee are steps, and have no derivatives."


class Committee(Model):
    """The mean vote of threshold units. There is one column for every one-vs-rest problem.

    Parameters
    ----------
    n_features, n_units, n_outputs : int
    tree : bool, default=False
        False: all units see all features. True: every unit sees consecutive features of its own.
        The last ones are then padded with zeros.
    """

    def __init__(self, n_features, n_units, n_outputs, tree=False):
        self.n_units, self.tree = n_units, tree
        # Rounded up, so that every feature belongs to a unit.
        self.n_inputs = -(-n_features // n_units) if tree else n_features
        shape = (n_outputs, n_units, self.n_inputs)
        self.layout = Layout({"W": shape, "b": shape[:2]})

    def inputs(self, X):
        """The inputs of the units, of shape (n_units or 1, n_rows, n_inputs).

        The length of the first axis is 1 if all units see the same matrix.
        """
        if not self.tree:
            return X[None]
        missing = self.n_units * self.n_inputs - X.shape[1]
        X = np.pad(X, ((0, 0), (0, missing)))
        blocks = X.reshape(len(X), self.n_units, self.n_inputs).swapaxes(0, 1)
        return np.ascontiguousarray(blocks)  # products with a strided array would be slow

    def forward(self, params, X):
        return self.signs(params, X).mean(axis=1).T

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        raise NotDefinedError(NO_SLOPES)

    def linearized(self, loss, w, batch, work):
        raise NotDefinedError(NO_SLOPES)

    def signs(self, params, X):
        """Outputs of all units, shape (n_outputs, n_units, n_rows)."""
        fields = np.matmul(self.inputs(X), params["W"][..., None])[..., 0]
        return np.sign(fields + params["b"][..., None])


class Units(HiddenLayer):
    """The signs of all units. The outputs are means of them."""

    def inputs(self, w, X):
        model = self.objective.model
        signs = model.signs(model.layout.views(w), X)
        return [X, signs.reshape(-1, X.shape[0]).T]

    def head(self, w):
        # Each output is the mean over its own units, so the matrix is block diagonal.
        n_outputs, n_units = self.objective.layout.shapes["b"]
        return np.kron(np.eye(n_outputs), np.full((n_units, 1), 1 / n_units))


class Committees(BinaryMachines):
    """One committee for every one-vs-rest problem."""

    def machines(self, w):
        model, data = self.objective.model, self.objective.data
        views, inputs = model.layout.views(w), model.inputs(data.X)
        for t, W, b in zip((2 * data.y - 1).T, views["W"], views["b"], strict=True):
            yield Patterns(t[:, None] * inputs, model.n_units, offset=b[:, None] * t), W


Committee.capabilities = {HiddenLayer: Units, BinaryMachines: Committees}
