"""Solvers side by side, at an equal budget of gradients."""

import warnings
from collections.abc import Iterable, Mapping
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length

from .._compat import safe_indexing
from .._parallel import run
from ..measures import check_measures, pandas_for
from ._fits import fit_or_none, standard_error

N_TRIAL = 4  # epochs of the trial fit that measures the cost of one epoch
# Corrections of the number of epochs, for solvers whose cost changes during training.
MOST_CORRECTIONS = 4


def compare_solvers(
    estimator,
    X,
    y,
    solvers,
    *,
    y_train=None,
    budget=50,
    rhos=None,
    n_seeds=5,
    test_size=0.25,
    scoring=None,
    measures=None,
    n_jobs=None,
):
    """Train with several solvers at an equal number of gradients, and score them side by side.

    For every seed the rows are split once. All solvers start from the same parameters and see the
    same batches, so differences between them are paired. Every fit may differentiate every training
    row ``budget`` times. So a solver whose step costs two gradients runs half the epochs. All
    epochs are used: there is no early stopping, and no plateau ends a fit or lowers an adaptive
    rate.

    Parameters
    ----------
    estimator : estimator
        ``FlatMLPClassifier`` or ``FlatMLPRegressor``, or a Pipeline that ends in one. It is cloned.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    solvers : sequence of str, or dict
        Names of `skflat.solvers.SOLVERS`. A dict has names of your own, for solver objects or for
        dicts of parameters of the estimator, such as
        ``{"solver": "sgd", "learning_rate_init": 0.1}``. All others are compared with the first
        one.
    y_train : array-like, default=None
        Targets for training and for the choice of radii, of the shape of ``y``, if they differ from
        the targets of the score. An example is labels with noise.
    budget : float, default=50
        Gradients of every training row.
    rhos : sequence of float, or dict of str to sequence of float, default=None
        Values of ``rho`` to choose from: the same for all solvers that use it, or by the solver's
        name. The choice is made for every seed. It maximises the score on a quarter of the training
        rows, after a fit to the others with the same budget. None uses the estimator's own ``rho``.
    n_seeds : int, default=5
        Number of splits and starts. Seeds are numbered from 0.
    test_size : float, default=0.25
        Share of the rows for the score. Classifiers are split by class.
    scoring : str or callable, default=None
        None is the estimator's ``score``.
    measures : sequence of str, default=None
        Measures of every network, on its training rows.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. A task is the fits of one solver and seed.

    Returns
    -------
    SolverComparison

    Raises
    ------
    ImportError
        If pandas is not installed, in which the results come.
    ValueError
        If a parameter makes no sense, or the budget does not suffice for one epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.experiments import compare_solvers
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FlatMLPClassifier((10,), learning_rate_init=0.02)
    >>> found = compare_solvers(clf, X, y, ["adam", "sam"], budget=20, n_seeds=2)
    >>> found.summary().loc[:, ["gradients"]]["gradients"].tolist()
    [20.0, 20.0]
    """
    pandas_for("compare_solvers")  # before the work, not after it
    solvers = _named(solvers)
    for name, value, kind in (("budget", budget, Real), ("n_seeds", n_seeds, Integral)):
        if not (isinstance(value, kind) and not isinstance(value, bool) and 0 < value < np.inf):
            raise ValueError(f"{name} must be a number > 0, got {value!r}.")
    rhos = {name: _rhos_of(name, rhos, solvers) for name in solvers}
    if measures is not None:
        measures = list(check_measures(measures))
    y_train = y if y_train is None else y_train
    check_consistent_length(X, y, y_train)
    settings = {
        "budget": budget,
        "test_size": test_size,
        "scoring": scoring,
        "measures": measures,
    }
    tasks = [
        (estimator, (X, y_train, y), name, solver, seed, settings | {"rhos": rhos[name]})
        for seed in range(n_seeds)
        for name, solver in solvers.items()
    ]
    runs = run(_fit_and_score, tasks, n_jobs)
    for each in runs:
        if np.isnan(each["score"]):
            place = f"seed {each['seed']} and rho={each['rho']}"
            warnings.warn(f"{each['solver']} diverged with {place}.", stacklevel=2)
    return SolverComparison(runs, list(solvers))


