"""The size at which a model starts to fit its data, and the larger one at which it fits flatly."""

import warnings
from dataclasses import asdict
from itertools import product
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import zero_one_loss
from sklearn.utils import check_consistent_length

from .._parallel import run
from ..measures import Measure, pandas_for
from ..measures.noise import LocalEnergy
from ..problems import as_problem
from ._checkpoint import Checkpoint, fingerprints
from ._fits import fit_or_none, seeded
from ._thresholds import flatness, interpolation, with_interval

COLUMNS = ["size", "seed", "n_parameters", "train_error", "test_score", "energy", "seconds"]


def emergence(
    estimator,
    X,
    y,
    sizes,
    *,
    size_param="hidden_layer_sizes",
    n_seeds=5,
    X_test=None,
    y_test=None,
    measure=None,
    fraction=0.1,
    level=None,
    n_jobs=None,
    checkpoint=None,
):
    """Find the size at which a classifier starts to interpolate, and the size at which it is flat.

    On fixed data, a growing model finds its first solutions, parameters without training error, at
    some size. These are sharp. Wide flat minima appear at a larger size (Baldassi and others,
    arXiv:2110.00683). This function is the practical version: it fits at increasing sizes, from
    several starts, and measures the local energy of the solutions found. The result is about this
    algorithm with this budget. It is no statement about the solutions that exist.

    Parameters
    ----------
    estimator : classifier
        Any classifier, or a Pipeline that ends in one. It is cloned.
    X : array-like of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
    sizes : sequence of float
        Two or more increasing numbers > 0.
    size_param : str or callable, default="hidden_layer_sizes"
        The name of the parameter that takes the size, as in ``set_params`` (for example
        ``"randomfeatures__n_components"``). Or a function ``(estimator, size) -> estimator``, which
        gets a clone.
    n_seeds : int, default=5
        Fits at every size. For every seed, numbered from 0, each parameter ``random_state`` within
        the estimator is set to a number that is drawn from it.
    X_test, y_test : array-like, default=None
        Rows for the score.
    measure : Measure or callable, default=None
        The energy of a fit on the training rows; smaller is flatter. For
        `skflat.measures.LocalEnergy` it is the rise of the *error* at the last scale. For another
        measure it is the value, with a minus sign if greater is flatter. A function
        ``(estimator, X, y) -> float`` is for models without measures. None is
        ``LocalEnergy(scale=0.5)``, which takes 200 passes over the rows.
    fraction, level : float, default=0.1 and None
        The definition of flat; see `Emergence`.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. A task is one fit. The result is equal to the bit
        for any number.
    checkpoint : path-like, default=None
        A CSV file that gains a row with every finished fit. Fits in the file are not done again.
        So an interrupted run can continue, and sizes or seeds can be added. Estimator, data,
        ``size_param`` and ``measure`` must be the same. A function counts as the same if its name
        is the same.
        If the file is damaged, its whole rows are kept, a copy of it gets the suffix ``.broken``,
        and a warning names the lines.

    Returns
    -------
    Emergence

    Raises
    ------
    ImportError
        If pandas is not installed, in which the results come.
    ValueError
        If a parameter makes no sense, or the checkpoint was written with other settings or is in
        use by another run.
    OSError
        If the checkpoint cannot be written, for example as the disk is full.

    Warns
    -----
    UserWarning
        If the sizes do not reach a threshold, or a fit diverged. Such a fit counts as unsolved.
        Also if the checkpoint is damaged.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.experiments import emergence
    >>> from skflat.measures import LocalEnergy
    >>> X, y = load_digits(n_class=5, return_X_y=True)
    >>> clf = MLPClassifier(solver="lbfgs")
    >>> energy = LocalEnergy(scale=0.5, n_draws=10)
    >>> sizes = [1, 2, 8, 16, 64, 128]
    >>> found = emergence(
    ...     clf, X[:200] / 16, y[:200], sizes, n_seeds=3, measure=energy, level=0.1
    ... )
    >>> found.summary().loc[[1, 128], "solved"].tolist()
    [0.0, 1.0]
    >>> found.interpolation_.size < 16 < found.flatness_.size
    True
    """
    pandas_for("emergence")  # before the work, not after it
    sizes = _check_sizes(sizes)
    _check_settings(estimator, size_param, n_seeds, measure)
    _check_flat(fraction, level)
    check_consistent_length(X, y)
    if (X_test is None) != (y_test is None):
        raise ValueError("X_test and y_test must be given together.")
    check_consistent_length(X_test, y_test)
    measure = LocalEnergy(scale=0.5) if measure is None else measure
    data = (X, y, X_test, y_test)
    parts = {
        "estimator": clone(estimator),
        "data": data,
        "size_param": size_param,
        "measure": measure,
    }
    columns = [name for name in COLUMNS if X_test is not None or name != "test_score"]
    fits = list(product(sizes, range(n_seeds)))
    settings = fingerprints(checkpoint, parts)
    with Checkpoint(checkpoint, columns, kind="emergence", settings=settings, numbers=True) as done:
        # The checkpoint keeps each row at once, so an interruption loses only the fits in progress.
        tasks = [(*parts.values(), *fit) for fit in done.missing(fits)]
        run(_fit_and_measure, tasks, n_jobs, then=lambda row: done.add([row]))
    rows = [row for fit in fits for row in done.rows[fit]]
    found = Emergence(rows, fraction=fraction, level=level)
    for doubt in found._doubts():
        warnings.warn(doubt, stacklevel=2)
    return found


