"""Activations of the hidden units by name, with their first two derivatives."""

import autograd.numpy as anp
import numpy as np
from autograd import elementwise_grad
from scipy.special import expit

from ..._parallel import warning_filters
from ...objective import ONE_AT_A_TIME
from ._activation import Activation
from ._gated import GELU, Mish, SiLU
from .symmetries import Complements, LinearMaps, PositiveScaling, Signs

SCALES = (1e-3, 0.3, 7.0, 1e3)  # at which a user's function is tried


class Identity(Activation):
    """``a = z``."""

    piecewise_linear = True
    symmetry = LinearMaps

    def forward(self, z, out):
        return z

    def traced(self, z):
        return z

    def derivative(self, z, a):
        return np.ones_like(a)

    def second_derivative(self, z, a):
        return np.zeros_like(a)

    def backward(self, delta, z, a):
        pass


class ReLU(Activation):
    """``a = max(0, z)``. Its derivative at 0 is 0, as in scikit-learn."""

    piecewise_linear = True
    symmetry = PositiveScaling

    def forward(self, z, out):
        return np.maximum(z, 0, out=out)

    def traced(self, z):
        # autograd's derivative of ``maximum`` at a tie is 1/2; here it must be 0.
        return anp.where(z > 0, z, 0 * z)

    def derivative(self, z, a):
        return (a > 0).astype(a.dtype)

    def second_derivative(self, z, a):
        return np.zeros_like(a)

    def backward(self, delta, z, a):
        delta *= a > 0


class Logistic(Activation):
    """``a = 1 / (1 + exp(-z))``."""

    init_factor = 2.0
    symmetry = Complements

    def forward(self, z, out):
        return expit(z, out=out)

    def traced(self, z):
        # By tanh, because the exponential of the definition may overflow.
        return 0.5 * (anp.tanh(0.5 * z) + 1.0)

    def derivative(self, z, a):
        return a * (1 - a)

    def second_derivative(self, z, a):
        return a * (1 - a) * (1 - 2 * a)


class Tanh(Activation):
    """``a = tanh(z)``."""

    symmetry = Signs

    def forward(self, z, out):
        return np.tanh(z, out=out)

    def traced(self, z):
        return anp.tanh(z)

    def derivative(self, z, a):
        return 1 - a * a

    def second_derivative(self, z, a):
        return -2 * a * (1 - a * a)


class SELU(Activation):
    """``a = scale z`` for positive ``z``, else ``scale alpha (exp(z) - 1)`` (arXiv:1706.02515).

    At 0 the first derivative is that of the negative side, and the second is 0, as in PyTorch.
    """

    alpha, scale = 1.6732632423543772, 1.0507009873554805

    def forward(self, z, out):
        # ``expm1`` keeps the digits near 0, and the minimum keeps it from overflow.
        negative = np.expm1(np.minimum(z, 0))
        negative *= self.alpha
        np.maximum(z, 0, out=out)
        out += negative
        out *= self.scale
        return out

    def traced(self, z):
        # Autograd differentiates both branches, so the unused one must not overflow.
        negative = anp.expm1(anp.where(z > 0, 0 * z, z))
        return self.scale * anp.where(z > 0, z, self.alpha * negative)

    def derivative(self, z, a):
        return anp.where(a > 0, self.scale, a + self.scale * self.alpha)

    def second_derivative(self, z, a):
        return anp.where(a < 0, a + self.scale * self.alpha, 0.0)


class Custom(Activation):
    """An elementwise function of a user in autograd's numpy. Autograd differentiates it."""

    def __init__(self, function):
        self.traced = function
        self._first = elementwise_grad(function)
        self._second = elementwise_grad(self._first)
        if _is_homogeneous(function):
            self.piecewise_linear, self.symmetry = True, PositiveScaling

    def __reduce__(self):  # autograd's derivatives do not pickle
        return Custom, (self.traced,)

    def forward(self, z, out):
        return np.asarray(self.traced(z), dtype=z.dtype)

    def derivative(self, z, a):
        with ONE_AT_A_TIME:
            return np.asarray(self._first(z), dtype=z.dtype)

    def second_derivative(self, z, a):
        # The slope of a piecewise-linear function does not depend on the input.
        constant = {"action": "ignore", "message": "Output seems independent of input"}
        with ONE_AT_A_TIME, warning_filters(constant):
            return np.asarray(self._second(z), dtype=z.dtype)

    def traced_derivatives(self):
        return lambda z, a: self._first(z), lambda z, a: self._second(z)


def _is_homogeneous(function):
    """Whether ``f(s z) = s f(z)`` for ``s > 0``: a line on either side of 0, as in a leaky relu."""
    z = np.array([-1.0, 0.0, 1.0])
    with np.errstate(all="ignore"):
        at_one = np.asarray(function(z))
        return all(np.allclose(function(s * z), s * at_one, rtol=1e-12, atol=0) for s in SCALES)


ACTIVATIONS = {
    "gelu": GELU,
    "identity": Identity,
    "logistic": Logistic,
    "mish": Mish,
    "relu": ReLU,
    "selu": SELU,
    "silu": SiLU,
    "tanh": Tanh,
}


def as_activation(activation):
    """The activation for a name or for a callable.

    Parameters
    ----------
    activation : str or callable

    Returns
    -------
    Activation
    """
    return Custom(activation) if callable(activation) else ACTIVATIONS[activation]()
