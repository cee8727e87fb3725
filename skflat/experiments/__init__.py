"""Experiments of several fits: solvers side by side, sizes of a model, and measures."""

from ._checkpoint import Checkpoint
from ._compare import SolverComparison, compare_solvers
from ._emergence import Emergence, emergence
from ._fits import standard_error
from ._thresholds import Threshold
from .generalization import GeneralizationStudy, predicts_generalization

__all__ = [
    "Checkpoint",
    "Emergence",
    "GeneralizationStudy",
    "SolverComparison",
    "Threshold",
    "compare_solvers",
    "emergence",
    "predicts_generalization",
    "standard_error",
]
