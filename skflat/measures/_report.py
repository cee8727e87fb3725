"""Everything affordable about one fitted network, or about several side by side."""

from collections.abc import Iterable, Mapping
from numbers import Integral

from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, check_random_state

from .._compat import num_samples
from .._parallel import run
from ..objective import NotDefinedError, did_you_mean
from ..problems import as_problem
from ._frames import pandas_for
from ._measure import Measure, sample_rows
from ._registry import BINARY_MEASURES, MEASURES
from .binary import is_binary

# Left out by default. They take 600 Hessian products (for a picture more than a number), 600
# gradients, and hundreds of sweeps.
TOO_DEAR = {"spectral_density", "learning_coefficient", "local_entropy"}
# The last rows of a report: weakness, its cheap alternatives, and the bound.
LAST = ("weakness", "live_units", "effective_rank", "normalized_margin", "pac_bayes_bound")
NOT_MEASURED = "not_measured"
COLUMNS = ("value", "stderr", "kind", "converged", "n_evals")
# Errors of a measure that are due to memory or arithmetic. `numpy.linalg.LinAlgError` and SciPy's
# errors about roots and infinities are a ValueError. `ArpackError` and a dead worker are a
# RuntimeError.
FAILURES = (MemoryError, ArithmeticError, ValueError, RuntimeError)


