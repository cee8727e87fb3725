"""Margins: the difference between the score of the right label and the next one."""

from numbers import Real

import numpy as np

from ..._compat import Interval, StrOptions
from ...objective import ClassLoss, NotDefinedError
from .._function import function_of
from .._measure import Measure, describe, exactness
from .._measurement import Measurement


class Margins(Measure):
    """Distribution of the normalised margins of a classifier; greater is more robust.

    The margin of a row is the score of its label minus the greatest other score. It is negative if
    the row is misclassified. With two classes, and for every label of a multilabel target, it is
    the signed score itself. Margins grow with the scale of the last layer, so they can be compared
    only after normalisation. The value is a quantile.

    With ``normalization="rms"`` or ``"row"`` the value is a function of the network's outputs
    alone, so it is invariant under every change of the parameters that keeps the outputs. With
    ``"layers"`` it is invariant under rescaling of layers against each other.

    Parameters
    ----------
    quantile : float, default=0.1
        Quantile to return: this share of the rows has a smaller margin.
    normalization : {'rms', 'row', 'layers', None}, default='rms'
        Divisor of the margins. ``'rms'`` is the root mean square of all scores; with three classes
        or more, the scores of every row are centred. ``'row'`` is the greatest absolute centred
        score of each row. It needs three classes or more, because with two it would leave only the
        sign. ``'layers'`` is the product of the spectral norms of all layers (Bartlett, Foster and
        Telgarsky, arXiv:1706.08498, without their row norms).

    Notes
    -----
    ``samples`` holds the normalised margin of every row (and label). The table has the columns
    ``quantile`` and ``margin`` for 0, 0.01, ..., 1. A quantile is the least margin that at least
    this share of rows does not exceed. With weighted rows quantiles are weighted. The standard
    error is half the difference of two quantiles: those one standard error of the rank below and
    above.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import Margins
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> margins = Margins().measure(clf, X, y)
    >>> bool((margins.samples > 0).mean() == clf.score(X, y))
    True
    """

    _parameter_constraints: dict = {
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "normalization": [StrOptions({"rms", "row", "layers"}), None],
    }

    requires = (ClassLoss,)

    def __init__(self, quantile=0.1, normalization="rms"):
        self.quantile = quantile
        self.normalization = normalization

    def _evaluate(self, problem):
        objective = problem.objective
        F, y = objective.scores(problem.w).astype(float, copy=False), objective.data.y
        margins = objective.loss_function.margins(F, y)
        n_labels = len(margins) // len(F)
        margins = margins / self._scale(problem, F, n_labels)
        weight = objective.data.weight
        # The margins of a row's labels are adjacent, and each has the weight of the row.
        weight = None if weight is None else np.repeat(weight, n_labels)
        levels = np.linspace(0, 1, 101)
        rows, missing = _effective_rows(objective.data), 1 - len(F) / problem.sampled_from
        # The rank of a quantile is binomial: its standard error is ``sqrt(q (1 - q) / n)``.
        off = np.sqrt(missing * self.quantile * (1 - self.quantile) / rows)
        near = np.clip([self.quantile - off, self.quantile + off], 0, 1)
        below, above = quantiles(margins, near, weight)
        return Measurement(
            value=float(quantiles(margins, self.quantile, weight)),
            stderr=float(above - below) / 2,
            kind=exactness(problem),
            n_evals=1,
            converged=True,
            samples=margins,
            protocol=describe(
                problem,
                quantile=self.quantile,
                normalization=self.normalization,
                samples="one a row and label",
            ),
            table={"quantile": levels, "margin": quantiles(margins, levels, weight)},
        )

    def _scale(self, problem, F, n_labels):
        """The divisor of the margins: one number, or one number for each margin."""
        F = problem.task.centred(F)
        if self.normalization == "rms":
            weight = problem.objective.data.weight
            scale = np.sqrt(np.average((F**2).mean(axis=1), weights=weight))
        elif self.normalization == "row":
            if not problem.task.greatest_wins:
                raise NotDefinedError("Normalising margins by the row needs three classes or more.")
            scale = np.repeat(np.abs(F).max(axis=1), n_labels)
        elif self.normalization == "layers":
            arrays = problem.objective.layout.views(problem.w).values()
            scale = np.prod([np.linalg.norm(W, 2) for W in arrays if W.ndim == 2])
        else:
            scale = 1.0
        return np.where(scale > 0, scale, 1.0)


def quantiles(values, levels, weight):
    """Quantiles, of weighted values where there are weights."""
    return np.quantile(values, levels, weights=weight, method="inverted_cdf")


def _effective_rows(data):
    """The effective number of rows, ``(sum p)^2 / sum p^2``."""
    return len(data) if data.weight is None else data.total_weight**2 / np.sum(data.weight**2)


margins = function_of(Margins, "margins")
