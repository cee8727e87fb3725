"""What a search over radii has found: the score and the three numbers over the radius."""

import numpy as np

from ._display import Display, check_option, pyplot

NUMBERS = {
    "sharpness": "sharpness (trace of the Hessian)",
    "flatness": "flatness (distance of level sets)",
    "weakness": "weakness (share of open pairs)",
}


class RhoPathDisplay(Display):
    """Score, sharpness, flatness and weakness over the radius that a search has tried.

    Use `from_estimator` to make one. Of every radius it has the penalty whose training came
    furthest and scored best. A radius whose training has ended has a mean over the splits with a
    band of one standard error. Of the others there is the mean score at the epoch where they were
    left behind, which is no match for that of the end: it is drawn as an empty circle.

    The three numbers are those of the networks of the search, each measured on the rows that its
    split trains on. They are there for the radii whose training has ended, if the search was asked
    for them by its ``measures``.

    Parameters
    ----------
    rho : ndarray of shape (n_radii,)
        In rising order.
    alpha : ndarray of shape (n_radii,)
        The penalty beside each.
    finished : ndarray of shape (n_radii,)
        Whether the training of it has ended.
    means : dict of str to ndarray of shape (n_radii,)
        Under ``"score"`` and the names of the numbers.
    errors : dict of str to ndarray of shape (n_radii,)
        Standard errors of these means over the splits.
    chosen : float, default=None
        The radius that the search has taken.
    name : str, default=None
        In the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        That of the score; of the one quantity where ``what`` was given.
    axes_ : ndarray of matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : dict of str to matplotlib.lines.Line2D
    bands_ : dict of str to matplotlib.collections.PolyCollection

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifierCV
    >>> from skflat.displays import RhoPathDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FlatMLPClassifierCV(
    ...     (10,), rhos=4, alphas=[1e-4], learning_rate_init=0.02, max_iter=500, random_state=0
    ... )
    >>> display = RhoPathDisplay.from_estimator(clf.fit(X, y))
    >>> display.finished.tolist()
    [True, True, True, True]
    """

    def __init__(self, rho, alpha, finished, means, errors, *, chosen=None, name=None):
        self.rho = rho
        self.alpha = alpha
        self.finished = finished
        self.means = means
        self.errors = errors
        self.chosen = chosen
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, *, what=None, name=None, ax=None, **kwargs):
        """Draw what a fitted search has found.

        Parameters
        ----------
        estimator : FlatMLPClassifierCV or FlatMLPRegressorCV
            Fitted. No data are needed.
        what : {'score', 'sharpness', 'flatness', 'weakness'}, default=None
            None is all of them that there are, each in axes of its own.
        name : str, default=None
            In the legend.
        ax : matplotlib.axes.Axes, default=None
            To draw one quantity into, by default the score. None makes a new figure.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display

        Raises
        ------
        TypeError
            If the estimator is no fitted search.
        """
        if not (hasattr(estimator, "cv_results_") and hasattr(estimator, "rhos_")):
            raise TypeError(
                "RhoPathDisplay draws a fitted FlatMLPClassifierCV or FlatMLPRegressorCV, got "
                f"{type(estimator).__name__}."
            )
        results, n_splits = estimator.cv_results_, estimator.n_splits_
        rows = [_row(results, rho) for rho in estimator.rhos_]
        keys = {"score": "test_score", **{each: each for each in NUMBERS}}
        keys = {each: key for each, key in keys.items() if f"mean_{key}" in results}
        share = np.sqrt(max(n_splits - 1, 1))
        display = cls(
            estimator.rhos_,
            np.asarray(results["param_alpha"])[rows],
            results["finished"][rows],
            {each: results[f"mean_{key}"][rows] for each, key in keys.items()},
            {each: results[f"std_{key}"][rows] / share for each, key in keys.items()},
            chosen=estimator.best_params_["rho"],
            name=name,
        )
        return display.plot(ax=ax, what=what, **kwargs)

    def plot(self, ax=None, *, what=None, name=None, **kwargs):
        if what is not None:
            check_option("what", what, list(self.means))
        names = list(self.means) if what is None and ax is None else [what or "score"]
        self._start_all(ax, len(names))
        self.lines_, self.bands_ = {}, {}
        for each, axes in zip(names, self.axes_, strict=True):
            self.ax_ = axes
            self._draw(each, axes, self._style(name, kwargs))
            self._finish("rho", NUMBERS.get(each, "mean score on the rows held out"))
        self.ax_ = self.axes_[0]
        return self

    def _start_all(self, ax, n_axes):
        """As many axes as there are quantities, or the one given."""
        if ax is not None or n_axes == 1:
            self.axes_ = np.array([self._start(ax)], dtype=object)
            return
        self.figure_, self.axes_ = pyplot().subplots(
            1, n_axes, figsize=(3.6 * n_axes, 3.2), layout="constrained"
        )

    def _draw(self, each, axes, style):
        mean, error, ended = self.means[each], self.errors[each], self.finished
        (line,) = axes.plot(self.rho[ended], mean[ended], **{"marker": "o", **style})
        self.lines_[each] = line
        low, high = (mean - error)[ended], (mean + error)[ended]
        self.bands_[each] = axes.fill_between(
            self.rho[ended], low, high, color=line.get_color(), alpha=0.2, linewidth=0
        )
        if each == "score":
            empty = {"facecolors": "none", "edgecolors": line.get_color()}
            axes.scatter(self.rho[~ended], mean[~ended], **empty)
        if self.chosen is not None:
            axes.axvline(self.chosen, color="0.6", linestyle=":", zorder=0)
        if (self.rho > 0).any():  # 0 has a place, too
            axes.set_xscale("symlog", linthresh=self.rho[self.rho > 0].min())


def _row(results, rho):
    """The row of a radius that ranks best."""
    rows = np.flatnonzero(np.asarray(results["param_rho"]) == rho)
    return rows[results["rank_test_score"][rows].argmin()]
