"""What an activation of the hidden units has to know."""


class Activation:
    """An elementwise function, its derivatives as functions of input and output.

    Where it can, a built-in one overwrites the pre-activations ``z`` with the output ``a`` and
    expresses its derivatives by ``a`` alone.
    """

    piecewise_linear = False
    needs_input = False  # for its derivatives, so that ``z`` must not be overwritten
    init_factor = 6.0  # Glorot and Bengio's bound is sqrt(factor / (fan_in + fan_out))

    def forward(self, z, out):
        """The output, in ``out`` where the function is built in; that may be ``z``."""
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

    def traced_derivatives(self):
        """First and second derivative as functions of ``z`` and ``a``, written for autograd."""
        return self.derivative, self.second_derivative
