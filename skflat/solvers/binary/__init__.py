"""Solvers for weights in {-1, +1}, in one registry.

A new solver is one new file and one line here.
"""

from ...objective import at_home
from ._amp import AMP
from ._auto import Auto
from ._binary_solver import BinarySolver, Found, OnlineSolver
from ._focusing_amp import FocusingAMP
from ._focusing_bp import FocusingBP
from ._max_sum import MaxSum
from ._mean_field import MeanField
from ._replicated_sgd import BinaryReplicatedSGD
from ._sbpi import SBPI
from ._ste import STE
from .flips import ReplicatedAnnealing, joint_descent, n_wrong

#: From the names in ``solver`` of classifiers with weights in {-1, +1} to classes.
BINARY_SOLVERS = {
    "amp": AMP,
    "focusing_amp": FocusingAMP,
    "focusing_bp": FocusingBP,
    "max_sum": MaxSum,
    "mean_field": MeanField,
    "replicated_annealing": ReplicatedAnnealing,
    "replicated_sgd": BinaryReplicatedSGD,
    "sbpi": SBPI,
    "ste": STE,
}

__all__ = [
    "AMP",
    "BINARY_SOLVERS",
    "SBPI",
    "STE",
    "Auto",
    "BinaryReplicatedSGD",
    "BinarySolver",
    "FocusingAMP",
    "FocusingBP",
    "Found",
    "MaxSum",
    "MeanField",
    "OnlineSolver",
    "ReplicatedAnnealing",
    "joint_descent",
    "n_wrong",
]

at_home(__name__, globals())
