"""How well measures rank networks."""

import numpy as np

from ._display import Display


class GeneralizationDisplay(Display):
    """Kendall's tau of every measure with its interval, and the granulated coefficient.

    The measures are in the order of tau. A granulated coefficient far from tau shows that the
    measure follows some hyper-parameters more than what makes networks good.

    Use `from_study` to make one.

    Parameters
    ----------
    measures : list of str
    tau : ndarray of shape (n_measures, 3)
        Kendall's tau and the two ends of its interval.
    granulated : ndarray of shape (n_measures,)
    outcome : str, default="score"
        What the measures are to predict.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    bars_ : matplotlib.container.ErrorbarContainer
        Tau and its interval.
    points_ : matplotlib.collections.PathCollection
        The granulated coefficients.

    Examples
    --------
    >>> from skflat.displays import GeneralizationDisplay
    >>> from skflat.experiments import GeneralizationStudy
    >>> runs = [
    ...     {"rate": rate, "seed": seed, "score": rate + seed, "follows": rate}
    ...     for rate in (1, 2, 3)
    ...     for seed in (0, 1)
    ... ]
    >>> study = GeneralizationStudy(runs, ["rate"], ["follows"])
    >>> display = GeneralizationDisplay.from_study(study)
    >>> display.ax_.get_xlabel()
    'rank correlation with the score'
    """

    def __init__(self, measures, tau, granulated, *, outcome="score", name=None):
        self.measures = measures
        self.tau = tau
        self.granulated = granulated
        self.outcome = outcome
        self.name = name

    @classmethod
    def from_study(cls, study, *, outcome="score", name=None, ax=None, **kwargs):
        """Draw the result of `skflat.experiments.predicts_generalization`.

        Parameters
        ----------
        study : GeneralizationStudy
        outcome : str, default="score"
            What is to be predicted; see `GeneralizationStudy.summary`.
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
        found = study.summary(outcome).sort_values("tau", ascending=False)
        tau = found[["tau", "tau_low", "tau_high"]].to_numpy()
        points = found["granulated"].to_numpy()
        return cls(list(found.index), tau, points, outcome=outcome, name=name).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        ax = self._start(ax)
        places = np.arange(len(self.measures))[::-1]  # the best on top
        middle, low, high = self.tau.T
        # A percentile interval need not contain the value itself.
        error = np.maximum([middle - low, high - middle], 0)
        style = {"fmt": "o", "capsize": 3, "label": "Kendall's tau", **kwargs}
        name = self.name if name is None else name
        if name is not None and "label" not in kwargs:
            style["label"] = f"{name}: Kendall's tau"
        self.bars_ = ax.errorbar(middle, places, xerr=error, **style)
        self.points_ = ax.scatter(
            self.granulated, places, marker="x", color="C1", zorder=3, label="granulated"
        )
        ax.axvline(0, color="0.7", lw=1, zorder=0)
        ax.set_yticks(places, self.measures)
        return self._finish(f"rank correlation with the {self.outcome}", "measure")
