"""Models that a user wrote as one function."""

from ._checks import check_function
from ._function_model import FunctionModel
from ._linear import linear, linear_features, linear_shapes
from ._start import start

__all__ = [
    "FunctionModel",
    "check_function",
    "linear",
    "linear_features",
    "linear_shapes",
    "start",
]
