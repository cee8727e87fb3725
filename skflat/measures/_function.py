"""The functions over fitted estimators, one for every measure class."""

import inspect
import re

ARGUMENTS = """\
estimator : fitted estimator
    Ours, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, or a Pipeline that ends in
    one of them. It is not changed.
X : {array-like, sparse matrix} of shape (n_samples, n_features)
y : array-like of shape (n_samples,) or (n_samples, n_outputs)
sample_weight : array-like of shape (n_samples,), default=None
"""

RETURNS = """\
Returns
-------
Measurement

Raises
------
TypeError
    If the estimator cannot be measured.
ValueError
    If a parameter is out of its range, or the data do not fit the estimator.
"""


def function_of(measure, name):
    """A function that measures, so that parameters and documentation are written once.

    Parameters
    ----------
    measure : subclass of Measure
    name : str
        Name of the function.

    Returns
    -------
    callable
        ``function(estimator, X, y, sample_weight=None, *, <parameters of the class>)``.
    """

    def function(estimator, X, y, sample_weight=None, **params):
        return measure(**params).measure(estimator, X, y, sample_weight)

    # `help` and editors show the parameters of the class instead of ``**params``.
    own = inspect.signature(function).parameters
    arguments = [own[key] for key in ("estimator", "X", "y", "sample_weight")]
    parameters = inspect.signature(measure).parameters.values()
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    function.__signature__ = inspect.Signature(arguments + keywords)
    function.__name__ = function.__qualname__ = name
    function.__module__ = measure.__module__
    function.__doc__ = _documentation(measure)
    return function


def _documentation(measure):
    """That of the class, with the arguments and the result of the function."""
    summary, *sections = re.split(r"\n(?=[A-Z]\w+\n-{4,}\n)", inspect.getdoc(measure))
    heading = "Parameters\n----------\n"
    own = "".join(part.removeprefix(heading) for part in sections if part.startswith(heading))
    rest = [part for part in sections if not part.startswith(heading)]
    return "\n".join([summary, heading + ARGUMENTS + own, RETURNS, *rest])
