"""How far the running optimizer may step: its rates, and the curvature at which it is unstable."""

import numpy as np


def step_sizes(state, solver, n_parameters):
    """The rate of every parameter, and the limit of its product with the curvature.

    Parameters
    ----------
    state : object
        The solver's state, after a step.
    solver : type
        The solver's class, for errors.
    n_parameters : int

    Returns
    -------
    sizes : ndarray of shape (n_parameters,)
    limit : float

    Raises
    ------
    TypeError
        If the solver has no rule of steps.
    """
    base = getattr(state, "base", None)
    while hasattr(base, "base"):  # stages of training are wrapped around their optimizer
        base = base.base
    if not hasattr(base, "scaled"):
        raise TypeError(
            f"{solver.__name__} has no step sizes: its steps are not proportional to a gradient."
        )
    ones = np.ones(n_parameters)
    return base.scaled(ones, np.empty_like(ones)), _limit(base)


def _limit(base):
    """Where steps on a quadratic cease to shrink: an eigenvalue of the recursion reaches -1.

    Without momentum that is at ``rate * curvature = 2``.
    """
    settings = base.settings
    if hasattr(base, "_square"):  # running moments: Adam
        return 2 * (1 + settings.beta_1) / (1 - settings.beta_1)
    heavy_ball = 2 * (1 + settings.momentum)
    return heavy_ball / (1 + 2 * settings.momentum if settings.nesterovs_momentum else 1)
