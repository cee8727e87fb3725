"""The estimators that users construct, and the bases of estimators of one's own model."""

from .supervised import FlatModelClassifier, FlatModelRegressor

__all__ = [
    "FlatModelClassifier",
    "FlatModelRegressor",
]
