"""Multi-layer perceptrons, with hand-written derivatives."""

from ._activations import ACTIVATIONS, Identity, ReLU, as_activation
from ._mlp import MLP
from .symmetries import LinearMaps, PositiveScaling, ScaledEntries, balanced

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "Identity",
    "LinearMaps",
    "PositiveScaling",
    "ReLU",
    "ScaledEntries",
    "as_activation",
    "balanced",
]
