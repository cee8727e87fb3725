"""Path norm: the norm of all products of weights along the paths through a network."""

from numbers import Real

import numpy as np

from ..._compat import Interval
from ...objective import AffineLayers, require
from .._function import function_of
from .._measure import Measure, describe
from .._measurement import Measurement


class PathNorm(Measure):
    """Norm of the products of the weights along all paths through the network; smaller is simpler.

    A path leads from an input or from the intercept of a unit to an output (Neyshabur, Tomioka and
    Srebro, arXiv:1503.00036). The value is the ``p``-norm of the vector that has the product of the
    weights of every path. The measure is invariant under rescaling of layers and of single relu
    units. It does not look at the rows.

    Parameters
    ----------
    p : float, default=2
        Order of the norm, at least 1.

    Notes
    -----
    There are too many paths to list. But the sum over all of them is the output of a linear network
    with the weights ``|W|^p`` for inputs of 1, so it costs a forward pass of one row. ``samples``
    holds the norm of the paths to each output.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import PathNorm
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> PathNorm().measure(clf, X, y).samples.shape
    (3,)
    """

    _parameter_constraints: dict = {"p": [Interval(Real, 1, None, closed="left")]}

    requires = (AffineLayers,)
    sign = -1

    def __init__(self, p=2):
        self.p = p

    def _evaluate(self, problem):
        maps = require(problem.objective, AffineLayers, "PathNorm").maps(problem.w.astype(float))
        norms = np.ones(len(maps[0][0]))
        for weights, intercepts in maps:
            norms = _norm(np.vstack([norms[:, None] * weights, intercepts]), self.p)
        return Measurement(
            value=float(_norm(norms, self.p)),
            stderr=0.0,
            kind="exact",
            n_evals=1,
            converged=True,
            samples=norms,
            protocol=describe(problem, p=self.p, samples="one an output"),
        )


def _norm(entries, p):
    """The ``p``-norm along the first axis."""
    # In units of the largest entry, because high powers would overflow.
    largest = np.abs(entries).max(axis=0)
    shares = np.abs(entries) / np.where(largest > 0, largest, 1)
    return largest * np.sum(shares**p, axis=0) ** (1 / p)


path_norm = function_of(PathNorm, "path_norm")
