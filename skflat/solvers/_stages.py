"""What rules of several stages share: the end of the first, and the state of the running one."""

import math
from dataclasses import dataclass, replace

from ._solver import Rule, State


@dataclass
class Stage:
    """One of several rules in turn, its state, and how far all training was when it began."""

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
        """Go on by other numbers; where another rule is to run, that one begins."""
        before, (self.rule, settings) = self.rule, _resolved(rule, settings, objective)
        if self.rule.structure() == before.structure():
            self.rule.adopt(objective, w, self.state, settings)
        else:
            self.state = self.rule.init_state(objective, w, settings, whole.rng)

    def running(self, whole):
        """The stage's state, by its own count of epochs and steps."""
        self.state.work = whole.work
        self.state.epoch, self.state.step = whole.epoch - self.epoch, whole.step - self.step
        return self.state


def _resolved(rule, settings, objective):
    """The rule that runs and its numbers: at radius 0 a base optimizer, NaN is the rule's own."""
    if math.isnan(settings.rho):
        settings = replace(settings, rho=rule.auto_rho(objective))
    return (rule.delegate() if settings.rho == 0 else rule), settings


class Onward:
    """A base optimizer of which a plateau ends the stage and not the training."""

    def __init__(self, base, announcement):
        self.base, self.announcement = base, announcement
        self.ended, self.sets_rate = False, False

    def is_over(self, epoch, share, settings):
        """Whether the stage has had its share of the epochs, or its plateau."""
        self.ended = self.ended or epoch >= share * settings.max_iter
        return self.ended

    def adopt(self, settings):
        """The base optimizer's."""
        self.sets_rate = False
        self.base.adopt(settings)

    def set_rate(self, rate):
        """Take the steps to come at this rate."""
        self.sets_rate = True
        self.base.settings = replace(self.base.settings, learning_rate_init=rate)
        self.base.learning_rate = rate

    @property
    def planned(self):
        """Whether the base optimizer's schedule is."""
        return self.base.planned

    def begin_step(self, step, n_steps):
        """The base optimizer's schedule, unless somebody else sets the rate."""
        if not self.sets_rate:
            self.base.begin_step(step, n_steps)

    def step(self, w, direction):
        """The base optimizer's step."""
        self.base.step(w, direction)

    def end_epoch(self, n_rows_seen):
        """The base optimizer's schedule."""
        self.base.end_epoch(n_rows_seen)

    def on_plateau(self):
        """Go on to the next stage where the base optimizer would stop."""
        if self.ended and self.sets_rate:
            return True, "Stopping."  # whoever sets the rate would only undo a lower one
        stop, consequence = self.base.on_plateau()
        if self.ended or not stop:
            return stop, consequence
        self.ended = True
        return False, self.announcement
