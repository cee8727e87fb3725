"""The bases of the displays: lazy import of matplotlib, labels, and drawing of a measurement."""

from abc import ABC, abstractmethod
from inspect import signature

from ..objective import did_you_mean
from ..problems import unwrapped

#: Quantities to draw, for a display that has both.
QUANTITIES = ("loss", "error")

LOSSES = {
    "Multinomial": "mean log-loss (nats)",
    "Binary": "mean log-loss (nats)",
    "HalfSquared": "mean half squared error",
    "HalfPoisson": "mean half Poisson deviance",
}
ERRORS = {
    "Multinomial": "share of wrong labels",
    "Binary": "share of wrong labels",
    "HalfSquared": "mean absolute error",
    "HalfPoisson": "mean absolute error",
}


def pyplot():
    """The module matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            'The displays draw with matplotlib, which is missing: pip install "skflat[plot]"'
        ) from error
    return pyplot


def check_option(name, value, options):
    """Raise an error if a value is none of the options."""
    # ``is`` comes first, so the usual objects need no comparison by ``==``.
    if not any(value is option or value == option for option in options):
        raise ValueError(f"{name} must be one of {tuple(options)}, got {value!r}.")


def quantity(what, loss):
    """The label of an axis for a mean loss or error; ``loss`` is the name of its class."""
    check_option("what", what, QUANTITIES)
    names = LOSSES if what == "loss" else ERRORS
    return names.get(loss, f"mean {what}")


def name_of(estimator, name):
    """The name of an estimator in the legend: of the last step within pipelines and searches."""
    return type(unwrapped(estimator)[0]).__name__ if name is None else name


class Display(ABC):
    """Base of all displays. A display holds the arrays of a plot and draws them."""

    @abstractmethod
    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw into some axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        name : str, default=None
            Name in the legend. None takes the display's own name.
        **kwargs : dict
            Passed on to matplotlib.

        Returns
        -------
        self
        """

    @classmethod
    def _check_keywords(cls, kwargs):
        """Refuse keywords that neither the display nor matplotlib has, before anything is computed.

        Matplotlib itself names the keyword that it refuses, but not those of the display.
        """
        try:
            cls._try(pyplot().Figure().add_subplot(), kwargs)
        except (AttributeError, TypeError) as error:
            wrong = next((name for name in kwargs if name in str(error)), None)
            if wrong is None:
                raise
            own = cls._own_keywords()
            raise TypeError(
                f"{cls.__name__} has no parameter {wrong!r}.{did_you_mean(wrong, own)} Its own "
                f"parameters are {', '.join(own)}. Matplotlib does not know it either: {error}"
            ) from error

    @staticmethod
    def _try(ax, style):
        """Draw next to nothing in a style."""
        ax.plot([], [], **style)

    @classmethod
    def _own_keywords(cls):
        """What `plot` and the functions ``from_...`` take, in order."""
        makers = (getattr(cls, name) for name in dir(cls) if name.startswith("from_"))
        known = {name for each in (cls.plot, *makers) for name in signature(each).parameters}
        return sorted(known - {"self", "kwargs"})

    def _start(self, ax):
        """The axes to draw into. The display keeps them as `ax_` and `figure_`."""
        self.ax_ = pyplot().subplots()[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        return self.ax_

    def _style(self, name, kwargs):
        """Settings of a line. The label is the name, unless ``kwargs`` has a ``label``."""
        return {"label": self.name if name is None else name, **kwargs}

    def _finish(self, x, y):
        """Label the axes, and add a legend if any line has a label."""
        self.ax_.set_xlabel(x)
        self.ax_.set_ylabel(y)
        if self.ax_.get_legend_handles_labels()[1]:
            self.ax_.legend()
        return self


class MeasurementDisplay(Display):
    """Base of the displays that draw the table of a `skflat.measures.Measurement`."""

    #: The class of the measure, and the columns that the table of its measurement must have.
    _measure, _columns = None, ()

    @classmethod
    def from_estimator(cls, estimator, X, y, sample_weight=None, *, name=None, ax=None, **kwargs):
        """Measure a fitted estimator and draw the result.

        Parameters
        ----------
        estimator : fitted estimator
            An estimator of skflat, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, or a
            Pipeline that ends in one of them. It is not changed.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        name : str, default=None
            Name in the legend. None takes the name of the estimator's class.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure. The axes of another display put both into one plot.
        **kwargs : dict
            Parameters of the measure, under their own names. All others are passed on to `plot`.

        Returns
        -------
        display

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator cannot be measured.
        ValueError
            If a parameter is out of its range, or the data do not fit the estimator.
        """
        pyplot()  # a missing matplotlib should raise before a long measurement
        known = cls._measure().get_params()
        params = {key: kwargs.pop(key) for key in known if key in kwargs}
        plotted = signature(cls.plot).parameters
        cls._check_keywords({key: kwargs[key] for key in kwargs if key not in plotted})
        measurement = cls._measure(**params).measure(estimator, X, y, sample_weight)
        return cls.from_measurement(measurement, name=name_of(estimator, name), ax=ax, **kwargs)

    @classmethod
    def _own_keywords(cls):
        return sorted({*super()._own_keywords(), *cls._measure().get_params()})

    @classmethod
    def from_measurement(cls, measurement, *, name=None, ax=None, **kwargs):
        """Draw a measurement that was made before.

        Parameters
        ----------
        measurement : Measurement
        name : str, default=None
            Name in the legend. None leaves it out.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        **kwargs : dict
            Parameters of `plot`.

        Returns
        -------
        display

        Raises
        ------
        ValueError
            If the measurement was made by another measure.
        """
        table = measurement.table
        if not set(cls._columns) <= set(table):
            raise ValueError(
                f"{cls.__name__} draws a measurement of {cls._measure.__name__}, with the columns "
                f"{list(cls._columns)}; this one has {list(table)}."
            )
        return cls(**table, protocol=measurement.protocol, name=name).plot(ax=ax, **kwargs)
