"""Fitted estimators for those who do not have skflat."""

from ._replace import to_sklearn
from ._trusted import trusted_types

__all__ = ["to_sklearn", "trusted_types"]