def flatness_report(
    estimator,
    X,
    y,
    sample_weight=None,
    *,
    measures=None,
    max_samples=2000,
    n_jobs=None,
    random_state=0,
):
    """All measures of a fitted network that are affordable.

    Parameters
    ----------
    estimator : fitted estimator
        Ours, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, or a Pipeline that ends in
        one of them. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), default=None
    measures : sequence of str or dict of str to Measure, default=None
        Names of `MEASURES`, which use default parameters, or a dict of measures with names of your
        own. None takes all but the spectral density and the learning coefficient. Weakness comes
        last, with its cheap alternatives (live units, effective rank, normalised margin) and the
        PAC-Bayes bound. If all weights are in {-1, +1}, a measure in `BINARY_MEASURES` replaces the
        measure of the same name.
    max_samples : int or None, default=2000
        Number of rows to measure on, a stratified sample. None takes all rows.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. A task is one measure. The results are equal to
        the bit for any number.
    random_state : int, RandomState instance or None, default=0
        Draws the rows. It is also the seed of measures given by name.

    Returns
    -------
    Report
        `Measurement` by name. It prints as a table, and ``to_frame()`` makes a DataFrame. A measure
        is left out if it is not defined for the estimator, runs out of memory or fails for a
        numerical reason. ``not_measured`` has the reasons.

    Raises
    ------
    TypeError
        If the estimator cannot be measured.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import flatness_report
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> report = flatness_report(clf, X, y, measures=["sharpness", "margins"])
    >>> list(report.to_frame().index), report.sharpness.kind
    (['sharpness', 'margins'], 'exact')
    """
    reports = compare(
        {"": estimator},
        X,
        y,
        sample_weight,
        measures=measures,
        max_samples=max_samples,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    return reports[""]


def compare(
    estimators,
    X,
    y,
    sample_weight=None,
    *,
    measures=None,
    max_samples=2000,
    n_jobs=None,
    random_state=0,
):
    """`flatness_report` of several fitted networks, on the same rows, side by side.

    Parameters
    ----------
    estimators : dict of str to fitted estimator, or sequence of fitted estimators
        In a sequence, estimators are named after their classes. Equal names are numbered.
    X, y, sample_weight, measures, max_samples, n_jobs, random_state
        See `flatness_report`.

    Returns
    -------
    Comparison
        `Report` by name. It prints as a table, and ``to_frame()`` makes a DataFrame of the values.

    Raises
    ------
    TypeError
        If one of the estimators cannot be measured.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import compare
    >>> X, y = load_iris(return_X_y=True)
    >>> nets = {n: MLPClassifier((n,), max_iter=3000, random_state=0).fit(X, y) for n in (20, 50)}
    >>> compare(nets, X, y, measures=["sharpness", "flatness"]).to_frame().shape
    (2, 2)
    """
    if isinstance(estimators, BaseEstimator):
        raise ValueError(f"estimators must be several, got one {type(estimators).__name__}.")
    named = estimators if isinstance(estimators, Mapping) else _named(estimators)
    rows = sample_rows(X, y, sample_weight, max_samples, random_state)
    problems = [as_problem(each, *rows, sampled_from=num_samples(X)) for each in named.values()]
    registry = MEASURES | (BINARY_MEASURES if all(map(is_binary, problems)) else {})
    measures = _seeded(measures, random_state, registry)
    tasks = [(measure, problem) for problem in problems for measure in measures.values()]
    found = iter(run(_measured, tasks, n_jobs))
    reports = Comparison()
    for name in named:
        outcomes = {key: next(found) for key in measures}
        reasons = {key: each for key, each in outcomes.items() if isinstance(each, str)}
        taken = {key: each for key, each in outcomes.items() if key not in reasons}
        reports[str(name)] = Report(**taken, not_measured=reasons)
    return reports


def check_measures(measures, registry=MEASURES):
    """Measures by name, from names in the registry or as they are given.

    Parameters
    ----------
    measures : sequence of str or dict of str to Measure
    registry : dict of str to type, default=MEASURES

    Returns
    -------
    dict of str to Measure

    Raises
    ------
    ValueError
        If one of them is unknown or no measure, or its parameters make no sense.
    """
    if isinstance(measures, Mapping):
        chosen = dict(measures)
    elif isinstance(measures, str | Measure) or not isinstance(measures, Iterable):
        chosen = {"": None}
    else:
        chosen = {name: registry[name]() if name in registry else None for name in measures}
    good = all(isinstance(name, str) and isinstance(each, Measure) for name, each in chosen.items())
    if not good or NOT_MEASURED in chosen:
        unknown = [name for name, each in chosen.items() if each is None and name not in registry]
        raise ValueError(
            "measures must be a dict from names to measures or a sequence of names among "
            f"{sorted(registry)}, got {measures!r}."
            + "".join(did_you_mean(name, registry) for name in unknown[:1])
        )
    for measure in chosen.values():
        measure._validate_params()
    return chosen


def _seeded(measures, random_state, registry):
    """The measures to take: those named draw with one seed, those given with their own."""
    if measures is None:
        measures = [name for name in registry if name not in TOO_DEAR | set(LAST)] + list(LAST)
    chosen = check_measures(measures, registry)
    if not isinstance(measures, Mapping):
        # A number and not a generator. So a result does not depend on the other measures, on their
        # order or on the worker.
        whole = isinstance(random_state, Integral)
        seed = random_state if whole else check_random_state(random_state).randint(2**31)
        for measure in chosen.values():
            if "random_state" in measure.get_params():
                measure.set_params(random_state=int(seed))
    return chosen


def _named(estimators):
    """Estimators by the names of their classes."""
    names = [type(estimator).__name__ for estimator in estimators]
    places = [names[:k].count(name) + 1 for k, name in enumerate(names)]
    return {
        f"{name} {place}" if names.count(name) > 1 else name: estimator
        for name, place, estimator in zip(names, places, estimators, strict=True)
    }


def _measured(measure, problem):
    """The measurement, or why there is none."""
    try:
        return measure.evaluate(problem)
    except NotDefinedError as reason:
        return str(reason)
    except FAILURES as failure:
        # NumPy's memory error has a private class name, and Python's has no message.
        is_memory = isinstance(failure, MemoryError)
        name = "MemoryError" if is_memory else type(failure).__name__
        return f"{name}: {failure}" if str(failure) else name


class Report(Bunch):
    """`Measurement` by name. Prints as a table; ``to_frame()`` makes a DataFrame of it.

    ``not_measured`` is a dict with the reasons for measures that could not be taken.
    """

    def to_frame(self):
        """A pandas DataFrame with one row for each measure.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("to_frame")

        rows = [[getattr(found, column) for column in COLUMNS] for _, found in self._found()]
        return pd.DataFrame(rows, index=[name for name, _ in self._found()], columns=COLUMNS)

    def _found(self):
        return [(name, found) for name, found in self.items() if name != NOT_MEASURED]

    def __str__(self):
        lines = [f"{'measure':<20}{'value':>12}{'stderr':>12}  kind"]
        for name, found in self._found():
            unsettled = "" if found.converged else ", not converged"
            lines.append(
                f"{name:<20}{found.value:>12.5g}{found.stderr:>12.2g}  {found.kind}{unsettled}"
            )
        lines += [f"{name:<20}{'-':>12}{'-':>12}  {why}" for name, why in self.not_measured.items()]
        return "\n".join(lines)

    __repr__ = __str__


class Comparison(Bunch):
    """`Report` by name of the estimator. Prints as a table; ``to_frame()`` makes a DataFrame."""

    def to_frame(self):
        """A pandas DataFrame of the values, with measures as rows and estimators as columns.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("to_frame")

        return pd.DataFrame(
            {
                name: {key: found.value for key, found in report._found()}
                for name, report in self.items()
            },
            index=self._names(),
        )

    def _names(self):
        return list(dict.fromkeys(key for report in self.values() for key, _ in report._found()))

    def __str__(self):
        lines = [f"{'measure':<20}" + "".join(f"{name:>24}" for name in self)]
        for key in self._names():
            cells = [_cell(report.get(key)) for report in self.values()]
            lines.append(f"{key:<20}" + "".join(f"{cell:>24}" for cell in cells))
        for name, report in self.items():
            lines += [f"{name}, {key}: {why}" for key, why in report.not_measured.items()]
        return "\n".join(lines)

    __repr__ = __str__


def _cell(found):
    if found is None:
        return "-"
    error = f" ± {found.stderr:.2g}" if found.stderr > 0 else ""
    return f"{found.value:.5g}{error}"
