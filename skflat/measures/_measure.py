"""The base of all measures. A measure evaluates an objective around a fitted point."""

import warnings
from abc import ABC, abstractmethod
from dataclasses import replace
from numbers import Integral

import numpy as np
from scipy.special import ndtr, stdtrit
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, indexable

from .._compat import WeightedScorer, num_samples, safe_indexing
from ..objective import Documented, require
from ..problems import as_problem
from ._measurement import Measurement


class Measure(Documented, WeightedScorer, BaseEstimator, ABC):
    """Base of all measures. An instance is a scikit-learn scorer: greater is flatter.

    A subclass writes ``__init__`` as scikit-learn's estimators do, and `_evaluate`. It declares
    what it needs in ``requires``.
    """

    _parameter_constraints: dict = {}

    #: Types of `Capability` and contracts of losses that it needs of an objective.
    requires: tuple = ()
    #: +1 if a greater value is flatter, -1 if a smaller value is.
    sign = 1

    @abstractmethod
    def _evaluate(self, problem):
        """The `Measurement` of a problem whose loss is finite.

        Parameters
        ----------
        problem : skflat.problems.Problem

        Returns
        -------
        Measurement
            Its protocol does not hold the parameters; `evaluate` adds them.
        """

    def evaluate(self, problem):
        """Measure a problem: an objective, a point, and the rows behind them.

        Parameters
        ----------
        problem : skflat.problems.Problem
            The objective and the parameters of shape (n_parameters,). The parameters stay as they
            are.

        Returns
        -------
        Measurement
            Value, standard error, kind, number of evaluations and protocol. The unit of the value
            is the measure's. If the loss at the point is not finite, nothing can be measured: the
            value is NaN, and a warning says so.

        Raises
        ------
        NotDefinedError
            If the objective lacks something in ``requires``. The error says what is missing and
            which models have it.
        """
        for kind in self.requires:
            require(problem.objective, kind, type(self).__name__)
        if np.isfinite(problem.loss):
            found = self._without_noise(problem)
        else:
            warnings.warn(
                f"The loss at the fitted parameters is {problem.loss}, so there is no "
                f"{type(self).__name__}.",
                stacklevel=3,
            )
            found = undefined(problem)
        return replace(found, protocol=found.protocol | {"parameters": self._recorded()})

    def _without_noise(self, problem):
        """Evaluate, with one warning of all overflows, and only if the value is NaN."""
        kinds = set()
        noted = {"over": "call", "invalid": "call", "divide": "call"}
        with np.errstate(call=lambda kind, flag: kinds.add(kind), **noted):
            try:
                found = self._evaluate(problem)
            except ValueError as error:  # by SciPy, for an array with infinite entries
                if not kinds or "infs or NaNs" not in str(error):
                    raise
                found = undefined(problem)
        if np.isnan(found.value) and kinds:
            warnings.warn(
                f"{type(self).__name__} is NaN: the numbers on the way to it are too large "
                f"({', '.join(sorted(kinds))}). Scale the features and the target.",
                stacklevel=4,
            )
        return found

    def _recorded(self):
        """The parameters, as a protocol has them."""
        return self.get_params()

    def measure(self, estimator, X, y, sample_weight=None):
        """Measure a fitted estimator on data.

        Parameters
        ----------
        estimator : estimator object
            A fitted estimator of skflat, an MLP of scikit-learn, or a Pipeline that ends in one.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows on which the loss is taken.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets, as in ``fit``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the mean loss. None weights all rows alike.

        Returns
        -------
        Measurement
            As from `evaluate`.

        Raises
        ------
        ValueError
            If a parameter of the measure is out of its range, or the data do not fit the estimator.
        TypeError
            If the estimator is not one of these, or is not fitted.
        NotDefinedError
            If the estimator's model lacks what the measure needs.
        """
        self._validate_params()
        return self.evaluate(as_problem(estimator, X, y, sample_weight))

    def __call__(self, estimator, X, y, sample_weight=None):
        """Score for ``scoring=``.

        Parameters
        ----------
        estimator, X, y, sample_weight
            As in `measure`.

        Returns
        -------
        float
            ``sign`` times the value, so greater is flatter.

        Raises
        ------
        NotDefinedError
            If the estimator's model lacks what the measure needs.
        """
        return self.sign * self.measure(estimator, X, y, sample_weight).value


def undefined(problem):
    """The measurement to return if the quantity is not defined at the problem's point."""
    return Measurement(
        np.nan, np.nan, "estimate", 1, False, samples=np.array([]), protocol=describe(problem)
    )


def not_measured(reason):
    """The measurement to return if measuring failed. Its protocol has the reason.

    Parameters
    ----------
    reason : str

    Returns
    -------
    Measurement
    """
    return Measurement(
        np.nan, np.nan, "estimate", 0, False, samples=np.array([]), protocol={"reason": reason}
    )


def generator(random_state):
    """A numpy Generator from anything that scikit-learn takes as a random state."""
    return np.random.default_rng(check_random_state(random_state).randint(2**31))


def seeds(random_state, n):
    """One seed for each of ``n`` draws, all fixed before the first is used."""
    # So each draw has the same numbers, whatever the order of the draws or the number of workers.
    return np.random.SeedSequence(check_random_state(random_state).randint(2**31)).spawn(n)


