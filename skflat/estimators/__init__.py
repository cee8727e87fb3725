"""The estimators that users construct, and the fit pipeline that they share."""

__all__ = []
