"""Plain gradient descent on batches: the base solvers."""

from ._solver import Rule


class SGD(Rule):
    """Stochastic gradient descent with momentum.

    The estimator's ``learning_rate``, ``learning_rate_init``, ``power_t``, ``warmup``,
    ``momentum``, ``nesterovs_momentum`` and ``weight_decay`` apply. A step costs one gradient.
    ``rho`` is not used.

    The weight decay is decoupled, as in AdamW: it does not enter the velocity (SGDW, Loshchilov and
    Hutter, arXiv:1711.05101). PyTorch's ``SGD`` adds the decay to the gradient. Without momentum
    both are the same.

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

    The estimator's ``learning_rate_init``, ``beta_1``, ``beta_2``, ``epsilon`` and ``weight_decay``
    apply. The only schedule that applies is ``learning_rate="cosine"``, with ``warmup``. A step
    costs one gradient. ``rho`` is not used.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import Adam
    >>> FlatMLPClassifier(solver=Adam()).solver
    Adam()
    """

    base = "adam"


class Based(Rule):
    """A rule whose parameter ``base`` names the optimizer that takes the step: Adam or SGD."""

    def delegate(self):
        return {"adam": Adam, "sgd": SGD}[self.base]()
