"""Local energy over the scale of the noise."""

from ..measures.noise import LocalEnergy
from ._display import MeasurementDisplay, check_option, quantity

SCALES = {
    "weight": "noise: standard deviation / size of each weight",
    "block": "noise: length / norm of each array of weights",
    "isotropic": "noise: standard deviation of each weight",
    "sphere": "noise: distance in parameter space",
}


class LocalEnergyDisplay(MeasurementDisplay):
    """Rise of the mean training loss or error under random perturbations; lower is flatter.

    The display shows the curve of `skflat.measures.LocalEnergy`, with a band of two standard errors
    on either side. It can also show the curve of `skflat.measures.NoiseStability`, which has no
    rise of the error.

    Use `from_estimator` or `from_measurement` to make one.

    Parameters
    ----------
    scale : ndarray of shape (n_scales,)
    rise : ndarray of shape (n_scales,)
        Rise of the loss.
    rise_stderr : ndarray of shape (n_scales,)
    error_rise : ndarray of shape (n_scales,), default=None
    error_rise_stderr : ndarray of shape (n_scales,), default=None
    protocol : dict, default=None
        Protocol of the measurement. The labels of the axes depend on it.
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
    >>> from skflat.displays import LocalEnergyDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> display = LocalEnergyDisplay.from_estimator(clf, X, y, n_draws=20, color="C1")
    >>> len(display.lines_)
    1
    """

    _measure, _columns = LocalEnergy, ("scale", "rise", "rise_stderr")

    def __init__(
        self,
        scale,
        rise,
        rise_stderr,
        error_rise=None,
        error_rise_stderr=None,
        *,
        protocol=None,
        name=None,
    ):
        self.scale = scale
        self.rise = rise
        self.rise_stderr = rise_stderr
        self.error_rise = error_rise
        self.error_rise_stderr = error_rise_stderr
        self.protocol = protocol
        self.name = name

    def plot(self, ax=None, *, what="loss", name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        what : {'loss', 'error'}, default='loss'
            The error is the share of wrong labels, or the mean absolute error of a regressor.
        name : str, default=None
            Name in the legend. None takes the display's own name.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.plot`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If ``what`` is unknown, or was not measured.
        """
        protocol = self.protocol or {}
        label = f"rise of the {quantity(what, protocol.get('loss'))}"
        rise, stderr = self._curve(what)
        ax = self._start(ax)
        style = {"marker": ".", **self._style(name, kwargs)}
        self.lines_ = ax.plot(self.scale, rise, **style)
        color, below, above = self.lines_[0].get_color(), rise - 2 * stderr, rise + 2 * stderr
        self.band_ = ax.fill_between(self.scale, below, above, color=color, alpha=0.2, lw=0)
        return self._finish(SCALES.get(protocol.get("noise"), "scale of the noise"), label)

    def _curve(self, what):
        """The rise of the loss or error, and its standard error."""
        check_option("what", what, ("loss",) if self.error_rise is None else ("loss", "error"))
        if what == "loss":
            return self.rise, self.rise_stderr
        return self.error_rise, self.error_rise_stderr
