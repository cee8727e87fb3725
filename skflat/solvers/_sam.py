"""Sharpness-aware minimisation, and its adaptive variant."""

import math
from numbers import Integral, Real

import numpy as np

from .._compat import Interval, StrOptions
from ..models import blocks
from ._gradient import Based


class SAM(Based):
    """Sharpness-aware minimisation (Foret and others, arXiv:2010.01412).

    From ``w`` it climbs to ``w + rho g / |g|``, with ``g`` the gradient of the batch and the
    norm taken over all parameters, and steps from ``w`` against the gradient found there.
    ``rho`` is the radius of the climb; useful values are 0.01 to 0.5, under label noise
    more; ``"auto"`` is the published 0.05.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    adaptive : bool, default=False
        Climb in the norm that weighs every parameter by its own size, see `ASAM`.
    normalize : bool, default=True
        False climbs to ``w + rho g``, the unnormalised variant, which ceases to flatten
        once the gradient vanishes.
    m : int, default=None
        Rows of the micro-batches that a batch is cut into: each climbs by its own gradient,
        and the gradients found are averaged. None is the whole batch. With small ``m`` the
        trace of the Hessian is what is kept small, with the whole batch its largest
        eigenvalue (arXiv:2211.05729).
    interval : int, default=1
        Climb on every ``interval``-th step only. The part of the gradient found that is
        orthogonal to the plain one is kept and, rescaled to the plain gradient at hand,
        used again on the steps between, which so cost one gradient (LookSAM,
        arXiv:2203.02714).
    reuse : float, default=0.7
        Weight of that kept part; 0 takes plain steps between. Only used if ``interval > 1``. The
        part is taken at the size of the gradient whatever ``rho`` is.
    start : float, default=0.0
        Share of the ``max_iter`` epochs trained plainly before the climbing begins. Late in
        training a few epochs of it reach nearly the flatness of all of them
        (arXiv:2410.10373).
    ascent_steps : int, default=1
        Steps of ``rho / ascent_steps`` that make up the climb, each along the gradient where
        the last one ended.

    Notes
    -----
    A step costs ``1 + ascent_steps`` gradients, one before ``start`` and between
    ``interval``. Full-batch SAM does not settle: on a quadratic with curvature ``lam`` it
    ends in a cycle of radius ``rate rho lam / (2 - rate lam)``. Where the gradient is exactly
    zero there is no direction to climb in, and the step is plain. At ``rho=0`` the estimator
    runs the base optimizer itself.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SAM
    >>> clf = FlatMLPClassifier(solver=SAM(base="sgd", m=32), rho=0.1)
    >>> clf.set_params(solver__interval=5).solver
    SAM(base='sgd', interval=5, m=32)
    """

    default_rho = 0.05
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "adaptive": ["boolean"],
        "normalize": ["boolean"],
        "m": [Interval(Integral, 1, None, closed="left"), None],
        "interval": [Interval(Integral, 1, None, closed="left")],
        "reuse": [Interval(Real, 0, None, closed="left")],
        "start": [Interval(Real, 0, 1, closed="both")],
        "ascent_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        base="adam",
        *,
        adaptive=False,
        normalize=True,
        m=None,
        interval=1,
        reuse=0.7,
        start=0.0,
        ascent_steps=1,
    ):
        self.base = base
        self.adaptive = adaptive
        self.normalize = normalize
        self.m = m
        self.interval = interval
        self.reuse = reuse
        self.start = start
        self.ascent_steps = ascent_steps

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory.n_flat_steps = 0
        state.memory.kept = np.zeros_like(w) if self.interval > 1 else None
        return state

    def direction(self, objective, w, batch, state):
        memory, out = state.memory, state.scratch("direction", w)
        if state.epoch < self.start * state.settings.max_iter:
            return objective.loss_gradient(w, batch, out, state.work)
        turn = memory.n_flat_steps % self.interval
        memory.n_flat_steps += 1
        if turn > 0:
            loss, _ = objective.loss_gradient(w, batch, out, state.work)
            self._reuse(memory.kept, out)
            return loss, out
        if self.interval > 1:
            state.scratch("plain", w)[:] = 0
        loss = self._averaged(objective, w, batch, state, out)
        if self.interval > 1:
            _split_off(state.scratch("plain", w), out, memory.kept)
        return loss, out

    def _averaged(self, objective, w, batch, state, out):
        """The mean over the micro-batches of what each finds at the top of its climb."""
        if self.m is None or self.m >= len(batch):
            return self._climb(objective, w, batch, state, out)
        loss, total, piece = 0.0, batch.total_weight, state.scratch("piece", w)
        out[:] = 0
        for rows in batch.pieces(self.m):
            share = rows.total_weight / total if total > 0 else 0.0
            loss += share * self._climb(objective, w, rows, state, piece, share)
            piece *= share
            out += piece
        return loss

    def _climb(self, objective, w, batch, state, out, share=1.0):
        """The loss at ``w``; the gradient at the top of the climb is written to ``out``."""
        loss, _ = objective.loss_gradient(w, batch, out, state.work)
        if self.interval > 1:
            plain = state.scratch("plain", w)
            plain += share * out
        foot, point = w, state.scratch("point", w)
        for _ in range(self.ascent_steps):
            if not self._ascend(state.settings.rho, w, foot, out, point):
                break
            foot = point
            objective.loss_gradient(foot, batch, out, state.work)
        return loss

    def _ascend(self, rho, w, foot, gradient, point):
        """Write ``foot`` plus one step of the climb into ``point``, unless it is flat there.

        Overwrites the gradient if it climbs. The adaptive norm's ``T g`` is ``|w| g``, whose size
        is that of ``w g``, and ``T^2 g`` is ``w^2 g``.
        """
        tilted = gradient * w if self.adaptive else gradient
        size = math.sqrt(float(tilted @ tilted))
        if size == 0:
            return False
        if self.adaptive:
            np.multiply(tilted, w, out=gradient)
        length = rho / self.ascent_steps / (size if self.normalize else 1.0)
        for block in blocks(w):
            step = gradient[block]
            step *= length
            np.add(foot[block], step, out=point[block])
        return True

    def _reuse(self, kept, out):
        """Add the part kept, at the size of the gradient at hand, to that gradient."""
        kept_size = math.sqrt(float(kept @ kept))
        if kept_size > 0:
            size = math.sqrt(float(out @ out))
            out += (self.reuse * size / kept_size) * kept


