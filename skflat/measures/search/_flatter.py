"""Josz's preorder: which of two points is the flatter one as the radius goes to 0."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ...problems import Problem, as_problem
from .._measure import ladder
from .._measurement import Measurement
from ._maximal_variation import MaximalVariation

#: Halved radii from 0.1 down to 0.1 / 2^9.
RADII = tuple(0.1 * 0.5**k for k in range(9, -1, -1))
# Differences of the loss below this many units of rounding say nothing.
ROUNDING = 1e3
# The smallest radii that differ must agree, as far as there are so many.
N_LAST = 3


@dataclass(frozen=True, eq=False)
class FlatnessOrder:
    """Which of two points is flatter, and the evidence.

    Attributes
    ----------
    order : {-1, 0, 1} or None
        -1 if the first point is flatter, 1 if the second one is, 0 if no difference was found.
        None means "not comparable": the smallest radii that differ do not agree.
    first, second : Measurement
        The maximal variations on the ladder. Every value is a lower bound that a search found.
    table : dict of str to ndarray
        The columns ``radius``, ``first``, ``second`` (the two variations), ``band`` (a difference
        up to this counts as none) and ``order`` (the order at this radius alone; 0 is a tie).
    """

    order: int | None
    first: Measurement = field(repr=False)
    second: Measurement = field(repr=False)
    table: dict = field(repr=False)


def flatter(
    first,
    second,
    X=None,
    y=None,
    sample_weight=None,
    *,
    radii=RADII,
    tol=1e-6,
    n_starts=3,
    random_state=0,
):
    """Compare two points by Josz's preorder.

    The first point is flatter if its maximal variation is at most that of the second one for *all
    sufficiently small* radii (Josz, arXiv:2509.11386). So the order is a limit, and no single
    radius decides it. This function compares the variations on a ladder of radii. The smallest
    three radii at which they differ decide. If these do not agree, the points are not comparable on
    this ladder.

    Parameters
    ----------
    first, second : fitted estimator, or tuple (objective, w)
        What `hessian_trace` measures, or an objective and a point. They are not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
        Estimators need ``X`` and ``y``, pairs do not.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
    sample_weight : array-like of shape (n_samples,), default=None
    radii : array-like, default=0.1 / 2^9, ..., 0.1 / 2, 0.1
        Increasing radii in the Euclidean norm of the parameters.
    tol : float, default=1e-6
        Two variations are equal if their relative difference is at most this. The difference must
        also be a thousand times the rounding error of the loss.
    n_starts : int, default=3
        Random start directions of the search. See `MaximalVariation`.
    random_state : int, RandomState instance or None, default=0
        Draws these directions, for both points.

    Returns
    -------
    FlatnessOrder

    Raises
    ------
    TypeError
        If an estimator cannot be measured.
    ValueError
        If the radii do not increase, or an estimator comes without data.

    Notes
    -----
    It costs two `MaximalVariation` on the ladder. A search finds the variations, so each is a lower
    bound. A missed direction at one point can change the order.

    At a minimum the largest eigenvalue of the Hessian decides, and terms of higher order if these
    are equal. At other points the norm of the gradient ``g`` decides, at radii far below ``|g|``
    over the largest eigenvalue. A network rarely ends at an exact minimum. So either compare on
    radii above this ratio, or first minimise the loss further.

    `LevelSetDistance` has a fixed level, so it can order two points the other way, as in the
    example.

    Examples
    --------
    ``w^2 / 2`` is steeper at 0 than ``0.4 w^2 + 5 w^4``, which rises faster farther away. The
    preorder finds the second one flatter, and so does the distance to a low level. The distance to
    a high level finds the opposite. (The functions are means of half squares over one row.)

    >>> import numpy as np
    >>> from skflat.measures import flatter
    >>> from skflat.objective import HalfSquared, Layout, Model, Objective
    >>> class Curve(Model):
    ...     layout = Layout({"w": (1, 1)})
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    ...     def forward(self, params, X):
    ...         w = params["w"]
    ...         return X * w * (2 * self.a + 2 * self.b * w**2) ** 0.5
    >>> def at_zero(a, b):
    ...     row = np.ones((1, 1))
    ...     return Objective(Curve(a, b), HalfSquared(), row, 0 * row), np.zeros(1)
    >>> flatter(at_zero(0.5, 0.0), at_zero(0.4, 5.0)).order
    1
    """
    radii = ladder("radii", radii)
    variation = MaximalVariation(radii, n_starts=n_starts, random_state=random_state)
    variation._validate_params()
    problems = [_problem(each, X, y, sample_weight) for each in (first, second)]
    found = [variation.evaluate(problem) for problem in problems]
    table = _compared(radii, found, _rounding(problems), tol)
    return FlatnessOrder(_settled(table["order"]), *found, table)


def _problem(point, X, y, sample_weight):
    if isinstance(point, tuple):
        objective, w = point
        return Problem(objective, np.array(w), None, objective.n_rows)
    if X is None:
        raise ValueError("X must be given to compare fitted estimators, got None.")
    return as_problem(point, X, y, sample_weight)


def _rounding(problems):
    """The error of the difference of two losses."""
    sizes = [abs(problem.loss) * np.finfo(problem.w.dtype).eps for problem in problems]
    return ROUNDING * max(sizes)


def _compared(radii, found, rounding, tol):
    first, second = (measured.table["variation"] for measured in found)
    with np.errstate(invalid="ignore"):  # both may be infinite
        difference = np.where(first == second, 0.0, first - second)
        band = np.maximum(
            tol * np.minimum(np.maximum(first, second), np.finfo(float).max), rounding
        )
    order = np.where(np.abs(difference) > band, np.sign(difference), 0).astype(int)
    columns = {"radius": radii, "first": first, "second": second}
    return columns | {"band": band, "order": order}


def _settled(order):
    """The order at the smallest radii that differ; None if they do not agree, 0 if none differs."""
    last = order[order != 0][:N_LAST]
    if any(one != other for one, other in pairwise(last)):
        return None
    return int(last[0]) if len(last) else 0
