"""Normalised margin: the mean margin in units of the outputs."""

import numpy as np

from ...objective import ClassLoss
from .._function import function_of
from .._measure import Measure, describe, exactness
from .._measurement import Measurement


class NormalizedMargin(Measure):
    """Mean margin of a classifier over the mean size of its outputs; greater is more robust.

    With three classes or more the value is ``mean(lead) / mean(|centred logits|)``. The lead of a
    row is the score of its label minus the greatest other score. With two classes, and for every
    label of a multilabel target, the margin is the signed score, and the divisor is the root mean
    square of the scores. (With their mean absolute value the result would be 1 whenever all rows
    are right.) The measure is the cheapest alternative to weakness. It costs one forward pass and
    does not depend on a scale. It is a function of the outputs alone, so it is invariant under
    every change of the parameters that keeps the outputs.

    `Margins` has the whole distribution. This is its mean.

    Notes
    -----
    ``samples`` holds the normalised margin of every row, averaged over its labels.

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
        # Delta method: the first-order influence of a row on the ratio of two means.
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
