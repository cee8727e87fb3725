"""Normalised margin: by how much the right labels lead on average, in units of the outputs."""

import numpy as np

from ...objective import ClassLoss
from .._function import function_of
from .._measure import Measure, describe, exactness
from .._measurement import Measurement


class NormalizedMargin(Measure):
    """Mean margin of a classifier over the mean size of its outputs; greater is more robust.

    With three classes and more ``mean(lead) / mean(|centred logits|)``, where the lead of a row is
    the score of its label minus the greatest other one. With two classes, and for every label of a
    multilabel target, the margin is the signed score, and is divided by the root mean square of the
    scores (by their mean size it would be 1 wherever all rows are right). The cheapest rival of
    weakness: one forward pass, no scale, and a function of the outputs alone, so invariant under
    every change of the parameters that keeps these.

    `Margins` has the whole distribution, of which this is the mean.

    Notes
    -----
    ``samples`` holds the normalised margin of every row, the mean over its labels.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import NormalizedMargin
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> NormalizedMargin().measure(clf, X, y).value > 0
    True
    """

    requires = (ClassLoss,)

    def _evaluate(self, problem):
        objective = problem.objective
        F, data = objective.scores(problem.w).astype(float, copy=False), objective.data
        margins = objective.loss_function.margins(F, data.y).reshape(len(F), -1).mean(axis=1)
        power, F = (1 if problem.task.greatest_wins else 2), problem.task.centred(F)
        sizes = np.mean(np.abs(F) ** power, axis=1)
        scale = data.mean(sizes) ** (1 / power) or 1.0
        value = data.mean(margins) / scale
        # To first order, what a row adds to the ratio.
        by_row = margins / scale - value * sizes / (power * scale**power)
        return Measurement(
            value=value,
            stderr=problem.row_error(by_row),
            kind=exactness(problem),
            n_evals=1,
            converged=True,
            samples=margins / scale,
            protocol=describe(problem, samples="one a row"),
        )


normalized_margin = function_of(NormalizedMargin, "normalized_margin")
