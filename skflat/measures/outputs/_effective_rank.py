"""Effective rank: in how many directions the features vary."""

import numpy as np
from scipy.special import entr

from ..._compat import StrOptions
from ...objective import HiddenLayer
from .._function import function_of
from .._measure import Measure, bias_of_sample, describe, exactness, group_error
from .._measurement import Measurement
from .._memory import MAX_NUMBERS, refuse_beyond
from ._hidden import Features, dense


class EffectiveRank(Measure):
    """Exponential of the entropy of the centred features' singular values; larger is weaker.

    Let ``p`` be the singular values of the matrix of rows by features, divided by their sum. The
    value is ``exp(-sum p log p)`` (Roy and Vetterli, EUSIPCO 2007). It lies between 1 and the rank,
    and equals the rank if all singular values are equal. It is a cheap alternative to weakness,
    because features of low rank leave few outcomes open. It costs two forward passes and an
    eigendecomposition of the size of the number of features.

    The measure is invariant under rescaling of layers against each other, and of single units of
    earlier layers. With ``normalize=True`` it is also invariant under rescaling of single units of
    the last hidden layer. With ``features="logits"`` it is a function of the outputs alone.

    Parameters
    ----------
    features : {'hidden', 'logits'}, default='hidden'
        The last hidden layer, or the raw outputs. With three classes or more, the raw outputs of
        every row are centred.
    normalize : bool, default=False
        Whether to divide every feature by its standard deviation first. Constant features stay 0.

    Notes
    -----
    On a sample of the rows the value is smaller than on all. This bias is in no standard error;
    the protocol then names it, as ``bias``.

    ``samples`` holds the singular values, divided by the root of the number of rows. With weighted
    rows they are those of the weighted covariance. Constant features have rank 0. With more than
    2,048 features and fewer rows, the eigendecomposition has the size of the number of rows. If
    both are larger than 8,192, the matrix would take more than 0.5 GB, and there is a
    ``MemoryError``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import EffectiveRank
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> 1 <= EffectiveRank().measure(clf, X, y).value <= 8
    True
    """

    _parameter_constraints: dict = {
        "features": [StrOptions({"hidden", "logits"})],
        "normalize": ["boolean"],
    }

    def __init__(self, features="hidden", normalize=False):
        self.features = features
        self.normalize = normalize

    @property
    def requires(self):
        """The hidden layer, if it is measured."""
        return (HiddenLayer,) if self.features == "hidden" else ()

    def _evaluate(self, problem):
        values = self._singular_values(problem, problem.objective.data)
        return Measurement(
            value=effective_number(values),
            stderr=group_error(
                problem, lambda batch: effective_number(self._singular_values(problem, batch))
            ),
            kind=exactness(problem),
            n_evals=2,
            converged=True,
            samples=values,
            protocol=describe(
                problem,
                features=self.features,
                normalize=self.normalize,
                samples="singular values",
                **bias_of_sample(problem, "smaller"),
            ),
        )

    def _singular_values(self, problem, batch):
        squares, width = self._squares(problem, batch)
        # The root would enlarge the rounding error of a zero eigenvalue: 1e-16 becomes 1e-8.
        squares[squares < squares[0] * len(squares) * np.finfo(float).eps] = 0.0
        return np.pad(np.sqrt(squares), (0, width - len(squares)))

    def _squares(self, problem, batch):
        """Eigenvalues of the covariance, without some that are zero, and the number of features."""
        width = self._outputs(problem, batch.X[:1]).shape[1]
        features = Features(lambda X: self._outputs(problem, X), width, batch)
        few_rows = len(batch) < width and width**2 > MAX_NUMBERS
        what = f"The effective rank of {width} features on {len(batch)} rows"
        refuse_beyond(len(batch) if few_rows else width, what, "measure on fewer rows")
        # Both matrices have the same nonzero eigenvalues, so the smaller one is enough.
        C = features.gram(self.normalize) if few_rows else features.covariance()
        if self.normalize and not few_rows:
            spread = np.sqrt(np.diag(C))
            spread[spread == 0] = 1.0
            C = C / np.outer(spread, spread)
        return np.linalg.eigvalsh(C)[::-1], width

    def _outputs(self, problem, X):
        objective, w = problem.objective, problem.w
        if self.features == "hidden":
            return dense(objective.capability(HiddenLayer).features(w, X))
        F = objective.scores(w, X).astype(float)
        return problem.task.centred(F)


def effective_number(values):
    """Exponential of the entropy of numbers that are not negative, divided by their sum."""
    total = values.sum()
    return float(np.exp(entr(values / total).sum())) if total > 0 else 0.0


effective_rank = function_of(EffectiveRank, "effective_rank")
