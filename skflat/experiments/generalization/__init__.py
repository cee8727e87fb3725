"""Which measures of a network predict its score on unseen rows."""

from ._predicts import predicts_generalization
from ._study import GeneralizationStudy

__all__ = ["GeneralizationStudy", "predicts_generalization"]
