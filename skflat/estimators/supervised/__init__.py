"""The bases of estimators of classes and of numbers, for any model."""

from ._classifier import FlatModelClassifier
from ._documentation import FUNCTION_LOSS, LOSS, MEASURED, RECORD, TRAINING
from ._fit import DEFAULTS, FlatModel
from ._regressor import FlatModelRegressor

__all__ = [
    "DEFAULTS",
    "FUNCTION_LOSS",
    "LOSS",
    "MEASURED",
    "RECORD",
    "TRAINING",
    "FlatModel",
    "FlatModelClassifier",
    "FlatModelRegressor",
]
