"""The one fit pipeline that all estimators share: solve, record, measure."""

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._callbacks import PENDING, CallbackSupportMixin, EpochHooks
from .._compat import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    check_sample_weight,
)
from ..objective import Objective, did_you_mean
from ..solvers import SOLVERS, History, Run, Settings, Solver, spawn_generator
from ._measuring import Measuring
from ._saved import Saved
from ._stability import step_sizes
from ._writable import writable

#: The allowed values of the numerical parameters, as in scikit-learn's networks.
SETTINGS = {
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", "cosine"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
}

#: Expected losses contain the fourth power of ``rho``. It overflows for larger radii. It has a
#: dtype, because a plain float would be cast to that of a radius in single precision.
LARGEST_RHO = np.float64(1e75)
#: If the largest weight of a row is beyond these, all are divided by it, because float32 would
#: lose them.
SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-30, 1e30


@contextmanager
def all_or_nothing(estimator):
    """If the block fails, restore the attributes that the estimator had before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:  # an interruption by the user, too
        pending = {name: vars(estimator)[name] for name in PENDING if name in vars(estimator)}
        vars(estimator).clear()
        vars(estimator).update(before | pending)
        raise


def _most_epochs(incremental, until, n_before):
    """The largest number of epochs of a run. None stands for ``max_iter``."""
    if incremental:
        return 1
    return None if until is None else until - n_before


def is_stochastic(estimator):
    """Whether ``partial_fit`` is available. This is the condition for ``available_if``."""
    # An object that is not a solver passes here. The validation of the parameters refuses it later
    # with a better message.
    if not getattr(estimator._solver(), "stochastic", True):
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


def takes_steps(estimator):
    """Whether ``step_sizes`` is available: a search for weights in {-1, +1} takes no steps."""
    if not isinstance(solver := estimator._solver(), Solver):
        raise AttributeError(f"step_sizes is not available: {solver!r} takes no steps of a size.")
    return True


def checked_weight(sample_weight, X):
    """The checked weights of the rows, or None if all weigh the same.

    Weights must not be negative, and not all of them 0.
    """
    if sample_weight is None:
        return None
    sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
    if not np.any(sample_weight):  # scikit-learn below 1.9 lets them pass
        raise ValueError("Sample weights must contain at least one non-zero number.")
    largest = sample_weight.max()
    if SMALLEST_WEIGHT <= largest <= LARGEST_WEIGHT:
        return sample_weight
    return sample_weight / largest


@dataclass(frozen=True)
class Training:
    """The input of the pipeline, which an estimator prepares.

    Attributes
    ----------
    objective : Objective
        The objective to minimise.
    w : ndarray of shape (n_parameters,)
        The parameters to start from.
    given : tuple of X, y and sample_weight
        The training data as callbacks see them.
    attributes : callable
        Maps parameters to a dict of the fitted attributes.
    validate : callable, default=None
        Maps parameters to the score and the loss on the validation rows.
    finish : callable
        Maps the parameters at the end of training to those that are kept. The default keeps them
        unchanged.
    between : callable, default=None
        Moves the parameters between two epochs, see `skflat.solvers.Run`.
    """

    objective: Objective
    w: np.ndarray
    given: tuple
    attributes: Callable
    validate: Callable | None = None
    finish: Callable = lambda w: w
    between: Callable | None = None


@dataclass
class Halted:
    """The point at which `FlatEstimator._train` has halted training.

    Training can continue from it as if it had not been halted. The estimator itself keeps the
    solver's state and the history.
    """

    w: np.ndarray
    random_state: np.random.RandomState
    order: np.ndarray | None


class FlatEstimator(Saved, Measuring, CallbackSupportMixin, BaseEstimator):
    """Base of all estimators. It runs the training, after the data have been validated.

    A subclass has the parameters that `Settings` names, and ``solver``, ``rho``,
    ``measures``, ``measure_max_samples`` and ``random_state``.
    """

    #: The names that ``solver`` may have, with their classes.
    _solvers = SOLVERS
    #: The point from which a halted training continues, see `Halted`.
    _halted = None

    _parameter_constraints: dict = {
        "solver": [StrOptions(set(SOLVERS)), Solver],
        "rho": [StrOptions({"auto"}), Interval(Real, 0, LARGEST_RHO, closed="both")],
        "measures": ["array-like", None],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def _validate_params(self):
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            raise InvalidParameterError(f"{error}{self._nearest_solver()}") from None

    def _nearest_solver(self):
        """The solver that an unknown name may stand for, as a sentence, or nothing."""
        unknown = isinstance(self.solver, str) and self.solver not in self._solvers
        return did_you_mean(self.solver, self._solvers) if unknown else ""

    def _solver(self):
        """The solver that ``solver`` names or is. At ``rho = 0`` its base solver replaces it."""
        solver = self.solver
        is_name = isinstance(solver, str) and solver in self._solvers
        return self._solvers[solver]() if is_name else solver

    def _settings(self, solver, objective):
        rho = self.rho if self.rho != "auto" else solver.auto_rho(objective)
        if solver.default_rho is None and self.rho not in ("auto", 0):
            warnings.warn(
                f"rho={self.rho:g} has no effect: {type(solver).__name__} does not use it.",
                stacklevel=5,
            )
        early_stopping = getattr(self, "early_stopping", False) and solver.early_stops
        return Settings.of(self, rho=float(rho), early_stopping=early_stopping)

    @available_if(takes_steps)
    def step_sizes(self):
        """How far the optimizer steps, as its state is after the last step.

        Returns
        -------
        sizes : ndarray of shape (n_parameters,)
            The learning rate of every parameter. With Adam it is divided by the root of the running
            mean of squared gradients.
        limit : float
            Let ``s`` be the largest eigenvalue of the Hessian with rows and columns multiplied by
            the roots of the sizes. If ``s`` exceeds the limit, steps along its eigenvector grow:
            2 without momentum ``m``, ``2 (1 + m)`` with it, ``2 (1 + m) / (1 + 2 m)`` with
            Nesterov's, and ``2 (1 + b) / (1 - b)`` for Adam with ``beta_1 = b`` (Cohen and others,
            arXiv:2103.00065 and arXiv:2207.14484). A solver that perturbs the parameters has the
            limit of its base optimizer here.

        Raises
        ------
        NotFittedError
            If there has been no training.
        TypeError
            If the solver has no rule of steps, as ``"lbfgs"``.
        """
        check_is_fitted(self, "_solver_state")
        (solver, *_), n_parameters = self._rule
        return step_sizes(self._solver_state, solver, n_parameters)

    def _split(self, n_rows, what, stratify=None, weight=None):
        """Indices of the training rows and of the rows that early stopping holds out.

        None if there is no early stopping. ``what`` is the name of the rows in error messages.
        """
        if not (self.early_stopping and self._solver().early_stops):
            return None
        train, held_out = train_test_split(
            np.arange(n_rows),
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=stratify,
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                f"your dataset: validation_fraction={self.validation_fraction} of {n_rows} {what}."
            )
        for rows, share in ((train, "training"), (held_out, "validation")):
            if weight is not None and not weight[rows].any():
                raise ValueError(
                    f"All {share} rows have sample_weight 0 after early_stopping has held out "
                    f"validation_fraction={self.validation_fraction} of {n_rows} {what}. Give "
                    "weight to more rows, or choose another random_state."
                )
        return train, held_out

    def _train(self, training, *, first_pass=True, incremental=False, until=None):
        """Run the solver, keep the record, set the fitted attributes; return the parameters.

        Training halts at the end of the epoch ``until`` if it is not over by then. Another call
        with the same data continues from there. The result is bit for bit that of a single call.
        """
        objective = training.objective
        hooks = EpochHooks(
            self,
            *training.given,
            max_iter=1 if incremental else self._solver().n_epochs(objective, self.max_iter),
            fitted_attributes=training.attributes,
        )
        solver = self._solver()
        solver._validate_params()
        solver = solver.for_objective(objective)
        settings = self._settings(solver, objective)
        solver = solver.delegate() if settings.rho == 0 else solver
        solver.check(objective)
        self._forget_measurements()
        halted, self._halted = None if until is None else self._halted, None
        w, n_before = self._begin(training.w, halted, first_pass)
        self._set_state(solver, objective, w, settings, goes_on=incremental or halted is not None)
        run = Run(
            objective.as_reported(),
            settings,
            self._random_state,
            self._history,
            training.validate,
            hooks,
            between=training.between,
            max_epochs=_most_epochs(incremental, until, n_before),
            order=None if halted is None else halted.order,
        )
        # An overflow makes the loss or the parameters infinite. The solvers check that, and raise
        # one clear error or warning. NumPy would warn of every product.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            w = solver.solve(w, self._solver_state, run)
        self._record(run, len(w), n_before)
        # Only a solver that runs epochs can be halted between two of them.
        over = self._cut_short or run.settled or self.n_iter_ >= settings.max_iter
        if until is not None and solver.stochastic and not over:
            self._halted = Halted(w, self._random_state, run.order)
        w = self._chosen(w, run, incremental)
        # The fit is over only here: other calls may go on from the last parameters.
        w = training.finish(hooks.chosen(w) if not incremental and until is None else w)
        vars(self).update(training.attributes(w))
        hooks.end_fit(w)
        return w

    def _begin(self, w, halted, first_pass):
        """The parameters to start from, and the number of epochs before.

        A first pass begins a new record.
        """
        if halted is not None:
            self._random_state = halted.random_state
            return np.array(halted.w), self.n_iter_
        if first_pass:
            self._history, self.n_grad_evals_, self._cost = History(), 0.0, 0.0
            # Drawn also for measures=None, so that measuring does not change the training.
            self._measure_seed = int(spawn_generator(self._random_state).integers(2**31))
        return w, 0

    def _set_state(self, solver, objective, w, settings, goes_on):
        """Keep the solver's state if training continues with the same rule, or make a new one."""
        # As in scikit-learn, a warm start continues from the parameters but with new moments.
        rule = (solver.structure(), len(w))
        if goes_on and rule == getattr(self, "_rule", None):
            # The state of an estimator that was loaded by memory mapping is read-only.
            self._solver_state = writable(self._solver_state)
            solver.adopt(objective, w, self._solver_state, settings)
            return
        self._rule = rule
        rng = spawn_generator(self._random_state)
        self._solver_state = solver.init_state(objective, w, settings, rng)

    def _record(self, run, n_parameters, n_before):
        """Record the cost of the run and how it ended, and publish the record."""
        self.n_grad_evals_ += run.work.rows / run.objective.n_rows
        # A gradient takes one product per weight forward and two backward.
        self._cost += 3.0 * run.work.rows * n_parameters
        self.n_iter_ = n_before + run.n_iter
        self._cut_short = run.diverged or run.interrupted
        self._publish(run.settings)

    def _chosen(self, w, run, incremental):
        """The parameters to keep: the last ones, or the best ones under early stopping."""
        history, settings = run.history, run.settings
        if run.diverged:
            if not settings.early_stopping or history.best_w is None:
                rate = f", or learning_rate_init={self.learning_rate_init} is too large"
                raise ValueError(
                    "Solver produced non-finite parameter weights. The input data may contain "
                    "large values and need to be preprocessed"
                    f"{rate if self._solver().stochastic else ''}."
                )
            warnings.warn(
                "Training diverged: the loss or the parameters ceased to be finite. The "
                "parameters of the best validation score are kept. Try a smaller "
                f"learning_rate_init than {self.learning_rate_init}.",
                ConvergenceWarning,
                stacklevel=5,
            )
            return history.best_w
        # In `partial_fit` later calls may still improve, so the best parameters come back only
        # when the patience is exhausted.
        exhausted = history.n_no_improvement > settings.n_iter_no_change
        if settings.early_stopping and (exhausted or not incremental):
            return w if history.best_w is None else history.best_w
        return w

    def _publish(self, settings):
        """Set the attributes by which scikit-learn's networks publish their record."""
        history, stopping = self._history, settings.early_stopping
        self.t_ = history.n_rows_seen
        self.loss_curve_ = history.loss_curve
        self.loss_ = history.last_loss
        self.best_loss_ = None if stopping else history.best_loss
        self.best_validation_score_ = history.best_score if stopping else None
        validated = bool(history.validation_scores)
        self.validation_scores_ = history.validation_scores if validated else None
        self.validation_loss_curve_ = history.validation_losses if validated else None
