"""A quantity over training, with its transitions."""

from ._display import Display

LABELS = {
    "complexity": "trace of the Hessian / its effective rank",
    "effective_rank": "effective rank of the Hessian",
    "feature_rank": "effective rank of the last hidden layer",
}


class TransitionDisplay(Display):
    """A quantity of `skflat.measures.TransitionMonitor` over the epochs, with its transitions.

    Transitions are dashed lines, at the epochs where `skflat.measures.change_points` lets a new
    piece of the curve begin.

    Use `from_monitor` to make one.

    Parameters
    ----------
    epoch : ndarray of shape (n_records,)
    value : ndarray of shape (n_records,)
    transition : ndarray of shape (n_transitions,)
        Epochs.
    what : str, default=None
        The quantity, for the label of the axis.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
    marks_ : list of matplotlib.lines.Line2D
        One for each transition.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier, TransitionMonitor
    >>> from skflat.displays import TransitionDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = TransitionMonitor(max_samples=50)
    >>> clf = FlatMLPClassifier((8,), max_iter=2000, measures=None, random_state=0)
    >>> clf = clf.set_callbacks(monitor).fit(X, y)
    >>> display = TransitionDisplay.from_monitor(monitor, "effective_rank")
    >>> display.ax_.get_ylabel()
    'effective rank of the Hessian'
    """

    def __init__(self, epoch, value, transition, *, what=None, name=None):
        self.epoch = epoch
        self.value = value
        self.transition = transition
        self.what = what
        self.name = name

    def plot(self, ax=None, *, name=None, **kwargs):
        ax = self._start(ax)
        self.lines_ = ax.plot(self.epoch, self.value, **self._style(name, kwargs))
        color = self.lines_[0].get_color()
        self.marks_ = [ax.axvline(epoch, color=color, ls="--", lw=1) for epoch in self.transition]
        return self._finish("epoch", LABELS.get(self.what, "value"))

    @classmethod
    def from_monitor(
        cls, monitor, what="complexity", *, fit=0, most=3, name=None, ax=None, **kwargs
    ):
        """Draw what a monitor has recorded.

        Parameters
        ----------
        monitor : TransitionMonitor
            After a fit.
        what : {'complexity', 'effective_rank', 'feature_rank'}, default='complexity'
        fit : int, default=0
            The number of the network if one call fitted several.
        most : int, default=3
            Largest number of transitions.
        name : str, default=None
            Name in the legend. None leaves it out.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib.

        Returns
        -------
        display

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``what`` is none of these, or there is no such fit.
        """
        cls._check_keywords(kwargs)
        epoch, value = monitor.curve(what, fit)
        transition = monitor.transitions(what, fit=fit, most=most)
        return cls(epoch, value, transition, what=what, name=name).plot(ax=ax, **kwargs)