class Emergence:
    """The fits of `emergence`, and the two thresholds.

    Two curves over the sizes are made monotone by isotonic regression. Between two sizes they are
    interpolated in the logarithm of the size:

    * The share of seeds that reach zero training error. It crosses 1/2 at `interpolation_`.
    * The mean energy of the solutions, the fits without training error, from that size on. It falls
      to a level at `flatness_`. The level may be given. Otherwise consider the fall from the first
      size beyond interpolation to the largest size. At the level, only a fraction of this fall
      remains. The fall must exceed two standard errors, and at least two sizes must lie below the
      level; otherwise the energy may still be falling. This level depends on the largest size, and
      a given level does not.

    These definitions are ours; arXiv:2110.00683 has the thresholds of the theory. If all solutions
    are below the level, both thresholds are the same.

    The intervals have a nominal coverage of 95 %. They come from a bootstrap: the seeds of every
    size are drawn with replacement. Their ends are sizes that were tried. Use at least five seeds.
    With five, the intervals contained the true value in 93 % of simulated cases or more, and with
    three in 88 %.

    Parameters
    ----------
    runs : list of dict
        The fits of `emergence`, each size with each seed, for example to use another level. The
        runs of a checkpoint are ``pandas.read_csv(checkpoint, comment="#").to_dict("records")``.
    fraction : float, default=0.1
        Share of the fall of the energy that may remain at the flatness threshold.
    level : float, default=None
        The energy at the flatness threshold, instead of the fraction.

    Attributes
    ----------
    runs : list of dict
        One dict for each fit, with ``size``, ``seed``, ``n_parameters`` (NaN for models that
        `skflat.problems.as_problem` does not know), ``train_error`` (share of wrong labels),
        ``test_score``, ``energy`` and ``seconds``. If training diverged, the results are NaN.
    sizes : ndarray of shape (n_sizes,)
    interpolation_ : Threshold
    flatness_ : Threshold

    Raises
    ------
    ValueError
        If runs are missing, or the level makes no sense.

    Examples
    --------
    >>> from skflat.experiments import Emergence
    >>> energies = {10: 0.5, 20: 0.5, 40: 0.3, 80: 0.1, 160: 0.1}
    >>> runs = [
    ...     {"size": size, "seed": seed, "train_error": 0.2 * (size < 20), "energy": energy}
    ...     for size, energy in energies.items()
    ...     for seed in range(2)
    ... ]
    >>> found = Emergence(runs, level=0.2)
    >>> round(found.interpolation_.size, 3), round(found.flatness_.size, 3)
    (14.142, 56.569)
    """

    def __init__(self, runs, *, fraction=0.1, level=None):
        _check_flat(fraction, level)
        self.runs = sorted(runs, key=lambda each: (each["size"], each["seed"]))
        self.sizes = np.unique([each["size"] for each in runs])
        seeds = sorted({each["seed"] for each in runs})
        if [(each["size"], each["seed"]) for each in self.runs] != [*product(self.sizes, seeds)]:
            raise ValueError("runs must hold every size once with every seed.")
        solved, energy = self.table("train_error") == 0, self.table("energy")
        self.interpolation_ = with_interval(lambda s: interpolation(self.sizes, s), solved)
        self.flatness_ = with_interval(
            lambda s, e: flatness(self.sizes, s, e, fraction, level), solved, energy
        )

    def table(self, key):
        """One column by size and seed, an ndarray of shape (n_sizes, n_seeds).

        Parameters
        ----------
        key : str
            Name of a column of `to_frame`.

        Returns
        -------
        ndarray of shape (n_sizes, n_seeds)
        """
        return np.array([each[key] for each in self.runs], float).reshape(len(self.sizes), -1)

    def to_frame(self):
        """A pandas DataFrame with one row for each fit.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("to_frame")

        return pd.DataFrame(self.runs)

    def thresholds(self):
        """A pandas DataFrame with one row for each threshold.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("thresholds")

        found = {"interpolation": self.interpolation_, "flatness": self.flatness_}
        return pd.DataFrame([asdict(each) for each in found.values()], index=list(found))

    def summary(self):
        """A pandas DataFrame with one row for each size: means over the fits that did not diverge.

        ``solved`` is the share of all seeds with zero training error. ``energy`` is the mean over
        these solutions only, and ``energy_stderr`` is its standard error. Both are NaN if there is
        no solution.

        Returns
        -------
        pandas.DataFrame
        """
        frame = self.to_frame().assign(solved=lambda runs: runs["train_error"] == 0)
        by_size = frame.drop(columns=["seed", "energy"]).groupby("size").mean()
        energy = frame[frame["solved"]].groupby("size")["energy"].agg(["mean", "sem"])
        energy.columns = ["energy", "energy_stderr"]
        return by_size.join(energy)

    def _doubts(self):
        """The texts of the warnings for a user."""
        for each in self.runs:
            if np.isnan(each["train_error"]):
                yield f"A fit diverged, with size {each['size']} and seed {each['seed']}."
        for name in ("interpolation", "flatness"):
            reason = getattr(self, f"{name}_").reason
            if reason:
                yield f"No size of {name} was found: {reason}."


