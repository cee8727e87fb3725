"""Estimators of a model that is one function of named arrays."""

from ._as_model import as_model
from ._functions import FlatFunctionClassifier, FlatFunctionRegressor
from ._state_dict import from_state_dict

__all__ = [
    "FlatFunctionClassifier",
    "FlatFunctionRegressor",
    "as_model",
    "from_state_dict",
]
