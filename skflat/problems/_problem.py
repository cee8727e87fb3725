"""From a fitted estimator to the problem it solved.

Only the files of this package recognise an estimator by its fitted attributes. They do so for our
estimators and for scikit-learn's.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.pipeline import Pipeline

from ..objective import Objective
from ._factorization import factorization_problem
from ._network import (
    NETWORK,
    model_inputs,
    model_problem,
    network_inputs,
    network_problem,
)
from ._tasks import LearningTask
from ._threshold import (
    committee_problem,
    perceptron_problem,
    spherical_problem,
    threshold_inputs,
)


def _as_given(estimator, X):
    """The observations as they are, because a factorization validates them itself."""
    return X


#: For each kind of estimator: its fitted attributes, a function that validates X as ``predict``
#: does, and a function that makes the problem. The first kind that fits is taken.
KINDS = [
    (NETWORK, network_inputs, network_problem),
    (("params_", "model_"), model_inputs, model_problem),
    (("factors_", "offsets_"), _as_given, factorization_problem),
    (("weights_", "thresholds_", "gain"), threshold_inputs, spherical_problem),
    (("weights_", "thresholds_", "coef_"), threshold_inputs, perceptron_problem),
    (("weights_", "thresholds_", "structure"), threshold_inputs, committee_problem),
]


@dataclass(frozen=True)
class Problem:
    """An objective, a fitted point and the meaning of the outputs: the input of every measure.

    Attributes
    ----------
    objective : Objective
        The unpenalised mean loss.
    w : ndarray of shape (n_parameters,)
        The fitted point, a copy.
    task : LearningTask
        The meaning of the outputs.
    sampled_from : int
        Number of rows of the data from which the objective's rows are a sample.
    """

    objective: Objective
    w: np.ndarray
    task: LearningTask
    sampled_from: int

    @cached_property
    def loss(self):
        """The objective at the fitted point. It is not finite if it overflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.objective.loss(self.w)

    @property
    def sampled(self):
        """Whether there are more rows than the objective holds."""
        return self.objective.n_rows < self.sampled_from

    def sample(self, n_rows, rng):
        """The same problem on some of its rows, drawn among the rows with a weight above 0."""
        weight = self.objective.data.weight
        rows = self.objective.n_rows if weight is None else np.flatnonzero(weight)
        rows = np.sort(rng.permutation(rows)[:n_rows])
        return replace(self, objective=self.objective.on(rows))

    def row_error(self, values):
        """Standard error of a weighted mean over the rows, due to the sampling of the rows.

        It is 0 if the objective holds all rows (finite population correction).

        Parameters
        ----------
        values : ndarray of shape (n_rows,)
            The value of every row.

        Returns
        -------
        float
        """
        n = self.objective.n_rows
        if not self.sampled or n < 2:
            return 0.0
        weight = self.objective.data.weight
        share = np.full(n, 1 / n) if weight is None else weight / weight.sum()
        # The variance of a ratio of two sums, to first order: the weights are a sample, too.
        deviation = (values - share @ values) * share
        missing = 1 - n / self.sampled_from
        return float(np.sqrt(missing * n / (n - 1) * (deviation @ deviation)))


def as_problem(estimator, X, y, sample_weight=None, sampled_from=None, validated=False):
    """The problem that a fitted estimator solves on ``(X, y)``.

    Parameters
    ----------
    estimator : object
        ``FlatMLPClassifier``, ``FlatMLPRegressor``, scikit-learn's ``MLPClassifier`` or
        ``MLPRegressor``, ``FlatMatrixFactorization``, a Pipeline that ends in one of them (its
        steps transform ``X``), or a search whose ``best_estimator_`` is one of these.
    X : array-like or sparse matrix of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets in the form in which ``fit`` takes them. None if ``fit`` had no targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows. None weights all rows alike.
    sampled_from : int, default=None
        Number of rows from which these rows are a sample. None means that they are all rows.
    validated : bool, default=False
        Whether the estimator has already validated X. Such an X has no column names any more.

    Returns
    -------
    Problem

    Raises
    ------
    TypeError
        If the estimator is not one of these, or is not fitted.
    ValueError
        If ``predict`` would not accept X, or ``fit`` would not accept y.
    """
    estimator, steps = unwrapped(estimator)
    for each in steps:
        X = each.transform(X)
    for names, inputs_of, problem_of in KINDS:
        if all(hasattr(estimator, name) for name in names):
            X = X if validated else inputs_of(estimator, X)
            objective, w, task = problem_of(estimator, X, y, sample_weight)
            return Problem(objective, w, task, sampled_from or objective.n_rows)
    raise TypeError(
        f"Cannot measure {type(estimator).__name__}: expected a fitted "
        "FlatMLPClassifier or FlatMLPRegressor, scikit-learn's MLPClassifier or "
        "MLPRegressor, FlatMatrixFactorization, FlatPerceptronClassifier, "
        "FlatSphericalPerceptronClassifier, FlatCommitteeClassifier, an estimator of a model of "
        "your own, or a Pipeline or search that ends in one of them."
        + (" Measure each of its estimators_ instead." if hasattr(estimator, "estimators_") else "")
    )


def unwrapped(estimator):
    """The last step within pipelines and fitted searches, and the steps that lead to it.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    estimator : object
    steps : list of Pipeline
        They transform the data, one after the other.
    """
    steps = []
    while isinstance(estimator, Pipeline) or hasattr(estimator, "best_estimator_"):
        if isinstance(estimator, Pipeline):
            steps += [estimator[:-1]] if len(estimator) > 1 else []
            estimator = estimator[-1]
        else:
            estimator = estimator.best_estimator_
    return estimator, steps
