"""How much the learned function leaves open."""

from ._extension import extension_size, sampled_extension_size
from ._version_space import WeaknessBound, weakness_bound
from ._weakness import Weakness, weakness

__all__ = [
    "Weakness",
    "WeaknessBound",
    "extension_size",
    "sampled_extension_size",
    "weakness",
    "weakness_bound",
]
