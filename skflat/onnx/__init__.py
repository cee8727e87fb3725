"""Converters of fitted estimators to ONNX, for skl2onnx."""

from ._register import register

__all__ = ["register"]
