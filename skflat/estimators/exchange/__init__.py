"""Fitted estimators for those who do not have skflat."""

from ._replace import to_sklearn

__all__ = ["to_sklearn"]
