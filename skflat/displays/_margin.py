"""The distribution of a classifier's margins."""

from ..measures.outputs import Margins
from ._display import MeasurementDisplay

UNITS = {
    "rms": "margin / root mean square of the scores",
    "row": "margin / greatest score of the row",
    "layers": "margin / product of the layers' norms",
}


class MarginDisplay(MeasurementDisplay):
    """Share of the rows with a smaller margin, over the margin; farther right is more robust.

    The display shows the quantiles of `skflat.measures.Margins`. A line marks 0. Rows to the left
    of it are misclassified.

    Use `from_estimator` or `from_measurement` to make one.

    Parameters
    ----------
    quantile : ndarray of shape (n_levels,)
        Shares of the rows, increasing from 0 to 1.
    margin : ndarray of shape (n_levels,)
        Margins below which these shares of the rows lie.
    protocol : dict, default=None
        Protocol of the measurement. The labels of the axes depend on it.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.displays import MarginDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> display = MarginDisplay.from_estimator(clf, X, y, normalization="row", name="adam")
    >>> display.lines_[0].get_label()
    'adam'
    """

    _measure, _columns = Margins, ("quantile", "margin")

    def __init__(self, quantile, margin, *, protocol=None, name=None):
        self.quantile = quantile
        self.margin = margin
        self.protocol = protocol
        self.name = name

    def plot(self, ax=None, *, name=None, **kwargs):
        ax = self._start(ax)
        ax.axvline(0, color="0.7", lw=0.8, zorder=0)
        self.lines_ = ax.plot(self.margin, self.quantile, **self._style(name, kwargs))
        unit = UNITS.get((self.protocol or {}).get("normalization"), "margin")
        return self._finish(unit, "share of rows with a smaller margin")
