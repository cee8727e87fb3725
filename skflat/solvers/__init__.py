"""The ways to a flat minimum, and the plain ones, behind one registry.

A new solver is one new file and one line here.
"""

from ._base import Rule, Solver, State, minimize, spawn_generator
from ._gradient import SGD, Adam
from ._lbfgs import LBFGS
from ._run import History, Run
from ._sam import ASAM, SAM
from ._settings import Settings

#: Name to class: what an estimator's ``solver`` may be.
SOLVERS = {
    "adam": Adam,
    "asam": ASAM,
    "lbfgs": LBFGS,
    "sam": SAM,
    "sgd": SGD,
}

__all__ = [
    "ASAM",
    "LBFGS",
    "SAM",
    "SGD",
    "SOLVERS",
    "Adam",
    "History",
    "Rule",
    "Run",
    "Settings",
    "Solver",
    "State",
    "minimize",
    "spawn_generator",
]
