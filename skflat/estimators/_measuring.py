"""How an estimator measures what it has fitted, within a budget and without risk to the fit."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .._parallel import warn_or_raise
from ..measures import MEASURES, drawn_rows, not_measured, sample_rows
from ..objective import NotDefinedError, did_you_mean
from ..problems import as_problem

USUAL_MEASURES = ("sharpness", "flatness", "weakness")

# A measure may take this share of the multiplications of the training. After a short training it
# may still take `LEAST`, which is up to a hundredth of a second.
SHARE, LEAST = 0.02, {"flatness": 1.5e7, "weakness": 1.2e8}


#: The names of measures whose function in `skflat.measures` has another name.
FUNCTIONS = {"sharpness": "hessian_trace", "flatness": "level_set_distance"}


class Measuring:
    """Mixin of an estimator with ``measures``, ``measure_max_samples`` and ``random_state``.

    A fit sets ``_measure_seed`` and ``_cost``. The latter is the number of multiplications that its
    training took.
    """

    #: The names that ``measures`` may hold, with their classes.
    _known_measures = MEASURES

    def measure(self, X, y, sample_weight=None):
        """Measure the fitted parameters on given rows, and keep the results.

        This sets ``measurements_``. For every measure in ``measures`` it also sets an attribute
        with its name and an underscore. If ``measures`` is None, it takes sharpness, flatness and
        weakness. ``fit`` does this by itself unless ``measures=None``.

        As in ``fit``, flatness and weakness each take about a fiftieth of the multiplications of
        the training. The functions of `skflat.measures` take what they need.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to measure on. At most ``measure_max_samples`` of them are used.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        dict of str to Measurement
            ``measurements_``.
        """
        check_is_fitted(self)
        self._check_measures()
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        names = self._names_of_measures()
        return self._measure(USUAL_MEASURES if names is None else names, X, y, sample_weight)

    @property
    def _choose_measures(self):
        """Whether ``measures='auto'``: the usual ones, without those that are not defined."""
        return isinstance(self.measures, str) and self.measures == "auto"

    def _names_of_measures(self):
        """What is to be measured, or None."""
        return USUAL_MEASURES if self._choose_measures else self.measures

    def _check_measures(self):
        names = self._names_of_measures()
        names = () if names is None else names
        unknown = [name for name in names if name not in self._known_measures]
        if isinstance(names, str) or unknown:
            called = {function: name for name, function in FUNCTIONS.items()}
            meant = [f"{each!r} is {called[each]!r} here" for each in unknown if each in called]
            near = did_you_mean(unknown[0], self._known_measures) if unknown else ""
            raise ValueError(
                "measures must be None or a sequence of names among "
                f"{sorted(self._known_measures)}, got {self.measures!r}."
                + (f" ({', '.join(meant)}.)" if meant else near)
            )

    def _forget_measurements(self):
        """Delete the measurements, because the parameters they belong to are about to change."""
        for name in ("measurements_", *(f"{name}_" for name in self._known_measures)):
            self.__dict__.pop(name, None)

    def _measure(self, names, X, y, sample_weight, after_fit=False):
        # The problem is made once, for all measures. It is made lazily: so an error in making it
        # is handled like an error of the measure, and cannot cost the fit.
        @cache
        def problem():
            seed = self._measure_seed
            rows = sample_rows(X, y, sample_weight, self.measure_max_samples, seed)
            return as_problem(self, *rows, sampled_from=X.shape[0], validated=True)

        return self._evaluate(names, lambda name: problem(), after_fit=after_fit)

    def _measure_training(self, problem, y, X_probe=None):
        """Measure on the training rows, or on a sample of them that is stratified by ``y``."""

        @cache
        def part():
            objective, seed = problem.objective, self._measure_seed
            weight, most = objective.data.weight, self.measure_max_samples
            rows = drawn_rows(y, weight, objective.n_rows, most, seed)
            return problem if rows is None else replace(problem, objective=objective.on(rows))

        self._evaluate(self._names_of_measures(), lambda name: part(), X_probe, after_fit=True)

    def _evaluate(self, names, problem_of, X_probe=None, after_fit=False):
        """Evaluate each measure on the problem chosen for its name, and keep the results.

        With ``after_fit`` an error of a measure becomes a warning, because it must not cost the
        fitted parameters.
        """
        self.measurements_ = {}
        evaluate = self._evaluate_safely if after_fit else self._evaluate_one
        for name in names:
            try:
                self.measurements_[name] = evaluate(name, problem_of, X_probe)
            except NotDefinedError:
                if not self._choose_measures:
                    raise
                continue
            except KeyboardInterrupt:
                if not after_fit:
                    raise
                rest = ", ".join(each for each in names if each not in self.measurements_)
                warn_or_raise(
                    f"Measuring interrupted by user: {rest} not measured. The training had ended; "
                    "measure(X, y) measures on demand.",
                    stacklevel=5,
                )
                break
            setattr(self, f"{name}_", self.measurements_[name].value)
        return self.measurements_

    def _evaluate_one(self, name, problem_of, X_probe):
        return self._measure_by_name(name, X_probe).evaluate(problem_of(name))

    def _evaluate_safely(self, name, problem_of, X_probe):
        try:
            return self._evaluate_one(name, problem_of, X_probe)
        except Exception as error:  # any error: the result of the training must not be lost
            if self._choose_measures and isinstance(error, NotDefinedError):
                raise
            reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"{name}_ could not be measured and is NaN ({reason}). The fitted parameters are not "
            f"affected. A smaller measure_max_samples than {self.measure_max_samples} needs less "
            "memory, measures=None measures nothing, and measure(X, y) measures on demand.",
            stacklevel=6,
        )
        return not_measured(reason)

    def _measure_by_name(self, name, X_probe):
        """The measure, with the seed, the probes and the budget of this fit."""
        measure, seed = self._known_measures[name](), self._measure_seed
        parameters = measure.get_params()
        if "random_state" in parameters:
            measure.set_params(random_state=seed)
        if "budget" in parameters:
            measure.set_params(budget=max(LEAST[name], SHARE * self._cost))
        if X_probe is not None and "X_probe" in parameters:
            # Validation rows may be sorted, so the first ones need not be typical.
            rows = np.random.default_rng(seed).permutation(X_probe.shape[0])
            measure.set_params(X_probe=X_probe[np.sort(rows[: measure.n_probes])])
        return measure
