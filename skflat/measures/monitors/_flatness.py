"""A callback that measures during a fit, and may keep the parameters of the flattest epoch."""

import warnings
from numbers import Integral, Real

import numpy as np

from ..._callbacks import EpochMonitor
from ...objective import did_you_mean
from ...problems import as_problem
from .._measure import sample_rows
from .._registry import MEASURES
from .._report import check_measures
from ._checkpoints import Candidates, flattest

LOSS = "loss"


class FlatnessMonitor(EpochMonitor):
    """A scikit-learn callback that records measures during a fit and draws them.

    It needs scikit-learn 1.9 or later. The result of the fit is equal to the bit with and without
    the callback, unless ``select`` is given.

    Parameters
    ----------
    measures : sequence of str or dict of str to Measure, default=("sharpness", "flatness")
        Names of `skflat.measures.MEASURES`, which use default parameters, or a dict of measures
        with names of your own.
    every : int, default=1
        Number of epochs from one record to the next.
    max_samples : int, default=1000
        Number of training rows to measure on. The same rows are used after every epoch.
    select : str, default=None
        The name of a measure, of `skflat.measures.MEASURES` or of the dict in ``measures``. The fit
        then ends with the parameters of the recorded epoch that is best by it, among the epochs of
        equal training loss. Best is the greatest value or the smallest (``Measure.sign``); weakness
        and effective rank choose the largest. The measure is recorded, too.
    within : float, default=0.01
        With ``select``: epochs are of equal training loss if theirs exceeds the least one by at
        most this share of the loss of the best constant prediction. Both are unpenalised means over
        the measured rows. Among equal values of the measure the lowest loss is chosen, then the
        earliest epoch.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9.
    ValueError
        If a measure is unknown, or a number is out of its range. In a fit: if two monitors select,
        or the estimator is a search, an imputer or a binary perceptron, which fit several parts.

    Notes
    -----
    What an epoch ends with are the parameters that the solver steps on, before averages such as
    those of `SWA`. With ``select`` they replace what early stopping would keep; early stopping
    still decides when the fit ends. ``n_iter_`` and ``loss_`` are those of the whole training.
    ``partial_fit`` selects nothing.

    Copies of the parameters are kept for the epochs that may still be the best: those within the
    tolerance, and of these the ones that are better than all of lower loss.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier, FlatnessMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = FlatnessMonitor(["sharpness"], every=100)
    >>> clf = FlatMLPClassifier(max_iter=1000, measures=None, random_state=0)
    >>> clf = clf.set_callbacks(monitor).fit(X, y)
    >>> monitor.table()["epoch"][:3].tolist()
    [1, 101, 201]

    Keep the epoch of the greatest effective rank:

    >>> monitor = FlatnessMonitor([], every=20, select="effective_rank")
    >>> clf = clf.set_callbacks(monitor).fit(X, y)
    >>> monitor.selected().shape
    (1,)
    """

    def __init__(
        self,
        measures=("sharpness", "flatness"),
        *,
        every=1,
        max_samples=1000,
        select=None,
        within=0.01,
    ):
        measures = check_measures(measures)
        for name, value in (("every", every), ("max_samples", max_samples)):
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            if not (whole and value >= 1):
                raise ValueError(f"{name} must be an integer >= 1, got {value!r}.")
        if not (isinstance(within, Real) and not isinstance(within, bool) and within >= 0):
            raise ValueError(f"within must be a number >= 0, got {within!r}.")
        self.measures = _with_selected(measures, select)
        self.names, self.max_samples = list(self.measures), max_samples
        self.select, self.within = select, within
        #: The candidates of every fit under way, by the number of its estimator.
        self._running = {}
        super().__init__(self._record, every)

    @property
    def selects(self):
        """Whether the fit keeps the parameters of the best epoch."""
        return self.select is not None

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None, metadata=None
    ):
        """Record at the end of every ``every``-th epoch.

        Parameters
        ----------
        estimator : estimator object
        context : CallbackContext
            Of scikit-learn.
        X, y : array-like, default=None
            The training rows.
        fitted_estimator : callable, default=None
            It returns the estimator as it is now.
        metadata : dict, default=None
        """
        if self.selects:
            known = self._running.setdefault(id(estimator), Candidates(self.within))
            metadata = {**(metadata or {}), "candidates": known}
        super().on_fit_task_end(
            estimator, context, X=X, y=y, fitted_estimator=fitted_estimator, metadata=metadata
        )

    def teardown(self, estimator, context):
        """Forget what belongs to this fit only.

        Parameters
        ----------
        estimator : estimator object
        context : CallbackContext
        """
        self._running.pop(id(estimator), None)
        super().teardown(estimator, context)

    def keep(self, estimator, w):
        """Keep the parameters of an epoch that may be the best.

        Parameters
        ----------
        estimator : estimator being fitted
        w : ndarray of shape (n_parameters,)
        """
        self._running[id(estimator)].add(w)

    def chosen(self, estimator, w):
        """The parameters of the best epoch.

        Parameters
        ----------
        estimator : estimator being fitted
        w : ndarray of shape (n_parameters,)
            The last ones, which are kept if no epoch can be chosen.

        Returns
        -------
        ndarray of shape (n_parameters,)
        """
        known = self._running.get(id(estimator))
        best = None if known is None else known.best()
        if best is None:
            warnings.warn(
                f"select={self.select!r} chooses no epoch, since it was NaN at all that were "
                "recorded. The last parameters are kept.",
                stacklevel=5,
            )
        return w if best is None else best

    def _record(self, estimator, X, y, sample_weight=None, candidates=None):
        # A fixed seed: differences between epochs then come from the parameters and not the rows.
        rows = sample_rows(X, y, sample_weight, self.max_samples, random_state=0)
        problem = as_problem(estimator, *rows)
        values = {name: each.evaluate(problem).value for name, each in self.measures.items()}
        if candidates is not None:
            values[LOSS] = problem.loss / (problem.objective.constant_loss() or 1.0)
            score = self.measures[self.select].sign * values[self.select]
            candidates.latest = values[LOSS], score
        return values

    def table(self):
        """The records of the last fit: ``fit``, ``epoch`` and a column for every measure.

        If one call fits several networks, as a search does, ``fit`` numbers them. With ``select``
        there is the ``loss``, too, divided by that of the best constant prediction.

        Returns
        -------
        dict of str to ndarray
            Raw values, without the signs of scores. ``pandas.DataFrame`` accepts this dict.
        """
        rows = self.epochs()
        fits = list(dict.fromkeys(row["parent_task_id_path"] for row in rows))
        columns = {
            "fit": np.array([fits.index(row["parent_task_id_path"]) for row in rows]),
            "epoch": np.array([row["task_id"] + 1 for row in rows]),
        }
        names = [*self.names, LOSS] if self.selects else self.names
        return columns | {name: np.array([row[name] for row in rows]) for name in names}

    def selected(self):
        """The epochs whose parameters the last fit kept.

        Returns
        -------
        ndarray of int of shape (n_fits,)
            In the order of ``fit`` of the table. 0 if no epoch could be chosen.

        Raises
        ------
        ValueError
            If there is no ``select``.
        """
        if not self.selects:
            raise ValueError("The monitor selects no epoch: select=None.")
        table, epochs = self.table(), []
        scores = self.measures[self.select].sign * table[self.select]
        for fit in range(table["fit"].max() + 1):
            rows = np.flatnonzero(table["fit"] == fit)
            place = flattest(table[LOSS][rows], scores[rows], self.within)
            epochs.append(0 if place is None else table["epoch"][rows[place]])
        return np.array(epochs)

    def plot(self, axes=None):
        """Draw every measure over the epochs, each in axes of its own.

        A selected epoch is a dashed line.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            One for each measure. None makes a new figure.

        Returns
        -------
        ndarray of matplotlib Axes
        """
        import matplotlib.pyplot as plt

        table = self.table()
        if axes is None:
            size = (4 * len(self.names), 3)
            _, axes = plt.subplots(
                1, len(self.names), figsize=size, squeeze=False, layout="constrained"
            )
        for ax, name in zip(np.ravel(axes), self.names, strict=True):
            for fit in np.unique(table["fit"]):
                rows = table["fit"] == fit
                ax.plot(table["epoch"][rows], table[name][rows], marker=".")
            for epoch in self.selected() if self.selects else ():
                ax.axvline(epoch, color="k", linestyle="--")
            ax.set(xlabel="epoch", ylabel=name)
        return np.ravel(axes)


def _with_selected(measures, select):
    """The measures, and the one that selects if it is not among them."""
    if select is None or (isinstance(select, str) and select in measures):
        return measures
    known = {**MEASURES, **measures}
    if not (isinstance(select, str) and select in MEASURES):
        raise ValueError(
            f"select must be None or a name among {sorted(known)}, got {select!r}."
            + did_you_mean(select, known)
        )
    return measures | {select: MEASURES[select]()}
