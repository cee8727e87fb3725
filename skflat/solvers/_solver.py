"""The bases of all solvers: a rule in the shared loop, or a method with a loop of its own."""

import math
from dataclasses import dataclass
from inspect import signature
from types import SimpleNamespace

import numpy as np
from sklearn.base import BaseEstimator

from ..objective import Documented, require
from ._loop import run_epochs
from ._run import Run
from ._settings import Settings
from ._steps import STEPS


@dataclass
class State:
    """The state of a rule between steps. It survives ``partial_fit`` and pickling.

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
        """An uninitialised vector like ``w``, the same one whenever the name is asked for.

        Parameters
        ----------
        name : str
        w : ndarray

        Returns
        -------
        ndarray
        """
        return self.work.array(name, w.shape, w.dtype)


class Solver(Documented, BaseEstimator):
    """Base of all solvers.

    A solver's parameters choose the method. Numbers that one would tune, such as the learning rate
    and ``rho``, are parameters of the estimator.
    """

    #: The value of ``rho="auto"``. None means that the solver does not use ``rho``.
    default_rho = None
    #: Whether ``default_rho`` is for features and targets of size 1, and is scaled to the data.
    auto_goes_by_size = True
    #: The largest radius that a search tries, in units of the value of ``rho="auto"``.
    reach = 32.0
    #: Whether it passes over batches, so that ``partial_fit`` and callbacks make sense.
    stochastic = True
    #: Types of `Capability` that the solver needs of an objective.
    requires: tuple = ()
    _parameter_constraints: dict = {}

    def __new__(cls, *args, **params):
        if "rho" in params and "rho" not in signature(cls).parameters:
            raise TypeError(
                f"{cls.__name__} has no parameter rho: it is the estimator's, as in "
                f"FlatMLPClassifier(solver={cls.__name__}(), rho={params['rho']!r})."
            )
        return super().__new__(cls)

    def check(self, objective):
        """Raise an error if the objective lacks a capability that the solver needs.

        Parameters
        ----------
        objective : Objective

        Raises
        ------
        NotDefinedError
            If a capability is missing. The message says which one and which models have it.
        """
        for kind in self.requires:
            require(objective, kind, type(self).__name__)

    def n_epochs(self, objective, max_iter):
        """The largest number of epochs that callbacks are told of.

        Parameters
        ----------
        objective : Objective
        max_iter : int
            The estimator's.

        Returns
        -------
        int
        """
        return max_iter

    @property
    def early_stops(self):
        """Whether it scores validation rows during training, so that early stopping makes sense."""
        return self.stochastic

    def auto_rho(self, objective):
        """The value of ``rho="auto"`` on this objective.

        Parameters
        ----------
        objective : Objective

        Returns
        -------
        float
            The solver's default times the objective's unit of radius. It is 0 if the solver does
            not use ``rho``.
        """
        if self.default_rho is None or not self.auto_goes_by_size:
            return self.default_rho or 0.0
        return self.default_rho * objective.unit_radius

    def for_objective(self, objective):
        """The solver that this one stands for on an objective. It is itself unless it chooses.

        Parameters
        ----------
        objective : Objective

        Returns
        -------
        Solver
        """
        return self

    def delegate(self):
        """The solver that runs instead of this one at ``rho = 0``.

        Returns
        -------
        Solver
        """
        return self

    def structure(self):
        """A value that must stay the same if `Rule.adopt` is to continue from a state.

        Returns
        -------
        tuple
        """
        return (type(self),)

    def init_state(self, objective, w, settings, rng):
        """The state before the first step.

        Parameters
        ----------
        objective : Objective
        w : ndarray of shape (n_parameters,)
            Where training starts.
        settings : Settings
        rng : numpy.random.Generator
            The solver's own noise.

        Returns
        -------
        State or None
            None if the method keeps no state.
        """
        return None

    def solve(self, w, state, run):
        """Minimise ``run.objective`` from ``w``.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
            The start. It may be overwritten.
        state : State or None
            What `init_state` returned, or the state after the previous call.
        run : Run
            Objective, settings, random numbers, history and hooks.

        Returns
        -------
        ndarray of shape (n_parameters,)
            Where training ended.
        """
        raise NotImplementedError


class Rule(Solver):
    """A solver that computes a direction for each batch. The shared loop does the rest.

    The attribute ``base`` of a subclass names the base optimizer that takes the step. By default
    the direction is the gradient of the batch. If `init_state` depends on a parameter of the rule,
    then either `adopt` updates the state for a new value, or `structure` contains the parameter.
    """

    def structure(self):
        return type(self), getattr(self, "base", None)

    def init_state(self, objective, w, settings, rng):
        base = STEPS[self.base](settings, w, decayed(objective))
        return State(settings, base, rng, SimpleNamespace())

    def adopt(self, objective, w, state, settings):
        """Continue from the state of a rule of the same structure, with other numbers.

        Parameters
        ----------
        objective : Objective
        w : ndarray of shape (n_parameters,)
        state : State
            Changed in place.
        settings : Settings
            The estimator's numbers. The rule's own parameters are in ``self``.
        """
        state.settings = settings
        state.base.adopt(settings)

    def direction(self, objective, w, batch, state):
        """The loss on a batch, and the direction to step against.

        Parameters
        ----------
        objective : Objective
        w : ndarray of shape (n_parameters,)
        batch : Batch
        state : State

        Returns
        -------
        loss : float
        direction : ndarray of shape (n_parameters,)
            The caller may overwrite it.
        """
        return objective.loss_gradient(w, batch, state.scratch("direction", w), state.work)

    def step(self, objective, w, batch, state):
        """Take one step on a batch and change ``w`` in place.

        If the loss is not finite, ``w`` does not change. A rule that keeps more than one point
        overrides this method.

        Parameters
        ----------
        objective : Objective
        w : ndarray of shape (n_parameters,)
        batch : Batch
        state : State

        Returns
        -------
        float
            The loss before the step.
        """
        loss, direction = self.direction(objective, w, batch, state)
        if math.isfinite(loss):
            state.base.step(w, direction)
        return loss

    def resume(self, w, state):
        """Prepare for a loop that starts at ``w``. It may have changed since the last loop ended.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        state : State
        """

    def leap(self, w, state):
        """Go on from ``w``, another point of the same function.

        What the base optimizer knows of gradients is of the point before, so it begins anew.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        state : State
        """
        state.base.forget()
        self.resume(w, state)

    def finalize(self, w, state):
        """The parameters to return after the loop has ended at ``w``.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        state : State

        Returns
        -------
        ndarray of shape (n_parameters,)
        """
        return w

    def solve(self, w, state, run):
        return run_epochs(self, w, state, run)


def decayed(objective):
    """The parts of the flat vector that ``weight_decay`` shrinks: those with an L2 penalty."""
    return tuple(objective.penalized)


def minimize(solver, objective, w, settings=None, random_state=0, max_epochs=None):
    """Run a solver on any objective, without an estimator.

    Without ``settings`` every number has its default, and ``rho`` the solver's own.

    Parameters
    ----------
    solver : Solver
    objective : Objective
    w : ndarray of shape (n_parameters,)
        Where training starts.
    settings : Settings, default=None
    random_state : int, default=0
        Seed of the order of batches and of the solver's noise.
    max_epochs : int, default=None
        None is ``settings.max_iter``.

    Returns
    -------
    w : ndarray
        Where training ended. The ``w`` given is not changed.
    run : Run
        It has the ``history``. Its ``work.rows`` is the number of rows differentiated.
    """
    settings = Settings(rho="auto") if settings is None else settings
    solver = solver.for_objective(objective)
    if settings.rho == "auto":
        settings = settings.replaced(rho=solver.auto_rho(objective))
    solver = solver.delegate() if settings.rho == 0 else solver
    solver.check(objective)
    random_state = np.random.RandomState(random_state)
    run = Run(objective, settings, random_state, max_epochs=max_epochs)
    w = np.array(w, copy=True)
    state = solver.init_state(objective, w, settings, spawn_generator(random_state))
    return solver.solve(w, state, run), run


def spawn_generator(random_state):
    """A generator for the solver's noise, seeded without drawing from ``random_state``.

    So initialisation, split and batch order are the same for every solver.

    Parameters
    ----------
    random_state : RandomState

    Returns
    -------
    numpy.random.Generator
    """
    # A draw from the original would shift every later batch. The twin has the same state instead.
    twin = np.random.RandomState()
    twin.set_state(random_state.get_state())
    return np.random.default_rng(twin.randint(2**32, size=4, dtype=np.uint32))
