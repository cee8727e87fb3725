"""Plain gradient descent on batches: the base solvers."""

from ._solver import Rule


class SGD(Rule):
    """Stochastic gradient descent with momentum.

    The estimator's ``learning_rate``, ``learning_rate_init``, ``power_t``, ``warmup``,
    ``momentum``, ``nesterovs_momentum`` and ``weight_decay`` apply. A step costs one gradient.
    ``rho`` is not used.

    The decay is decoupled, as in AdamW: it does not go through the velocity (SGDW, Loshchilov and
    Hutter, arXiv:1711.05101). PyTorch's ``SGD`` adds it to the gradient, which without momentum is
    the same.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import SGD
    >>> FlatMLPClassifier(solver=SGD(), learning_rate_init=0.1).solver
    SGD()
    """

    base = "sgd"


class Adam(Rule):
    """Adam (Kingma and Ba, arXiv:1412.6980); with ``weight_decay`` AdamW (arXiv:1711.05101).

    The estimator's ``learning_rate_init``, ``beta_1``, ``beta_2``, ``epsilon``, ``weight_decay``
    and, of the schedules, ``learning_rate="cosine"`` with ``warmup`` apply. A step costs one
    gradient. ``rho`` is not used.

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
