"""Focusing belief propagation."""

from functools import partial
from numbers import Real

import numpy as np

from ..._compat import Interval, StrOptions
from ...models.threshold import BeliefPropagation
from ._binary_solver import COUNT, SHARE, BinarySolver


class FocusingBP(BinarySolver):
    """Belief propagation that focuses on dense regions of solutions.

    Every weight receives an additional message from ``y - 1`` identical replicas of the machine.
    They are coupled to a common centre with the strength ``gamma``. Along the protocol the replicas
    converge to one point, which has many solutions around it (Baldassi and others,
    arXiv:1605.06444).

    An iteration is a sweep over all rows, with a message for every entry of the matrix of patterns.
    It costs as much as 350 to 450 products with the matrix, and memory for the messages. Most of it
    are the logarithms of normal probabilities, so with thousands of weights take `FocusingAMP`,
    which needs two products.

    Parameters
    ----------
    protocol : {'pseudo_reinforcement', 'reinforcement', 'scoping'}
        How ``gamma`` and ``y`` change with ``x = 0, step, 2 step, ...``, below 1.
        ``'reinforcement'``: ``gamma`` is infinite and ``y = 1 / (1 - x)``.
        ``'pseudo_reinforcement'``, the default: ``tanh(gamma) = x^power`` and
        ``y = 1 + x^(1 - 2 power) / (1 - x)``. ``'scoping'``: ``tanh(gamma) = x`` and ``y`` is
        ``n_replicas``.
    step : float, default=0.005
        Smaller is slower and stronger.
    power : float, default=0.5
        Exponent of the pseudo-reinforcement, at most one half.
    n_replicas : float, default=7
        Number of replicas ``y`` for ``'scoping'``.
    n_sweeps : int, default=1
        Sweeps at each value of ``x``.
    damping : float, default=0.5
        Share of the old messages in the new ones. Fully connected committees need damping, and
        perceptrons do not.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import FocusingBP
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 60, 201)))
    >>> FocusingBP(step=0.01).solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {
        "protocol": [StrOptions({"pseudo_reinforcement", "reinforcement", "scoping"})],
        "step": [SHARE],
        "power": [Interval(Real, 0, 0.5, closed="right")],
        "n_replicas": [Interval(Real, 1, None, closed="left")],
        "n_sweeps": [COUNT],
        "damping": [Interval(Real, 0, 1, closed="left")],
    }

    max_iter = 100_000
    committees = together = True
    least_together = 1

    def __init__(
        self,
        protocol="pseudo_reinforcement",
        step=0.005,
        power=0.5,
        n_replicas=7,
        n_sweeps=1,
        damping=0.5,
    ):
        self.protocol = protocol
        self.step = step
        self.power = power
        self.n_replicas = n_replicas
        self.n_sweeps = n_sweeps
        self.damping = damping

    def candidates(self, patterns, rng):
        messages = BeliefPropagation(patterns, rng, spread=0.01 if patterns.n_units == 1 else 0.1)
        for x in np.arange(0, 1 - self.step / 2, self.step):
            coupling, n_replicas = self._protocol(x)
            respond = partial(_respond, coupling=coupling, n_replicas=n_replicas)
            for _ in range(self.n_sweeps):
                messages.sweep(rng, respond, self.damping)
                yield messages.total

    def _protocol(self, x):
        """``tanh(gamma)`` and the number of replicas."""
        if self.protocol == "reinforcement":
            return 1.0, 1 / (1 - x)
        if self.protocol == "scoping":
            return x, self.n_replicas
        return x**self.power, 1 + x ** (1 - 2 * self.power) / (1 - x)


INERTIA = 0.95  # share of the old replica field per block; without it strong fields oscillate


def _respond(messages, coupling, n_replicas):
    """The field of the replicas, moved part of the way to its value for the present messages."""
    field = focusing_field(messages.total - messages.external, coupling, n_replicas)
    return INERTIA * messages.external + (1 - INERTIA) * field


def focusing_field(cavity, coupling, n_replicas):
    """Field that the other replicas put on each weight.

    Parameters
    ----------
    cavity : ndarray
        Field on the weights without it.
    coupling : float
        ``tanh(gamma)`` of the strength ``gamma`` with which replicas are tied to their centre.
    n_replicas : float

    Returns
    -------
    ndarray
    """
    others = n_replicas - 1
    # ``arctanh(tanh(x))`` is x, but for a large x ``tanh`` rounds to 1.
    if np.all(coupling == 1):
        return others * cavity
    centre = np.tanh(others * np.arctanh(np.tanh(cavity) * coupling))
    return np.arctanh(centre * coupling).astype(cavity.dtype, copy=False)
