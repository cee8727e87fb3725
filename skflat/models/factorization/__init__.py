"""Factorizations of matrices, with what is known of them in closed form."""

from ._balance import balance, balancing_flow, conserved
from ._factorization import Factorization

__all__ = [
    "Factorization",
    "balance",
    "balancing_flow",
    "conserved",
]
