"""Experiments of several fits: solvers, choices among starts, sizes of a model, and measures."""

from ._checkpoint import Checkpoint
from ._compare import SolverComparison, compare_solvers
from ._emergence import Emergence, emergence
from ._fits import standard_error
from ._select import Selection, select, select_weakest
from ._thresholds import Threshold
from .generalization import GeneralizationStudy, predicts_generalization

__all__ = [
    "Checkpoint",
    "Emergence",
    "GeneralizationStudy",
    "Selection",
    "SolverComparison",
    "Threshold",
    "compare_solvers",
    "emergence",
    "predicts_generalization",
    "select",
    "select_weakest",
    "standard_error",
]
