"""Focusing approximate message passing."""

from functools import cached_property
from numbers import Integral

import numpy as np

from ..._compat import Interval
from ._amp import Nodes, inverse_mills
from ._binary_solver import signs
from ._focusing_bp import FocusingBP, focusing_field


class FocusingAMP(FocusingBP):
    """Approximate message passing that focuses on dense regions of solutions.

    The replicas of `FocusingBP` act on the equations of `AMP`. These have one message for each row
    and one for each weight, so an iteration costs two products with the matrix of patterns if all
    entries are -1 or +1, and four otherwise. They are exact for many independent features. On
    tables with few or correlated features `FocusingBP` is better, and `AMP` with a temperature.

    Near the capacity the weights often settle while a few rows are still violated. Then the search
    climbs again: it goes back to where three tenths of the variance were left, and on its new way
    each violated row asks for a higher bar until it is satisfied. It does so only if less than one
    per cent of the rows have been violated. So most instances with 10,001 weights at a load of 0.75
    are solved, where a single climb leaves 1 to 6 of 7,501 rows.

    Newton's method moves a free threshold. Violated rows are counted in every tenth iteration, and
    for one product more in every iteration in which the weights settle.

    Parameters
    ----------
    protocol : {'pseudo_reinforcement', 'reinforcement', 'scoping'}
        As in `FocusingBP`.
    step : float, default=0.001
        Smaller is slower and stronger. A climb takes at most ``n_sweeps / step`` iterations.
    power, n_replicas
        As in `FocusingBP`.
    n_sweeps : int, default=1
        Iterations at each value of ``x``.
    damping : float, default=0.0
        Share of the old fields in the new ones.
    n_restarts : int, default=20
        Climbs after the first one. With 0 the protocol runs once, to its end.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import FocusingAMP
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 100, 201)))
    >>> FocusingAMP().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {
        **FocusingBP._parameter_constraints,
        "n_restarts": [Interval(Integral, 0, None, closed="left")],
    }

    max_iter = 1_000_000  # more than all climbs take
    interval = 10
    committees = False
    real_threshold = True
    least_together = 8

    def __init__(
        self,
        protocol="pseudo_reinforcement",
        step=0.001,
        power=0.5,
        n_replicas=7,
        n_sweeps=1,
        damping=0.0,
        n_restarts=20,
    ):
        super().__init__(protocol, step, power, n_replicas, n_sweeps, damping)
        self.n_restarts = n_restarts

    def candidates(self, patterns, rng):
        climbs = _Climbs(self, patterns, rng)
        while not climbs.is_over.all():
            yield climbs.iterate()


INERTIA = 0.5  # share of the old field of the replicas; without it strong fields oscillate

# Shares of the variance that the weights have at first.
CAMP = 0.3  # where another climb begins
SETTLED = 0.02  # from here on violated rows ask for more
HELD = 0.003  # in another climb x waits here, so that rows have the time to ask
FROZEN = 3e-4  # the field of a violated row diverges

# Shares of the rows that are violated.
FEW = 0.01  # so few promise a solution to another climb
LOST = 0.03  # so many after few: the field has diverged

RISE, FORGOTTEN = 0.3, 0.03  # of a row's bar in an iteration, in units of its entries
NOISE = 0.02  # on the fields at the camp, so that no two climbs are the same


class _Climbs:
    """Climbs from ``x = 0`` to 1, of one problem or of several together.

    Arrays have a last axis of length 1 where they have one number a problem.
    """

    def __init__(self, solver, patterns, rng):
        self.solver, self.patterns = solver, patterns
        self.nodes = Nodes(patterns, lambda x: inverse_mills(-x), 1 - solver.damping)
        n, dtype = patterns.shape[1], self.nodes.products.dtype
        a = patterns.repeated((1e-3 * rng.standard_normal(n)).astype(dtype))
        rows, one = np.zeros((*a.shape[:-1], patterns.n_rows), dtype), np.zeros_like(a[..., :1])
        fields = {"field": np.zeros_like(a), "external": np.zeros_like(a)}
        self.now = {"a": a, **fields, "g": rows, "threshold": one, "n_steps": one}
        self.camp = dict(self.now)
        self.bar, self.asked = self.nodes.bar, rows  # what every row asks for above its bar
        self.best, self.least = a, np.full_like(one, np.inf)  # of weights that settle
        self.seed = rng.integers(2**32)  # of the noise
        self.n_climbs, self.n_iter = one, one
        self.had_few = self.has_camp = self.is_over = one.astype(bool)

    @cached_property
    def unit(self):
        """The root mean square of the entries of each row."""
        a = np.zeros_like(self.now["a"])
        return np.sqrt(self.nodes.products.variances(a) / a.shape[-1])

    def iterate(self):
        """One iteration of all problems; return their fields."""
        solver, now, nodes = self.solver, self.now, self.nodes
        coupling, n_replicas = solver._protocol(now["n_steps"] * solver.step)
        nodes.g, nodes.threshold.value = now["g"], now["threshold"]
        nodes.bar = self.bar + self.asked
        field = nodes.field(now["a"])
        if solver.damping:
            field = solver.damping * now["field"] + (1 - solver.damping) * field
        focus = focusing_field(field, coupling, n_replicas)
        external = now["external"] + (1 - INERTIA) * (focus - now["external"])
        total = field + external
        self.now = {
            "a": np.tanh(total),
            "field": field,
            "external": external,
            "g": nodes.g,
            "threshold": nodes.threshold.value,
            "n_steps": now["n_steps"],
        }
        self._go_on(total)
        # The search counts some iterations only, so it gets the best of all that are counted here.
        return np.where(self.had_few, self.best, total) if self.had_few.any() else total

    def _go_on(self, total):
        """Take the next step, begin another climb, or end."""
        a, solver = self.now["a"], self.solver
        left = 1 - np.mean(a * a, axis=-1, keepdims=True)
        n_violated = self._count(total, left < SETTLED)
        self._remember(~self.has_camp & (left < CAMP))
        self.n_iter = self.n_iter + 1
        waits = (self.n_climbs > 0) & (left < HELD) | (self.n_iter % solver.n_sweeps > 0)
        n_steps, n_most = self.now["n_steps"] + ~waits, round(1 / solver.step)
        ends = (n_steps >= n_most) | (self.n_iter >= n_most * solver.n_sweeps)
        self.now["n_steps"] = np.minimum(n_steps, n_most - 1)
        is_lost = (left < FROZEN) | (n_violated > LOST * self.patterns.n_rows)
        ends |= self.had_few & is_lost
        may_climb = self.had_few & ~self.is_over & (self.n_climbs < solver.n_restarts)
        self._climb_again(ends & may_climb)
        self.is_over = self.is_over | ends & ~may_climb | (self.least == 0)

    def _count(self, total, is_settled):
        """The number of violated rows where weights settle, and 0 elsewhere."""
        if not is_settled.any() or self.solver.n_restarts == 0:
            return np.zeros_like(is_settled)
        patterns = self.patterns
        fields = patterns.fields(signs(total))
        n_violated = np.reshape(patterns.n_short(fields), is_settled.shape)
        better = is_settled & (n_violated < self.least)
        self.best = np.where(better, total, self.best)
        self.least = np.where(better, n_violated, self.least)
        has_few = is_settled & (n_violated <= FEW * patterns.n_rows)
        self.had_few = self.had_few | has_few
        self._ask(fields, has_few & (self.n_climbs > 0))
        return np.where(is_settled, n_violated, 0)

    def _ask(self, fields, here):
        """Raise the bars of violated rows in these problems, and lower all others."""
        if here.any():
            leads = np.reshape(fields, self.asked.shape) - self.patterns.bar
            self.nodes.threshold.add_to(leads)
            rise = RISE * self.unit * self.patterns.are_short(leads)
            asked = (1 - FORGOTTEN) * self.asked + rise
            self.asked = np.where(here, asked, self.asked).astype(self.asked.dtype)

    def _remember(self, here):
        """Make a camp of the present state in these problems."""
        if here.any():
            self.camp = {key: np.where(here, self.now[key], self.camp[key]) for key in self.now}
            self.has_camp = self.has_camp | here

    def _climb_again(self, again):
        """Go back to the camp in these problems."""
        if again.any():
            self.now = {key: np.where(again, self.camp[key], self.now[key]) for key in self.now}
            a = self.now["a"]
            # A change of the field by the noise, to first order.
            self.now["a"] = np.where(again, a + (1 - a * a) * self._noise(), a)
            self.asked = np.where(again, 0, self.asked)
            self.n_climbs, self.n_iter = self.n_climbs + again, np.where(again, 0, self.n_iter)

    def _noise(self):
        """Of every problem in its present climb, whatever the others do."""
        a = self.now["a"]
        rngs = (np.random.default_rng([self.seed, int(k)]) for k in np.ravel(self.n_climbs))
        drawn = [rng.standard_normal(a.shape[-1]) for rng in rngs]
        return NOISE * np.reshape(drawn, a.shape).astype(a.dtype)
