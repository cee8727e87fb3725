"""Multi-layer perceptrons: `FlatMLPClassifier` and `FlatMLPRegressor`."""

from ._networks import FlatMLPClassifier, FlatMLPRegressor

__all__ = [
    "FlatMLPClassifier",
    "FlatMLPRegressor",
]