class SolverComparison:
    """The fits of `compare_solvers`.

    Attributes
    ----------
    runs : list of dict
        One dict for each fit, with ``solver``, ``seed``, ``rho`` (chosen, or the estimator's),
        ``score`` on the test rows, ``train_score``, ``loss`` (the last one of training),
        ``epochs``, ``gradients`` (of every training row), ``seconds`` and the measures. If training
        diverged, the results are NaN, and there is a warning.
    solvers : list of str
        Names of the solvers, in the order of the comparison.
    """

    def __init__(self, runs, solvers):
        self.runs = runs
        self.solvers = solvers

    def to_frame(self):
        """A pandas DataFrame with one row for each fit.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("to_frame")

        return pd.DataFrame(self.runs)

    def summary(self):
        """A pandas DataFrame with one row for each solver: means and paired differences.

        ``stderr`` is the standard error of the mean score over the seeds. ``difference`` is the
        mean over the seeds of the score minus the first solver's score with the same seed.
        ``difference_stderr`` is its standard error.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("summary")

        scores = {name: self.column(name, "score") for name in self.solvers}
        reference = scores[self.solvers[0]]
        rows = [
            {
                "score": scores[name].mean(),
                "stderr": standard_error(scores[name]),
                "difference": (scores[name] - reference).mean(),
                "difference_stderr": standard_error(scores[name] - reference),
                **{
                    key: np.mean(self.column(name, key))
                    for key in self.runs[0]
                    if key not in {"solver", "seed", "rho", "score"}
                },
            }
            for name in self.solvers
        ]
        return pd.DataFrame(rows, index=self.solvers)

    def column(self, solver, key):
        """One column of a solver's fits, an ndarray of shape (n_seeds,).

        Parameters
        ----------
        solver : str
        key : str
            Name of a column of `to_frame`.

        Returns
        -------
        ndarray of shape (n_seeds,)
        """
        return np.array([each[key] for each in self.runs if each["solver"] == solver], float)


def _named(solvers):
    if isinstance(solvers, Mapping):
        named = dict(solvers)
    else:
        strings = isinstance(solvers, Iterable) and not isinstance(solvers, str)
        named = {name: name for name in solvers} if strings else {}
    if not named or not all(isinstance(name, str) for name in named):
        raise ValueError(
            f"solvers must be a sequence of names or a dict from names to solvers, got {solvers!r}."
        )
    return named


def _rhos_of(name, rhos, solvers):
    """The radii from which a solver chooses, or None."""
    by_name = rhos if isinstance(rhos, Mapping) else dict.fromkeys(solvers, rhos)
    unknown = set(by_name) - set(solvers)
    found = by_name.get(name)
    several = found is None or (isinstance(found, Iterable) and len(list(found)) > 0)
    if unknown or not several:
        raise ValueError(
            "rhos must be None, one or more numbers, or a dict of such by the names of solvers, "
            f"got {rhos!r}."
        )
    return None if found is None else list(found)


