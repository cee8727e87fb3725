"""Local energy of weights in {-1, +1}: the rise of the error if some of them are flipped."""

import numpy as np

from ...models.threshold import Flips
from ...objective import BinaryMachines, capability
from .._function import function_of
from .._measure import Measure, describe, exactness, ladder
from .._measurement import Measurement


class FlipEnergy(Measure):
    """Mean rise of the error when weights are flipped at random; smaller is flatter.

    The measure is for perceptrons and committees with weights in {-1, +1}. Every weight is flipped
    with the probability ``distance``. The average share of wrong rows, or of wrong one-vs-rest
    answers, has a closed form by the central limit theorem for the field of each unit. For a
    perceptron on patterns of signs it is ``H((1 - 2d) stability / sqrt(4 d (1 - d)))``. Thresholds
    do not change (Baldassi and others, arXiv:2107.01163).

    Binary weights have no scale, so the value cannot be changed by rescaling. The measure is
    invariant under permutations of features and of units, and under flips of a feature's sign
    together with its weight.

    Parameters
    ----------
    distance : float or array-like, default=0.02
        Share of weights flipped, at most 1/2. The value belongs to the last one.

    Notes
    -----
    The measure costs one pass over the rows. The table has the columns ``distance``, ``error`` and
    ``rise``. ``samples`` holds the probability of every row to be wrong at the last distance. The
    approximation is good for at least 100 weights per unit. The standard error is due to the
    sampling of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skflat import FlatPerceptronClassifier
    >>> from skflat.measures import FlipEnergy
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = FlatPerceptronClassifier(solver="sbpi", margin=-1.0, random_state=0).fit(X, y)
    >>> energy = FlipEnergy([0.01, 0.1]).measure(clf, X, y)
    >>> bool(energy.table["rise"][0] < energy.table["rise"][1])
    True
    """

    _parameter_constraints: dict = {"distance": ["array-like", float]}

    requires = (BinaryMachines,)
    sign = -1

    def __init__(self, distance=0.02):
        self.distance = distance

    def _evaluate(self, problem):
        distances = checked_distances(self.distance)
        errors_at = flip_errors(problem)
        # At distance 0 the closed form is the error itself, so the rise needs no other pass.
        errors = np.array([errors_at(distance) for distance in (0.0, *distances)])
        means = np.array([problem.objective.data.mean(row) for row in errors])
        rises = means[1:] - means[0]
        return Measurement(
            value=float(rises[-1]),
            stderr=problem.row_error(errors[-1] - errors[0]),
            kind=exactness(problem),
            n_evals=1,
            converged=True,
            samples=errors[-1],
            protocol=describe(problem, samples="probability of every row to be wrong"),
            table={"distance": distances, "error": means[1:], "rise": rises},
        )


def checked_distances(values):
    """Shares of weights as an increasing array, none above one half."""
    values = ladder("distance", values)
    if values[-1] > 0.5:
        raise ValueError(f"distance must not exceed 1/2, got {values[-1]}.")
    return values


def is_binary(problem):
    """Whether the weights of a problem are in {-1, +1}.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    bool
    """
    return capability(problem.objective, BinaryMachines) is not None


def flip_errors(problem):
    """A function of the distance: each row's probability to be wrong, the mean over problems."""
    found = problem.objective.capability(BinaryMachines).machines(problem.w)
    machines = [Flips(patterns, w) for patterns, w in found]
    return lambda distance: np.mean([each.error(distance) for each in machines], axis=0)


flip_energy = function_of(FlipEnergy, "flip_energy")
