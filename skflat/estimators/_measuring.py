"""How an estimator measures what it has fitted, within a budget and without risk to the fit."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .._parallel import warn_or_raise
from ..measures import MEASURES, drawn_rows, not_measured, sample_rows
from ..problems import as_problem

USUAL_MEASURES = ("sharpness", "flatness", "weakness")

# Share of the multiplications of the training that a measure may take, and how many it may take
# however short the training was: up to a hundredth of a second.
SHARE, LEAST = 0.02, {"flatness": 1.5e7, "weakness": 1.2e8}


#: Names of measures whose function is called otherwise.
FUNCTIONS = {"sharpness": "hessian_trace", "flatness": "level_set_distance"}


class Measuring:
    """Mixin of an estimator with ``measures``, ``measure_max_samples`` and ``random_state``.

    A fit sets ``_measure_seed``, and ``_cost``, the multiplications that its training took.
    """

    #: Name to class: what ``measures`` may hold.
    _known_measures = MEASURES

    def measure(self, X, y, sample_weight=None):
        """Measure the fitted parameters on given rows, and keep the results.

        Sets ``measurements_`` and, for every measure in ``measures`` (sharpness, flatness and
        weakness if that is None), an attribute of its name with an underscore. ``fit`` does this by
        itself unless ``measures=None``; after ``partial_fit`` it is up to you.

        As in ``fit``, flatness and weakness take about a fiftieth of the multiplications of the
        training each; the functions of `skflat.measures` take what they need.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Of these, at most ``measure_max_samples`` are used.
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
        names = USUAL_MEASURES if self.measures is None else self.measures
        return self._measure(names, X, y, sample_weight)

    def _check_measures(self):
        names = () if self.measures is None else self.measures
        unknown = [name for name in names if name not in self._known_measures]
        if isinstance(names, str) or unknown:
            called = {function: name for name, function in FUNCTIONS.items()}
            meant = [f"{each!r} is {called[each]!r} here" for each in unknown if each in called]
            raise ValueError(
                "measures must be None or a sequence of names among "
                f"{sorted(self._known_measures)}, got {self.measures!r}."
                + (f" ({', '.join(meant)}.)" if meant else "")
            )

    def _forget_measurements(self):
        """The parameters are about to change: what was measured no longer holds."""
        for name in ("measurements_", *(f"{name}_" for name in self._known_measures)):
            self.__dict__.pop(name, None)

    def _measure(self, names, X, y, sample_weight, after_fit=False):
        @cache  # made within the care that is taken of the fit, and once
        def problem():
            seed = self._measure_seed
            rows = sample_rows(X, y, sample_weight, self.measure_max_samples, seed)
            return as_problem(self, *rows, sampled_from=X.shape[0], validated=True)

        return self._evaluate(names, lambda name: problem(), after_fit=after_fit)

    def _measure_training(self, problem, y, X_probe=None):
        """Measure on the rows of the training, or a sample of them that is stratified by ``y``."""

        @cache
        def part():
            objective, seed = problem.objective, self._measure_seed
            weight, most = objective.data.weight, self.measure_max_samples
            rows = drawn_rows(y, weight, objective.n_rows, most, seed)
            return problem if rows is None else replace(problem, objective=objective.on(rows))

        self._evaluate(self.measures, lambda name: part(), X_probe, after_fit=True)

    def _evaluate(self, names, problem_of, X_probe=None, after_fit=False):
        """Measure, each measure on the problem chosen for its name, and keep the results.

        ``after_fit`` no failure of a measure may cost the fitted parameters: it becomes a warning.
        """
        self.measurements_ = {}
        evaluate = self._evaluate_safely if after_fit else self._evaluate_one
        for name in names:
            try:
                self.measurements_[name] = evaluate(name, problem_of, X_probe)
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
        except Exception as error:  # whatever it is, the user waited for the training
            reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"{name}_ could not be measured and is NaN ({reason}). The fitted parameters are not "
            f"affected. A smaller measure_max_samples than {self.measure_max_samples} needs less "
            "memory, measures=None measures nothing, and measure(X, y) measures on demand.",
            stacklevel=6,
        )
        return not_measured(reason)

    def _measure_by_name(self, name, X_probe):
        """The measure with the seed, the probes and the budget of this fit."""
        measure, seed = self._known_measures[name](), self._measure_seed
        parameters = measure.get_params()
        if "random_state" in parameters:
            measure.set_params(random_state=seed)
        if "budget" in parameters:
            measure.set_params(budget=max(LEAST[name], SHARE * self._cost))
        if X_probe is not None and "X_probe" in parameters:
            rows = np.random.default_rng(seed).permutation(X_probe.shape[0])
            measure.set_params(X_probe=X_probe[np.sort(rows[: measure.n_probes])])
        return measure
