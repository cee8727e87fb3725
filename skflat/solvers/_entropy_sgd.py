"""Entropy-SGD: gradient descent on the local entropy, by an inner loop of Langevin steps."""

import math
from numbers import Integral, Real

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices
from ._gradient import Based
from ._replicated_sgd import draw_batch

#: For every byte, its eight bits as signs. One random byte then gives eight random signs.
EIGHT_SIGNS = 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1) - 1


class EntropySGD(Based):
    """Entropy-SGD (Chaudhari and others, arXiv:1611.01838).

    From ``x`` the solver takes ``n_inner`` Langevin steps on the loss plus
    ``gamma / 2 |x' - x|^2``, each on a new batch. Their average is ``m``. Then the base optimizer
    follows ``(x - m) / r``, where ``r`` is the rate of the inner steps at the start. ``gamma`` is
    ``1 / rho^2`` at first and grows by the factor ``1 + scoping`` with every step.

    ``rho`` is the width of the neighbourhood over which ``m`` is the mean. Useful values are 0.1 to
    100. ``"auto"`` is 100, which is the published ``gamma`` of 1e-4.

    Inner steps and base optimizer share the rate ``learning_rate_init``. So a step without momentum
    takes ``x`` to ``m``. The value 0.1 corresponds to the published pair of rates, 0.1 inside and 1
    outside. Useful values are smaller than those of gradient descent, by about a factor of ten on
    raw targets, because momentum carries ``x`` beyond ``m``. An explicit step is only stable if its
    rate times ``gamma`` is small, so the inner rate is at most ``1 / gamma``. As ``1 / gamma``
    falls, the steps become smaller, as published. Schedules apply to the base optimizer only.

    A step costs ``n_inner`` gradients. Compare solvers at an equal number of gradients, not epochs.

    The solver converges to stationary points of the local entropy. On a quadratic with curvature
    ``a``, ``gamma (x - m)`` tends to ``a gamma / (a + gamma) x``. So the effective curvature of a
    narrow valley is at most ``gamma``.

    Parameters
    ----------
    base : {'sgd', 'adam'}, default='sgd'
        The optimizer that takes the outer step; its numbers are the estimator's.
    n_inner : int, default=20
        Number of inner steps.
    inner_rate : float, default=None
        Rate of the inner steps. None is ``learning_rate_init``.
    inner_momentum : float, default=0.9
        Nesterov momentum of the inner steps. It restarts with every inner loop.
    averaging : float, default=0.75
        Weight of the past in the running mean ``m``, which starts at ``x``.
    scoping : float, default=1e-3
        Growth of ``gamma`` per step.
    noise : float, default=1e-4
        Square root of the temperature. At 1 the inner steps sample the distribution whose entropy
        is meant. At the published value they hardly leave the minimum of the loss plus the
        quadratic term. The noise should be well below ``rho``.

    Notes
    -----
    Consider ``rho`` tending to 0, without noise. The direction then tends to the gradient, averaged
    over the batches, times ``1 - averaging^L + (1 - averaging) inner_momentum averaging^(L - 1)``
    for ``L`` inner steps. By default this factor is 0.9978. All defaults are the published ones,
    but here the quadratic term is part of the momentum. The authors' code leaves it out of the
    momentum, and so weights the loss by ``1 / (1 - inner_momentum)``, which is ten.

    The noise of an inner step is a random sign for every parameter. For steps of finite length,
    signs sample as well as normal numbers (the simplified weak Euler scheme of Kloeden and Platen,
    section 14.1). Drawing normal numbers took a third of the time.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import EntropySGD
    >>> FlatMLPClassifier(solver=EntropySGD(n_inner=5), learning_rate_init=0.1).solver
    EntropySGD(n_inner=5)
    """

    default_rho = 100.0
    reach = 1.0  # at a larger radius the coupling has no visible effect
    auto_goes_by_size = False  # with the default the coupling is weak at first on any data
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "n_inner": [Interval(Integral, 1, None, closed="left")],
        "inner_rate": [Interval(Real, 0, None, closed="neither"), None],
        "inner_momentum": [Interval(Real, 0, 1, closed="left")],
        "averaging": [Interval(Real, 0, 1, closed="left")],
        "scoping": [Interval(Real, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        base="sgd",
        *,
        n_inner=20,
        inner_rate=None,
        inner_momentum=0.9,
        averaging=0.75,
        scoping=1e-3,
        noise=1e-4,
    ):
        self.base = base
        self.n_inner = n_inner
        self.inner_rate = inner_rate
        self.inner_momentum = inner_momentum
        self.averaging = averaging
        self.scoping = scoping
        self.noise = noise

    def direction(self, objective, w, batch, state):
        mean, away, pull, point, gradient = vectors = [
            state.scratch(name, w) for name in ("direction", "away", "pull", "point", "gradient")
        ]
        mean[:], away[:], pull[:], point[:] = 0, 0, 0, w
        # The computation uses ``1 / gamma`` and never ``gamma``, which overflows for a tiny ``rho``
        # or after many steps.
        n_rows, square = len(batch), max(state.settings.rho**2, 1e-30)
        width = square * (1 + self.scoping) ** -state.step  # 1 / gamma
        rate = self.inner_rate or state.settings.learning_rate_init
        # ``rate <= 1 / gamma`` keeps the explicit step stable. The division below uses the rate at
        # the start (``usual``), so that steps become smaller as ``gamma`` grows.
        usual, rate = min(rate, square), min(rate, width)
        share = rate / width if width > 0 else 1.0  # rate * gamma, at most 1
        loss, _ = objective.loss_gradient(w, batch, gradient, state.work)
        self._move(w, vectors, rate, share, state)
        for _ in range(self.n_inner - 1):
            batch = draw_batch(objective, n_rows, state)
            inner, _ = objective.loss_gradient(point, batch, gradient, state.work)
            if not math.isfinite(inner):
                return inner, mean
            self._move(w, vectors, rate, share, state)
        # ``_move`` sums ``away`` without the factor ``1 - averaging``. This line applies it once,
        # with the sign of ``x - m``.
        mean *= (self.averaging - 1) / usual
        return loss, mean

    def _move(self, w, vectors, rate, share, state):
        """One inner step. ``away`` is ``x' - x``, ``pull`` the momentum times the velocity."""
        mean, away, pull, point, gradient = vectors
        # A Langevin step at temperature ``noise^2`` has noise of variance ``2 rate noise^2``.
        noise = self.noise and _signs(w, self.noise * math.sqrt(2 * rate), state)
        for block in cache_slices(w):
            here, move, there = away[block], gradient[block], point[block]
            # ``there`` is scratch until the last line. ``move`` becomes ``rate`` times the gradient
            # of the loss plus ``gamma / 2 |x' - x|^2``.
            move *= rate
            move += np.multiply(here, share, out=there)
            # Nesterov: ``v <- momentum v + move``, then ``x' <- x' - move - momentum v``.
            pull[block] += move
            pull[block] *= self.inner_momentum
            here -= move
            here -= pull[block]
            if self.noise > 0:
                here += noise[block][: len(here)]
            mean[block] *= self.averaging
            mean[block] += here
            np.add(w[block], here, out=there)


def _signs(w, size, state):
    """A random sign of the given size for every parameter, and up to eight more."""
    # A table look-up of whole bytes is several times faster than one draw per parameter.
    octets = np.frombuffer(state.rng.bytes(len(w) // 8 + 1), np.uint8)
    out = state.work.array("eight signs", (len(octets), 8), w.dtype)
    signs = (size * EIGHT_SIGNS).astype(w.dtype)
    return signs.take(octets, axis=0, out=out, mode="clip").reshape(-1)
