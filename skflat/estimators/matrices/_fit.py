"""Fitting a factorization: from observations to fitted attributes."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..._compat import Interval, StrOptions
from ...models.factorization import Factorization
from ...objective import Batch, HalfSquared, Objective
from ...problems import COMPLETION, Problem, as_problem
from ...solvers import ALS, SOLVERS, Solver, spawn_generator
from ...symmetry import balance, balance_eigenvalue
from .._measuring import USUAL_MEASURES
from .._pipeline import SETTINGS, Training
from ._alpha import WITHOUT_CHOICE, chosen_alpha
from ._baseline import no_better_than_constant
from ._target_unit import unit_of
from .recommending import FoldingIn, touched_by

# These measures use all rows, because their cost is small or does not grow with the rows.
ON_ALL_ROWS = {"sharpness", "weakness"}
DROWNED = 1e-9  # with a unit below this share of the variance of the noise, all factors vanish
BATCHES = 1000  # largest number of batches of an epoch with batch_size="auto"


class BaseFactorization(FoldingIn):
    """The fit of `FlatMatrixFactorization`, without its parameters and its other methods.

    Solvers see the targets in units of ``scale_``, so that no result depends on the users' unit.
    The attributes are in the users' unit. `Factorization.in_unit` converts between the two.
    """

    _solvers = {**SOLVERS, "als": ALS}
    _parameter_constraints: dict = {
        **FoldingIn._parameter_constraints,
        **SETTINGS,
        "solver": [StrOptions({*SOLVERS, "als"}), Solver],
        "alpha": [StrOptions({"auto"}), *SETTINGS["alpha"]],
        "alpha_offsets": SETTINGS["alpha"],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "fit_offsets": ["boolean"],
        "balance": [StrOptions({"frobenius", "lambda_max", "trace"}), None],
        "clip": ["array-like", None],
        "keep_seen": ["boolean"],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def _fit(self, X, y, sample_weight, incremental=False):
        self._check_measures()
        self._check_clip()
        first_pass = not hasattr(self, "factors_") or not (self.warm_start or incremental)
        named, places, codes, values, weight = self._learnt_from(X, y, sample_weight, first_pass)
        self._random_state = check_random_state(self.random_state)
        if incremental and not first_pass:  # as precise as the factors to continue from
            values = values.astype(self.factors_[0].dtype, copy=False)
        sizes = [len(identifiers) for identifiers in named["identifiers_"]]
        observed = self._kept((codes, values, weight), sizes, places if incremental else None)
        named["_seen"] = observed
        rows, held_out = self._split(len(values), "observations") or (None, None)
        rows = slice(None) if rows is None else np.sort(rows)
        train = [None if array is None else array[rows] for array in (codes, values, weight)]
        if first_pass:
            self.scale_ = self._unit(*train)
        updates = incremental and not self._solver().stochastic
        if updates and self.early_stopping:
            raise ValueError("partial_fit of 'als' has no early stopping: set it to False.")
        touched = touched_by(codes, sizes) if updates else None
        model = Factorization(sizes, self.n_components, self.fit_offsets, touched)
        given = self._batch(*train)
        if updates:  # alternating least squares needs all observations of what it solves for
            train = observed.codes, observed.values, observed.weight
        objective = self._objective(model, *train, choose=first_pass, incremental=incremental)
        w = self._start(model, given, places, first_pass)
        training = Training(
            objective,
            w,
            (X, y, sample_weight),
            attributes=lambda w: named | self._attributes(objective.model, w),
            validate=self._validator(objective, codes, values, weight, held_out),
            finish=lambda w: self._balanced(objective, w),
        )
        w = self._train(training, first_pass=first_pass, incremental=incremental)
        # `partial_fit` continues from these parameters bit for bit. The attributes are in another
        # unit and have rounding errors.
        self._trained = w if self._solver().stochastic or incremental else None
        if incremental:
            return self
        self._compare(objective.unpenalized(), w)
        if self.measures is not None:
            whole = self._problem(objective.model, w, *train)
            self._measure_problem(self.measures, whole, after_fit=True)
        return self

    def _validator(self, objective, codes, values, weight, held_out):
        """A function from ``w`` to ``(score, loss)`` on the held-out rows, or None."""
        if held_out is None:
            return None
        weight = None if weight is None else weight[held_out]
        y = values[held_out][:, None] / self.scale_
        validation = Objective(objective.model, HalfSquared(), codes[held_out], y, weight)
        constant = validation.constant_loss()

        def validate(w):
            loss = validation.loss(w)
            return (1 - loss / constant if constant > 0 else float(loss == 0)), loss

        return validate

    # --- parameters ---

    def _unit(self, codes, y, weight):
        """The unit of the targets for solvers: the residuals of offsets, see `unit_of`.

        It has a lower bound that depends on ``rho``, so that the radius in this unit stays finite.
        """
        unit = unit_of(codes, y, weight, self.fit_offsets)
        return unit if self.rho == "auto" else max(unit, DROWNED * float(self.rho) ** 2)

    def _objective(self, model, codes, y, weight, choose, incremental):
        """The objective in units of ``scale_``. This chooses the penalty if necessary."""
        data = self._batch(codes, y, weight)
        objective = Objective(model, HalfSquared(), data.X, data.y, data.weight)
        if self.alpha != "auto":
            self.alpha_ = float(self.alpha)
        elif choose:
            self.alpha_ = WITHOUT_CHOICE if incremental else self._chosen_alpha(objective)
        alpha = self.alpha_, float(self.alpha_offsets)
        return Objective(model, HalfSquared(), data.X, data.y, data.weight, alpha)

    def _chosen_alpha(self, objective):
        solver = self._solver()
        rho = self._own_rho(solver, objective) if isinstance(solver, ALS) else 0.0
        rng = spawn_generator(self._random_state)
        return chosen_alpha(objective, rho, float(self.alpha_offsets), rng)

    def _batch(self, codes, y, weight):
        """Observations, with targets in units of ``scale_``."""
        return Batch(codes, y[:, None] / self.scale_, weight)

    def _start(self, model, batch, places, first_pass):
        """The parameters to start from. A batch gives those of new entities their size."""
        if first_pass:
            return model.init(self._random_state, batch)
        old, there = self._in_own_unit()
        self._check_structure(old, model)
        if old.sizes == model.sizes:
            return there
        w = model.init(self._random_state, batch)
        self._history.forget_best()
        model.embed(w, old, there, places)
        return w

    def _check_structure(self, old, model):
        if (old.n_components, old.fit_offsets) != (model.n_components, model.fit_offsets):
            raise ValueError(
                "To go on from the factors of the fit before, n_components and fit_offsets must "
                f"be what they were: {old.n_components} and {old.fit_offsets}, got "
                f"{model.n_components} and {model.fit_offsets}."
            )

    def _settings(self, solver, objective):
        rho = self._own_rho(solver, objective)
        self.rho_ = rho * self._root if self.rho == "auto" else float(self.rho)
        settings = super()._settings(solver, objective).replaced(rho=rho)
        if settings.batch_size != "auto" or not solver.stochastic:
            return settings
        # Every step updates all parameters. So with many rows, an epoch of small batches would take
        # very long.
        size = max(min(200, objective.n_rows), -(-objective.n_rows // BATCHES))
        return settings.replaced(batch_size=size)

    def _own_rho(self, solver, objective):
        """The radius in units of ``scale_``. A number given by users is in their unit."""
        return solver.auto_rho(objective) if self.rho == "auto" else float(self.rho) / self._root

    def _balanced(self, objective, w):
        """The parameters with balanced factors, if ``balance`` is given."""
        if self.balance is None:
            return w
        model = objective.model
        if model.n_kinds != 2:
            raise ValueError(
                f"balance={self.balance!r} is for two columns of identifiers, got {model.n_kinds}."
            )
        intercept, offsets, factors = model.split(w)
        weights, data = [None, None], objective.data
        if self.balance == "lambda_max":
            factors = balance_eigenvalue(*factors, *data.X.T, data.weight)
            return model.join(intercept, offsets, factors)
        if self.balance == "trace":
            # In the trace, each entity's factors count as often as the entity is observed.
            weights = [
                np.bincount(data.X[:, c], data.weight, size).astype(w.dtype)
                for c, size in enumerate(model.sizes)
            ]
        return model.join(intercept, offsets, balance(*factors, *weights))

    def _publish(self, settings):
        """Publish the record, with losses in the unit of the users' targets."""
        super()._publish(settings)
        square = self.scale_**2
        for name in ("loss_", "best_loss_"):
            value = getattr(self, name)
            setattr(self, name, None if value is None else square * value)
        for name in ("loss_curve_", "validation_loss_curve_"):
            values = getattr(self, name)
            setattr(self, name, values and [square * value for value in values])

    def _attributes(self, model, w):
        w = model.in_unit(w, self.scale_)
        intercept, offsets, factors = model.split(w)
        return {
            "intercept_": 0.0 if intercept is None else intercept[0],
            "offsets_": offsets,
            "factors_": factors,
        }

    def _compare(self, objective, w):
        """Warn if training ended no better than the best constant prediction."""
        data = objective.data
        loss, constant = objective.loss(w), objective.constant_loss()
        if np.ptp(data.y) > 0 and no_better_than_constant(loss, constant):
            warnings.warn(
                "Training ended no better than the best constant prediction: R^2 on the observed "
                f"entries is {1 - loss / constant:.3g}. {self._advice()}",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _advice(self):
        """What to try if training has learnt nothing."""
        less = f"less of rho={self.rho_:.3g}, alpha={self.alpha_:.3g} or alpha_offsets"
        tried = [f"{less}={self.alpha_offsets:.3g}", f"more sweeps than max_iter={self.max_iter}"]
        if not isinstance(self._solver(), ALS):
            tried.append(f"another learning_rate_init than {self.learning_rate_init}")
        if not self.fit_offsets:
            tried.insert(0, "fit_offsets=True")
        return f"Try {', or '.join(tried)}."

    # --- measures ---

    def _problem(self, model, w, codes, y, weight):
        """The fitted problem, in the unit of the users' targets and without the penalty."""
        objective = Objective(model, HalfSquared(), codes, y[:, None], weight)
        return Problem(objective, model.in_unit(w, self.scale_), COMPLETION, objective.n_rows)

    def measure(self, X, y=None, sample_weight=None):
        """Measure the fitted parameters on given observations, and keep the results.

        This sets ``measurements_``. For every measure in ``measures`` it also sets an attribute
        with its name and an underscore. If ``measures`` is None, it takes sharpness, flatness and
        weakness. ``fit`` does this by itself unless ``measures=None``.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.

        Returns
        -------
        dict of str to Measurement
            ``measurements_``.
        """
        check_is_fitted(self)
        self._check_measures()
        names = USUAL_MEASURES if self.measures is None else self.measures
        return self._measure_problem(names, as_problem(self, X, y, sample_weight))

    def _measure_problem(self, names, whole, after_fit=False):
        part = whole
        if whole.objective.n_rows > self.measure_max_samples:
            rng = np.random.default_rng(self._measure_seed)
            part = whole.sample(self.measure_max_samples, rng)
        chosen = {name: whole if name in ON_ALL_ROWS else part for name in names}
        return self._evaluate(names, chosen.get, after_fit=after_fit)
