"""The loss around a fitted network, or on the line between two."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from ..problems import as_problem
from ._directions import DIRECTIONS
from ._display import QUANTITIES, Display, check_option, name_of, pyplot, quantity
from ._grid import around, between, on_grid, through_both


class LandscapeDisplay(Display):
    """The unpenalised mean training loss, or error, around a fitted network.

    The display shows a curve along one direction in parameter space, a map of two directions, or
    the curve on the straight line between two networks. The middle of the plot is exactly the
    network itself.

    A direction shows only one section of the landscape. Random directions hide a loss that is
    steep in few directions only. Use the measures to compare numbers.

    Random directions are filter-normalised (Li, Xu, Taylor, Studer and Goldstein,
    arXiv:1712.09913). A step of 1 moves every unit's incoming weights by their own norm, and
    intercepts do not move. So the plot is invariant under a rescaling of layers against each
    other. A step along an eigenvector of the Hessian is a Euclidean distance. That plot is
    invariant under isometries of the parameters only.

    Use `from_estimator` to make one.

    Parameters
    ----------
    steps : ndarray of shape (n_points,)
        Steps along every direction.
    loss : ndarray of shape (n_points,) or (n_points, n_points)
        Mean loss. With two directions the last axis belongs to the first direction.
    error : ndarray of the shape of `loss`
        Share of wrong labels, or mean absolute error of a regressor.
    directions : list of ndarray of shape (n_parameters,)
    axes : list of str
        Names of the directions.
    models : list of float, default=(0.0,)
        The steps at which there is a fitted network.
    loss_name : str, default=None
        Name of the loss's class.
    name : str, default=None
        Name in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
        The curve. With two directions, the mark at the network.
    contours_ : matplotlib.contour.QuadContourSet
        The map. Only with two directions.
    colorbar_ : matplotlib.colorbar.Colorbar
        Its scale. Only with two directions.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.displays import LandscapeDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> display = LandscapeDisplay.from_estimator(clf, X, y, directions="eigen", span=0.5)
    >>> float(display.steps[20]), bool(display.loss[20] < display.loss[0])
    (0.0, True)
    >>> LandscapeDisplay.from_estimator(clf, X, y, n_directions=2, n_points=5).loss.shape
    (5, 5)
    """

    def __init__(
        self,
        steps,
        loss,
        error,
        *,
        directions,
        axes,
        models=(0.0,),
        loss_name=None,
        name=None,
    ):
        self.steps = steps
        self.loss = loss
        self.error = error
        self.directions = directions
        self.axes = axes
        self.models = models
        self.loss_name = loss_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        sample_weight=None,
        *,
        directions="filter",
        n_directions=1,
        span=1.0,
        n_points=None,
        to=None,
        random_state=0,
        what="loss",
        name=None,
        ax=None,
        **kwargs,
    ):
        """Evaluate the loss around a fitted estimator and draw it.

        Every point costs one loss. The first layer is computed only once for a curve, and once for
        every row of a map.

        Parameters
        ----------
        estimator : fitted estimator
            An estimator of skflat, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, or a
            Pipeline that ends in one of them. It is not changed.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        directions : {'filter', 'eigen'}, default='filter'
            ``'filter'`` takes random, filter-normalised directions. ``'eigen'`` takes the
            eigenvectors of the largest eigenvalues of the Hessian, of length 1.
        n_directions : {1, 2}, default=1
            One direction gives a curve, two give a map.
        span : float, default=1.0
            The greatest step, to either side.
        n_points : int, default=None
            Number of steps along a direction, at least 3. An even number is raised by one, so that
            one step is in the middle. None is 41 for a curve and 21 for a map.
        to : fitted estimator, default=None
            A second network of the same shape and activation. The curve then follows the line from
            the estimator, at 0, to this network, at 1, and a quarter beyond either end. Up to 5
            points are added, so that 0 and 1 are among them. ``directions``, ``span`` and
            ``random_state`` are not used.
        random_state : int, RandomState instance or None, default=0
            Draws the directions, or the start of the search for eigenvectors.
        what : {'loss', 'error'}, default='loss'
            The quantity to draw. The display has both.
        name : str, default=None
            Name in the legend. None takes the name of the estimator's class.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure. The axes of another display put both into one plot.
        **kwargs : dict
            Further parameters of `plot`.

        Returns
        -------
        display : LandscapeDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator cannot be measured, or a parameter is of the wrong type.
        ValueError
            If a parameter is out of its range, the data do not fit the estimator, or the two
            networks differ in shape or activation.
        """
        pyplot()  # a missing matplotlib should raise before a long computation
        check_option("what", what, QUANTITIES)
        check_option("directions", directions, DIRECTIONS)
        check_option("n_directions", n_directions, (1, 2) if to is None else (1,))
        if n_directions == 1:
            cls._check_keywords(kwargs)
        if not 0 < span < np.inf:
            raise ValueError(f"span must be a number > 0, got {span!r}.")
        n_points = (41, 21)[n_directions - 1] if n_points is None else n_points
        check_scalar(n_points, "n_points", Integral, min_val=3)
        problem = as_problem(estimator, X, y, sample_weight)
        if to is None:
            find = DIRECTIONS[directions]
            found = _look_around(problem, find, n_directions, around(n_points, span), random_state)
        else:
            there = as_problem(to, X, y, sample_weight)
            found = _look_between(problem, there, through_both(n_points))
        loss_name = type(problem.objective.loss_function).__name__
        display = cls(**found, loss_name=loss_name, name=name_of(estimator, name))
        return display.plot(ax=ax, what=what, **kwargs)

    def plot(self, ax=None, *, what="loss", name=None, **kwargs):
        """Draw the curve or the map, with a mark at every network.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        what : {'loss', 'error'}, default='loss'
        name : str, default=None
            Name in the legend of a curve. None takes the display's own name.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.plot`, or to `matplotlib.axes.Axes.contourf`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If ``what`` is unknown.
        """
        label = quantity(what, self.loss_name)
        values = self.loss if what == "loss" else self.error
        ax = self._start(ax)
        if values.ndim == 2:
            return self._map(ax, values, label, kwargs)
        # The steps contain 0 and 1 exactly, so a comparison of floats finds them.
        marked = [int(np.flatnonzero(self.steps == step)[0]) for step in self.models]
        style = {"marker": "o", "markevery": marked, **self._style(name, kwargs)}
        self.lines_ = ax.plot(self.steps, values, **style)
        return self._finish(self.axes[0], label)

    def _map(self, ax, values, label, kwargs):
        """Draw filled contours over both directions, and a mark at the network."""
        values = np.ma.masked_invalid(values)
        style = {"cmap": "viridis", "extend": "both", **_levels(values), **kwargs}
        self.contours_ = ax.contourf(self.steps, self.steps, values, **style)
        self.lines_ = ax.plot(0, 0, "o", color="w", mec="k")
        self.colorbar_ = self.figure_.colorbar(self.contours_, ax=ax, label=label, format="{x:g}")
        ax.set_aspect("equal")
        return self._finish(*self.axes)


def _look_around(problem, find, n_directions, steps, random_state):
    """The parameters of a display of the neighbourhood of one network."""
    objective, w = problem.objective, problem.w
    if n_directions > len(w):
        raise ValueError(f"A network of {len(w)} parameters has not {n_directions} directions.")
    directions, axes = find(problem, n_directions, random_state)
    loss, error = on_grid(objective, w, directions, steps)
    return {"steps": steps, "loss": loss, "error": error, "directions": directions, "axes": axes}


def _look_between(one, two, steps):
    """The parameters of a display of the line between two networks."""
    _check_alike(one, two)
    loss, error = between(one.objective, one.w, two.w, steps)
    return {
        "steps": steps,
        "loss": loss,
        "error": error,
        "directions": [two.w - one.w],
        "axes": ["place on the line between both networks"],
        "models": [0.0, 1.0],
    }


def _check_alike(one, two):
    """Raise an error if the networks are not points in one landscape."""
    shapes = [list(each.objective.layout.shapes.values()) for each in (one, two)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"Both networks must be of one shape, got {shapes[0]} and {shapes[1]}.")
    # Equal shapes do not suffice: the same parameters must also have the same loss in both.
    losses = [each.objective.loss(two.w) for each in (one, two)]
    if one.w.dtype != two.w.dtype or not np.isclose(*losses, rtol=1e-5, atol=0):
        raise ValueError(
            "Both networks must be points in one landscape, but their functions of the parameters "
            "differ: in activation, loss, precision, or the steps of a Pipeline before them."
        )


def _levels(values):
    """Contour levels: evenly spaced, or 1, 2 and 5 in each decade if values span more than one."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, MaxNLocator

    low, high = float(values.min()), float(values.max())
    if low <= 0 or high < 10 * low:
        return {"levels": MaxNLocator(10).tick_values(low, high)}
    # More than five decades would leave the map without visible detail.
    low = max(low, high / 1e5)
    levels = LogLocator(subs=(1, 2, 5), numticks=20).tick_values(low, high)
    # Neighbouring levels differ by a factor of 2.5 at most, so one level beyond each end stays.
    inside = levels[(levels > low / 2.6) & (levels < high * 2.6)]
    return {"levels": inside, "norm": LogNorm()}
