"""Bounds on the least values of many linear functions over one band, by a few large products."""

import numpy as np

# After so many rounds, an interior-point method is cheaper for the goals that are left.
MAX_ITER, CHECK_EVERY = 200, 10
# Length of a step in widths of the band, and over-relaxation.
STEP, RELAXATION = 0.5, 1.6
# Points stay inside by this share of the way to the edge. A greater distance counts as infinite.
INSIDE, FAR = 0.999, 1e100
# Numbers at a time: one per row and goal.
CHUNK = 1 << 21


class Brackets:
    """Bounds on the least ``goal @ x`` over ``low <= rows @ x <= high``, for many goals.

    The method is the alternating direction method of multipliers (Boyd et al., 2011). ``x``
    minimises the augmented Lagrangian. This needs no system of equations, because the columns are
    orthogonal. ``z`` is ``rows @ x`` clipped to the band. In every round, ``x`` shrunk into the
    band is feasible, and the multipliers are dual feasible. So both bounds are certain, and more
    rounds make them tighter.

    Parameters
    ----------
    goals : ndarray of shape (n_goals, n_features)
    rows : ndarray of shape (n_rows, n_features)
        With orthogonal columns, none of them 0.
    low, high : ndarray of shape (n_rows,)
        Below and above 0; may be infinite.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_goals,)
    points : ndarray of shape (n_goals, n_features)
        Points inside the band at which the upper bounds are attained.
    multipliers : ndarray of shape (n_goals, n_rows)
        Multipliers of the last round. A row that determines the value has a large one.
    """

    def __init__(self, goals, rows, low, high):
        self.lower, self.upper = np.full(len(goals), -np.inf), np.full(len(goals), np.inf)
        self.points, self.multipliers = np.zeros(goals.shape), np.zeros((len(goals), len(rows)))
        self.rows, self.low, self.high = rows, low[:, None], high[:, None]
        self.squares = np.square(rows).sum(axis=0)[:, None]
        self.held = np.isfinite(low) & np.isfinite(high)
        if not self.held.all():
            self.inverse = np.linalg.pinv(rows[self.held].T @ rows[self.held], hermitian=True)
        width = np.median(np.minimum(high, -low))
        self.goals = goals.T
        size = np.maximum(np.linalg.norm(goals, axis=1), np.finfo(float).tiny)
        self.penalty = size / (STEP * width * len(rows))
        self.z = self.u = np.zeros((len(rows), len(goals)))
        self.open = np.arange(len(goals))

    def narrow(self, is_settled, budget):
        """Run rounds until ``is_settled(lower, upper)`` holds for all goals, or rounds run out."""
        for iteration in range(1, MAX_ITER + 1):
            # Two products per round, and about as much again for the elementwise operations.
            cost = 4 * CHECK_EVERY * self.rows.size * len(self.open)
            if iteration % CHECK_EVERY == 1 and not budget.spend(cost):
                return
            x = (self.rows.T @ (self.z - self.u) - self.goals / self.penalty) / self.squares
            values = self.rows @ x
            if iteration % CHECK_EVERY == 0:
                self._record(x, values)
                stays = ~is_settled(self.lower, self.upper)[self.open]
                if not stays.any():
                    return
                values = values[:, stays]
                self._keep(stays)
            mix = RELAXATION * values + (1 - RELAXATION) * self.z
            self.z = np.clip(mix + self.u, self.low, self.high)
            self.u = self.u + mix - self.z

    def _keep(self, stays):
        """Continue with these goals only."""
        self.open, self.penalty = self.open[stays], self.penalty[stays]
        self.goals, self.z, self.u = (a[:, stays] for a in (self.goals, self.z, self.u))

    def _record(self, x, values):
        """Update the bounds after a round."""
        y = self._pulls(self.penalty * (values - self.z + self.u))
        self.multipliers[self.open] = y.T
        self.lower[self.open] = np.maximum(self.lower[self.open], self._dual_value(y))
        reach = self._reach(values)
        points = (INSIDE * reach * x).T
        ends = np.einsum("gd,dg->g", points, self.goals)
        ends[(reach == FAR) & (ends < 0)] = -np.inf
        better = ends < self.upper[self.open]
        self.points[self.open[better]] = points[better]
        self.upper[self.open[better]] = ends[better]

    def _reach(self, values):
        """The factor by which each point can be scaled until it meets the edge of the band."""
        ratios = np.full(values.shape, FAR)
        bound = np.where(values > 0, self.high, self.low)
        np.divide(bound, values, out=ratios, where=np.abs(values) > 1 / FAR)
        return np.minimum(ratios.min(axis=0), FAR)

    def _pulls(self, y):
        """Multipliers that are 0 for infinite bounds. Other rows restore dual feasibility."""
        if self.held.all():
            return y
        y = np.where(np.isinf(np.where(y > 0, self.high, self.low)), 0.0, y)
        y[self.held] -= self.rows[self.held] @ (self.inverse @ (self.rows.T @ y + self.goals))
        return y

    def _dual_value(self, y):
        """The lower bounds from weak duality."""
        slack = np.abs(self.rows.T @ y + self.goals).max(axis=0)
        against = np.multiply(y, np.where(y > 0, self.high, self.low), where=y != 0, out=0 * y)
        sound = slack <= 1e-7 * np.abs(self.goals).max(axis=0)
        return np.where(sound, -against.sum(axis=0), -np.inf)


def in_chunks(n_goals, n_rows):
    """Slices of goals, so short that their values for all rows need little memory."""
    n_together = max(1, CHUNK // n_rows)
    return [slice(k, k + n_together) for k in range(0, n_goals, n_together)]
