"""Matrices with missing entries: `FlatMatrixFactorization` and `FlatMatrixImputer`."""

from ._factorization import FlatMatrixFactorization
from ._imputer import FlatMatrixImputer

__all__ = [
    "FlatMatrixFactorization",
    "FlatMatrixImputer",
]
