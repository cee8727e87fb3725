"""Public classes under the name that users import."""


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