def _split_off(plain, found, kept):
    """Write the part of the gradient found that is orthogonal to the plain one to ``kept``."""
    square = float(plain @ plain)
    along = float(found @ plain) / square if square > 0 else 0.0
    np.subtract(found, along * plain, out=kept)


class ASAM(SAM):
    """Adaptive sharpness-aware minimisation (Kwon and others, arXiv:2102.11600).

    `SAM` in the norm ``|T_w^-1 e|`` with ``T_w = |w|`` for **every** parameter, intercepts
    included: it climbs to ``w + rho T_w^2 g / |T_w g|``. What it minimises so does not change
    when the layers of a relu network are rescaled against each other, and for the same reason
    it cannot tell apart minima that differ by such a rescaling only. (The paper leaves the
    intercepts out and adds 0.01 to ``|w|``, either of which breaks the invariance.)

    ``rho`` is the radius in that norm; useful values are 0.1 to 2, under label noise more;
    ``"auto"`` is the published 0.5. A step costs what it costs in `SAM`.

    Parameters
    ----------
    base, normalize, m, interval, reuse, start, ascent_steps
        As in `SAM`.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import ASAM
    >>> FlatMLPClassifier(solver=ASAM(base="sgd"), rho=1.0).solver
    ASAM(base='sgd')
    """

    default_rho = 0.5

    def __init__(
        self,
        base="adam",
        *,
        normalize=True,
        m=None,
        interval=1,
        reuse=0.7,
        start=0.0,
        ascent_steps=1,
    ):
        super().__init__(
            base,
            normalize=normalize,
            m=m,
            interval=interval,
            reuse=reuse,
            start=start,
            ascent_steps=ascent_steps,
        )
        self.adaptive = True
