"""Callbacks that measure during a fit."""

from ._change_points import change_points
from ._flatness import FlatnessMonitor
from ._stability import StabilityMonitor
from ._transitions import TransitionMonitor

__all__ = ["FlatnessMonitor", "StabilityMonitor", "TransitionMonitor", "change_points"]
