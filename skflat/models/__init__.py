"""The models: functions of one flat parameter vector."""

__all__ = []

from ._symmetry import Flattest

__all__ = ["Flattest"]
