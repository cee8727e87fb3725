"""How much the learned function leaves open."""

from ._extension import extension_size, sampled_extension_size
from ._weakness import Weakness, weakness

__all__ = [
    "Weakness",
    "extension_size",
    "sampled_extension_size",
    "weakness",
]
