"""Losses of numbers whose curvature depends on the target: absolute, Huber, pinball, gamma.

At a kink the derivative is 0, which is a subgradient of all of them. Their second derivative there
is that beside the kink.
"""

from abc import abstractmethod

import autograd.numpy as anp
import numpy as np
from scipy.optimize import minimize_scalar

from ._contracts import RegressionLoss
from ._losses import HalfPoisson, HalfSquared


class _OfTarget(RegressionLoss):
    """A sum over the outputs of a function of score and target, with its first two derivatives."""

    in_units_of_target = True
    predicts_mean = False

    @abstractmethod
    def slope(self, P, y):
        """First derivative in the score, from predictions."""

    @abstractmethod
    def bend(self, P, y):
        """Second derivative in the score, from predictions."""

    @abstractmethod
    def best_constant(self, y, weight):
        """The constant prediction with the least mean loss, of every output."""

    def predict(self, F):
        return F

    def link(self, P):
        return P

    def residual(self, P, y):
        P[...] = self.slope(P, y)
        return P

    def hvp(self, P, R, y):
        return self.bend(P, y) * R

    def as_reported(self, P, y):
        return self.per_sample(self.link(P), y) / P.shape[1]

    def errors(self, F, y):
        return np.mean(np.abs(self.predict(F.copy()) - y), axis=1)

    def constant_loss(self, batch):
        best = np.atleast_1d(self.best_constant(batch.y, batch.weight)).astype(float)
        return batch.mean(self.per_sample(self.link(best)[None], batch.y))


class Pinball(_OfTarget):
    """``quantile (y - F)`` where that is positive, else ``(quantile - 1) (y - F)``.

    Its minimum is the quantile of the target given the inputs (Koenker and Bassett, 1978). Where
    the prediction equals the target, the derivative is 0.

    Parameters
    ----------
    quantile : float, default=0.5
        In (0, 1).
    """

    def __init__(self, quantile=0.5):
        self.quantile = float(quantile)

    def per_sample(self, F, y):
        # The derivative of ``sign`` is 0, and it is 0 at 0.
        gap = y - F
        tilt = self.quantile - 0.5
        return anp.sum(gap * (0.5 * anp.sign(gap) + tilt * anp.sign(gap) ** 2), axis=1)

    def slope(self, P, y):
        above = np.sign(y - P)
        return -(0.5 * above + (self.quantile - 0.5) * above**2)

    def bend(self, P, y):
        return np.zeros_like(P)

    def best_constant(self, y, weight):
        return np.quantile(y, self.quantile, axis=0, weights=weight, method="inverted_cdf")


class Absolute(Pinball):
    """``|y - F|``, whose minimum is the median; where they are equal, the derivative is 0."""

    def __init__(self):
        super().__init__(0.5)

    def per_sample(self, F, y):
        return 2 * super().per_sample(F, y)

    def slope(self, P, y):
        return np.sign(P - y)


class Huber(_OfTarget):
    """Half the squared error up to ``delta``, and linear beyond (Huber, 1964).

    Its derivative has no kink. The second derivative jumps from 1 to 0 at ``|y - F| = delta``, and
    there it is 1.

    Parameters
    ----------
    delta : float, default=1.0
        Where the loss becomes linear, in the unit of the target.
    """

    def __init__(self, delta=1.0):
        self.delta = float(delta)

    def per_sample(self, F, y):
        gap = F - y
        beyond = gap - anp.clip(gap, -self.delta, self.delta)
        return anp.sum(0.5 * (gap**2 - beyond**2), axis=1)

    def slope(self, P, y):
        return np.clip(P - y, -self.delta, self.delta)

    def bend(self, P, y):
        return (np.abs(P - y) <= self.delta).astype(P.dtype)

    def best_constant(self, y, weight):
        return [_least(self, column, weight) for column in np.asarray(y, float).T]


class HalfGamma(_OfTarget):
    """Half the gamma deviance with a log link; targets are positive."""

    in_units_of_target = False
    predicts_mean = True

    def check_targets(self, y):
        if y.min() <= 0:
            raise ValueError(f"y must be positive for the gamma loss, got {y.min()}.")

    def per_sample(self, F, y):
        return anp.sum(F - np.log(y) + y * anp.exp(-F) - 1, axis=1)

    def predict(self, F):
        return np.exp(F, out=F)

    def link(self, P):
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(P, 0))

    def noisy(self, y, rho, rng, n_outputs):
        """Targets ``rho`` more or less, with equal odds, if they stay positive."""
        noisy = super().noisy(y, rho, rng, n_outputs)
        return np.where(noisy > 0, noisy, y)

    def slope(self, P, y):
        return 1 - y / P

    def bend(self, P, y):
        return y / P

    def best_constant(self, y, weight):
        return np.average(y, axis=0, weights=weight)


def _least(loss, y, weight):
    """Where the mean of a convex loss of one output is least."""
    weight = np.ones(len(y)) if weight is None else weight
    if y.min() == y.max():
        return y[0]

    def mean(constant):
        return weight @ loss.per_sample(np.full((len(y), 1), constant), y[:, None])

    return minimize_scalar(mean, bounds=(y.min(), y.max()), options={"xatol": 1e-10}).x


#: Losses of numbers by name.
REGRESSION_LOSSES = {
    "absolute_error": Absolute,
    "gamma": HalfGamma,
    "huber": Huber,
    "pinball": Pinball,
    "poisson": HalfPoisson,
    "squared_error": HalfSquared,
}


def regression_loss(name, quantile=0.5, delta=1.0):
    """The loss of that name: ``quantile`` is for ``'pinball'`` and ``delta`` for ``'huber'``.

    Parameters
    ----------
    name : str
        A key of ``REGRESSION_LOSSES``.
    quantile : float, default=0.5
    delta : float, default=1.0

    Returns
    -------
    RegressionLoss
    """
    numbers = {"pinball": (quantile,), "huber": (delta,)}.get(name, ())
    return REGRESSION_LOSSES[name](*numbers)
