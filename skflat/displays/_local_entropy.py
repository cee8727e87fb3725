"""Local entropy over the distance."""

import numpy as np

from ..measures.binary import LocalEntropy
from ._display import MeasurementDisplay


class LocalEntropyDisplay(MeasurementDisplay):
    """Logarithm of the number of solutions at every distance, per weight; higher is flatter.

    The display shows the curve of `skflat.measures.LocalEntropy` for weights in {-1, +1}, with a
    band of two standard errors on either side. A dashed line shows the entropy of all weights. The
    closer the two curves, the more of the neighbours are solutions.

    Use `from_estimator` or `from_measurement` to make one.

    Parameters
    ----------
    distance : ndarray of shape (n_distances,)
    entropy : ndarray of shape (n_distances,)
    entropy_stderr : ndarray of shape (n_distances,)
    shell : ndarray of shape (n_distances,)
        Entropy of all weights.
    protocol : dict, default=None
        Protocol of the measurement.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
        The curve.
    shell_line_ : matplotlib.lines.Line2D or None
        The entropy of all weights.
    band_ : matplotlib.collections.PolyCollection

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import FlatPerceptronClassifier
    >>> from skflat.displays import LocalEntropyDisplay
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.choice([-1.0, 1.0], (10, 21)), np.arange(10) % 2
    >>> clf = FlatPerceptronClassifier(scale=False, fit_intercept=False, random_state=0).fit(X, y)
    >>> display = LocalEntropyDisplay.from_estimator(clf, X, y, distance=[0.05, 0.1, 0.2])
    >>> len(display.lines_)
    1
    """

    _measure, _columns = LocalEntropy, ("distance", "entropy", "entropy_stderr", "shell")

    def __init__(self, distance, entropy, entropy_stderr, shell, *, protocol=None, name=None):
        self.distance = distance
        self.entropy = entropy
        self.entropy_stderr = entropy_stderr
        self.shell = shell
        self.protocol = protocol
        self.name = name

    def plot(self, ax=None, *, shell=True, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        shell : bool, default=True
            Whether to draw the entropy of all weights too.
        name : str, default=None
            Name in the legend. None takes the display's own name.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        self
        """
        ax = self._start(ax)
        # If no solution was found at a distance, there is no point and no band. If only the error
        # is unknown, the band has width 0.
        stderr = np.where(np.isfinite(self.entropy_stderr), self.entropy_stderr, 0)
        self.lines_ = ax.plot(
            self.distance, self.entropy, **{"marker": ".", **self._style(name, kwargs)}
        )
        color = self.lines_[0].get_color()
        below, above = self.entropy - 2 * stderr, self.entropy + 2 * stderr
        self.band_ = ax.fill_between(self.distance, below, above, color=color, alpha=0.2, lw=0)
        self.shell_line_ = None
        if shell:
            style = {"color": color, "linestyle": "--", "linewidth": 1}
            (self.shell_line_,) = ax.plot(self.distance, self.shell, **style)
        return self._finish("share of the weights that differ", "ln(number of solutions) / n")
