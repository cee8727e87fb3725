"""Live units: the number of units of the last hidden layer that are not constant."""

from ...objective import HiddenLayer
from .._function import function_of
from .._measure import Measure, describe
from .._measurement import Measurement
from ._hidden import hidden_range


class LiveUnits(Measure):
    """Number of units of the last hidden layer that are not constant on the rows.

    A relu unit that is never active is dead: its outgoing weights have no effect that intercepts
    could not have. The measure is the cheapest alternative to weakness, which grows with the number
    of directions of the features. It costs one forward pass.

    The measure is invariant under rescaling of layers and of single units. It is not a function of
    the outputs, because a unit without outgoing weights counts.

    Notes
    -----
    Without hidden layers the units are the inputs. ``samples`` holds the range of every unit, its
    greatest minus its least value. A unit that varies on a sample of the rows varies on all rows,
    so on a sample the value is a lower bound. The weights of rows have no influence.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import LiveUnits
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> 0 < LiveUnits().measure(clf, X, y).value <= 8
    True
    """

    requires = (HiddenLayer,)

    def _evaluate(self, problem):
        least, greatest = hidden_range(problem.objective, problem.w)
        return Measurement(
            value=float((greatest > least).sum()),
            stderr=0.0,
            kind="lower_bound" if problem.sampled else "exact",
            n_evals=1,
            converged=True,
            samples=greatest - least,
            protocol=describe(problem, samples="range, one a unit"),
        )


live_units = function_of(LiveUnits, "live_units")
