"""Multi-layer perceptrons, with hand-written derivatives."""

from ._activations import ACTIVATIONS, Identity, ReLU
from ._mlp import MLP

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "Identity",
    "ReLU",
]
