"""Factorizations of matrices, with what is known of them in closed form."""

from ._factorization import Factorization

__all__ = [
    "Factorization",
]
