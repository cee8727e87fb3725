"""The density of the eigenvalues of the Hessian."""

import numpy as np

from ..measures.curvature import SpectralDensity
from ._display import MeasurementDisplay


class SpectrumDisplay(MeasurementDisplay):
    """Density of the eigenvalues of the Hessian of the mean loss, on a logarithmic scale.

    The display shows the density of `skflat.measures.SpectralDensity`, with a band of two standard
    errors on either side. Narrower is flatter. Values below a tenth of the peak of a single
    eigenvalue are left out, because there only the smoothing is visible.

    Use `from_estimator` or `from_measurement` to make one.

    Parameters
    ----------
    eigenvalue : ndarray of shape (n_points,)
    density : ndarray of shape (n_points,)
    density_stderr : ndarray of shape (n_points,)
    protocol : dict, default=None
        Protocol of the measurement. It determines the peak of a single eigenvalue. Without it the
        display shows six decades.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
    band_ : matplotlib.collections.PolyCollection

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.displays import SpectrumDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((10,), max_iter=2000, random_state=0).fit(X, y)
    >>> display = SpectrumDisplay.from_estimator(clf, X, y, n_probes=5)
    >>> display.ax_.get_yscale()
    'log'
    """

    _measure, _columns = SpectralDensity, ("eigenvalue", "density", "density_stderr")

    def __init__(self, eigenvalue, density, density_stderr, *, protocol=None, name=None):
        self.eigenvalue = eigenvalue
        self.density = density
        self.density_stderr = density_stderr
        self.protocol = protocol
        self.name = name

    def plot(self, ax=None, *, name=None, **kwargs):
        ax, floor = self._start(ax), self._floor()
        seen = np.where(self.density >= floor, self.density, np.nan)
        self.lines_ = ax.plot(self.eigenvalue, seen, **self._style(name, kwargs))
        self.band_ = ax.fill_between(
            self.eigenvalue,
            np.maximum(seen - 2 * self.density_stderr, floor),  # a logarithmic axis has no 0
            seen + 2 * self.density_stderr,
            color=self.lines_[0].get_color(),
            alpha=0.2,
            lw=0,
        )
        ax.set_yscale("log")
        return self._finish("eigenvalue of the Hessian", "density of the eigenvalues")

    def _floor(self):
        """The least density that is drawn."""
        if self.protocol is None:
            return 1e-6 * self.density.max()
        width = self.protocol["width"] * np.sqrt(2 * np.pi)
        return 0.1 / (self.protocol["n_parameters"] * width)
