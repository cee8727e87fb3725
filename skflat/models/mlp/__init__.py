"""Multi-layer perceptrons, with hand-written derivatives."""

from ._activations import ACTIVATIONS, Identity, ReLU, as_activation
from ._mlp import MLP

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "Identity",
    "ReLU",
    "as_activation",
]
