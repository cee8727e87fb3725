"""Fitting a factorization: from observations to fitted attributes."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..._callbacks import selecting
from ..._compat import Interval, StrOptions
from ...models.factorization import DriftingFactorization, Factorization, ImplicitFactorization
from ...objective import HalfSquared, LeastSquares, Objective
from ...problems import COMPLETION, Problem, as_problem, factorization
from ...solvers import ALS, SOLVERS, Gibbs, Solver, spawn_generator
from ...symmetry import balance, balance_eigenvalue
from .._measuring import USUAL_MEASURES
from .._pipeline import SETTINGS, Training
from ._alpha import WITHOUT_CHOICE, chosen_alpha
from ._baseline import no_better_than_constant
from ._target_unit import unit_of
from .recommending import (
    FoldingIn,
    check_implicit,
    preference_rho,
    preference_sharpness,
    touched_by,
)
from .side import coefficients

# These measures use all rows, because their cost is small or does not grow with the rows.
ON_ALL_ROWS = {"sharpness", "weakness"}
DROWNED = 1e-9  # with a unit below this share of the variance of the noise, all factors vanish
BATCHES = 1000  # largest number of batches of an epoch with batch_size="auto"


class BaseFactorization(FoldingIn):
    """The fit of `FlatMatrixFactorization`, without its parameters and its other methods.

    Solvers see the targets in units of ``scale_``, so that no result depends on the users' unit.
    The attributes are in the users' unit. `Factorization.in_unit` converts between the two.
    """

    _solvers = {**SOLVERS, "als": ALS, "gibbs": Gibbs}
    _parameter_constraints: dict = {
        **FoldingIn._parameter_constraints,
        **SETTINGS,
        "solver": [StrOptions({*SOLVERS, "als", "gibbs"}), Solver],
        "alpha": [StrOptions({"auto"}), *SETTINGS["alpha"]],
        "alpha_offsets": SETTINGS["alpha"],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "fit_offsets": ["boolean"],
        "user_features": "no_validation",
        "item_features": "no_validation",
        "timestamps": [Integral, str, None],
        "n_time_bins": [Interval(Integral, 1, None, closed="left")],
        "alpha_drift": SETTINGS["alpha"],
        "alpha_features": [Interval(Real, 0, None, closed="neither")],
        "balance": [StrOptions({"frobenius", "lambda_max", "trace"}), None],
        "clip": ["array-like", None],
        "input": [StrOptions({"auto", "entries", "matrix"})],
        "keep_seen": ["boolean"],
        "feedback": [StrOptions({"explicit", "implicit"})],
        "confidence": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def _fit(self, X, y, sample_weight, incremental=False):
        self._check_measures()
        self._check_clip()
        first_pass = not hasattr(self, "factors_") or not (self.warm_start or incremental)
        tables = self._tables()
        named, places, *given = self._learnt_from(X, y, sample_weight, first_pass, tables)
        self._random_state = check_random_state(self.random_state)
        sizes = [len(identifiers) for identifiers in named["identifiers_"]]
        updates = incremental and not self._solver().stochastic
        self._check_method(len(sizes), updates, first_pass)
        if incremental and not first_pass:  # as precise as the factors to continue from
            given[1] = given[1].astype(self.factors_[0].dtype, copy=False)
        seen = named["_seen"] = self._kept(given, sizes, places if incremental else None)
        train, held_out = self._rows_to_learn_from(given)
        if first_pass:
            self.scale_ = 1.0 if self._implicit else self._unit(*train)
        touched = touched_by(given[0], sizes) if updates else None
        model = self._model(named, tables, touched, given[1].dtype)
        # Alternating least squares needs all observations of the entities that it solves for.
        whole = (seen.codes, seen.values, seen.weight) if updates else train
        data = self._batch(*whole)
        if not len(data):
            raise ValueError("No count is positive: there is nothing to learn from.")
        objective = self._objective(model, data, first_pass, incremental)
        start = self._batch(*train) if updates else data
        w = self._start(model, start, places, first_pass)
        training = self._training(objective, w, (X, y, sample_weight), named, tables, held_out)
        w = self._train(training, first_pass=first_pass, incremental=incremental)
        objective = objective.with_model(model.holding(w))
        if isinstance(self._solver(), Gibbs):
            self.alpha_ = self._solver_state.ridge
        # `partial_fit` continues from these parameters bit for bit. The attributes are in another
        # unit and have rounding errors.
        self._trained = w if self._solver().stochastic or incremental else None
        if not incremental:
            self._judge(objective, w, train)
        return self

    def _training(self, objective, w, given, named, tables, held_out):
        """What the pipeline needs for this fit."""
        model, prior = objective.model, objective.model.prior(objective.data)
        if prior and self._implicit:  # factors of 0 are no part of the loss over all pairs
            prior.clear(w)
        return Training(
            objective,
            w,
            given,
            attributes=lambda w: named | self._attributes(model, w, prior, tables),
            validate=self._validator(model, held_out),
            finish=lambda w: self._balanced(objective, prior.finish(w) if prior else w),
        )

    def _check_method(self, n_kinds, updates, first_pass):
        """Refuse what cannot be combined, and set whether feedback is implicit."""
        if updates and self.early_stopping:
            raise ValueError("partial_fit of 'als' has no early stopping: set it to False.")
        if updates and self.timestamps is not None:
            raise ValueError(f"partial_fit has no timestamps, got {self.timestamps!r}.")
        sampling = isinstance(self._solver(), Gibbs)
        if sampling and selecting(self) is not None:
            raise ValueError(
                "A monitor with select= keeps one epoch, and 'gibbs' the mean over many: set "
                "select=None."
            )
        if not first_pass:
            if sampling:
                raise ValueError("'gibbs' begins every chain anew: set warm_start=False.")
            self._check_feedback()
        self._implicit = self.feedback == "implicit"
        if self._implicit:
            check_implicit(self, n_kinds)

    def _rows_to_learn_from(self, observations):
        """Codes, values and weights of the training rows, and of those held out or None."""
        _, values, weight = observations
        train, held_out = self._split(len(values), "observations", weight=weight) or (None, None)
        if train is None:
            return observations, None
        return (
            [None if array is None else array[rows] for array in observations]
            for rows in (np.sort(train), held_out)
        )

    def _model(self, named, tables, touched, dtype):
        identifiers, times = named["identifiers_"], named["_times"]
        sizes = [len(known) for known in identifiers]
        features = self._side_features(tables, identifiers, dtype)
        params = self.n_components, self.fit_offsets, touched, features
        if times is not None:
            sizes += [size * times.n for size in sizes]
            return DriftingFactorization(sizes, *params, alpha_drift=float(self.alpha_drift))
        make = ImplicitFactorization if self._implicit else Factorization
        return make(sizes, *params)

    def _judge(self, objective, w, train):
        """Warn if nothing was learnt, and measure."""
        if self._implicit:
            self._compare_with_zero(objective, w)
            self._measure_preferences(objective.model, w, objective.data)
            return
        plain = objective.unpenalized()
        if np.ptp(plain.data.y) > 0:
            self._compare(plain.loss(w), plain.constant_loss())
        if self.measures is not None:
            whole = self._problem(objective.model, w, *train)
            self._measure_problem(self.measures, whole, after_fit=True)

    def _validator(self, model, held_out):
        """A function from ``w`` to ``(score, loss)`` on the held-out rows, or None."""
        if held_out is None:
            return None
        data = self._batch(*held_out)
        validation = Objective(model, HalfSquared(), data.X, data.y, data.weight)
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
        n_kinds = None if self.timestamps is None else 2  # drifts are for the solver to explain
        unit = unit_of(codes[:, :n_kinds], y, weight, self.fit_offsets)
        return unit if self.rho == "auto" else max(unit, DROWNED * float(self.rho) ** 2)

    def _objective(self, model, data, choose, incremental):
        """The objective in units of ``scale_``. This chooses the penalty if necessary."""
        objective = Objective(model, HalfSquared(), data.X, data.y, data.weight)
        if isinstance(self._solver(), Gibbs):
            self.alpha_ = 0.0  # until it is learnt
        elif self.alpha != "auto":
            self.alpha_ = float(self.alpha)
        elif choose:
            without = incremental or self._implicit
            self.alpha_ = WITHOUT_CHOICE if without else self._chosen_alpha(objective)
        alpha = self.alpha_, float(self.alpha_offsets)
        return Objective(model, HalfSquared(), data.X, data.y, data.weight, alpha)

    def _chosen_alpha(self, objective):
        solver = self._solver()
        rho = self._own_rho(solver, objective) if isinstance(solver, ALS) else 0.0
        rng = spawn_generator(self._random_state)
        return chosen_alpha(objective, rho, float(self.alpha_offsets), rng, self.n_jobs)

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
        if self.rho != "auto":
            return float(self.rho) / self._root
        if self._implicit:
            return preference_rho(solver, objective)
        return solver.auto_rho(objective)

    def _balanced(self, objective, w):
        """The parameters with balanced factors, if ``balance`` is given."""
        if self.balance is None:
            return w
        model = objective.model.holding(w)
        if model.n_kinds != 2:
            raise ValueError(
                f"balance={self.balance!r} is for two columns of identifiers, got {model.n_kinds}."
            )
        intercept, offsets, factors = model.split(w)
        weights, data = [None, None], objective.data
        if self.balance == "lambda_max":
            factors = balance_eigenvalue(*factors, *data.X[:, :2].T, data.weight)
            return model.join(intercept, offsets, factors)
        if self.balance == "trace":
            # In the trace, each entity's factors count as often as the entity is observed.
            weights = [each.astype(w.dtype) for each in model.confidences(data)]
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

    def step_sizes(self):
        sizes, limit = super().step_sizes()
        model, _ = factorization(self)
        # A gradient in the users' unit is ``scale_**2 / unit`` times that of training, where
        # ``unit`` is that of the parameter. A step is ``unit`` times as long.
        unit = model.in_unit(np.ones_like(sizes), self.scale_)
        return sizes * (unit / self.scale_) ** 2, limit

    def _attributes(self, model, w, prior, tables):
        w = model.in_unit(w, self.scale_)
        intercept, offsets, factors = model.holding(w).split(w)
        drifts = offsets[model.n_kinds :] if offsets else []
        pairs = zip(drifts, factors, strict=False)
        drifts = [drift.reshape(len(F), -1) for drift, F in pairs] or [None, None]
        return {
            "intercept_": 0.0 if intercept is None else intercept[0],
            "offsets_": offsets and offsets[: model.n_kinds],
            "factors_": factors,
            "user_drift_": drifts[0],
            "item_drift_": drifts[1],
            **coefficients(tables, prior, w),
        }

    def _compare(self, loss, constant):
        """Warn if training ended no better than the best constant prediction."""
        if no_better_than_constant(loss, constant):
            warnings.warn(
                "Training ended no better than the best constant prediction: R^2 on the observed "
                f"entries is {1 - loss / constant:.3g}. {self._advice()}",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _compare_with_zero(self, objective, w):
        """Warn if all factors of implicit feedback have about vanished."""
        model, data = objective.model, objective.data
        of_zero, _ = model.constant_losses(data)
        if no_better_than_constant(model.preference_loss(w, data), of_zero):
            warnings.warn(
                "Training ended no better than with factors of 0. Try less of "
                f"rho={self.rho_:.3g} or alpha={self.alpha_:.3g}, or more sweeps than "
                f"max_iter={self.max_iter}.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _advice(self):
        """What to try if training has learnt nothing."""
        tried = [f"more sweeps than max_iter={self.max_iter}"]
        if not isinstance(self._solver(), Gibbs):
            less = f"less of rho={self.rho_:.3g}, alpha={self.alpha_:.3g} or alpha_offsets"
            tried.insert(0, f"{less}={self.alpha_offsets:.3g}")
        elif self.rho_ > 0:
            tried.insert(0, f"less of rho={self.rho_:.3g}")
        if LeastSquares not in self._solver().requires:
            tried.append(f"another learning_rate_init than {self.learning_rate_init}")
        if not self.fit_offsets:
            tried.insert(0, "fit_offsets=True")
        return f"Try {', or '.join(tried)}."

    def _preference_score(self, codes, counts, weight):
        """R^2 of the preferences of all pairs, of which unknown entities are no part."""
        model, w = factorization(self)
        batch = self._known_batch(codes, counts, weight)
        _, constant = model.constant_losses(batch)
        loss = model.preference_loss(w, batch)
        # If all pairs have counts, all preferences are equal. `r2_score` has this rule for that.
        return 1 - loss / constant if constant > 0 else float(loss == 0)

    def _known_batch(self, codes, counts, weight):
        """The preferences of pairs whose row and column are known. All others are left out."""
        known = (codes >= 0).all(axis=1)
        if not known.any():
            raise ValueError("X has no pair of a row and a column that were both seen in fit.")
        return self._batch(codes[known], counts[known], None if weight is None else weight[known])

    # --- measures ---

    def _problem(self, model, w, codes, y, weight):
        """The fitted problem, in the unit of the users' targets and without the penalty."""
        objective = Objective(model, HalfSquared(), codes, y[:, None], weight)
        return Problem(objective, model.in_unit(w, self.scale_), COMPLETION, objective.n_rows)

    def _measure_preferences(self, model, w, batch):
        """Measure what is defined on the loss over all pairs, which is the sharpness."""
        names = [name for name in self.measures or () if name == "sharpness"]
        self.measurements_ = {name: preference_sharpness(model, w, batch) for name in names}
        for name in names:
            self.sharpness_ = self.measurements_[name].value

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
        if self._implicit:
            model, w = factorization(self)
            batch = self._known_batch(*self.observations(X, y, sample_weight))
            self._measure_preferences(model, w, batch)
            return self.measurements_
        return self._measure_problem(names, as_problem(self, X, y, sample_weight))

    def _measure_problem(self, names, whole, after_fit=False):
        part = whole
        if whole.objective.n_rows > self.measure_max_samples:
            rng = np.random.default_rng(self._measure_seed)
            part = whole.sample(self.measure_max_samples, rng)
        chosen = {name: whole if name in ON_ALL_ROWS else part for name in names}
        return self._evaluate(names, chosen.get, after_fit=after_fit)
