"""Multi-layer perceptrons, with hand-written derivatives."""

from ._activations import Identity, ReLU
from ._mlp import MLP

__all__ = [
    "MLP",
    "Identity",
    "ReLU",
]
