"""Brackets of the least values of many linear functions over one band, by a few large products."""

import numpy as np

# A goal that has not settled after so many rounds costs less by an interior-point method.
MAX_ITER, CHECK_EVERY = 200, 10
# Length of a step, in widths of the band, and over-relaxation.
STEP, RELAXATION = 0.5, 1.6
# How many times itself a point may be before that is as good as endless.
FAR = 1e100


class Brackets:
    """What the least ``goal @ x`` over ``low <= rows @ x <= high`` lies between, for many goals.

    The alternating direction method of multipliers (Boyd et al., 2011): ``x`` minimises the
    augmented Lagrangian, for which there is no system to solve because the columns are
    orthogonal, and ``z`` is what the band leaves of ``rows @ x``. In every round the point that
    ``x`` is when shrunk into the band is feasible and the multipliers are dual feasible, so both
    ends of a bracket are certain; more rounds make it narrower.

    Parameters
    ----------
    goals : ndarray of shape (n_goals, n_features)
        None of them 0.
    rows : ndarray of shape (n_rows, n_features)
        With orthogonal columns, none of them 0.
    low, high : ndarray of shape (n_rows,)
        Below and above 0; may be infinite.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_goals,)
        The upper end is attained.
    """

    def __init__(self, goals, rows, low, high):
        self.lower, self.upper = np.full(len(goals), -np.inf), np.full(len(goals), np.inf)
        self.rows, self.low, self.high = rows, low[:, None], high[:, None]
        self.squares = np.square(rows).sum(axis=0)[:, None]
        self.held = np.isfinite(low) & np.isfinite(high)
        if not self.held.all():
            self.inverse = np.linalg.pinv(rows[self.held].T @ rows[self.held], hermitian=True)
        width = np.median(np.minimum(high, -low))
        self.goals = goals.T
        self.penalty = np.linalg.norm(goals, axis=1) / (STEP * width * len(rows))
        self.z = self.u = np.zeros((len(rows), len(goals)))
        self.open = np.arange(len(goals))

    def narrow(self, is_settled):
        """Round after round, until ``is_settled(lower, upper)`` of all goals, or the rounds end."""
        for iteration in range(1, MAX_ITER + 1):
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
        """Go on with these of the goals."""
        self.open, self.penalty = self.open[stays], self.penalty[stays]
        self.goals, self.z, self.u = (a[:, stays] for a in (self.goals, self.z, self.u))

    def _record(self, x, values):
        """What the round tells of the ends."""
        lower, upper = self._certain(values), self._reach(values) * (self.goals * x).sum(axis=0)
        self.lower[self.open] = np.maximum(self.lower[self.open], lower)
        self.upper[self.open] = np.minimum(self.upper[self.open], upper)

    def _reach(self, values):
        """How many times itself ``x`` is when it meets the band."""
        bound = np.where(values > 0, self.high, self.low)
        return np.min(bound / values, axis=0, initial=FAR, where=values != 0)

    def _certain(self, values):
        """The least values that the multipliers leave possible."""
        y = self.penalty * (values - self.z + self.u)
        possible = True
        if not self.held.all():
            # None may pull at a bound that is not there; the rows with two make up for it.
            y = np.where(np.isinf(np.where(y > 0, self.high, self.low)), 0.0, y)
            y[self.held] -= self.rows[self.held] @ (self.inverse @ (self.rows.T @ y + self.goals))
            slack = np.abs(self.rows.T @ y + self.goals).max(axis=0)
            possible = slack <= 1e-9 * np.abs(self.goals).max(axis=0)
        against = np.multiply(y, np.where(y > 0, self.high, self.low), where=y != 0, out=0 * y)
        return np.where(possible, -against.sum(axis=0), -np.inf)
