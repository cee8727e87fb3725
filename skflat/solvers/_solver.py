"""What a solver is: a rule in the shared loop, or a method with a loop of its own."""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from sklearn.base import BaseEstimator

from ..objective import require
from ._loop import run_epochs
from ._run import Run
from ._settings import Settings
from ._steps import EVERYTHING, STEPS


@dataclass
class State:
    """What a rule carries from step to step; it survives ``partial_fit`` and pickling.

    Attributes
    ----------
    settings : Settings
    base : SGDStep or AdamStep
        The base optimizer, with its moments.
    rng : numpy.random.Generator
        The solver's own noise.
    memory : SimpleNamespace
        What the rule itself remembers.
    step, epoch : int
        Steps and whole epochs taken so far.
    place : tuple of two int
        Where a schedule is: the step at hand, and all steps of ``max_iter`` such epochs.
    work : Workspace or None
        Scratch memory of the running loop; None between two loops.
    """

    settings: Settings
    base: object
    rng: np.random.Generator
    memory: SimpleNamespace
    step: int = 0
    epoch: int = 0
    place: tuple = (0, 1)
    work: object = None

    def scratch(self, name, w):
        """An uninitialised vector like ``w``, the same one whenever the name is asked for."""
        return self.work.array(name, w.shape, w.dtype)


class Solver(BaseEstimator):
    """Base of all solvers. Its parameters are structural; numbers are the estimator's."""

    #: What ``rho="auto"`` means; None where the solver has no use for ``rho``.
    default_rho = None
    #: Whether that number is meant for features and targets of size 1, and goes by theirs.
    auto_goes_by_size = True
    #: The largest radius that a search tries, in units of what ``rho="auto"`` is.
    reach = 32.0
    #: Whether it passes over batches, so that ``partial_fit`` and callbacks make sense.
    stochastic = True
    #: Types of `Capability` that it needs of an objective.
    requires: tuple = ()
    _parameter_constraints: dict = {}

    def check(self, objective):
        """Refuse an objective that lacks what the solver needs.

        Raises
        ------
        NotDefinedError
            That says what is missing and which models have it.
        """
        for kind in self.requires:
            require(objective, kind, type(self).__name__)

    @property
    def early_stops(self):
        """Whether it scores validation rows as it goes, so that early stopping makes sense."""
        return self.stochastic

    def auto_rho(self, objective):
        """What ``rho="auto"`` is on this objective: the default, in its unit of radius."""
        if self.default_rho is None or not self.auto_goes_by_size:
            return self.default_rho or 0.0
        return self.default_rho * getattr(objective, "unit_radius", 1.0)

    def delegate(self):
        """The base solver that stands in for this one at ``rho = 0``."""
        return self

    def structure(self):
        """What must stay the same for training to go on from a state, by `Rule.adopt`."""
        return (type(self),)

    def init_state(self, objective, w, settings, rng):
        """The state before the first step, or None for a method that has none."""
        return None

    def solve(self, w, state, run):
        """Minimise ``run.objective`` from ``w``, in place where it can; return the end."""
        raise NotImplementedError


class Rule(Solver):
    """A solver that answers which direction to follow; the shared loop does the rest.

    A subclass says which base optimizer takes the step by its attribute ``base``. The direction
    is the gradient of the batch unless it says otherwise. What `init_state` makes of a parameter
    of the rule, `adopt` makes anew, or else `structure` names the parameter.
    """

    def structure(self):
        return type(self), getattr(self, "base", None)

    def init_state(self, objective, w, settings, rng):
        base = STEPS[self.base](settings, w, decayed(objective))
        return State(settings, base, rng, SimpleNamespace())

    def adopt(self, objective, w, state, settings):
        """Go on from a state of a rule of the same structure, by other numbers.

        Those of the estimator are in ``settings``, the rule has its own.
        """
        state.settings = settings
        state.base.adopt(settings)

    def direction(self, objective, w, batch, state):
        """The loss at ``w`` on the batch, and the direction to step against.

        The direction may be overwritten by whoever asked for it.
        """
        return objective.loss_gradient(w, batch, state.scratch("direction", w), state.work)

    def step(self, objective, w, batch, state):
        """Move ``w``, in place, by one batch; return the loss before the step.

        Does not move where that loss is not finite. A rule that keeps more than one point
        overrides this.
        """
        loss, direction = self.direction(objective, w, batch, state)
        if math.isfinite(loss):
            state.base.step(w, direction)
        return loss

    def resume(self, w, state):
        """Take note of where the loop begins: ``w`` may have been moved since it last ended."""

    def finalize(self, w, state):
        """The parameters to return when the loop has ended at ``w``."""
        return w

    def solve(self, w, state, run):
        return run_epochs(self, w, state, run)


def decayed(objective):
    """The parts of the flat vector that ``weight_decay`` shrinks: those with an L2 penalty."""
    return tuple(getattr(objective, "penalized", EVERYTHING))


def minimize(solver, objective, w, settings=None, random_state=0, max_epochs=None):
    """Run a solver on any objective, without an estimator.

    Returns
    -------
    w : ndarray
        Where it ended; the ``w`` given is left alone.
    run : Run
        With the ``history`` and, in ``work.rows``, the rows differentiated.
    """
    settings = Settings() if settings is None else settings
    solver = solver.delegate() if settings.rho == 0 else solver
    solver.check(objective)
    random_state = np.random.RandomState(random_state)
    run = Run(objective, settings, random_state, max_epochs=max_epochs)
    w = np.array(w, copy=True)
    state = solver.init_state(objective, w, settings, spawn_generator(random_state))
    return solver.solve(w, state, run), run


def spawn_generator(random_state):
    """A generator for the solver's noise, seeded without drawing from ``random_state``.

    Initialisation, split and batch order are then the same for every solver.
    """
    twin = np.random.RandomState()
    twin.set_state(random_state.get_state())
    return np.random.default_rng(twin.randint(2**32, size=4, dtype=np.uint32))
