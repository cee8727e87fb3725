"""Taking turns with autograd, whose tape knows no threads; and names for its functions."""

from threading import RLock
from types import FunctionType

import autograd.numpy
import autograd.scipy.special

#: Held while a derivative is traced: autograd keeps the depth of nested traces in one global.
ONE_AT_A_TIME = RLock()


def _name_functions(module):
    """Let autograd's functions pickle by the name under which they are imported.

    All have the name of one wrapper, so that ``activation=autograd.numpy.tanh`` would not reach
    another process. A copy by value would have no derivative.
    """
    for name, function in vars(module).items():
        if isinstance(function, FunctionType) and function.__module__ == "autograd.tracer":
            function.__module__, function.__qualname__ = module.__name__, name


_name_functions(autograd.numpy)
_name_functions(autograd.scipy.special)
