"""Train a grid of networks, and ask which measures predict their scores."""

from collections.abc import Iterable, Mapping
from itertools import product
from numbers import Integral, Number, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import check_consistent_length

from ..._compat import num_samples
from ..._parallel import run
from ...measures import Measure, check_measures, pandas_for, sample_rows
from ...objective import NotDefinedError
from .._checkpoint import Checkpoint, fingerprints
from ._study import GeneralizationStudy
from ._training import OF_DATA, last_step, prepared, trained, training_rows

#: What every run has besides its setting, its measures and its scores under shift.
RESULTS = ("epochs", "fitted", "train_loss", "train_score", "score", "score_error", "seconds")


def predicts_generalization(
    estimator,
    X,
    y,
    X_test,
    y_test,
    grid,
    measures,
    *,
    n_seeds=3,
    until=None,
    shifts=None,
    scoring=None,
    max_samples=2000,
    n_jobs=None,
    checkpoint=None,
    progress=False,
):
    """Ask which measures of a network predict its score on unseen rows.

    Every setting of the grid is trained from several starts. Of every network the measures are
    taken on its training rows, and the scores on the test rows. `GeneralizationStudy` then tells
    how each measure ranks the networks: over all of them, along every axis of the grid, in every
    environment, and given the hyper-parameters or other measures.

    Parameters
    ----------
    estimator : estimator
        ``FlatMLPClassifier``, ``FlatMLPRegressor``, an MLP of scikit-learn, or a Pipeline that ends
        in one. It is cloned. With measures of your own and ``until=None`` any estimator.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    X_test, y_test : array-like
        Rows for the score. Many rows make the scores precise, and so the comparisons.
    grid : dict of str to list
        Names of parameters, as in ``set_params``, to the values to try. All combinations are
        trained. Two axes may concern the training rows: ``"rows"``, the share of them that is kept,
        and ``"label_noise"``, the share of the kept rows whose target is replaced. ``random_state``
        and ``measures`` are no axes, because both are set for every network.
    measures : sequence of str, or dict of str to Measure or callable
        Names of `skflat.measures.MEASURES`, or measures with names of your own. A function
        ``(estimator, X, y) -> float`` is a scorer: greater promises a better score.
    n_seeds : int, default=3
        Starts of every setting, numbered from 0. Seeds are the outer loop, so an interrupted run
        has whole grids.
    until : float, default=None
        The unpenalised mean training loss at which every training ends, so that all networks fit
        alike. It is looked at after every epoch of ``partial_fit``. A network that does not get
        there in ``max_iter`` epochs is not ``fitted``, and the study leaves it out. None trains by
        ``fit``.
    shifts : dict of str to tuple, default=None
        Further test sets ``(X, y)``, for example with noise or of another source. Each adds an
        outcome of its name, which is not ``"score"`` or ``"gap"``.
    scoring : str or callable, default=None
        None is the estimator's ``score``.
    max_samples : int or None, default=2000
        Number of training rows to measure on, a stratified sample. None takes all rows.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. A task is one network. But for ``seconds`` the
        result is equal to the bit for any number and any backend.
    checkpoint : path-like, default=None
        A CSV file that gains a row with every network. Networks in the file are not trained again.
        So an interrupted run can continue, and seeds or values of the grid can be added. All else
        must be the same.
    progress : bool or callable, default=False
        A function ``(n_done, n_networks)`` that is called after every network. True prints a line
        at every percent.

    Returns
    -------
    GeneralizationStudy

    Raises
    ------
    ImportError
        If pandas is not installed, in which the results come.
    ValueError
        If a parameter makes no sense, or the checkpoint was written with other settings.

    Notes
    -----
    The questions are those of Jiang and others (arXiv:1912.02178), Dziugaite and others
    (arXiv:2010.11924), and under shift of Andriushchenko and others (arXiv:2302.07011). A measure
    that is not defined for a network, or fails, is NaN there.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.experiments import predicts_generalization
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FlatMLPClassifier((10,), solver="sgd", batch_size=10)
    >>> grid = {"learning_rate_init": [0.01, 0.05], "alpha": [1e-4, 1.0]}
    >>> found = predicts_generalization(
    ...     clf, X[::2], y[::2], X[1::2], y[1::2], grid, ["sharpness"], n_seeds=2, until=0.3
    ... )
    >>> len(found.runs), found.summary().columns[:3].tolist()
    (8, ['n', 'tau', 'tau_low'])
    """
    pandas_for("predicts_generalization")  # before the work, not after it
    grid, measures = _check_grid(estimator, grid), _check_measures(measures)
    _check_numbers(estimator, n_seeds, until)
    if until is not None:
        _check_epochs(estimator, grid)
    check_consistent_length(X, y)
    tests = {"score": (X_test, y_test)} | _check_shifts(shifts)
    for pair in tests.values():
        check_consistent_length(*pair)
    parts = {
        "estimator": clone(estimator),
        "data": (X, y),
        "tests": tests,
        "measures": measures,
        "settings": {"until": until, "scoring": scoring, "max_samples": max_samples},
    }
    columns = [*grid, "seed", *RESULTS, *list(tests)[1:], *measures]
    _check_names(columns)
    labels = {name: {_label(value): value for value in values} for name, values in grid.items()}
    wanted = [(*setting, seed) for seed in range(n_seeds) for setting in product(*labels.values())]
    settings = fingerprints(checkpoint, parts)
    with Checkpoint(
        checkpoint, columns, n_keys=len(grid) + 1, kind="generalization study", settings=settings
    ) as done:
        tasks = [(*parts.values(), labels, key) for key in done.missing(wanted)]
        tell = _teller(progress, len(wanted) - len(tasks), len(wanted))
        # The checkpoint keeps each row at once, so an interruption loses only what is in progress.
        run(_network, tasks, n_jobs, then=lambda row: (done.add([row]), tell()))
    runs = [row for key in wanted for row in done.rows[key]]
    signs = {name: getattr(each, "sign", 1) for name, each in measures.items()}
    return GeneralizationStudy(runs, list(grid), signs, shifts=list(tests)[1:])


