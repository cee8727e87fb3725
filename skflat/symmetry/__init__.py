"""Changes of the parameters that keep the function, and what gradient flow keeps."""

from ..models.factorization import balance, balancing_flow, conserved
from ._conserved import conserved_quantities
from ._drift import Drift, conservation_drift
from ._flatten import flatten
from ._flow import flattening_flow
from ._rescale import rescale
from ._sharpen import sharpen
from ._teleport import teleport

__all__ = [
    "Drift",
    "balance",
    "balancing_flow",
    "conservation_drift",
    "conserved",
    "conserved_quantities",
    "flatten",
    "flattening_flow",
    "rescale",
    "sharpen",
    "teleport",
]
