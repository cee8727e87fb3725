"""Sharpness-aware minimisation, and its adaptive variant."""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np

from .._compat import Interval, StrOptions
from ._climb import RADII, add_kept, climb, orthogonal_part
from ._gradient import Based


class SAM(Based):
    """Sharpness-aware minimisation (Foret and others, arXiv:2010.01412).

    A step first ascends from ``w`` to ``w + rho g / |g|``. Here ``g`` is the gradient of the batch,
    and the norm is over all parameters. Then it steps from ``w`` against the gradient at that
    point. ``rho`` is the radius of the ascent. Useful values are 0.01 to 0.5, and more under label
    noise. ``"auto"`` is the published 0.05.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    adaptive : bool, default=False
        Whether to use the norm that scales every parameter by its own size, see `ASAM`.
    normalize : bool, default=True
        False ascends to ``w + rho g``, the unnormalised variant. It no longer flattens when the
        gradient vanishes.
    radius : {'constant', 'graph', 'rise'}, default='constant'
        Length of the ascent. ``'constant'`` is ``rho``. ``'graph'`` is ``rho / sqrt(1 + |g|^2)``:
        the ascent has the length ``rho`` on the graph of the loss (Monge SAM, arXiv:2502.08448).
        ``'rise'`` is ``min(rise / |g|, rho)``: to first order the loss rises by at most ``rise``
        (arXiv:2605.10183). The last two depend on the unit of the loss. Only used if ``normalize``.
    rise : float, default=0.1
        The rise of the loss for ``radius="rise"``, and only used there. The default is ours.
    m : int, default=None
        Rows of a micro-batch. The batch is cut into micro-batches, each ascends along its own
        gradient, and the gradients found are averaged. None uses the whole batch. Small ``m`` keeps
        the trace of the Hessian small. The whole batch keeps its largest eigenvalue small
        (arXiv:2211.05729).
    interval : int, default=1
        The ascent takes place in every ``interval``-th step only. The solver keeps the part of the
        gradient found that is orthogonal to the plain gradient. Each step in between costs one
        gradient and adds this part, rescaled to the size of the present gradient (LookSAM,
        arXiv:2203.02714).
    reuse : float, default=0.7
        Weight of that kept part. At 0 the steps in between are plain. Only used if
        ``interval > 1``. The kept part has the size of the gradient, whatever ``rho`` is.
    start : float, default=0.0
        Share of the ``max_iter`` epochs with plain steps before SAM begins. A few epochs of SAM
        late in training reach nearly the flatness of SAM throughout (arXiv:2410.10373).
    ascent_steps : int, default=1
        Number of steps of the ascent, each of length ``rho / ascent_steps``. Each step follows the
        gradient at the end of the last one.

    Notes
    -----
    A step costs ``1 + ascent_steps`` gradients. Before ``start`` and between two ascents of
    ``interval`` it costs one. Full-batch SAM does not settle: on a quadratic with curvature ``lam``
    it ends in a cycle of radius ``rate rho lam / (2 - rate lam)``. If the gradient is exactly zero,
    there is no direction of ascent, and the step is plain. At ``rho=0`` the estimator runs the base
    optimizer itself.

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
        "radius": [StrOptions(set(RADII))],
        "rise": [Interval(Real, 0, None, closed="neither")],
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
        radius="constant",
        rise=0.1,
        m=None,
        interval=1,
        reuse=0.7,
        start=0.0,
        ascent_steps=1,
    ):
        self.base = base
        self.adaptive = adaptive
        self.normalize = normalize
        self.radius = radius
        self.rise = rise
        self.m = m
        self.interval = interval
        self.reuse = reuse
        self.start = start
        self.ascent_steps = ascent_steps

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        state.memory = self._memory(w)
        return state

    def adopt(self, objective, w, state, settings):
        super().adopt(objective, w, state, settings)
        if (self.interval > 1) != (state.memory.kept is not None):
            state.memory = self._memory(w)

    def _memory(self, w):
        """Steps with the rule so far, and the part of the last ascent that later steps use."""
        return SimpleNamespace(n_flat_steps=0, kept=np.zeros_like(w) if self.interval > 1 else None)

    def direction(self, objective, w, batch, state):
        memory, out = state.memory, state.scratch("direction", w)
        if state.epoch < self.start * state.settings.max_iter:
            return super().direction(objective, w, batch, state)
        turn = memory.n_flat_steps % self.interval
        memory.n_flat_steps += 1
        if turn > 0:
            loss, _ = super().direction(objective, w, batch, state)
            add_kept(memory.kept, self.reuse, out)
            return loss, out
        plain = state.scratch("plain", w) if self.interval > 1 else None
        loss = self._averaged(objective, w, batch, state, out, plain)
        if self.interval > 1:
            orthogonal_part(out, plain, out=memory.kept)
        return loss, out

    def _averaged(self, objective, w, batch, state, out, plain):
        """Average the gradients that the micro-batches find at the ends of their ascents."""
        how = {name: getattr(self, name) for name in ("adaptive", "normalize", "radius", "rise")}
        how["n_steps"] = self.ascent_steps
        if self.m is None or self.m >= len(batch):
            return climb(objective, w, batch, state, out, plain, **how)
        # ``climb`` overwrites its buffers, so the sums need memory of their own.
        loss, means = 0.0, [out] if plain is None else [out, plain]
        pieces = [state.scratch(f"piece {k}", w) for k in range(len(means))]
        for mean in means:
            mean[:] = 0
        for share, rows in batch.shares(self.m):
            loss += share * climb(objective, w, rows, state, *pieces, **how)
            for mean, piece in zip(means, pieces, strict=True):
                piece *= share
                mean += piece
        return loss


class ASAM(SAM):
    """Adaptive sharpness-aware minimisation (Kwon and others, arXiv:2102.11600).

    This is `SAM` in the norm ``|T_w^-1 e|`` with ``T_w = |w|`` for **every** parameter, intercepts
    included. The ascent goes to ``w + rho T_w^2 g / |T_w g|``. So the minimised quantity does not
    change if the layers of a relu network are rescaled against each other. For the same reason ASAM
    cannot distinguish minima that differ only by such a rescaling. (The paper leaves the intercepts
    out and adds 0.01 to ``|w|``. Each of the two breaks the invariance.)

    ``rho`` is the radius in that norm. Useful values are 0.1 to 2, and more under label noise.
    ``"auto"`` is the published 0.5. A step costs what it costs in `SAM`.

    Parameters
    ----------
    base, normalize, radius, rise, m, interval, reuse, start, ascent_steps
        As in `SAM`.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import ASAM
    >>> FlatMLPClassifier(solver=ASAM(base="sgd"), rho=1.0).solver
    ASAM(base='sgd')
    """

    default_rho = 0.5
    reach = 16.0

    def __init__(
        self,
        base="adam",
        *,
        normalize=True,
        radius="constant",
        rise=0.1,
        m=None,
        interval=1,
        reuse=0.7,
        start=0.0,
        ascent_steps=1,
    ):
        super().__init__(
            base,
            normalize=normalize,
            radius=radius,
            rise=rise,
            m=m,
            interval=interval,
            reuse=reuse,
            start=start,
            ascent_steps=ascent_steps,
        )
        self.adaptive = True
