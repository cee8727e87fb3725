"""What keeps a network's function, and its flattest parameters: one file a kind of unit."""

from ._balancing import ScaledEntries, balanced
from ._complements import Complements
from ._linear import LinearMaps
from ._scaling import PositiveScaling
from ._signs import Signs

__all__ = ["Complements", "LinearMaps", "PositiveScaling", "ScaledEntries", "Signs", "balanced"]
