"""Changes of the parameters that keep the function, what gradient flow keeps, and barriers."""

from ..models.factorization import balance, balance_eigenvalue, balancing_flow, conserved
from ._barrier import Barrier, barrier
from ._conserved import conserved_quantities
from ._drift import Drift, conservation_drift
from ._flatten import flatten
from ._flow import flattening_flow
from ._matching import match_units
from ._rescale import rescale
from ._sharpen import sharpen
from ._teleport import teleport

__all__ = [
    "Barrier",
    "Drift",
    "balance",
    "balance_eigenvalue",
    "balancing_flow",
    "barrier",
    "conservation_drift",
    "conserved",
    "conserved_quantities",
    "flatten",
    "flattening_flow",
    "match_units",
    "rescale",
    "sharpen",
    "teleport",
]
