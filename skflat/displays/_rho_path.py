"""The result of a search over radii: the score and the three numbers over the radius."""

import numpy as np

from ._display import Display, check_option, pyplot

NUMBERS = {
    "sharpness": "sharpness (trace of the Hessian)",
    "flatness": "flatness (distance of level sets)",
    "weakness": "weakness (share of open pairs)",
}


class RhoPathDisplay(Display):
    """Score, sharpness, flatness and weakness over the radii that a search has tried.

    For every radius the display shows the penalty that ranks best: its training came furthest, and
    it scored best there. If this training was completed, the display has the mean over the splits
    with a band of one standard error. If the search stopped it early, the display has the mean
    score at that epoch, as an empty circle. This score cannot be compared with the scores after
    complete training.

    The three numbers belong to the networks of the search. Each network is measured on the rows on
    which its split trains. They exist for radii with complete training, and only if the search has
    ``measures``.

    Use `from_estimator` to make one.

    Parameters
    ----------
    rho : ndarray of shape (n_radii,)
        Radii in increasing order.
    alpha : ndarray of shape (n_radii,)
        The penalty for each radius.
    finished : ndarray of shape (n_radii,)
        Whether the training was completed.
    means : dict of str to ndarray of shape (n_radii,)
        Means over the splits, by ``"score"`` and the names of the numbers.
    errors : dict of str to ndarray of shape (n_radii,)
        Standard errors of these means over the splits.
    chosen : float, default=None
        The radius that the search has chosen.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the score, or of the quantity given as ``what``.
    axes_ : ndarray of matplotlib.axes.Axes
        All axes, one for each quantity.
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
        """Draw the results of a fitted search.

        Parameters
        ----------
        estimator : FlatMLPClassifierCV or FlatMLPRegressorCV
            A fitted search. No data are needed.
        what : {'score', 'sharpness', 'flatness', 'weakness'}, default=None
            The quantity to draw. None draws all that the search has, each in axes of its own.
        name : str, default=None
            Name in the legend.
        ax : matplotlib.axes.Axes, default=None
            Axes for one quantity, by default the score. None makes a new figure.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display

        Raises
        ------
        TypeError
            If the estimator is not a fitted search.
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
        # ``std_`` divides by n, as in scikit-learn. The standard error is std / sqrt(n - 1).
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
        """Make one axes for each quantity, or take the one given."""
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
        if (self.rho > 0).any():  # linear near 0, because a logarithmic axis cannot show rho=0
            axes.set_xscale("symlog", linthresh=self.rho[self.rho > 0].min())


def _row(results, rho):
    """The best-ranked row among the candidates with this radius."""
    rows = np.flatnonzero(np.asarray(results["param_rho"]) == rho)
    return rows[results["rank_test_score"][rows].argmin()]
