"""How much a measure may compute, counted beforehand from shapes and never by a clock."""

import numpy as np


class Budget:
    """Multiplications that may still be spent.

    Counts, unlike seconds, are the same on every machine and in every run, so a measure that is
    cut short is cut short at the same place.

    Parameters
    ----------
    amount : float
        May be infinite.

    Attributes
    ----------
    left : float
    cut_short : bool
        Whether something was not done for its cost.
    """

    def __init__(self, amount=np.inf):
        self.left, self.cut_short = float(amount), False

    def spend(self, cost):
        """Whether there is enough left for this; if so, it is taken away."""
        if cost > self.left or cost == np.inf:
            self.cut_short = True
            return False
        self.left -= cost
        return True


def least_squares_cost(n_rows, n_columns):
    """Multiplications of non-negative least squares by active sets, about.

    Each of its steps multiplies the whole matrix once and updates a triangular factor.
    """
    return 4.0 * n_rows * n_columns * min(n_rows, n_columns)


def factorization_cost(n_rows, n_columns):
    """Multiplications that an orthogonal basis of some columns takes, about."""
    least = min(n_rows, n_columns)
    return (3.0 * n_rows + 8.0 * least) * n_columns * least