def _network(estimator, data, tests, measures, settings, labels, key):
    """One task, a row of the table."""
    *setting, seed = key
    values = {name: labels[name][label] for name, label in zip(labels, setting, strict=True)}
    row = dict(zip(labels, setting, strict=True)) | {"seed": seed}
    network = prepared(estimator, values, seed)
    X, y = training_rows(estimator, *data, values, seed)
    classes = np.unique(data[1]) if is_classifier(estimator) else None
    fitted, epochs, loss = trained(network, X, y, classes, settings["until"])
    if fitted is None:
        nothing = dict.fromkeys([*RESULTS, *tests, *measures], np.nan)
        return row | nothing | {"epochs": epochs, "fitted": 0}
    scorer = check_scoring(fitted, settings["scoring"])
    scores = {name: float(scorer(fitted, *test)) for name, test in tests.items()}
    binomial = settings["scoring"] is None and is_classifier(estimator)
    share, n = scores["score"], num_samples(tests["score"][0])
    sample = sample_rows(X, y, None, settings["max_samples"], random_state=0)[:2]
    return row | {
        "epochs": epochs,
        "fitted": int(settings["until"] is None or loss <= settings["until"]),
        "train_loss": float(loss),
        "train_score": float(scorer(fitted, X, y)),
        **scores,
        "score_error": float(np.sqrt(share * (1 - share) / n)) if binomial else np.nan,
        "seconds": fitted.seconds,
        **{name: _value(measure, fitted, *sample) for name, measure in measures.items()},
    }


def _value(measure, fitted, X, y):
    if not isinstance(measure, Measure):
        return float(measure(fitted, X, y))
    try:
        return measure.measure(fitted, X, y).value
    except NotDefinedError:
        return np.nan


