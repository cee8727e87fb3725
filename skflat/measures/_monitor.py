"""A callback that measures during a fit."""

from numbers import Integral

import numpy as np

from .._callbacks import EpochMonitor
from .._compat import WeightedScorer
from ._measure import Measure, sample_rows
from ._report import check_measures


class FlatnessMonitor(EpochMonitor):
    """A scikit-learn callback that records measures during a fit and draws them.

    It needs scikit-learn 1.9 or later. The result of the fit is equal to the bit with and without
    the callback.

    Parameters
    ----------
    measures : sequence of str or dict of str to Measure, default=("sharpness", "flatness")
        Names of `skflat.measures.MEASURES`, which use default parameters, or a dict of measures
        with names of your own.
    every : int, default=1
        Number of epochs from one record to the next.
    max_samples : int, default=1000
        Number of training rows to measure on. The same rows are used after every epoch.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9.
    ValueError
        If a measure is unknown.

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
    """

    def __init__(self, measures=("sharpness", "flatness"), *, every=1, max_samples=1000):
        measures = check_measures(measures)
        for name, value in (("every", every), ("max_samples", max_samples)):
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            if not (whole and value >= 1):
                raise ValueError(f"{name} must be an integer >= 1, got {value!r}.")
        self.names = list(measures)
        scoring = {name: OnSample(each, max_samples) for name, each in measures.items()}
        super().__init__(scoring, every)

    def table(self):
        """The records of the last fit: ``fit``, ``epoch`` and a column for every measure.

        If one call fits several networks, as a search does, ``fit`` numbers them.

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
        return columns | {name: np.array([row[name] for row in rows]) for name in self.names}

    def plot(self, axes=None):
        """Draw every measure over the epochs, each in axes of its own.

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
            ax.set(xlabel="epoch", ylabel=name)
        return np.ravel(axes)


class OnSample(WeightedScorer):
    """A measure's raw value on a sample of the rows, as a function that pickles."""

    def __init__(self, measure: Measure, max_samples):
        self.measure, self.max_samples = measure, max_samples

    def __call__(self, estimator, X, y, sample_weight=None):
        # A fixed seed: differences between epochs then come from the parameters and not the rows.
        rows = sample_rows(X, y, sample_weight, self.max_samples, random_state=0)
        return self.measure.measure(estimator, *rows).value
