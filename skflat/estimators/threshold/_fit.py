"""What perceptrons and committees share: from a table to one-vs-rest problems, and back."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import Interval, StrOptions
from ..._parallel import run
from ...measures import BINARY_MEASURES, MEASURES
from ...solvers import spawn_generator
from .._pipeline import FlatEstimator
from ._outcome import shortcomings


class ThresholdClassifier(ClassifierMixin, FlatEstimator):
    """Everything that `FlatPerceptronClassifier` and `FlatCommitteeClassifier` share."""

    _parameter_constraints: dict = {
        "scale": ["boolean"],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "measures": ["array-like", None],
        "measure_max_samples": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _known_measures = MEASURES | BINARY_MEASURES

    #: Whether the weights are bits, which one has to search for.
    _has_bits = True
    #: What may fit where this does not.
    _alternatives: tuple = ()

    def _prepare(self, X, y):
        """Validated data; what every fit sets first."""
        self._check_measures()
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {self.classes_[0]!r}."
            )
        self._random_state = check_random_state(self.random_state)
        self._measure_seed = int(spawn_generator(self._random_state).integers(2**31))
        self._forget_measurements()
        return X, y

    def _scaled(self, X):
        """Learn the scale of the features and apply it; constant ones are left at 0."""
        n_features, dtype = X.shape[1], X.dtype
        self.mean_, self.scale_ = np.zeros(n_features, dtype), np.ones(n_features, dtype)
        if not self.scale:
            return X
        # Divided by a power of two, which rounds nothing, no column is so large that its squares
        # overflow, or so small that they vanish.
        exponents = np.frexp(np.abs(X).max(axis=0))[1]
        unit = np.ldexp(X, -exponents)
        mean, spread = unit.mean(axis=0), unit.std(axis=0)
        # What is left of a constant column is rounding.
        constant = spread <= 10 * np.finfo(dtype).eps * np.abs(unit).max(axis=0)
        self.mean_ = np.ldexp(mean, exponents)
        self.scale_ = np.where(constant, 1, np.ldexp(spread, exponents)).astype(dtype, copy=False)
        X = (X - self.mean_) / self.scale_
        X[:, constant] = 0
        return X

    def _search(self, patterns_of, targets):
        """Solve every one-vs-rest problem; return what was found for each.

        Parameters
        ----------
        patterns_of : callable
            From labels in {-1, +1} to the patterns of a problem; it pickles.
        targets : ndarray of shape (n_rows, n_problems)
        """
        solver = self._solver()
        max_iter = None if self.max_iter == "auto" else self.max_iter
        seeds = spawn_generator(self._random_state).integers(2**63, size=targets.shape[1])
        found = []

        def tasks():
            for y, seed in zip(targets.T, seeds, strict=True):
                # An interruption is of the whole fit: what is left gets a single iteration.
                limit = 1 if any(each.interrupted for each in found) else max_iter
                yield solver, patterns_of, 2 * y - 1, seed, limit, self.verbose

        run(_solve, tasks(), self.n_jobs, then=found.append)
        self.n_iter_ = max(each.n_iter for each in found)
        # An iteration takes about two products with the patterns.
        products = 2.0 * sum(each.n_iter for each in found)
        self._cost = products * len(targets) * self.n_features_in_
        return found

    def _finish(self, X, y):
        """Count the errors, say what has not been learnt, and measure."""
        predicted = self._decided(self._scores(X))
        self.n_errors_ = int(np.count_nonzero(predicted != y))
        if message := shortcomings(self, y, predicted):
            warnings.warn(message, ConvergenceWarning, stacklevel=4)
        if self.measures is not None:
            self._measure(self.measures, X, y, None, after_fit=True)
        return self

    def decision_function(self, X):
        """How far each row is on the side of each class; greater than 0 is in favour of it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, in favour of ``classes_[1]``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self.thresholds_.dtype, reset=False)
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """The class that each row is on the side of.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        return self._decided(scores[:, None] if scores.ndim == 1 else scores)

    def _decided(self, scores):
        """The classes that the columns of scores speak for."""
        one = scores.shape[1] == 1
        return self.classes_[(scores[:, 0] > 0).astype(int) if one else scores.argmax(axis=1)]


def _solve(solver, patterns_of, labels, seed, max_iter, verbose):
    """One task: a one-vs-rest problem."""
    return solver.solve(patterns_of(labels), np.random.default_rng(seed), max_iter, verbose)


def check_solver(solver, registry, kind, of):
    """Refuse the name or object of a solver of other weights."""
    if not (solver in registry if isinstance(solver, str) else isinstance(solver, kind)):
        raise ValueError(
            f"solver must be one of {sorted(registry)} or such an object for {of}, got {solver!r}."
        )
