"""Changes of the parameters that keep the function, and what gradient flow keeps."""

from ..models.factorization import balance, balancing_flow, conserved
from ._flatten import flatten, flattening_flow
from ._rescale import rescale
from ._sharpen import sharpen
from ._teleport import teleport

__all__ = [
    "balance",
    "balancing_flow",
    "conserved",
    "flatten",
    "flattening_flow",
    "rescale",
    "sharpen",
    "teleport",
]