def _teller(progress, n_done, n_all):
    """A function to call after every network."""
    told = {"done": n_done}

    def tell():
        told["done"] += 1
        if callable(progress):
            progress(told["done"], n_all)
        elif progress and (told["done"] * 100 // n_all) > ((told["done"] - 1) * 100 // n_all):
            print(f"{told['done']} of {n_all} networks", flush=True)

    return tell


def _label(value):
    """How a value of the grid is written: a number as it is, all else as text on one line."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Number) and not isinstance(value, bool):
        return value
    text = " ".join(str(value).split())
    try:
        float(text)
    except ValueError:
        return text
    return repr(text)  # a text that looks like a number would be read as one


# What is not accepted


def _check_grid(estimator, grid):
    good = isinstance(grid, Mapping) and all(
        isinstance(name, str) and isinstance(values, Iterable) and not isinstance(values, str)
        for name, values in grid.items()
    )
    lists = {name: list(values) for name, values in grid.items()} if good else {}
    if not lists or not all(lists.values()):
        raise ValueError(
            f"grid must be a dict from names of parameters to lists of values, got {grid!r}."
        )
    for name, values in lists.items():
        if name not in OF_DATA and name not in estimator.get_params():
            raise ValueError(f"grid has {name!r}, which is no parameter of {estimator!r}.")
        if name.split("__")[-1] in ("random_state", "measures"):
            raise ValueError(f"grid has {name!r}, which n_seeds and measures set for all.")
        if len({_label(value) for value in values}) < len(values):
            raise ValueError(f"grid has a value of {name!r} twice: {values!r}.")
    for name in OF_DATA:
        for share in lists.get(name, ()):
            if not (isinstance(share, Real) and 0 <= share <= 1):
                raise ValueError(f"{name} must be a share between 0 and 1, got {share!r}.")
    return lists


def _check_measures(measures):
    if not isinstance(measures, Mapping):
        return check_measures(measures)
    own = {name: each for name, each in measures.items() if not isinstance(each, Measure)}
    if not all(isinstance(name, str) and callable(each) for name, each in own.items()):
        return check_measures(measures)  # which raises the error
    known = check_measures({name: each for name, each in measures.items() if name not in own})
    return {name: known.get(name, each) for name, each in measures.items()}


def _check_shifts(shifts):
    shifts = {} if shifts is None else shifts
    pairs = isinstance(shifts, Mapping) and all(
        isinstance(pair, tuple | list) and len(pair) == 2 for pair in shifts.values()
    )
    if not pairs:
        raise ValueError(f"shifts must be a dict from names to pairs (X, y), got {shifts!r}.")
    taken = sorted({"score", "gap"} & set(shifts))
    if taken:
        raise ValueError(f"shifts has {taken[0]!r}, which is an outcome already.")
    return dict(shifts)


def _check_numbers(estimator, n_seeds, until):
    if not (isinstance(n_seeds, Integral) and not isinstance(n_seeds, bool) and n_seeds > 0):
        raise ValueError(f"n_seeds must be an integer > 0, got {n_seeds!r}.")
    if until is None:
        return
    if not (isinstance(until, Real) and not isinstance(until, bool) and 0 < until < np.inf):
        raise ValueError(f"until must be a number > 0 or None, got {until!r}.")
    if not hasattr(last_step(estimator), "max_iter"):
        raise ValueError(f"until needs an estimator with max_iter, got {estimator!r}.")


def _check_epochs(estimator, grid):
    """Refuse solvers without epochs before the work, not after a part of it."""
    for values in product(*grid.values()):
        network = last_step(prepared(estimator, dict(zip(grid, values, strict=True)), 0))
        if not hasattr(network, "partial_fit"):
            raise ValueError(f"until needs training by epochs (partial_fit), not {network!r}.")


def _check_names(columns):
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise ValueError(f"Every axis, measure and shift needs a name of its own, not {twice}.")
