"""Experiments of several fits: solvers side by side, and sizes of a model."""

from ._checkpoint import Checkpoint
from ._compare import SolverComparison, compare_solvers
from ._emergence import Emergence, emergence
from ._fits import standard_error
from ._thresholds import Threshold

__all__ = [
    "Checkpoint",
    "Emergence",
    "SolverComparison",
    "Threshold",
    "compare_solvers",
    "emergence",
    "standard_error",
]
