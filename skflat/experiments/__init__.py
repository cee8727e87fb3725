"""Experiments of several fits: solvers side by side, choices among starts, sizes of a model."""

from ._checkpoint import Checkpoint
from ._compare import SolverComparison, compare_solvers
from ._emergence import Emergence, emergence
from ._fits import standard_error
from ._select import Selection, select
from ._thresholds import Threshold

__all__ = [
    "Checkpoint",
    "Emergence",
    "Selection",
    "SolverComparison",
    "Threshold",
    "compare_solvers",
    "emergence",
    "select",
    "standard_error",
]
