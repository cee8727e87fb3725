"""Factorizations of matrices, with their closed forms."""

from ._balance import balance, balancing_flow, conserved
from ._drift import DriftingFactorization
from ._factorization import Factorization
from ._features import SideFeatures
from ._implicit import ImplicitFactorization
from ._least_eigenvalue import balance_eigenvalue
from ._order import parts, rows_by_code, sums_by_code, taken_off

__all__ = [
    "DriftingFactorization",
    "Factorization",
    "ImplicitFactorization",
    "SideFeatures",
    "balance",
    "balance_eigenvalue",
    "balancing_flow",
    "conserved",
    "parts",
    "rows_by_code",
    "sums_by_code",
    "taken_off",
]
