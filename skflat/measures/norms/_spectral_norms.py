"""Spectral norms of the layers, and their product."""

import numpy as np

from ...objective import AffineLayers, require
from .._function import function_of
from .._measure import Measure, describe
from .._measurement import Measurement


class SpectralNorms(Measure):
    """Product of the spectral norms of the layers' weights; smaller is simpler.

    The product bounds how much the outputs can change with the inputs, if the activation has slopes
    of at most 1. It is the leading factor of the bounds of Bartlett, Foster and Telgarsky
    (arXiv:1706.08498), and "prod of spec" of Jiang and others (arXiv:1912.02178). It is invariant
    under rescaling of layers, but not of single units. It does not look at the rows, and not at
    intercepts.

    Notes
    -----
    It costs a singular value decomposition of every weight matrix. ``samples`` are the spectral
    norms. The table has the columns ``spectral`` and ``frobenius``, the two norms of each layer,
    and ``stable_rank``, the square of their ratio.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import SpectralNorms
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> found = SpectralNorms().measure(clf, X, y)
    >>> bool(found.value == found.table["spectral"].prod())
    True
    """

    requires = (AffineLayers,)
    sign = -1

    def _evaluate(self, problem):
        maps = require(problem.objective, AffineLayers, "SpectralNorms").maps(problem.w)
        weights = [W.astype(float) for W, _ in maps]
        spectral = np.array([np.linalg.norm(W, 2) for W in weights])
        frobenius = np.array([np.linalg.norm(W) for W in weights])
        ratio = frobenius / np.where(spectral > 0, spectral, 1)
        return Measurement(
            value=float(spectral.prod()),
            stderr=0.0,
            kind="exact",
            n_evals=1,
            converged=True,
            samples=spectral,
            protocol=describe(problem, samples="one a layer"),
            table={"spectral": spectral, "frobenius": frobenius, "stable_rank": ratio**2},
        )


spectral_norms = function_of(SpectralNorms, "spectral_norms")
