"""What only some models can do: small objects that an objective hands out by type.

A solver or measure names the types that it requires. `require` is the one place that asks for them
and the one error where they are missing.
"""

from abc import ABC, abstractmethod

from ._batch import joined


class NotDefinedError(TypeError, ValueError):
    """This measure or solver does not exist for this kind of model, loss or target.

    A ``TypeError`` for who measures an estimator, a ``ValueError`` for who chose the solver.
    """


class Capability:
    """Base of what an objective may offer beside the loss and its derivatives.

    Parameters
    ----------
    objective : Objective
        What it is about: the model, the loss and the rows.

    Attributes
    ----------
    what : str
        What it is, for an error that begins with "X needs".
    found_in : str
        A sentence that says who has it, for the same error.
    """

    what = ""
    found_in = ""

    def __init__(self, objective):
        self.objective = objective


class HiddenLayer(Capability, ABC):
    """The layers before the outputs, and the affine map that reads the last of them."""

    what = "a last hidden layer"
    found_in = "Networks, perceptrons and committees have one (without hidden layers, the inputs)."

    @abstractmethod
    def inputs(self, w, X):
        """What every affine map acts on, at ``w`` on some rows, the rows themselves first.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        X : ndarray or CSR of shape (n_rows, n_features)

        Returns
        -------
        list of ndarray of shape (n_rows, n_units)
        """

    @abstractmethod
    def head(self, w):
        """Weights of the last affine map, shape (n_units, n_outputs)."""

    def features(self, w, X=None):
        """The last hidden layer at ``w`` on ``X``, by default on the objective's own rows."""
        return joined([self.inputs(w, rows)[-1] for rows in self.objective.chunks(X)])

    def layers(self, w, X=None):
        """Outputs of every hidden layer at ``w`` on ``X``, by default on the objective's rows."""
        chunks = [self.inputs(w, rows)[1:] for rows in self.objective.chunks(X)]
        return [joined(list(parts)) for parts in zip(*chunks, strict=True)]


class ExactTrace(Capability, ABC):
    """The exact trace of the Hessian of every row's loss."""

    what = "the exact trace of the Hessian"
    found_in = (
        "A network has one if its activation is piecewise linear ('relu', 'identity') or if it has "
        "at most two hidden layers; factorizations and perceptrons with real weights have one."
    )

    @abstractmethod
    def of_rows(self, w, batch=None):
        """Trace of each row's Hessian by layer, shape (n_rows, n_layers); no penalty in it."""


class TraceGradient(Capability, ABC):
    """The gradient of the mean exact trace."""

    what = "the gradient of the exact trace of the Hessian"
    found_in = ExactTrace.found_in

    @abstractmethod
    def gradient(self, w, batch=None, out=None, work=None):
        """Gradient of the batch's mean trace, written into ``out``.

        The penalty has no part in it, for its Hessian is constant. Adds to ``work.rows`` what it
        costs, in gradients of a row.
        """


#: What may be least at the flattest point of an orbit.
CRITERIA = ("trace", "norm", "lambda_max")


class Orbit(Capability, ABC):
    """The points of the same function, and the flattest of them."""

    what = "a known symmetry"
    found_in = "Networks and factorizations have one."

    @abstractmethod
    def flattest(self, w, criterion="trace"):
        """The flattest point with the function of ``w``.

        Returns
        -------
        object
            With attributes ``w``, ``converged`` (whether it is a minimum), ``kind`` (what the value
            of the criterion there is for the least one, ``'exact'`` or ``'upper_bound'``) and
            ``details``, a dict of what the method reports.
        """


class LeastSquares(Capability, ABC):
    """The minimum of the expected loss in the parameters of one kind, all others held."""

    what = "a closed-form minimum in some parameters at a time"
    found_in = "Factorizations with the squared loss have it."

    @abstractmethod
    def alternation(self, rho):
        """What minimises one kind of parameters after the other, under noise of deviation ``rho``.

        Its ``sweep(w)`` does so in place and returns the expected loss, ``n_kinds`` says how many
        passes over the rows that takes.
        """


class Geometry(Capability, ABC):
    """Closed forms of the level sets. Each is None at points where it does not hold."""

    what = "closed forms of its level sets"
    found_in = "Factorizations of fully observed matrices have them."

    @abstractmethod
    def largest_curvature(self, w):
        """Largest eigenvalue of the Hessian at ``w``, without the penalty, or None."""

    @abstractmethod
    def level_distance(self, w, level):
        """Distance from ``w`` to where the loss differs by ``level``, or None."""


class Entries(Capability, ABC):
    """Entries of a matrix, which the inputs name."""

    what = "entries of a matrix"
    found_in = "Factorizations have them."

    @abstractmethod
    def unseen(self, n, rng):
        """Some ``n`` inputs that are not among the rows."""

    @abstractmethod
    def reading(self, w, entry):
        """How an entry's score depends on the entity of the last kind, all others held.

        Returns
        -------
        features : ndarray of shape (n_observed, n_components)
            Of the rows that share the entity: the sum of their other factors. Offset apart, the
            score is the product of these and the entity's factors.
        learned : ndarray of shape (n_observed,)
            The part of their scores that depends on the entity.
        goal : ndarray of shape (n_components,)
            The entry's features.
        rest : float
            What the entity's part is to be added to for the entry's score.
        offset : bool
            Whether the entity has an offset.
        """


class BinaryMachines(Capability, ABC):
    """Threshold units with weights in {-1, +1}."""

    what = "weights in {-1, +1}"
    found_in = "FlatPerceptronClassifier and FlatCommitteeClassifier have them."

    @abstractmethod
    def machines(self, w):
        """Each one-vs-rest problem as patterns and weights, one row of the data a pattern.

        One after the other: every one has a copy of the rows.
        """


class Hyperplanes(Capability, ABC):
    """One hyperplane for every output, which a solver may set."""

    what = "one hyperplane for every output"
    found_in = "Perceptrons with real weights have them."

    #: Whether the hyperplanes may miss the origin.
    fit_intercept = True

    @abstractmethod
    def place(self, w, output, normal, threshold):
        """Write the hyperplane of an output into ``w``."""


def capability(objective, kind):
    """What an objective offers of that type, or None.

    Parameters
    ----------
    objective : Objective, or any object with the methods that are asked for
        One that says nothing about capabilities offers none.
    kind : type
        A `Capability`, or a contract of losses.
    """
    offered = getattr(objective, "capability", None)
    return None if offered is None else offered(kind)


def require(objective, kind, who):
    """The same, where ``who`` cannot do without.

    Raises
    ------
    NotDefinedError
        If the objective does not offer it.
    """
    found = capability(objective, kind)
    if found is None:
        model = type(getattr(objective, "model", objective)).__name__
        raise NotDefinedError(
            f"{who} needs {kind.what}, and this {model} has none. {kind.found_in}"
        )
    return found
