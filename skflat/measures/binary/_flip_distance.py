"""The share of weights in {-1, +1} that can be flipped before the error rises by a given level."""

import warnings

import numpy as np
from scipy.optimize import brentq

from ...objective import BinaryMachines
from .._function import function_of
from .._measure import Measure, describe, exactness
from .._measurement import Measurement
from ._flip_energy import flip_errors


class FlipDistance(Measure):
    """Share of weights flipped at random that raises the error by ``level``; larger is flatter.

    The measure is for perceptrons and committees with weights in {-1, +1}. It is the first distance
    at which `FlipEnergy` reaches ``level``. It corresponds to `LevelSetDistance` for real weights.
    It has the invariances of `FlipEnergy`.

    Parameters
    ----------
    level : float, default=None
        Rise of the error. None is one tenth of the error of the best constant prediction, averaged
        over the one-vs-rest problems.

    Notes
    -----
    The value is infinite, with a warning, if no distance up to 1/2 reaches the level. At 1/2 the
    weights are random. ``samples`` holds the rise at the first distances tried, 0.005 apart.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skflat import FlatPerceptronClassifier
    >>> from skflat.measures import FlipDistance
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = FlatPerceptronClassifier(solver="sbpi", margin=-1.0, random_state=0).fit(X, y)
    >>> 0 < FlipDistance().measure(clf, X, y).value < 0.5
    True
    """

    _parameter_constraints: dict = {"level": [float, None]}

    requires = (BinaryMachines,)

    def __init__(self, level=None):
        self.level = level

    def _evaluate(self, problem):
        data = problem.objective.data
        level = _constant_error(data) / 10 if self.level is None else self.level
        errors_at = flip_errors(problem)
        here = data.mean(errors_at(0.0))

        def rise(distance):
            return data.mean(errors_at(distance)) - here

        # A rise that is not monotonic may cross the level several times. The grid finds the first.
        tried = np.arange(1, 101) / 200
        rises = np.array([rise(distance) for distance in tried])
        value, stderr = _crossing(rise, tried, rises, level), np.nan
        if np.isfinite(value):
            stderr = _error(problem, errors_at, rise, value)
        return Measurement(
            value=value,
            stderr=stderr,
            kind=exactness(problem),
            n_evals=len(tried),
            converged=bool(np.isfinite(value)),
            samples=rises,
            protocol=describe(problem, level=level, samples="rise at 0.005, 0.01, ..."),
        )


def _constant_error(data):
    """Mean error of the best constant answers to the one-vs-rest problems."""
    share = np.average(data.y, axis=0, weights=data.weight)
    return float(np.minimum(share, 1 - share).mean())


def _crossing(rise, tried, rises, level):
    reached = np.flatnonzero(rises >= level)
    if level <= 0 or len(reached) == 0:
        warnings.warn(
            f"The error does not rise by {level:.3g} however many weights are flipped: the "
            "distance is infinite.",
            stacklevel=4,
        )
        return np.inf
    # The rise need not be monotonic, so the first of the distances tried brackets the root.
    above = tried[reached[0]]
    below = tried[reached[0] - 1] if reached[0] else 0.0
    return float(brentq(lambda distance: rise(distance) - level, below, above, xtol=1e-9))


def _error(problem, errors_at, rise, distance):
    """Standard error due to the sampling of rows: the error of the rise divided by its slope."""
    if distance == 0:  # a jump at 0, which has no slope
        return np.nan
    # Central difference; the rise is smooth in the distance, because it is a closed form.
    step = min(1e-3, distance / 2)
    slope = (rise(distance + step) - rise(distance - step)) / (2 * step)
    rows = errors_at(distance) - errors_at(0.0)
    return problem.row_error(rows) / abs(slope) if slope else np.nan


flip_distance = function_of(FlipDistance, "flip_distance")
