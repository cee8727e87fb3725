"""Odd units: each can change its sign."""

from ..._symmetry import Symmetry


class Signs(Symmetry):
    """Signs of tanh units and of all with ``f(-z) = -f(z)``: isometries, like permutations.

    Nothing else keeps the function of a network of tanh units without superfluous ones, so no
    point of the orbit is flatter than another.

    Parameters
    ----------
    model : MLP
    """

    group = "signs of hidden units"
