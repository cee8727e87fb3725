"""How many numbers a pass of a function leaves for every row, from a trial on a few."""

import numpy as np
from autograd.tracer import Node, trace

from ...objective import ONE_AT_A_TIME


class _Counting(Node):
    """A node of autograd's trace that adds up the sizes of all results."""

    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        self.total = parents[0].total
        self.total[0] += np.size(value) if isinstance(value, np.ndarray) else 0

    def initialize_root(self, total):
        self.total = total


def numbers_of_a_row(model, w, X):
    """Numbers that a forward pass at ``w`` leaves for every row of ``X``, two rows or more."""
    # The difference leaves out what does not grow with the rows, such as the parameters.
    return max(1, _numbers(model, w, X[:2]) - _numbers(model, w, X[:1]))


def _numbers(model, w, X):
    total = [0]
    with ONE_AT_A_TIME:
        root = _Counting.new_root(total)
        trace(root, lambda params: model.forward(params, X), model.layout.views(w))
    return total[0]
