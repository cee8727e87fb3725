"""Activations that multiply their input by a gate: GELU, SiLU and Mish."""

import math

import autograd.numpy as anp
import autograd.scipy.special as asp
import numpy as np

from ._activation import Activation

NEAR_0 = 1e-20  # for smaller |z| the gate equals its value at 0 in every precision
FAR = 40.0  # for larger |z| the normal density is 0 in every precision


class Gated(Activation):
    """``a = z g(z)`` with a gate ``g`` that rises from 0 to 1.

    A subclass has the gate and its first two derivatives, written for autograd. The derivatives
    decay so fast that their products with ``z`` are finite.
    """

    needs_input = True
    half_open = 0.5  # the gate at 0

    def gate(self, z):
        """``g(z)``."""
        raise NotImplementedError

    def slope(self, z, g):
        """``g'(z)``. The gate there is ``g``."""
        raise NotImplementedError

    def bend(self, z, g, slope):
        """``g''(z)``. The gate there is ``g``, and its derivative is ``slope``."""
        raise NotImplementedError

    def forward(self, z, out):
        return np.multiply(z, self.gate(z), out=out)

    def traced(self, z):
        return z * self.gate(z)

    def derivative(self, z, a):
        return self._first(z, self._known_gate(z, a))

    def second_derivative(self, z, a):
        return self._second(z, self._known_gate(z, a))

    def traced_derivatives(self):
        # Not ``a / z`` as below: autograd's derivative of that quotient loses its digits near 0.
        return (
            lambda z, a: self._first(z, self.gate(z)),
            lambda z, a: self._second(z, self.gate(z)),
        )

    def _first(self, z, g):
        return g + z * self.slope(z, g)

    def _second(self, z, g):
        slope = self.slope(z, g)
        return 2 * slope + z * self.bend(z, g, slope)

    def _known_gate(self, z, a):
        """The gate as ``a / z``, which is much faster than computing it again."""
        return np.divide(a, z, out=np.full_like(a, self.half_open), where=np.abs(z) > NEAR_0)


class GELU(Gated):
    """``a = z Phi(z)``, with the distribution function of the normal law (arXiv:1606.08415)."""

    def gate(self, z):
        # ``erfc`` keeps the digits of small probabilities, which ``1 + erf`` would lose.
        return 0.5 * asp.erfc(-math.sqrt(0.5) * z)

    def slope(self, z, g):
        z = anp.clip(z, -FAR, FAR)  # so that the square is finite
        return math.sqrt(0.5 / math.pi) * anp.exp(-0.5 * z * z)

    def bend(self, z, g, slope):
        return -z * slope


class SiLU(Gated):
    """``a = z / (1 + exp(-z))`` (arXiv:1702.03118), also known as swish."""

    def gate(self, z):
        return _shares(z)[0]

    def slope(self, z, g):
        s, q = _shares(z)
        return s * q

    def bend(self, z, g, slope):
        s, q = _shares(z)
        return slope * (q - s)


class Mish(Gated):
    """``a = z tanh(log(1 + exp(z)))`` (arXiv:1908.08681)."""

    half_open = 0.6

    def gate(self, z):
        s, q = _shares(z)
        # tanh(log(1 + e^z)) with s = sigmoid(z) and q = 1 - s. Nothing in it overflows.
        return s * (1 + q) / (1 + q * q)

    def slope(self, z, g):
        s, q = _shares(z)
        return s * (2 * q / (1 + q * q)) ** 2

    def bend(self, z, g, slope):
        s, q = _shares(z)
        return slope * (q - 2 * g * s)


def _shares(z):
    """``s = 1 / (1 + exp(-z))`` and ``1 - s``, both with full relative precision."""
    # Both exponents are at most 0, so nothing overflows and no difference cancels.
    s, q = anp.exp(anp.minimum(z, 0)), anp.exp(-anp.maximum(z, 0))
    total = s + q
    return s / total, q / total
