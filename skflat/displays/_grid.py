"""Losses and errors on a grid around a network, or on the line between two."""

import numpy as np


def around(n_points, span):
    """Symmetric steps with an exact 0 in the middle, odd in number, shape (>= n_points,)."""
    half = n_points // 2
    # ``linspace`` may round its middle to a number other than 0.
    return span * (np.arange(-half, half + 1) / half)


def through_both(n_points):
    """Steps from -1/4 to 5/4 that contain an exact 0 and an exact 1, shape (>= n_points,)."""
    # With a spacing of 1 / (4 sixth) the points meet both ends, 0 and 1.
    sixth = -(-(n_points - 1) // 6)
    return np.arange(-sixth, 5 * sixth + 1) / (4 * sixth)


def on_grid(objective, w, directions, steps):
    """Mean loss and mean error at ``w``, displaced by all steps along all directions.

    Returns
    -------
    ndarray of shape (2, n_steps) or (2, n_steps, n_steps)
        With two directions the last axis belongs to the first direction.
    """
    first, *rest = directions
    if not rest:
        return _along(objective, w, first, steps)
    # A Python float does not turn an array of single precision into one of double precision.
    rows = [_along(objective, w + step * rest[0], first, steps) for step in steps.tolist()]
    return np.stack(rows, axis=1)


def between(objective, one, two, steps):
    """Mean loss and mean error at ``one + step * (two - one)``, shape (2, n_steps).

    Every point is computed from the nearer end, so both ends are exact.
    """
    nearer = steps <= 0.5
    from_one = _along(objective, one, two - one, steps[nearer])
    from_two = _along(objective, two, two - one, steps[~nearer] - 1)
    return np.concatenate([from_one, from_two], axis=1)


def _along(objective, w, direction, steps):
    with np.errstate(over="ignore", invalid="ignore"):  # far out the loss may be infinite
        return objective.along(w, [direction], steps.tolist())[:, 0]
