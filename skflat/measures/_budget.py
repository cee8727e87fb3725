"""How much a measure may compute. Costs are counted in advance from shapes, not with a clock."""

import numpy as np


class Budget:
    """Multiplications that may still be spent.

    Counts, unlike seconds, are the same on every machine and in every run. So a measure that runs
    out of budget stops at the same place everywhere.

    Parameters
    ----------
    amount : float
        May be infinite.

    Attributes
    ----------
    left : float
    cut_short : bool
        Whether some computation was left out because of its cost.
    """

    def __init__(self, amount=np.inf):
        self.left, self.cut_short = float(amount), False

    def spend(self, cost):
        """Subtract the cost if enough is left. Return whether it was."""
        if cost > self.left or cost == np.inf:
            self.cut_short = True
            return False
        self.left -= cost
        return True


def least_squares_cost(n_rows, n_columns):
    """Approximate number of multiplications of non-negative least squares by active sets.

    Each of its steps multiplies the whole matrix once and updates a triangular factor.
    """
    return 4.0 * n_rows * n_columns * min(n_rows, n_columns)


def factorization_cost(n_rows, n_columns):
    """Approximate number of multiplications for an orthogonal basis of some columns."""
    least = min(n_rows, n_columns)
    return (3.0 * n_rows + 8.0 * least) * n_columns * least
