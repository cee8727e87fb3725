"""One solver, then a second one that starts where the first ended."""

import math
from dataclasses import replace
from numbers import Real

import numpy as np

from .._compat import Interval
from ._sam import SAM
from ._solver import Rule, Solver, State
from ._stages import Onward, Stage


class Chain(Rule):
    """One solver, then a second one that starts where the first ended. By default SAM comes last.

    Late SAM was proposed by Zhou and others (arXiv:2410.10373): a few epochs of SAM after SGD reach
    nearly the flatness of SAM throughout. The second stage has an optimizer of its own, so momentum
    restarts at the switch. It may also have its own radius and learning rate. A schedule continues
    across the switch.

    Each stage reads ``rho`` in its own way, and ignores it if it has no use for it. At radius 0 a
    stage is its base optimizer; it still gets a new state at the switch. ``"auto"`` means every
    stage's own default.

    Parameters
    ----------
    first : str or Solver, default='sgd'
        Name of a solver, or a solver.
    second : str or Solver, default=None
        None is `SAM` with the base optimizer of the first stage.
    switch : float, default=0.75
        Share of the ``max_iter`` epochs before the second stage. If training would stop earlier,
        the second stage begins at that point.
    rho : float, default=None
        Radius of the second stage. None means the estimator's.
    learning_rate_init : float, default=None
        Learning rate of the second stage. None means the estimator's.

    Notes
    -----
    A step costs what it costs in its stage. Convergence is that of the second stage. If a parameter
    of a stage is a share of ``max_iter``, it is taken as a share of the epochs planned for that
    stage. Methods with a loop of their own, such as ``"lbfgs"``, cannot be stages. The paper
    switches at 0.875 to 0.94.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SAM, Chain
    >>> FlatMLPClassifier(solver=Chain("adam", SAM(interval=2), switch=0.9)).solver
    Chain(first='adam', second=SAM(interval=2), switch=0.9)
    """

    _parameter_constraints: dict = {
        "first": [str, Solver],
        "second": [str, Solver, None],
        "switch": [Interval(Real, 0, 1, closed="both")],
        "rho": [Interval(Real, 0, None, closed="left"), None],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, first="sgd", second=None, *, switch=0.75, rho=None, learning_rate_init=None):
        self.first = first
        self.second = second
        self.switch = switch
        self.rho = rho
        self.learning_rate_init = learning_rate_init

    @property
    def default_rho(self):
        """The common default of the stages that read this ``rho``; NaN if they differ."""
        return _common({rule.default_rho for rule in self._readers()})

    def auto_rho(self, objective):
        return _common({rule.auto_rho(objective) for rule in self._readers()}) or 0.0

    def check(self, objective):
        for rule in self._stages():
            rule.check(objective)

    def structure(self):
        return type(self), *(rule.structure() for rule in self._stages())

    def delegate(self):
        first, second = self._stages()
        plain = Chain(**self.get_params(deep=False))
        plain.first = _at_radius_0(self.first, first)
        if self.rho is None:
            plain.second = _at_radius_0(self.second, second)
        return plain

    def init_state(self, objective, w, settings, rng):
        # Build the second stage once, so that it rejects a bad problem now and not at the switch.
        self._begin(1, objective, w, State(settings, None, np.random.default_rng(0), None))
        state = State(settings, None, rng, None)
        state.memory = self._begin(0, objective, w, state)
        state.base = Onward(state.memory.state.base, "Going on to the second stage.")
        return state

    def adopt(self, objective, w, state, settings):
        state.settings, stage = settings, state.memory
        stage.adopt(*self._planned(stage.position, settings), objective, w, state)
        if stage.position == 0:
            state.base.base = stage.state.base
        else:
            state.base = stage.state.base

    def resume(self, w, state):
        state.memory.rule.resume(w, state.memory.running(state))

    def leap(self, w, state):
        state.memory.rule.leap(w, state.memory.running(state))

    def step(self, objective, w, batch, state):
        first = state.memory.position == 0
        if first and state.base.is_over(state.epoch, self.switch, state.settings):
            w[:] = self.finalize(w, state)
            state.memory = self._begin(1, objective, w, state)
            state.base = state.memory.state.base
            # The new base optimizer starts in the middle of training. Bring its schedule to the
            # present epoch and step.
            state.base.end_epoch(objective.n_rows * state.epoch)
            state.base.begin_step(*state.place)
        return state.memory.rule.step(objective, w, batch, state.memory.running(state))

    def finalize(self, w, state):
        return state.memory.rule.finalize(w, state.memory.running(state))

    def _stages(self):
        first = _as_rule(self.first, "first")
        late_sam = SAM(getattr(first, "base", "sgd"))
        return first, late_sam if self.second is None else _as_rule(self.second, "second")

    def _readers(self):
        """The stages that read the estimator's ``rho``."""
        stages = self._stages()[: 1 if self.rho is not None else 2]
        return [rule for rule in stages if rule.default_rho is not None]

    def _begin(self, position, objective, w, state):
        """A stage before its first step."""
        return Stage.begin(position, *self._planned(position, state.settings), objective, w, state)

    def _planned(self, position, settings):
        """The rule of a stage and its numbers."""
        early = math.ceil(self.switch * settings.max_iter)
        # Each stage plans its schedule for its own share of the epochs.
        own = {"max_iter": max(1, settings.max_iter - early if position else early)}
        if position == 1:
            given = {"rho": self.rho, "learning_rate_init": self.learning_rate_init}
            own |= {name: number for name, number in given.items() if number is not None}
        return self._stages()[position], replace(settings, **own)


def _common(radii):
    """The only element of a set. An empty set gives None, and several elements give NaN."""
    return math.nan if len(radii) > 1 else next(iter(radii), None)


def _as_rule(solver, position):
    """The rule given, by name or as an object."""
    from . import SOLVERS

    if isinstance(solver, str) and solver not in SOLVERS:
        raise ValueError(
            f"The '{position}' parameter of Chain must be a solver or one of {sorted(SOLVERS)}, "
            f"got {solver!r}."
        )
    solver = SOLVERS[solver]() if isinstance(solver, str) else solver
    solver._validate_params()
    if not isinstance(solver, Rule):
        raise ValueError(
            f"The '{position}' parameter of Chain must be a rule of the shared loop, and "
            f"{type(solver).__name__} has a loop of its own."
        )
    if isinstance(solver, Chain):
        raise ValueError(f"The '{position}' parameter of Chain must not be a Chain itself.")
    return solver


def _at_radius_0(given, rule):
    """The solver that replaces a stage at radius 0.

    It is given by name if it has one, so that equal chains have equal parameters.
    """
    from . import SOLVERS

    plain = rule.delegate()
    names = {found: name for name, found in SOLVERS.items() if not plain.get_params()}
    return given if plain is rule else names.get(type(plain), plain)
