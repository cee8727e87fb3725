"""Multi-layer perceptrons, and the same with a search for radius and penalty."""

from ._exchange import as_sklearn
from ._fit import BaseFlatMLP
from ._networks import FlatMLPClassifier, FlatMLPRegressor
from ._networks_cv import FlatMLPClassifierCV, FlatMLPRegressorCV

__all__ = [
    "BaseFlatMLP",
    "FlatMLPClassifier",
    "FlatMLPClassifierCV",
    "FlatMLPRegressor",
    "FlatMLPRegressorCV",
    "as_sklearn",
]
