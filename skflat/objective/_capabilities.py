"""Capabilities: small objects for what only some models can do.

An objective returns them by type. A solver or measure declares the types that it requires. Only
`require` checks them, and it has the one error that says what is missing.
"""

from abc import ABC, abstractmethod

from ._batch import joined


class NotDefinedError(TypeError, ValueError):
    """This measure or solver does not exist for this kind of model, loss or target.

    It is a ``TypeError``, because the estimator measured has the wrong type. It is also a
    ``ValueError``, because the parameter that names the solver has a wrong value.
    """


class Capability:
    """Base of the capabilities: what an objective may offer beyond the loss and its derivatives.

    Parameters
    ----------
    objective : Objective
        The model, the loss and the rows.

    Attributes
    ----------
    what : str
        A noun phrase for an error that begins with "X needs".
    found_in : str
        A sentence for the same error. It says which models have the capability.
    """

    what = ""
    found_in = ""

    def __init__(self, objective):
        self.objective = objective


class HiddenLayer(Capability, ABC):
    """The hidden layers, and the affine map from the last one to the outputs.

    Parameters
    ----------
    objective : Objective
    """

    what = "a last hidden layer"
    found_in = (
        "Networks, perceptrons and committees have one (without hidden layers, the inputs), and a "
        "function has one if features= names it."
    )

    @abstractmethod
    def inputs(self, w, X):
        """The inputs of every affine map, at ``w`` on some rows.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        X : ndarray or CSR of shape (n_rows, n_features)

        Returns
        -------
        list of ndarray of shape (n_rows, n_units)
            First the rows themselves, then the outputs of each hidden layer.
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


class HiddenUnits(Capability, ABC):
    """The gradient of a function of the last hidden layer's pre-activations.

    Parameters
    ----------
    objective : Objective
    """

    what = "a hidden layer whose pre-activations are known"
    found_in = "Networks with a hidden layer have one."

    @abstractmethod
    def gradient(self, function, w, batch=None, out=None, work=None):
        """Value of the function over a batch, and its gradient.

        Parameters
        ----------
        function : callable
            From pre-activations, an ndarray of shape (n_rows, n_units), and the batch to a value
            and its slopes, an ndarray of that shape.
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows. None takes all rows.
        out : ndarray of shape (n_parameters,), default=None
            Memory for the gradient. None makes a new array.
        work : Workspace, default=None
            Buffers. Its ``rows`` grow by the number of rows.

        Returns
        -------
        value : float
        gradient : ndarray of shape (n_parameters,)
            ``out``, if it was given.
        """


class AffineLayers(Capability, ABC):
    """Affine maps one after the other, with an activation between two of them.

    Parameters
    ----------
    objective : Objective
    """

    what = "affine layers"
    found_in = "Networks have them."

    @abstractmethod
    def maps(self, w):
        """Weights of shape (n_inputs, n_units) and intercepts of every affine map, in order."""


class ExactTrace(Capability, ABC):
    """The exact trace of the Hessian of every row's loss.

    Parameters
    ----------
    objective : Objective
    """

    what = "the exact trace of the Hessian"
    found_in = (
        "A network has one if its activation is piecewise linear ('relu', 'identity') or if it has "
        "at most two hidden layers; factorizations and perceptrons with real weights have one."
    )

    @abstractmethod
    def of_rows(self, w, batch=None):
        """Trace of the Hessian of each row's loss, by layer, without the penalty.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows. None takes all rows.

        Returns
        -------
        ndarray of shape (n_rows, n_layers)
            In units of the loss per squared unit of the parameters.
        """


class ExactDiagonal(Capability, ABC):
    """The exact diagonal of the Hessian.

    Parameters
    ----------
    objective : Objective
    """

    what = "the exact diagonal of the Hessian"
    found_in = (
        "A network has one if its activation is piecewise linear ('relu', 'identity') or if it has "
        "at most two hidden layers."
    )

    @abstractmethod
    def diagonal(self, w, batch=None):
        """Diagonal of the Hessian of the mean loss, without the penalty.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows. None takes all rows.

        Returns
        -------
        ndarray of float64 of shape (n_parameters,)
            In units of the loss per squared unit of the parameters.
        """


class TraceGradient(Capability, ABC):
    """The gradient of the mean exact trace.

    Parameters
    ----------
    objective : Objective
    """

    what = "the gradient of the exact trace of the Hessian"
    found_in = f"{ExactTrace.found_in} A function has one if it has at most 300 parameters."

    #: What the gradient of the trace costs, in gradients of the loss.
    cost = 1

    @abstractmethod
    def gradient(self, w, batch=None, out=None, work=None):
        """Gradient of the mean trace over a batch.

        The penalty does not contribute, because its Hessian is constant.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        batch : Batch, slice or ndarray of int, default=None
            Rows. None takes all rows.
        out : ndarray of shape (n_parameters,), default=None
            Memory for the gradient. None makes a new array.
        work : Workspace, default=None
            Buffers. Its ``rows`` grow by the cost, in gradients of a row.

        Returns
        -------
        ndarray of shape (n_parameters,)
            ``out``, if it was given.
        """


#: What may be least at the flattest point of an orbit.
CRITERIA = ("trace", "norm", "lambda_max")


class Orbit(Capability, ABC):
    """The points of the same function, and the flattest of them.

    Parameters
    ----------
    objective : Objective
    """

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
    """The minimum of the expected loss in one kind of parameters, while all others stay fixed.

    Parameters
    ----------
    objective : Objective
    """

    what = "a closed-form minimum in some parameters at a time"
    found_in = "Factorizations with the squared loss have it."

    @abstractmethod
    def alternation(self, rho, n_steps=None, n_jobs=None):
        """An object that minimises over one kind of parameters after the other.

        Parameters
        ----------
        rho : float
            Standard deviation of the normal noise under which the expected loss is taken.
        n_steps : int, default=None
            Number of steps of conjugate gradients with which each minimum is approximated. None
            is the exact minimum.
        n_jobs : int, default=None
            Number of workers. The result does not depend on it.

        Returns
        -------
        object
            Its ``sweep(w)`` changes ``w`` in place and returns the expected loss. Its ``n_rows``
            is the number of rows that a sweep passes over. A tolerance is a share of
            ``learnt(loss)``.
        """

    @abstractmethod
    def draws(self, rho, seed, n_jobs=None):
        """An object that draws one kind of parameters after the other from their posterior.

        Parameters
        ----------
        rho : float
            Standard deviation of the normal noise under which the expected loss is taken.
        seed : int
        n_jobs : int, default=None
            Number of workers. The draws do not depend on it.

        Returns
        -------
        object
            Its ``sweep(w)`` changes ``w`` in place and returns the loss of the draw. Its ``n_rows``
            is the number of rows that a sweep passes over. ``keep(w)`` keeps a draw, and they are
            in ``kept``. ``mean()`` is one point with the mean scores of the draws kept, and the
            penalty to which the prior amounts.
        """


class Geometry(Capability, ABC):
    """Closed forms of the level sets. Each is None at points where the form does not hold.

    Parameters
    ----------
    objective : Objective
    """

    what = "closed forms of its level sets"
    found_in = "Factorizations of fully observed matrices have them."

    @abstractmethod
    def largest_curvature(self, w):
        """Largest eigenvalue of the Hessian at ``w``, without the penalty, or None."""

    @abstractmethod
    def level_distance(self, w, level):
        """Distance from ``w`` to the nearest point whose loss differs by ``level``, or None."""


class Entries(Capability, ABC):
    """Entries of a matrix. The inputs identify the entries.

    Parameters
    ----------
    objective : Objective
    """

    what = "entries of a matrix"
    found_in = "Factorizations have them."

    @abstractmethod
    def unseen(self, n, rng):
        """``n`` inputs that are not among the rows."""

    @abstractmethod
    def reading(self, w, entry):
        """How an entry's score depends on its entity of the last kind, if all others stay fixed.

        Parameters
        ----------
        w : ndarray of shape (n_parameters,)
        entry : ndarray of int of shape (n_kinds,)
            One input.

        Returns
        -------
        features : ndarray of shape (n_observed, n_components)
            For each row with the same entity, the sum of its other factors. Apart from offsets, the
            score is the product of this sum and the entity's factors.
        learned : ndarray of shape (n_observed,)
            The part of the rows' scores that depends on the entity.
        goal : ndarray of shape (n_components,)
            The features of the entry.
        rest : float
            The part of the entry's score that does not depend on the entity.
        offset : bool
            Whether the entity has an offset.
        """


class BinaryMachines(Capability, ABC):
    """Threshold units with weights in {-1, +1}.

    Parameters
    ----------
    objective : Objective
    """

    what = "weights in {-1, +1}"
    found_in = "FlatPerceptronClassifier and FlatCommitteeClassifier have them."

    @abstractmethod
    def machines(self, w):
        """The patterns and the weights of each one-vs-rest problem. Each row gives one pattern.

        This is an iterator, because every problem holds a copy of the rows.
        """


class Hyperplanes(Capability, ABC):
    """One hyperplane for every output. A solver may set it.

    Parameters
    ----------
    objective : Objective
    """

    what = "one hyperplane for every output"
    found_in = "Perceptrons with real weights have them."

    #: Whether the hyperplanes may miss the origin.
    fit_intercept = True

    @abstractmethod
    def place(self, w, output, normal, threshold):
        """Write the hyperplane of an output into ``w``."""


def capability(objective, kind):
    """The capability of an objective of a type, or None.

    Parameters
    ----------
    objective : Objective, or any object with the methods that a solver or measure calls
        An object without the method ``capability`` has no capabilities.
    kind : type
        A `Capability`, or a contract of losses.

    Returns
    -------
    Capability or None
    """
    # Toy objectives of tests and of users need only the methods that are called.
    offered = getattr(objective, "capability", None)
    return None if offered is None else offered(kind)


def require(objective, kind, who):
    """The capability of an objective of a type, or an error that says what ``who`` needs.

    Parameters
    ----------
    objective : Objective
    kind : type
        A `Capability`, or a contract of losses.
    who : str
        Name of the solver or measure, for the error.

    Returns
    -------
    Capability

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
