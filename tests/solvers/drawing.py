"""What the tests of random steps share: scripted draws, single directions, and mean ends."""

from unittest.mock import patch

import numpy as np
import pytest

from skflat.models.mlp import MLP
from skflat.objective import PERTURBATIONS, HalfSquared, Objective, Workspace
from skflat.solvers import RSP, SAP, Run, Settings

POINT = np.array([2.0, 0.6])
PLAIN = {"learning_rate_init": 0.02, "momentum": 0.0, "nesterovs_momentum": False}
each_form = pytest.mark.parametrize("centered", [True, False])
each_perturbation = pytest.mark.parametrize("rule", [RSP, SAP])


class Scripted:
    """In the place of a generator: what it draws, one after the other."""

    def __init__(self, sign=0, uniform=0.5):
        self.sign, self.uniform = sign, uniform

    def integers(self, high):
        return self.sign

    def random(self):
        return self.uniform


def scripted(noise, displacements):
    """In the place of a noise: what it draws, one after the other."""
    left = iter(displacements)

    class Drawing(PERTURBATIONS[noise]):
        def draw(self, rng, out=None):
            out[:] = next(left)

    return patch.dict(PERTURBATIONS, {noise: Drawing})


class Tail:
    """Hooks of a run that average where its last epochs end."""

    def __init__(self, n_epochs, n_tail):
        self.n_left, self.n_tail, self.total = n_epochs, n_tail, 0.0

    def begin_epoch(self):
        """Nothing happens before an epoch."""

    def end_epoch(self, w):
        self.n_left -= 1
        if self.n_left < self.n_tail:
            self.total = self.total + w / self.n_tail


def tail_mean(solver, objective, w, n_steps, **settings):
    """Where the last 30 % of some full-batch steps are on average."""
    settings = Settings(n_iter_no_change=np.inf, shuffle=False, **PLAIN | settings)
    hooks, w = Tail(n_steps, int(0.3 * n_steps)), np.array(w, float)
    run = Run(objective, settings, np.random.RandomState(0), hooks=hooks, max_epochs=n_steps)
    state = solver.init_state(objective, w, settings, np.random.default_rng(0))
    solver.solve(w, state, run)
    return hooks.total


def direction(solver, objective, w, rho=0.3, rng=0, batch=None):
    """What a rule follows at ``w``, and its workspace."""
    rng = np.random.default_rng(rng) if isinstance(rng, int) else rng
    state = solver.init_state(objective, w, Settings(rho=rho), rng)
    state.work = Workspace()
    batch = objective.batch() if batch is None else batch
    loss, found = solver.direction(objective, w, batch, state)
    return loss, found.copy(), state.work


def imbalance(w):
    return w[0] ** 2 - w[1] ** 2


def many_rows(n_rows=12, weighted=False, alpha=0.0, dtype=float):
    rng = np.random.default_rng(0)
    inputs, y = rng.normal(size=(n_rows, 3)).astype(dtype), rng.normal(size=(n_rows, 1))
    weight = rng.uniform(0.1, 2, size=n_rows).astype(dtype) if weighted else None
    model = MLP([3, 4, 1], "tanh")
    objective = Objective(model, HalfSquared(), inputs, y.astype(dtype), weight, alpha)
    return objective, rng.normal(size=model.layout.size).astype(dtype)
