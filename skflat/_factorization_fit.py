"""Fitting a factorization: from observations to fitted attributes."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from ._base import SETTINGS
from ._callbacks import EpochHooks
from ._compat import Interval, StrOptions
from ._factorization_data import Observing, known_entries
from ._measuring import USUAL_MEASURES
from .models import (
    Batch,
    Factorization,
    HalfSquared,
    Objective,
    Problem,
    as_problem,
    factorization,
)
from .solvers import ALS, SOLVERS, Solver
from .symmetry import balance

# Of these the cost is small or does not grow with the rows, so that all of them are used.
ON_ALL_ROWS = {"sharpness", "weakness"}
BATCHES = 1000  # of an epoch, at most, unless told otherwise


class BaseFactorization(Observing):
    """Everything of `FlatMatrixFactorization` but its parameters and what users call."""

    _solvers = {**SOLVERS, "als": ALS}
    _parameter_constraints: dict = {
        **Observing._parameter_constraints,
        **SETTINGS,
        "solver": [StrOptions({*SOLVERS, "als"}), Solver],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "fit_offsets": ["boolean"],
        "balance": [StrOptions({"frobenius", "trace"}), None],
        "clip": ["array-like", None],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def _fit(self, X, y, sample_weight, incremental=False):
        self._check_measures()
        self._check_clip()
        first_pass = not hasattr(self, "factors_") or not (self.warm_start or incremental)
        named, places, codes, values, weight = self._learnt_from(X, y, sample_weight, first_pass)
        self._random_state = check_random_state(self.random_state)
        held_out, rows = self._hold_out(len(values))
        train = [None if array is None else array[rows] for array in (codes, values, weight)]
        sizes = [len(identifiers) for identifiers in named["identifiers_"]]
        objective, w = self._start(sizes, *train, places, first_pass)
        hooks = EpochHooks(
            self,
            X,
            y,
            sample_weight,
            max_iter=1 if incremental else self.max_iter,
            fitted_attributes=lambda w: named | self._attributes(objective.model, w),
        )
        w = self._minimize(
            objective,
            w,
            first_pass=first_pass,
            incremental=incremental,
            validate=self._validator(objective, codes, values, weight, held_out),
            hooks=hooks,
        )
        w = self._balanced(objective, w)
        vars(self).update(named | self._attributes(objective.model, w))
        hooks.end_fit(w)
        if self.measures is not None and not incremental:
            whole = objective.unpenalized()
            problem = Problem(whole, w, "completion", whole.n_rows)
            self._measure_problem(self.measures, problem, after_fit=True)
        return self

    def _hold_out(self, n):
        """Places of the validation rows, or None, and of the training rows."""
        if not (self.early_stopping and self._solver().early_stops):
            return None, slice(None)
        train, held_out = train_test_split(
            np.arange(n), random_state=self._random_state, test_size=self.validation_fraction
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                f"your dataset: validation_fraction={self.validation_fraction} of {n} "
                "observations."
            )
        return held_out, np.sort(train)

    def _validator(self, objective, codes, values, weight, held_out):
        """``w -> (score, loss)`` on the rows held out, or None."""
        if held_out is None:
            return None
        weight = None if weight is None else weight[held_out]
        y = values[held_out][:, None]
        validation = Objective(objective.model, HalfSquared(), codes[held_out], y, weight)
        constant = validation.constant_loss()

        def validate(w):
            loss = validation.loss(w)
            return (1 - loss / constant if constant > 0 else float(loss == 0)), loss

        return validate

    # --- parameters ---

    def _start(self, sizes, codes, y, weight, places, first_pass):
        """The objective, and the parameters to start from."""
        model = Factorization(sizes, self.n_components, self.fit_offsets)
        objective = Objective(model, HalfSquared(), codes, y[:, None], weight, self.alpha)
        if first_pass:
            return objective, model.init(self._random_state, objective.data)
        old, there = factorization(self)
        self._check_structure(old, model)
        if old.sizes == model.sizes:
            return objective, there
        w = model.init(self._random_state, objective.data)
        self._history.forget_best()
        model.embed(w, old, there, places)
        return objective, w

    def _check_structure(self, old, model):
        if (old.n_components, old.fit_offsets) != (model.n_components, model.fit_offsets):
            raise ValueError(
                "To go on from the factors of the fit before, n_components and fit_offsets must "
                f"be what they were: {old.n_components} and {old.fit_offsets}, got "
                f"{model.n_components} and {model.fit_offsets}."
            )

    def _settings(self, solver, objective):
        settings = super()._settings(solver, objective)
        self.rho_ = settings.rho
        if settings.batch_size != "auto" or not solver.stochastic:
            return settings
        # Every step passes over all parameters, so small batches of many rows would take for ever.
        size = max(min(200, objective.n_rows), -(-objective.n_rows // BATCHES))
        return settings.replaced(batch_size=size)

    def _balanced(self, objective, w):
        """The parameters with the factors that ``balance`` asks for."""
        if self.balance is None:
            return w
        model = objective.model
        if model.n_kinds != 2:
            raise ValueError(
                f"balance={self.balance!r} is for two columns of identifiers, got {model.n_kinds}."
            )
        intercept, offsets, factors = model.split(w)
        weights = [None, None]
        if self.balance == "trace":
            data = objective.data
            weights = [
                np.bincount(data.X[:, c], data.weight, size).astype(w.dtype)
                for c, size in enumerate(model.sizes)
            ]
        return model.join(intercept, offsets, balance(*factors, *weights))

    def _attributes(self, model, w):
        intercept, offsets, factors = model.split(w)
        return {
            "intercept_": 0.0 if intercept is None else intercept[0],
            "offsets_": offsets,
            "factors_": factors,
        }

    # --- measures ---

    def measure(self, X, y=None, sample_weight=None):
        """Measure the fitted parameters on given observations, and keep the results.

        Sets ``measurements_`` and, for every measure in ``measures`` (sharpness, flatness and
        weakness if that is None), an attribute of its name with an underscore. ``fit`` does this by
        itself unless ``measures=None``.

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
        objective, n = whole.objective, whole.objective.n_rows
        part = whole
        if n > self.measure_max_samples:
            rng = np.random.default_rng(self._measure_seed)
            rows = np.sort(rng.permutation(n)[: self.measure_max_samples])
            data = objective.batch(rows)
            sample = Objective(objective.model, HalfSquared(), data.X, data.y, data.weight)
            part = Problem(sample, whole.w, whole.kind, n)
        chosen = {name: whole if name in ON_ALL_ROWS else part for name in names}
        return self._evaluate(names, chosen.get, after_fit=after_fit)

    # --- predictions ---

    def _check_clip(self):
        if self.clip is None:
            return
        try:
            low, high = (float(end) for end in self.clip)
        except (TypeError, ValueError):
            low, high = np.nan, np.nan
        if not low < high:
            raise ValueError(f"clip must be None or a pair (low, high), got {self.clip!r}.")

    def _predicted(self, codes):
        """Scores of codes, of which -1 is an identifier never seen."""
        model, w = factorization(self)
        model, w = model.padded(w)
        scores = [
            model.scores(w, codes[start : start + model.chunk])[:, 0]
            for start in range(0, len(codes), model.chunk)
        ]
        return self._clipped(np.concatenate(scores))

    def _folded_in(self, X):
        """Factors, and the offset as a last column, of the rows of a validated matrix."""
        rows, columns, values = known_entries(X)
        model, w = factorization(self)
        y = values.astype(w.dtype, copy=False)[:, None]
        batch = Batch(np.column_stack([rows, columns]), y)
        # Only of ALS is ``rho`` the noise that this closed form is about.
        noise = self.rho_ if isinstance(self._solver(), ALS) else 0.0
        model, w = model.folded_in(w, batch, self.alpha, noise, X.shape[0])
        _, offsets, factors = model.split(w)
        return factors[0] if offsets is None else np.column_stack([factors[0], offsets[0]])

    def _completed(self, W):
        """Whole rows from their factors and offsets."""
        W = check_array(W, dtype=self.factors_[0].dtype, input_name="W")
        k = self.factors_[1].shape[1]
        width = k + (self.offsets_ is not None)
        if W.shape[1] != width:
            raise ValueError(f"W has {W.shape[1]} columns, but transform returns {width}.")
        rows = W[:, :k] @ self.factors_[1].T
        if self.offsets_ is not None:
            rows += W[:, k:] + self.offsets_[1] + self.intercept_
        return rows

    def _clipped(self, values):
        return values if self.clip is None else np.clip(values, *self.clip, out=values)
