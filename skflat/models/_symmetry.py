"""The changes of a model's parameters that keep its function."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..objective import CRITERIA, NotDefinedError, Orbit


@dataclass(frozen=True)
class Flattest:
    """The flattest point of an orbit, and how sure that is.

    Attributes
    ----------
    w : ndarray of shape (n_parameters,)
    converged : bool
        Whether the conditions of the minimum hold.
    kind : {'exact', 'upper_bound'}
        What the criterion's value at ``w`` is for the least value over the orbit.
    details : dict
        What the method reports: the numbers of steps, and of units that it could not balance.
    """

    w: np.ndarray
    converged: bool = True
    kind: str = "exact"
    details: dict = field(default_factory=dict)

    def warn(self):
        """Tell of units without a flattest scale, and of a minimum that was not reached."""
        unattained = self.details.get("unattained", 0)
        if unattained:
            warnings.warn(
                f"{unattained} hidden units have no flattest scale, because no weight out of them "
                "reaches the loss, or none into them: they are left as they are.",
                stacklevel=3,
            )
        if not self.converged:
            warnings.warn(
                f"The flattest point was not reached: {self.details}.",
                ConvergenceWarning,
                stacklevel=3,
            )


class Symmetry:
    """Base of all symmetries, and that of a model of which only isometries are known.

    Isometries, such as a permutation of the units of a layer, change neither the trace of the
    Hessian nor its eigenvalues nor the norm. So every point is the flattest of its orbit.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    group : str
        What acts on the parameters, in words.
    criteria : tuple of str
        What `flattest` can minimise.
    """

    group = "permutations of the units of a layer"
    criteria = CRITERIA

    def __init__(self, model):
        self.model = model

    def conserved(self, w):
        """What gradient flow of any loss of the function keeps, a dict of arrays by name."""
        return {}

    def check(self, criterion):
        """Refuse a criterion that cannot be minimised over this group."""
        if criterion not in self.criteria:
            raise NotDefinedError(
                f"criterion must be one of {list(self.criteria)} for {self.group}, "
                f"got {criterion!r}."
            )

    def flattest(self, objective, w, criterion="trace"):
        """The flattest point of the orbit of ``w``, see `Flattest`."""
        self.check(criterion)
        return Flattest(w.copy())

    def flow(self, objective, w, criterion="trace"):
        """Points of the orbit, ever flatter, without end; the first is ``w``."""
        self.check(criterion)
        while True:
            yield w.copy()

    def n_coordinates(self):
        """How many numbers `moved` takes: the dimension of the group, isometries aside."""
        return 0

    def shrinking(self):
        """Coordinates along which one layer, or one factor, shrinks as a whole; 0 if none does."""
        return np.zeros(self.n_coordinates())

    def moved(self, w, coordinates):
        """The point of the orbit at these coordinates; 0 is ``w`` itself."""
        return w.copy()


class ModelOrbit(Orbit):
    """What the symmetry of the objective's model knows of the orbit."""

    def flattest(self, w, criterion="trace"):
        return self.objective.model.symmetry.flattest(self.objective, w, criterion)
