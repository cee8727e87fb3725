"""Names: under which classes are saved and documented, and which one a user may have meant."""

import os
from difflib import get_close_matches
from types import FunctionType

import autograd.numpy
import autograd.scipy.special


def at_home(module, namespace):
    """Give the public classes of a package the package as their module.

    Pickles and other formats save this name. So a saved estimator does not depend on the private
    files that its classes are written in.

    Parameters
    ----------
    module : str
        Name of the package.
    namespace : dict
        Its ``globals()``, with ``__all__``.
    """
    for name in namespace["__all__"]:
        if isinstance(namespace[name], type):
            namespace[name].__module__ = module


class Documented:
    """Mixin of what has a page in the reference, to which scikit-learn's pictures of it link.

    The site is where the environment variable ``SKFLAT_DOCS`` says: the address or the folder that
    ``make docs`` has built. Without it there is no link, because no site is online.
    """

    _doc_link_module = "skflat"

    @property
    def _doc_link_template(self):
        site = os.environ.get("SKFLAT_DOCS", "").rstrip("/")
        page = "{estimator_module}.{estimator_name}.html"
        return f"{site}/api/generated/{page}" if site else ""


def did_you_mean(wrong, names):
    """A sentence that names the nearest of some names, with a space before it, or nothing.

    Parameters
    ----------
    wrong : str
    names : iterable of str

    Returns
    -------
    str
    """
    nearest = get_close_matches(str(wrong), [str(name) for name in names], n=1)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


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
