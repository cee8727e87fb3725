"""Factorizations of matrices, with their closed forms."""

from ._balance import balance, balancing_flow, conserved
from ._factorization import Factorization

__all__ = [
    "Factorization",
    "balance",
    "balancing_flow",
    "conserved",
]
