"""The base class of activations of the hidden units."""

from .._symmetry import Symmetry


class Activation:
    """An elementwise function. Its derivatives are functions of input and output.

    If possible, a built-in activation overwrites the pre-activations ``z`` with the output ``a``
    and computes its derivatives from ``a`` alone. This saves an array per layer.
    """

    piecewise_linear = False
    needs_input = False  # True: the derivatives need ``z``, so ``forward`` must not overwrite it
    symmetry = Symmetry  # what keeps the function of a network of such units
    init_factor = 6.0  # Glorot and Bengio's bound is sqrt(factor / (fan_in + fan_out))

    def forward(self, z, out):
        """The output. A built-in function writes it into ``out``, which may be ``z``."""
        raise NotImplementedError

    def traced(self, z):
        """The same function, written for autograd."""
        raise NotImplementedError

    def derivative(self, z, a):
        """First derivative at ``z``. The output there is ``a``."""
        raise NotImplementedError

    def second_derivative(self, z, a):
        """Second derivative at ``z``. The output there is ``a``."""
        raise NotImplementedError

    def backward(self, delta, z, a):
        """Multiply ``delta`` by the derivative, in place."""
        delta *= self.derivative(z, a)

    def traced_derivatives(self):
        """First and second derivative as functions of ``z`` and ``a``, written for autograd."""
        return self.derivative, self.second_derivative
