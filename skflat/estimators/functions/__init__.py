"""Estimators of a model that is one function of named arrays."""

from ._functions import FlatFunctionClassifier, FlatFunctionRegressor

__all__ = [
    "FlatFunctionClassifier",
    "FlatFunctionRegressor",
]
