"""The numbers of a fit. They belong to the estimator and not to the solver."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Settings:
    """All numbers that one would tune in a grid, named as in scikit-learn's MLP.

    ``rho`` is a number here, because ``"auto"`` has been resolved. The estimators explain what each
    setting means.

    Parameters
    ----------
    rho : float, default=0.0
    batch_size, learning_rate, learning_rate_init, power_t, warmup, weight_decay : object
        As in `FlatMLPClassifier`, with its defaults. So are all others.
    max_iter, shuffle, tol, verbose, momentum, nesterovs_momentum, early_stopping : object
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, n_jobs : object
    """

    rho: float = 0.0
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    warmup: float = 0.0
    weight_decay: float = 0.0
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    verbose: bool | int = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: int | float = 10
    max_fun: int = 15000
    n_jobs: int | None = None

    @classmethod
    def of(cls, estimator, **replaced):
        """The settings among an estimator's parameters, some of them replaced.

        A setting keeps its default if the estimator has no such parameter.
        """
        found = {field.name: getattr(estimator, field.name, field.default) for field in fields(cls)}
        return cls(**found | replaced)

    def replaced(self, **changes):
        """The same settings with some changes.

        Parameters
        ----------
        **changes : object
            New values by name.

        Returns
        -------
        Settings
        """
        return replace(self, **changes)
