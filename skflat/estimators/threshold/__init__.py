"""Threshold units: perceptrons with weights in {-1, +1} or on the sphere, and committees."""

from ._committee import FlatCommitteeClassifier
from ._perceptron import FlatPerceptronClassifier
from ._spherical_perceptron import FlatSphericalPerceptronClassifier

__all__ = [
    "FlatCommitteeClassifier",
    "FlatPerceptronClassifier",
    "FlatSphericalPerceptronClassifier",
]
