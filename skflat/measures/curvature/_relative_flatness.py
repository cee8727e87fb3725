"""Relative flatness: the curvature at the last layer, weighted by that layer's weights."""

import numpy as np
from sklearn.utils.extmath import row_norms

from ...objective import CHUNK, HiddenLayer, Likelihood
from .._function import function_of
from .._measure import Measure, describe, exactness
from .._measurement import Measurement
from .._memory import at_once
from ..outputs import dense

ROUNDING = 10  # deviations below this many times the precision of the largest output are rounding


class RelativeFlatness(Measure):
    """Trace of the last layer's Hessian, each block weighted by its weights; smaller is flatter.

    The value is ``sum_{s, t} <w_s, w_t> tr(H_st)`` (Petzka and others, arXiv:2001.00939). Here
    ``w_s`` are the weights into output ``s``, and ``H_st`` is the block of the Hessian of the
    unpenalised mean training loss between the weights into outputs ``s`` and ``t``. The value is
    exact and costs one loss. Let ``a`` be the last hidden layer, ``W`` the weights and ``S`` the
    Hessian of the loss in the outputs. Then a row contributes ``|a|^2 tr(W S W')``.

    The measure is invariant under rescaling of layers against each other. With ``normalize=True``
    it is also invariant under rescaling of single units of the last hidden layer. In spite of its
    name, a greater value is sharper.

    Parameters
    ----------
    normalize : bool, default=False
        Whether to scale the units of the last hidden layer to standard deviation 1 on the rows, and
        their outgoing weights inversely, as the authors' code does. Constant units do not change.

    Notes
    -----
    ``samples`` holds one number per row. Their mean is the value.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import RelativeFlatness
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> RelativeFlatness().measure(clf, X, y).kind
    'exact'
    """

    _parameter_constraints: dict = {"normalize": ["boolean"]}

    requires = (HiddenLayer, Likelihood)
    sign = -1

    def __init__(self, normalize=False):
        self.normalize = normalize

    def _evaluate(self, problem):
        objective, w = problem.objective, problem.w
        W = objective.capability(HiddenLayer).head(w)
        spread = self._spread(problem, len(W))
        by_row = np.concatenate(
            [
                _of_rows(objective, w, W * spread[:, None], spread, piece)
                for piece in objective.data.pieces(at_once(len(W), CHUNK))
            ]
        )
        return Measurement(
            value=objective.data.mean(by_row),
            stderr=problem.row_error(by_row),
            kind=exactness(problem),
            n_evals=2 if self.normalize else 1,
            converged=True,
            samples=by_row,
            protocol=describe(problem, normalize=self.normalize, samples="one a row"),
        )

    def _spread(self, problem, n_units):
        """The divisors of the units: their standard deviations, or 1."""
        spread = np.ones(n_units, problem.w.dtype)
        if self.normalize:
            objective, mean, largest = problem.objective, 0.0, np.zeros(n_units)
            for power in (1, 2):  # the mean, and then the variance around it
                moment = np.zeros(n_units)
                for share, piece in objective.data.shares(at_once(n_units, CHUNK)):
                    a = dense(objective.capability(HiddenLayer).features(problem.w, piece.X)) - mean
                    weight = np.ones(len(a)) if piece.weight is None else piece.weight
                    np.maximum(largest, np.abs(a).max(axis=0, initial=0), out=largest)
                    moment += share * (weight @ a**power) / (weight.sum() or 1.0)
                mean = moment
            # The variance of a constant unit is not 0 but a rounding error.
            rounding = ROUNDING * np.finfo(problem.w.dtype).eps * largest
            varying = moment > rounding**2
            spread[varying] = np.sqrt(moment[varying])
        return spread


def _of_rows(objective, w, W, spread, batch):
    a = dense(objective.capability(HiddenLayer).features(w, batch.X)) / spread
    # ``tr(W S W')`` is the sum over units of ``W_j S W_j'``, so no Hessian block is ever formed.
    loss = objective.loss_function
    P = loss.predict(objective.scores(w, batch.X))
    return row_norms(a, squared=True) * loss.quadratic(P, W).sum(axis=1)


relative_flatness = function_of(RelativeFlatness, "relative_flatness")
