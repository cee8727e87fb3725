"""Parts of rules with several stages: the end of the first one, the state of the running one."""

import math
from dataclasses import dataclass, replace

from ._solver import Rule, State


@dataclass
class Stage:
    """One of several rules that run in turn, with its state.

    ``epoch`` and ``step`` are the counts of all training at the moment when the stage began.
    """

    position: int
    rule: Rule
    state: State
    epoch: int
    step: int

    @classmethod
    def begin(cls, position, rule, settings, objective, w, whole):
        """The stage before its first step."""
        rule, settings = _resolved(rule, settings, objective)
        state = rule.init_state(objective, w, settings, whole.rng)
        return cls(position, rule, state, whole.epoch, whole.step)

    def adopt(self, rule, settings, objective, w, whole):
        """Continue with other numbers. If another rule is to run, start it with a new state."""
        before, (self.rule, settings) = self.rule, _resolved(rule, settings, objective)
        if self.rule.structure() == before.structure():
            self.rule.adopt(objective, w, self.state, settings)
        else:
            self.state = self.rule.init_state(objective, w, settings, whole.rng)

    def running(self, whole):
        """The stage's state, with epochs and steps counted from the start of the stage."""
        self.state.work = whole.work
        self.state.epoch, self.state.step = whole.epoch - self.epoch, whole.step - self.step
        return self.state


def _resolved(rule, settings, objective):
    """The rule that runs, and its settings.

    At radius 0 the rule is a base optimizer. A radius of NaN means the rule's own default.
    """
    rule = rule.for_objective(objective)
    if math.isnan(settings.rho):
        settings = replace(settings, rho=rule.auto_rho(objective))
    return (rule.delegate() if settings.rho == 0 else rule), settings


class Onward:
    """A base optimizer for which a plateau ends the first stage, and not the training."""

    def __init__(self, base, announcement):
        self.base, self.announcement = base, announcement
        self.ended, self.sets_rate = False, False

    def is_over(self, epoch, share, settings):
        """Whether the stage has run its share of the epochs, or has reached a plateau."""
        self.ended = self.ended or epoch >= share * settings.max_iter
        return self.ended

    def adopt(self, settings):
        """Continue with other numbers, as the base optimizer does."""
        self.sets_rate = False
        self.base.adopt(settings)

    def set_rate(self, rate):
        """Use this rate for all later steps."""
        self.sets_rate = True
        # Schedules that count epochs compute the rate from ``learning_rate_init``, so both change.
        self.base.settings = replace(self.base.settings, learning_rate_init=rate)
        self.base.learning_rate = rate

    @property
    def planned(self):
        """Whether the schedule of the base optimizer is planned."""
        return self.base.planned

    def begin_step(self, step, n_steps):
        """Follow the base optimizer's schedule, unless `set_rate` has set the rate."""
        if not self.sets_rate:
            self.base.begin_step(step, n_steps)

    def forget(self):
        """Forget the base optimizer's moments."""
        self.base.forget()

    def step(self, w, direction):
        """Take the base optimizer's step."""
        self.base.step(w, direction)

    def end_epoch(self, n_rows_seen):
        """Follow the base optimizer's schedule."""
        self.base.end_epoch(n_rows_seen)

    def on_plateau(self):
        """Begin the next stage where the base optimizer would stop."""
        if self.ended and self.sets_rate:
            # A lower rate would not last: the next call of `set_rate` overwrites it.
            return True, "Stopping."
        stop, consequence = self.base.on_plateau()
        if self.ended or not stop:
            return stop, consequence
        self.ended = True
        return False, self.announcement
