"""Factorizations of matrices, with their closed forms."""

from ._factorization import Factorization

__all__ = [
    "Factorization",
]
