"""Fisher-Rao norm: the length of the parameters in the metric of the Fisher information."""

import numpy as np

from ..._compat import StrOptions
from ...objective import Likelihood
from .._function import function_of
from .._measure import Measure, describe, exactness
from .._measurement import Measurement


class FisherRaoNorm(Measure):
    """Length of the parameters in the metric of the Fisher information; smaller is simpler.

    The value is ``sqrt(w' F w)`` with ``F`` the Fisher information (Liang, Poggio, Rakhlin and
    Stokes, arXiv:1711.01530): the mean of ``g g'`` over the rows and over labels drawn from the
    model's predictions, with ``g`` the gradient of the row's loss. This is the Gauss-Newton matrix.
    With the labels of the data instead it is the empirical Fisher information.

    The rescaling of layers and of single relu units commutes with stretching all parameters, so it
    does not change the value.

    Parameters
    ----------
    labels : {'model', 'data'}, default='model'
        Whose labels the Fisher information is taken of. With those of the data the value is near 0
        for a network that fits its rows exactly. A few rows of large loss then make up most of it,
        so on a sample of few rows its standard error is too small.

    Notes
    -----
    It costs two forward passes. ``samples`` holds ``(w' g)^2`` of every row, or its mean over the
    model's labels. The unit is that of the square root of the loss.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import FisherRaoNorm
    >>> from skflat.symmetry import rescale
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> norm = FisherRaoNorm()
    >>> abs(norm(rescale(clf, 10.0), X, y) / norm(clf, X, y) - 1) < 1e-8
    True
    """

    _parameter_constraints: dict = {"labels": [StrOptions({"model", "data"})]}

    requires = (Likelihood,)
    sign = -1

    def __init__(self, labels="model"):
        self.labels = labels

    def _evaluate(self, problem):
        objective, w, data = problem.objective, problem.w, problem.objective.data
        loss = objective.loss_function
        slopes = objective.score_slopes(w, w).astype(float, copy=False)
        P = loss.predict(objective.scores(w).astype(float))
        if self.labels == "model":  # the Hessian of the loss in the scores is its covariance
            by_row = np.sum(slopes * loss.hvp(P, slopes, data.y), axis=1)
        else:
            by_row = np.sum(slopes * loss.residual(P, data.y), axis=1) ** 2
        value = float(np.sqrt(max(data.mean(by_row), 0.0)))
        # The error of a square root, to first order.
        stderr = problem.row_error(by_row) / (2 * value) if value > 0 else 0.0
        return Measurement(
            value=value,
            stderr=stderr,
            kind=exactness(problem),
            n_evals=2,
            converged=True,
            samples=by_row,
            protocol=describe(problem, labels=self.labels, samples="one a row"),
        )


fisher_rao_norm = function_of(FisherRaoNorm, "fisher_rao_norm")
