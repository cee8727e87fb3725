"""Networks that say how sure they are: ensembles, and Laplace's approximation."""

from ._ensemble import FlatMLPEnsembleClassifier, FlatMLPEnsembleRegressor
from ._laplace import LaplaceClassifier, LaplaceRegressor, laplace

__all__ = [
    "FlatMLPEnsembleClassifier",
    "FlatMLPEnsembleRegressor",
    "LaplaceClassifier",
    "LaplaceRegressor",
    "laplace",
]
