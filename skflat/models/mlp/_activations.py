"""Activations of the hidden units, with their first two derivatives."""

import warnings

import autograd.numpy as anp
import numpy as np
from autograd import elementwise_grad
from scipy.special import expit

from ...objective import ONE_AT_A_TIME


class Activation:
    """An elementwise function, its derivatives as functions of input and output.

    The built-in ones overwrite the pre-activations ``z`` with the output ``a`` and
    express their derivatives by ``a`` alone.
    """

    piecewise_linear = False
    init_factor = 6.0  # Glorot and Bengio's bound is sqrt(factor / (fan_in + fan_out))

    def forward(self, z):
        """The output, in the memory of ``z`` where the function is built in."""
        raise NotImplementedError

    def traced(self, z):
        """The same function, written for autograd."""
        raise NotImplementedError

    def derivative(self, z, a):
        """First derivative at ``z``, where the output is ``a``."""
        raise NotImplementedError

    def second_derivative(self, z, a):
        """Second derivative at ``z``, where the output is ``a``."""
        raise NotImplementedError

    def backward(self, delta, z, a):
        """Multiply ``delta`` by the derivative, in place."""
        delta *= self.derivative(z, a)


class Identity(Activation):
    """``a = z``."""

    piecewise_linear = True

    def forward(self, z):
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
    """``a = max(0, z)``; its derivative at 0 is 0, as in scikit-learn."""

    piecewise_linear = True

    def forward(self, z):
        return np.maximum(z, 0, out=z)

    def traced(self, z):
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

    def forward(self, z):
        return expit(z, out=z)

    def traced(self, z):
        return 0.5 * (anp.tanh(0.5 * z) + 1.0)

    def derivative(self, z, a):
        return a * (1 - a)

    def second_derivative(self, z, a):
        return a * (1 - a) * (1 - 2 * a)


class Tanh(Activation):
    """``a = tanh(z)``."""

    def forward(self, z):
        return np.tanh(z, out=z)

    def traced(self, z):
        return anp.tanh(z)

    def derivative(self, z, a):
        return 1 - a * a

    def second_derivative(self, z, a):
        return -2 * a * (1 - a * a)


class Custom(Activation):
    """A user's elementwise function of autograd's numpy, differentiated by autograd."""

    def __init__(self, function):
        self.traced = function
        self._first = elementwise_grad(function)
        self._second = elementwise_grad(self._first)

    def __reduce__(self):  # autograd's derivatives do not pickle
        return Custom, (self.traced,)

    def forward(self, z):
        return np.asarray(self.traced(z), dtype=z.dtype)

    def derivative(self, z, a):
        with ONE_AT_A_TIME:
            return np.asarray(self._first(z), dtype=z.dtype)

    def second_derivative(self, z, a):
        with ONE_AT_A_TIME, warnings.catch_warnings():
            # Of a function that is linear in pieces the slope does not depend on the input.
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            return np.asarray(self._second(z), dtype=z.dtype)


ACTIVATIONS = {
    "identity": Identity,
    "logistic": Logistic,
    "relu": ReLU,
    "tanh": Tanh,
}


def as_activation(activation):
    """The activation of a name, or of a callable."""
    return Custom(activation) if callable(activation) else ACTIVATIONS[activation]()
