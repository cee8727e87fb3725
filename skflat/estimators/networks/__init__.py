"""Multi-layer perceptrons, and the same with a search for radius and penalty."""

from ._networks import FlatMLPClassifier, FlatMLPRegressor
from ._networks_cv import FlatMLPClassifierCV, FlatMLPRegressorCV

__all__ = [
    "FlatMLPClassifier",
    "FlatMLPClassifierCV",
    "FlatMLPRegressor",
    "FlatMLPRegressorCV",
]