def _check_sizes(sizes):
    """The sizes as a list of Python numbers, which a checkpoint can write as JSON."""
    try:
        ladder = np.asarray(sizes)
        rising = ladder.ndim == 1 and len(ladder) > 1 and (np.diff(ladder) > 0).all()
        if rising and ladder[0] > 0 and np.isfinite(ladder).all():
            return ladder.tolist()
    except (TypeError, ValueError):  # no numbers
        pass
    raise ValueError(f"sizes must be two or more numbers > 0 that increase, got {sizes!r}.")


def _check_settings(estimator, size_param, n_seeds, measure):
    if not is_classifier(estimator):
        raise ValueError(f"estimator must be a classifier, got {estimator!r}.")
    if not callable(size_param) and size_param not in estimator.get_params():
        raise ValueError(
            "size_param must be a parameter of the estimator, by its name in set_params, or a "
            f"function (estimator, size) -> estimator, got {size_param!r}."
        )
    if not (isinstance(n_seeds, Integral) and not isinstance(n_seeds, bool) and n_seeds > 0):
        raise ValueError(f"n_seeds must be an integer > 0, got {n_seeds!r}.")
    if not (measure is None or callable(measure)):
        raise ValueError(f"measure must be a Measure or a function, got {measure!r}.")


def _check_flat(fraction, level):
    if not (isinstance(fraction, Real) and 0 < fraction < 1):
        raise ValueError(f"fraction must be a number between 0 and 1, got {fraction!r}.")
    if not (level is None or (isinstance(level, Real) and np.isfinite(level))):
        raise ValueError(f"level must be a number or None, got {level!r}.")


def _fit_and_measure(estimator, data, size_param, measure, size, seed):
    """One task, a row of the table."""
    X, y, X_test, y_test = data
    fitted = fit_or_none(seeded(_sized(clone(estimator), size_param, size), seed), X, y)
    row = {"size": size, "seed": seed}
    if fitted is None:
        return dict.fromkeys(COLUMNS, np.nan) | row
    row["n_parameters"] = _n_parameters(fitted, X, y)
    row["train_error"] = float(zero_one_loss(y, fitted.predict(X)))
    if X_test is not None:
        row["test_score"] = float(fitted.score(X_test, y_test))
    row["energy"] = _energy(measure, fitted, X, y)
    if row["train_error"] == 0 and not np.isfinite(row["energy"]):
        raise ValueError(
            f"measure must return a finite number for solutions, got {row['energy']} with size "
            f"{size} and seed {seed}."
        )
    return row | {"seconds": fitted.seconds}


def _sized(estimator, size_param, size):
    if not callable(size_param):
        return estimator.set_params(**{size_param: size})
    sized = size_param(estimator, size)
    if not hasattr(sized, "fit"):
        raise ValueError(f"size_param must return an estimator, got {sized!r}.")
    return sized


def _n_parameters(estimator, X, y):
    try:
        return len(as_problem(estimator, X, y).w)
    except TypeError:  # a model that `as_problem` does not know
        return np.nan


def _energy(measure, estimator, X, y):
    if not isinstance(measure, Measure):
        return float(measure(estimator, X, y))
    found = measure.measure(estimator, X, y)
    # The paper's local energy is the rise of the error. A solution has training error 0.
    if isinstance(measure, LocalEnergy):
        return float(found.table["error_rise"][-1])
    return -measure.sign * found.value