def ladder(name, values):
    """A parameter that is one number or several, as an increasing array of floats."""
    try:
        values = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or several, got {values!r}.") from None
    rising = values.ndim == 1 and len(values) > 0 and (np.diff(values) > 0).all()
    if not (rising and values[0] > 0 and np.isfinite(values).all()):
        raise ValueError(f"{name} must be a number > 0 or several that increase, got {values}.")
    return values


def level_of(problem, batch=None):
    """A change of the loss that matters: a tenth of the loss of the best constant prediction."""
    if batch is None:
        return problem.objective.constant_loss() / 10
    return problem.objective.loss_function.constant_loss(batch) / 10


def describe(problem, **details):
    """The part of a protocol that all measures share, and their own details."""
    objective = problem.objective
    return {
        "loss": type(objective.loss_function).__name__,
        "scale": "mean over rows",
        "penalty": objective.alpha != 0,
        "weighted": objective.data.weight is not None,
        "n_rows": objective.n_rows,
        "sampled_from": problem.sampled_from,
        "n_parameters": len(problem.w),
        **details,
    }


def exactness(problem):
    """The kind of a value that is exact on its rows: an estimate if the rows are a sample."""
    return "estimate" if problem.sampled else "exact"


def group_error(problem, statistic, n_groups=10):
    """Standard error, due to the sampling of rows, of a mean that is not known row by row.

    Parameters
    ----------
    problem : Problem
    statistic : callable
        The mean over the rows of a `Batch`.
    n_groups : int, default=10
        Number of disjoint groups of rows. The error comes from the variance between them.
    """
    return error_of_groups(problem, lambda rows: statistic(problem.objective.batch(rows)), n_groups)


def error_of_groups(problem, statistic, n_groups=10):
    """The same, of a mean over the rows that a slice selects."""
    n = problem.objective.n_rows
    if not problem.sampled or n < 2:
        return 0.0
    n_groups = min(n_groups, n)
    values = [statistic(slice(start, None, n_groups)) for start in range(n_groups)]
    # Finite population correction: a sample of all rows has no sampling error.
    return float(np.sqrt((1 - n / problem.sampled_from) * np.var(values, ddof=1) / n_groups))


def of_few_draws(n_draws):
    """The factor by which three standard errors of a mean of few draws must grow.

    The deviation of few draws is itself uncertain, so that the mean follows Student's distribution.
    With the factor, three standard errors cover what they cover of a normal distribution.
    """
    return float(stdtrit(n_draws - 1, ndtr(3.0)) / 3)


def bias_of_sample(problem, direction):
    """For the protocol of a value that depends on the number of rows: how a sample changes it.

    No standard error covers that, since it is the same for every sample.
    """
    if not problem.sampled:
        return {}
    return {"bias": f"{direction} than on all rows, beside the standard error"}


def sample_rows(X, y, sample_weight, max_samples, random_state):
    """At most ``max_samples`` rows, drawn without replacement and stratified by class.

    If stratifying is impossible (multilabel or continuous targets, or a class too small), the draw
    is uniform. The rows keep their order.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,) or None
    max_samples : int or None
        None takes all rows.
    random_state : int, RandomState instance or None

    Returns
    -------
    tuple
        ``X``, ``y`` and ``sample_weight``, of the rows drawn.
    """
    whole = isinstance(max_samples, Integral) and not isinstance(max_samples, bool)
    if max_samples is not None and not (whole and max_samples >= 1):
        raise ValueError(f"max_samples must be None or an integer >= 1, got {max_samples!r}.")
    X, y, sample_weight = indexable(X, y, sample_weight)
    rows = drawn_rows(y, sample_weight, num_samples(X), max_samples, random_state)
    if rows is None:
        return X, y, sample_weight
    return tuple(
        None if array is None else safe_indexing(array, rows) for array in (X, y, sample_weight)
    )


def drawn_rows(y, sample_weight, n_rows, max_samples, random_state):
    """Indices of the rows that `sample_rows` draws, in order. None stands for all rows.

    Rows of weight 0 add nothing to any measure, so they are not drawn.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
    sample_weight : array-like of shape (n_rows,) or None
    n_rows : int
    max_samples : int or None
        Number of rows to draw.
    random_state : int, RandomState instance or None

    Returns
    -------
    ndarray of int, or None
    """
    if max_samples is None or n_rows <= max_samples:
        return None
    known = np.arange(n_rows) if sample_weight is None else np.flatnonzero(sample_weight)
    targets, random_state = np.asarray(y), check_random_state(random_state)
    targets = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
    if len(known) <= max_samples:
        return known
    targets = targets[known]
    rows = random_state.permutation(len(known))[:max_samples]
    # scikit-learn stratifies only if every class has two rows and both parts can hold every class.
    if targets.ndim == 1 and targets.dtype.kind not in "fc":
        counts = _class_sizes(targets)
        if counts.min() >= 2 and len(counts) <= min(max_samples, len(known) - max_samples):
            rows, _ = train_test_split(
                np.arange(len(known)),
                train_size=max_samples,
                stratify=targets,
                random_state=random_state,
            )
    return known[np.sort(rows)]


def _class_sizes(labels):
    """Rows of every class; a single 1 if the labels cannot be sorted (an error follows)."""
    try:
        return np.unique(labels, return_counts=True)[1]
    except TypeError:
        return np.ones(1, int)
