"""The public names that formats ask for before they load an estimator."""

from importlib import import_module

from sklearn.base import BaseEstimator

from ...models.function import linear, linear_features

#: What estimators of functions of one's own have by default.
FUNCTIONS = [f"{linear.__module__}.{each.__name__}" for each in (linear, linear_features)]
ROOMS = ("skflat", "skflat.solvers", "skflat.solvers.binary")


def trusted_types():
    """Names of all types of skflat that a saved estimator may contain.

    Everything else in it, apart from functions of the user's, is arrays and builtins, or of
    scikit-learn.

    Returns
    -------
    list of str
        To be given to ``skops.io.load`` as ``trusted``: estimators, and solver objects that were
        given as ``solver``.

    Examples
    --------
    >>> from skflat import trusted_types
    >>> "skflat.FlatMLPClassifier" in trusted_types()
    True
    """
    estimators = [
        f"{room}.{name}"
        for room in ROOMS
        for name in import_module(room).__all__
        if _is_estimator(getattr(import_module(room), name))
    ]
    return sorted(estimators + FUNCTIONS)


def _is_estimator(found):
    return isinstance(found, type) and issubclass(found, BaseEstimator)
