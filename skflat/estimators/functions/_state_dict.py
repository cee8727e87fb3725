"""A fully connected PyTorch network as a function, from its weights alone."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...models.mlp import ACTIVATIONS, as_activation

#: PyTorch's names, where they are others.
ALSO_CALLED = {"sigmoid": "logistic"}


class FunctionOfLayers(NamedTuple):
    """What `as_model` takes of a network.

    Attributes
    ----------
    params : dict of str to ndarray
        ``W0``, ``b0``, ``W1`` and so on: weights of shape (n_in, n_out), and intercepts.
    forward : callable
        The network.
    features : callable
        Its last hidden layer, or the inputs.
    """

    params: dict
    forward: object
    features: object


class LinearLayers:
    """Linear layers with activations between them, as a function of named arrays.

    Parameters
    ----------
    activations : sequence of Activation
        One for every hidden layer.
    """

    def __init__(self, activations):
        self.activations = tuple(activations)

    def features(self, params, X):
        """What the last layer reads."""
        for layer, activation in enumerate(self.activations):
            X = activation.traced(_affine(params, layer, X))
        return X

    def __call__(self, params, X):
        return _affine(params, len(self.activations), self.features(params, X))


def from_state_dict(state, activations="relu"):
    """Turn the ``state_dict`` of an ``nn.Sequential`` into a function and its parameters.

    It needs the weights only, and does not import PyTorch.

    Parameters
    ----------
    state : mapping of str to array-like
        Weights and biases of the ``nn.Linear`` layers in their order, by names that end in
        ``weight`` and ``bias``, such as ``"0.weight"``. Tensors in the memory of the CPU will do.
        A layer may have no bias.
    activations : str, callable, or sequence of these, default='relu'
        Between the layers: one for all, or one each. Names are those of `FlatMLPClassifier`, and
        PyTorch's in any case (``'ReLU'``, ``'Sigmoid'``). A callable is written with
        ``autograd.numpy``.

    Returns
    -------
    FunctionOfLayers
        A named tuple ``(params, forward, features)``, for `as_model`.

    Raises
    ------
    ValueError
        If the state has other layers, or their shapes or the activations do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import as_model, from_state_dict
    >>> from skflat.measures import hessian_trace
    >>> rng = np.random.default_rng(0)
    >>> state = {
    ...     "0.weight": rng.normal(size=(5, 3)), "0.bias": np.zeros(5),
    ...     "2.weight": rng.normal(size=(2, 5)), "2.bias": np.zeros(2),
    ... }
    >>> params, forward, features = from_state_dict(state, activations="tanh")
    >>> X, y = rng.normal(size=(20, 3)), np.arange(20) % 2
    >>> model = as_model(params, forward, X, y, features=features)
    >>> hessian_trace(model, X, y).kind
    'exact'
    """
    layers = _layers(state)
    n_hidden = len(layers) - 1
    several = isinstance(activations, (list, tuple))
    chosen = list(activations) if several else [activations] * n_hidden
    if len(chosen) != n_hidden:
        raise ValueError(
            f"activations must be one, or one for each of the {n_hidden} hidden layers; got "
            f"{activations!r}."
        )
    params = {}
    for place, (W, b) in enumerate(layers):
        params[f"W{place}"] = W
        if b is not None:
            params[f"b{place}"] = b
    function = LinearLayers(map(_activation, chosen))
    return FunctionOfLayers(params, function, function.features)


def _affine(params, layer, X):
    F = X @ params[f"W{layer}"]
    intercept = f"b{layer}"
    return F + params[intercept] if intercept in params else F


def _activation(given):
    name = given
    if isinstance(given, str):
        name = ALSO_CALLED.get(given.lower(), given.lower())
    if not callable(name) and name not in ACTIVATIONS:
        raise ValueError(
            f"activations must be among {sorted(ACTIVATIONS)} or callable, got {given!r}."
        )
    return as_activation(name)


def _layers(state):
    """Pairs of weights (n_in, n_out) and intercepts or None, in order."""
    stems = {}
    for name, value in state.items():
        stem, _, kind = name.rpartition(".")
        array = _array(name, value)
        if kind not in ("weight", "bias") or array.ndim != {"weight": 2, "bias": 1}[kind]:
            raise ValueError(
                "state must hold weights and biases of Linear layers only, of two axes and of "
                f"one; got {name!r} of shape {array.shape}."
            )
        stems.setdefault(stem, {})[kind] = array
    layers = []
    for stem, found in stems.items():
        if "weight" not in found or found.get("bias", found["weight"]).shape[0] != len(
            found["weight"]
        ):
            shapes = {kind: array.shape for kind, array in found.items()}
            raise ValueError(f"weight and bias of layer {stem!r} do not fit: {shapes}.")
        layers.append((found["weight"].T, found.get("bias")))
    for (one, _), (other, _) in pairwise(layers):
        if one.shape[1] != other.shape[0]:
            raise ValueError(
                f"A layer of {one.shape[1]} outputs cannot be followed by one of {other.shape[0]} "
                "inputs: state must hold the layers in their order."
            )
    if not layers:
        raise ValueError("state must hold at least one Linear layer, got an empty one.")
    return layers


def _array(name, value):
    try:
        return np.asarray(value).astype(float)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"state[{name!r}] must be an array. Of a tensor elsewhere than in the CPU's memory "
            f"take `tensor.detach().cpu().numpy()`. Got {type(value).__name__}."
        ) from error
