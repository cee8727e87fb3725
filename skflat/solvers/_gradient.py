"""Plain gradient descent on batches: the base solvers."""

from ._solver import Rule


class SGD(Rule):
    """Stochastic gradient descent with momentum.

    The estimator's ``learning_rate``, ``learning_rate_init``, ``power_t``, ``momentum`` and
    ``nesterovs_momentum`` apply. A step costs one gradient. ``rho`` is not used.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SGD
    >>> FlatMLPClassifier(solver=SGD(), learning_rate_init=0.1).solver
    SGD()
    """

    base = "sgd"


class Adam(Rule):
    """Adam (Kingma and Ba, arXiv:1412.6980).

    The estimator's ``learning_rate_init``, ``beta_1``, ``beta_2`` and ``epsilon`` apply. A
    step costs one gradient. ``rho`` is not used.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import Adam
    >>> FlatMLPClassifier(solver=Adam()).solver
    Adam()
    """

    base = "adam"


class Based(Rule):
    """A rule that hands its direction to one of these two, by its parameter ``base``."""

    def delegate(self):
        return {"adam": Adam, "sgd": SGD}[self.base]()
