"""Perceptrons with weights on a sphere or in {-1, +1}."""

from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np

from ..._callbacks import EpochHooks
from ..._compat import Interval, StrOptions, fit_context
from ...measures import BINARY_MEASURES, MEASURES
from ...models.threshold import (
    FreeThreshold,
    Patterns,
    Sphere,
    StabilityLoss,
    best_threshold,
    winning_threshold,
)
from ...objective import Objective
from ...problems import one_vs_rest
from ...solvers import SOLVERS, MaxMargin, Solver
from ...solvers.binary import BINARY_SOLVERS, Auto, BinarySolver
from ._fit import ThresholdClassifier, check_solver

REAL_SOLVERS = SOLVERS | {"max_margin": MaxMargin}
#: What only a fit of real weights leaves behind.
OF_REAL_WEIGHTS = (
    "loss_",
    "loss_curve_",
    "best_loss_",
    "validation_loss_curve_",
    "validation_scores_",
    "best_validation_score_",
    "n_grad_evals_",
    "t_",
    "_history",
    "_cut_short",
    "_rule",
    "_solver_state",
)


class FlatPerceptronClassifier(ThresholdClassifier):
    """Linear threshold classifier with weights in {-1, +1}, or real ones on the sphere.

    A row is on the right side by its stability ``t (w @ x + b) / sqrt(n_features)``, with the label
    ``t`` in {-1, +1}; the weights have the length ``sqrt(n_features)``, so that binary ones are the
    corners of the cube in the sphere of the real ones. More than two classes are taken one against
    the rest.

    With binary weights, a model is one bit a feature and class beside the scale of the features and
    one threshold a class. Solutions are searched for by message passing and other methods that end
    where solutions are dense. With real weights, the solvers of `skflat.solvers` minimise a
    cross-entropy of the stabilities.

    Parameters
    ----------
    weights : {'binary', 'real'}, default='binary'
    solver : str or solver object, default='auto'
        For binary weights a name of `skflat.solvers.binary.BINARY_SOLVERS` or such an object, which
        holds the numbers of its rule; ``'auto'`` is `skflat.solvers.binary.Auto`, which tries
        several of them until one finds a solution, and otherwise improves the best. For real
        weights ``'max_margin'``, a name of `skflat.solvers.SOLVERS` or such an object; ``'auto'``
        is ``'sam'``.
    margin : float, default=0.0
        Stability that every row must reach (at 0: exceed).
    scale : bool, default=True
        Whether to subtract the mean of every feature and divide by its standard deviation. False
        takes features as they are, as the theory of random patterns has it.
    fit_intercept : bool, default=True
        Whether there is a threshold ``b``, always a real number.
    max_iter : int or 'auto', default='auto'
        Most iterations; ``'auto'`` is what the solver of binary weights says, and 200 for real
        weights.
    rho : 'auto' or float, default='auto'
        Real weights only: the radius over which the solution must stay good, see the solver.
    gain : float, default=5.0
        Real weights only: the steepness of the cross-entropy
        ``log(1 + exp(gain (margin - stability))) / gain``.
    learning_rate_init : float, default=0.01
        Real weights only: rate of the first step.
    batch_size : int or 'auto', default='auto'
        Real weights only: rows of a batch; ``'auto'`` is ``min(200, n_samples)``.
    tol : float, default=1e-4
        Real weights only: the least that counts as an improvement of the loss.
    n_iter_no_change : int, default=10
        Real weights only: epochs without improvement after which training stops.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names of `skflat.measures.MEASURES`, and for binary
        weights of `skflat.measures.BINARY_MEASURES`, which stand before those.
    measure_max_samples : int, default=2000
        Most training rows to measure on, drawn once and stratified by class.
    n_jobs : int, default=None
        Workers for the one-vs-rest problems of binary weights; see `joblib.Parallel`. The result is
        the same to the bit for any number.
    random_state : int, RandomState instance or None, default=None
        Draws all that the solver draws, and the rows and seeds of the measures.
    verbose : bool, default=False
        Whether to print the progress of the solver.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : ndarray of shape (n_problems, n_features)
        Of the scaled features, one row for two classes and one a class otherwise: -1 or +1, or a
        point on the sphere of radius ``sqrt(n_features)``.
    thresholds_ : ndarray of shape (n_problems,)
        Beside them.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each feature, and what it is divided by then.
    coef_, intercept_ : ndarray of shape (n_problems, n_features) and (n_problems,)
        The same model in terms of the features as given: the decision is
        ``X @ coef_.T + intercept_``, ``sqrt(n_features)`` times the stability.
    n_errors_ : int
        Training rows that `predict` gets wrong.
    n_violated_ : ndarray of shape (n_problems,)
        Training rows below the margin in every one-vs-rest problem. All 0 is success; for binary
        weights anything else comes with a ``ConvergenceWarning``. For all weights there is one
        where the fit is no better than always predicting the most frequent class.
    n_iter_ : int
        Iterations of the solver; of several problems, the most.
    sharpness_ : float
        Binary weights: local energy, the rise of the error when 2 % of the weights are flipped at
        random, see `skflat.measures.FlipEnergy`. Real weights: trace of the loss's Hessian, see
        `skflat.measures.HessianTrace`. Smaller is flatter.
    flatness_ : float
        Binary weights: share of weights to flip at random until the error rises by one tenth of the
        best constant prediction's, see `skflat.measures.FlipDistance`. Real weights: distance to a
        level set of the loss, see `skflat.measures.LevelSetDistance`. Larger is flatter.
    weakness_ : float
        Share in [0, 1] of (probe, class) pairs that are still open, see `skflat.measures.Weakness`;
        of two classes, to affine readings of the features. Larger is weaker.
    measurements_ : dict of str to Measurement
        The same with standard errors and protocols.
    n_grad_evals_ : float
        Real weights: rows differentiated by the solver divided by the number of training rows.
    loss_, loss_curve_ : float and list of float
        Real weights: loss of the last epoch, and of all of them.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    FlatCommitteeClassifier : Majorities of several such units.
    skflat.measures.local_entropy : How many solutions are around the one found.

    Notes
    -----
    All searches count the rows that binary weights violate with the threshold that is best for
    them, which is computed exactly; so they violate no more than the rarer class has. On the way
    there, ``'amp'``, ``'mean_field'`` and ``'auto'`` move a real threshold beside the weights, and
    the other solvers see it as six more of them, with fixed inputs. If several classes together are
    still behind the most frequent one, its threshold is raised until they are not. Measures of real
    weights see binary ones as the point on the sphere that they are.

    References
    ----------
    Dense regions of solutions and what finds them: Baldassi, Lauditi, Malatesta, Perugini and
    Zecchina, arXiv:2107.01163, and Baldassi and others, arXiv:1605.06444.

    Examples
    --------
    Random patterns with weights in {-1, +1}:

    >>> import numpy as np
    >>> from skflat import FlatPerceptronClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.choice([-1.0, 1.0], (100, 201)), rng.integers(2, size=100)
    >>> clf = FlatPerceptronClassifier(scale=False, fit_intercept=False, random_state=0).fit(X, y)
    >>> clf.n_errors_, clf.sharpness_ < 0.05
    (0, True)

    The largest margin of real weights on a table of data:

    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = FlatPerceptronClassifier("real", solver="max_margin", random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.98
    True
    """

    _parameter_constraints: dict = {
        **ThresholdClassifier._parameter_constraints,
        "weights": [StrOptions({"binary", "real"})],
        "solver": [StrOptions({"auto", *BINARY_SOLVERS, *REAL_SOLVERS}), Solver, BinarySolver],
        "margin": [Interval(Real, None, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "rho": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "gain": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        weights="binary",
        solver="auto",
        margin=0.0,
        *,
        scale=True,
        fit_intercept=True,
        max_iter="auto",
        rho="auto",
        gain=5.0,
        learning_rate_init=0.01,
        batch_size="auto",
        tol=1e-4,
        n_iter_no_change=10,
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.weights = weights
        self.solver = solver
        self.margin = margin
        self.scale = scale
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.rho = rho
        self.gain = gain
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.measures = measures
        self.measure_max_samples = measure_max_samples
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _has_bits(self):
        return self.weights == "binary"

    @property
    def _alternatives(self):
        more = "weights='real'" if self._has_bits else "FlatMLPClassifier"
        return more, "FlatCommitteeClassifier"

    @property
    def _solvers(self):
        """Name to class of what can find such weights."""
        if self._has_bits:
            return BINARY_SOLVERS | {"auto": partial(Auto, self.scale)}
        return REAL_SOLVERS | {"auto": SOLVERS["sam"]}

    @property
    def _known_measures(self):
        return MEASURES | (BINARY_MEASURES if self._has_bits else {})

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Find the weights, and measure them unless ``measures=None``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        self : FlatPerceptronClassifier

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or the solver cannot take them.
        """
        kind = BinarySolver if self._has_bits else Solver
        check_solver(self.solver, self._solvers, kind, f"weights={self.weights!r}")
        X, y = self._prepare(X, y)
        rows, targets = self._scaled(X), one_vs_rest(y, self.classes_, X.dtype)
        if self._has_bits:
            found = self._find_corners(rows, targets)
        else:
            found = self._find_on_sphere(rows, targets, (X, y))
        self.__dict__.update(found)
        self.n_violated_ = self._violated(rows, targets)
        return self._finish(X, y)

    def _find_corners(self, X, targets):
        """Binary weights, by search; the threshold that goes best with them."""
        for name in OF_REAL_WEIGHTS:
            self.__dict__.pop(name, None)
        bar = self._bar(X.shape[1])
        found = self._search(partial(perceptron_patterns, X, bar, self.fit_intercept), targets)
        weights = np.array([each.w[0] for each in found], X.dtype)
        if self.fit_intercept:
            thresholds = best_thresholds(X @ weights.T, targets, bar)
        else:
            thresholds = np.zeros(len(weights), X.dtype)
        return self._attributes(weights, thresholds)

    def _find_on_sphere(self, X, targets, given):
        """Real weights, by a solver of `skflat.solvers`."""
        model = Sphere(X.shape[1], targets.shape[1], self.fit_intercept)
        objective = Objective(model, StabilityLoss(self.gain, self.margin), X, targets)

        def fitted_attributes(w):
            views = model.layout.views(model.project(w))
            thresholds = views.get("b", np.zeros(targets.shape[1], w.dtype))
            return self._attributes(np.ascontiguousarray(views["W"].T), thresholds)

        hooks = EpochHooks(self, *given, None, self._max_iter(), fitted_attributes)
        w = self._minimize(
            objective,
            self._start(model, X, targets),
            first_pass=True,
            incremental=False,
            validate=None,
            hooks=hooks,
        )
        hooks.end_fit(w)
        return fitted_attributes(w)

    def _start(self, model, X, targets):
        """A point of the sphere, drawn uniformly."""
        w = model.init(self._random_state, X.dtype)
        if X.shape[1] == 1:
            # Of two points without a path between them, that on the side of the class.
            W = model.layout.views(w)["W"]
            W[:] = np.where(X.T @ (targets - targets.mean(axis=0)) < 0, -1, 1)
        return w

    def _attributes(self, weights, thresholds):
        """What describes the classifier, in the scaled features and in those given."""
        coef = weights / self.scale_
        return {
            "weights_": weights,
            "thresholds_": thresholds,
            "coef_": coef,
            "intercept_": thresholds - coef @ self.mean_,
        }

    def _settings(self, *args):
        return replace(super()._settings(*args), max_iter=self._max_iter())

    def _max_iter(self):
        return 200 if self.max_iter == "auto" else self.max_iter

    def _bar(self, n_features):
        bar = self.margin * np.sqrt(n_features)
        return bar - 1e-12 * abs(bar)  # or a margin of k / sqrt(n) might ask for more than k

    def _violated(self, X, targets):
        fields = (2 * targets - 1) * (X @ self.weights_.T + self.thresholds_)
        bar = self._bar(X.shape[1])
        return np.count_nonzero(fields <= 0 if bar == 0 else fields < bar, axis=0)

    def _scores(self, X):
        return X @ self.coef_.T + self.intercept_


def perceptron_patterns(X, bar, fit_intercept, labels):
    """The rows of a table, times their labels."""
    xi = (labels[:, None] * X)[None]
    return FreeThreshold(xi, labels, bar) if fit_intercept else Patterns(xi, bar=bar)


def best_thresholds(fields, targets, bar):
    """Of every problem that which violates the fewest rows; never worse than a constant."""
    found = [best_threshold(z, y > 0, bar) for z, y in zip(fields.T, targets.T, strict=True)]
    thresholds = np.array(found, fields.dtype)
    if len(thresholds) > 1:
        scores, frequent = fields + thresholds, targets.sum(axis=0).argmax()
        right = targets[np.arange(len(scores)), scores.argmax(axis=1)]
        if right.sum() < targets[:, frequent].sum():
            # Each problem may do well by answering "none of mine", and all together do not.
            thresholds[frequent] += winning_threshold(scores, targets, frequent)
    return thresholds
