"""Searches by flips of single weights: descents and annealing."""

from ._flip_descent import FlipDescent, hebbian
from ._joint_descent import joint_descent, n_wrong
from ._replicated_annealing import ReplicatedAnnealing

__all__ = ["FlipDescent", "ReplicatedAnnealing", "hebbian", "joint_descent", "n_wrong"]
