"""Solvers side by side."""

import numpy as np

from ._display import Display


class SolverComparisonDisplay(Display):
    """Scores of solvers at an equal budget: every fit, and means with two standard errors.

    Use `from_comparison` to make one.

    Parameters
    ----------
    solvers : list of str
    scores : ndarray of shape (n_solvers, n_seeds)
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    points_ : matplotlib.collections.PathCollection
        One point per fit.
    bars_ : matplotlib.container.ErrorbarContainer
        One bar per solver.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.displays import SolverComparisonDisplay
    >>> from skflat.experiments import compare_solvers
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FlatMLPClassifier((10,), learning_rate_init=0.02)
    >>> found = compare_solvers(clf, X, y, ["adam", "sam"], budget=20, n_seeds=2)
    >>> SolverComparisonDisplay.from_comparison(found).scores.shape
    (2, 2)
    """

    def __init__(self, solvers, scores, *, name=None):
        self.solvers = solvers
        self.scores = scores
        self.name = name

    @classmethod
    def from_comparison(cls, comparison, *, name=None, ax=None, **kwargs):
        """Draw the result of `skflat.experiments.compare_solvers`.

        Parameters
        ----------
        comparison : SolverComparison
        name : str, default=None
            Name in the legend.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display
        """
        scores = np.array([comparison.column(each, "score") for each in comparison.solvers])
        return cls(comparison.solvers, scores, name=name).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        ax = self._start(ax)
        n_solvers, n_seeds = self.scores.shape
        places = np.arange(n_solvers)[::-1]  # the first on top
        above = np.repeat(places, n_seeds) + 0.15
        self.points_ = ax.scatter(self.scores.ravel(), above, s=12, color="0.6", zorder=1)
        error = self.scores.std(axis=1, ddof=1) / np.sqrt(n_seeds) if n_seeds > 1 else None
        style = {"fmt": "o", "capsize": 3, **self._style(name, kwargs)}
        mean = self.scores.mean(axis=1)
        self.bars_ = ax.errorbar(mean, places, xerr=None if error is None else 2 * error, **style)
        ax.set_yticks(places, self.solvers)
        return self._finish("score on the test rows", "solver")
