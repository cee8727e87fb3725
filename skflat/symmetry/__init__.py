"""Changes of the parameters that keep the function, and what gradient flow keeps."""

from ._balance import balance, balancing_flow, conserved
from ._least_eigenvalue import balance_eigenvalue
from ._rescale import rescale

__all__ = ["balance", "balance_eigenvalue", "balancing_flow", "conserved", "rescale"]
