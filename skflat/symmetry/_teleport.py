"""The least of any function of the estimator over the orbit."""

import numpy as np

from ..problems import fitted_model
from ._parameters import with_parameters

SMALLEST_STEP = 1e-3


def teleport(estimator, criterion, *, max_evals=1000, step=1.0):
    """The estimator of the same function at which ``criterion`` is least, found by search.

    Where `flatten` knows closed forms, this knows nothing of the criterion: it tries one coordinate
    of the symmetry after the other, up and down, keeps what is lower, and halves its steps when
    nothing is. The result is an upper bound of the least value. In the coordinates of relu
    networks, ``log s``, a criterion that is convex and smooth has no other minimum.

    Parameters
    ----------
    estimator : fitted estimator
        A network, ours or scikit-learn's, a factorization, or a Pipeline that ends in one of them.
    criterion : callable
        ``criterion(estimator) -> float``, for example
        ``lambda each: hessian_trace(each, X, y).value``.
    max_evals : int, default=1000
        Most calls of it.
    step : float, default=1.0
        First step of a coordinate; 1 is a factor e of a relu unit, or the flip of a logistic one.

    Returns
    -------
    estimator
        A copy of the same class with equal predictions; of networks without a symmetry but
        isometries a copy at the same point.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import hessian_trace
    >>> from skflat.symmetry import flatten, teleport
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((3,), solver="lbfgs", alpha=1, max_iter=2000, random_state=0).fit(X, y)
    >>> def trace(each):
    ...     return hessian_trace(each, X, y).value
    >>> abs(trace(teleport(clf, trace)) / trace(flatten(clf, X, y)) - 1) < 1e-4
    True
    """
    if not callable(criterion):
        raise ValueError(f"criterion must be callable, got {criterion!r}.")
    model, w = fitted_model(estimator)
    symmetry = model.symmetry

    def at(place):
        return with_parameters(estimator, symmetry.moved(w, place))

    best = _searched(lambda place: float(criterion(at(place))), symmetry, max_evals, step)
    return at(best)


def _searched(value, symmetry, max_evals, step):
    """The best coordinates that were tried."""
    place, left = np.zeros(symmetry.n_coordinates()), max_evals - 1
    best = value(place)
    while step >= SMALLEST_STEP and len(place):
        improved = False
        for k in range(len(place)):
            for change in (step, -step):
                if left <= 0:
                    return place
                tried = place.copy()
                tried[k] += change
                found, left = value(tried), left - 1
                if found < best:
                    place, best, improved = tried, found, True
                    break
        step = step if improved else step / 2
    return place
