"""Changes of parameters that keep the function, what flows conserve, ways between solutions."""

from ..models.factorization import balance, balance_eigenvalue, balancing_flow, conserved
from ._barrier import Barrier, barrier
from ._bend import Bend, bend
from ._conserved import conserved_quantities
from ._drift import Drift, conservation_drift
from ._flatten import flatten
from ._flow import flattening_flow
from ._matching import match_units
from ._rescale import rescale
from ._sharpen import sharpen
from ._star import Star, star
from ._teleport import teleport

__all__ = [
    "Barrier",
    "Bend",
    "Drift",
    "Star",
    "balance",
    "balance_eigenvalue",
    "balancing_flow",
    "barrier",
    "bend",
    "conservation_drift",
    "conserved",
    "conserved_quantities",
    "flatten",
    "flattening_flow",
    "match_units",
    "rescale",
    "sharpen",
    "star",
    "teleport",
]