def _fit_and_score(estimator, data, name, solver, seed, settings):
    """One task: choose ``rho`` if radii are given, fit, and score."""
    X, y, y_test = data
    train, test = _split(estimator, y_test, np.arange(len(y)), settings["test_size"], seed)
    scorer, budget = check_scoring(estimator, settings["scoring"]), settings["budget"]
    given = dict(solver) if isinstance(solver, Mapping) else {"solver": solver}
    # Every solver uses its whole budget. Measures come after the fit, outside its ``seconds``.
    whole = {"n_iter_no_change": np.inf, "early_stopping": False, "measures": None}
    prepared = _set(clone(estimator), **given | whole | {"random_state": seed})
    if settings["rhos"] is not None and _last(prepared)._solver().default_rho is not None:
        rho = _best_rho(prepared, X, y, train, scorer, settings["rhos"], budget, seed)
        prepared = _set(prepared, rho=rho)
    found = {"solver": name, "seed": seed, "rho": _last(prepared).rho}
    fitted = _fit_within(prepared, *_rows(X, y, train), budget)
    if fitted is None:
        keys = ("score", "train_score", "loss", "epochs", "gradients", "seconds")
        return found | dict.fromkeys((*keys, *(settings["measures"] or ())), np.nan)
    network, inputs = _last(fitted), _inputs(fitted, _rows(X, y, train)[0])
    found |= {
        "score": float(scorer(fitted, *_rows(X, y_test, test))),
        "train_score": float(scorer(fitted, *_rows(X, y, train))),
        "loss": network.loss_,
        "epochs": network.n_iter_,
        "gradients": network.n_grad_evals_,
        "seconds": fitted.seconds,
    }
    if settings["measures"]:
        network.set_params(measures=settings["measures"])
        measured = network.measure(inputs, safe_indexing(y, train))
        found |= {key: measured[key].value for key in settings["measures"]}
    return found


def _best_rho(prepared, X, y, train, scorer, rhos, budget, seed):
    """The radius with the best score on a quarter of the training rows, at the same budget."""
    fit_on, judge_on = _split(prepared, y, train, 0.25, seed)
    scores = []
    for rho in rhos:
        fitted = _fit_within(_set(clone(prepared), rho=rho), *_rows(X, y, fit_on), budget)
        scores.append(np.nan if fitted is None else scorer(fitted, *_rows(X, y, judge_on)))
    # A radius at which training diverges loses against all others.
    return rhos[int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))]


def _fit_within(prepared, X, y, budget):
    """The estimator after as many epochs as the budget allows, or None if it diverged.

    A short trial measures the cost of an epoch. If this cost changes during training, the measured
    cost corrects the number of epochs, and training begins again.
    """
    fitted = fit_or_none(_set(clone(prepared), max_iter=N_TRIAL, max_fun=N_TRIAL), X, y)
    if not _last(prepared)._solver().stochastic:  # counts function calls, not epochs
        n_calls = max(1, int(budget))
        return fit_or_none(_set(clone(prepared), max_iter=n_calls, max_fun=n_calls), X, y)
    for _ in range(MOST_CORRECTIONS):
        if fitted is None:
            return None
        network = _last(fitted)
        per_epoch = network.n_grad_evals_ / network.n_iter_
        # The small number keeps rounding from losing an epoch when the quotient is an integer.
        epochs = int(budget / per_epoch + 1e-9)
        if epochs < 1:
            raise ValueError(
                f"budget={budget} does not suffice: one epoch of {network.solver!r} costs "
                f"{per_epoch:g} gradients of every row."
            )
        if epochs == network.max_iter:
            break
        fitted = fit_or_none(_set(clone(prepared), max_iter=epochs), X, y)
    return fitted


def _split(estimator, y, rows, size, seed):
    targets = safe_indexing(y, rows)
    # scikit-learn cannot stratify several labels for each row.
    stratify = targets if is_classifier(estimator) and np.ndim(targets) == 1 else None
    return train_test_split(rows, test_size=size, stratify=stratify, random_state=seed)


def _rows(X, y, rows):
    return safe_indexing(X, rows), safe_indexing(y, rows)


def _last(estimator):
    """The network at the end of a Pipeline, or the network."""
    return _last(estimator[-1]) if hasattr(estimator, "steps") else estimator


def _inputs(estimator, X):
    """The inputs of the network at the end of a Pipeline."""
    if not hasattr(estimator, "steps"):
        return X
    return _inputs(estimator[-1], estimator[:-1].transform(X) if len(estimator) > 1 else X)


def _set(estimator, **params):
    _last(estimator).set_params(**params)
    return estimator
