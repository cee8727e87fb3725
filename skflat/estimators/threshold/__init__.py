"""Threshold units: `FlatPerceptronClassifier` and `FlatCommitteeClassifier`."""

from ._committee import FlatCommitteeClassifier
from ._perceptron import FlatPerceptronClassifier

__all__ = [
    "FlatCommitteeClassifier",
    "FlatPerceptronClassifier",
]
