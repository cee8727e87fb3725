"""The gradient of a function of the last hidden layer's pre-activations."""

import numpy as np

from ...objective import transposed_product


def units_gradient(model, function, w, batch, out, work):
    """Value of a function of the pre-activations, and its gradient, written into ``out``.

    It costs one gradient: a forward pass, and a backward pass without the last layer.

    Parameters
    ----------
    model : MLP
        With a hidden layer.
    function : callable
        From pre-activations of shape (n_rows, n_units) and the batch to a value and its slopes, an
        array of that shape.
    w, out : ndarray of shape (n_parameters,)
    batch : Batch
    work : Workspace

    Returns
    -------
    float
    """
    weights, intercepts = model.split(w)
    into_weights, into_intercepts = model.split(out)
    a, z = model._forward(w, batch.X, work)
    top = model.n_layers - 2
    # Some activations have overwritten the pre-activations of this layer.
    value, delta = function(a[top] @ weights[top] + intercepts[top], batch)
    out[:] = 0
    for layer in range(top, -1, -1):
        transposed_product(a[layer], delta, into_weights[layer])
        np.add.reduce(delta, axis=0, out=into_intercepts[layer])
        if layer > 0:
            delta = delta @ weights[layer].T
            model.activation.backward(delta, z[layer - 1], a[layer])
    work.rows += len(batch)
    return value
