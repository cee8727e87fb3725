"""Perceptrons with weights in {-1, +1}."""

from functools import partial

import numpy as np

from ..._compat import StrOptions
from ...models.threshold import (
    FreeThreshold,
    Patterns,
    Problems,
    best_threshold,
    threshold_bits,
    winning_threshold,
)
from ...solvers.binary import BINARY_SOLVERS, Auto, BinarySolver, joint_descent, n_wrong
from ._binary_weights import BinaryWeights, row_counts
from ._linear import LinearThresholdClassifier


class FlatPerceptronClassifier(BinaryWeights, LinearThresholdClassifier):
    """Linear threshold classifier with weights in {-1, +1}.

    The stability of a row is ``t (w @ x + b) / sqrt(n_features)``, with the label ``t`` in
    {-1, +1}. A row with a positive stability is classified correctly. With more than two classes
    there is one problem for each class against the rest.

    A weight takes one bit per feature and class. In addition a model has the scale of the features
    and one threshold per class. Message passing and other methods search for solutions. They end in
    regions where solutions are dense.

    Parameters
    ----------
    solver : str or solver object, default='auto'
        A name in `skflat.solvers.binary.BINARY_SOLVERS`, or an object of such a class, which holds
        the numbers of its rule. ``'auto'`` is `skflat.solvers.binary.Auto`. It tries several
        solvers until one finds a solution. If none does, it improves the best result.
    margin : float, default=0.0
        Stability that every row must reach. At 0 every row must exceed it.
    scale : bool, default=True
        Whether to subtract the mean of every feature and divide by its standard deviation. False
        takes the features as they are, as in the theory of random patterns.
    fit_intercept : bool, default=True
        Whether there is a threshold ``b``. It is always a real number.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes. ``'balanced'`` is inverse to their numbers of rows.
    max_iter : int or 'auto', default='auto'
        Largest number of iterations. ``'auto'`` is the default of the solver.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names in `skflat.measures.MEASURES` and
        `skflat.measures.BINARY_MEASURES`. If both have a name, the latter is used.
    measure_max_samples : int, default=2000
        Largest number of training rows to measure on. If there are more, a sample is drawn once,
        stratified by class.
    n_jobs : int, default=None
        Number of workers for the one-vs-rest problems, see `joblib.Parallel`. The result is bit for
        bit the same for any number.
    random_state : int, RandomState instance or None, default=None
        Draws everything random in the solver, and the rows and seeds of the measures.
    verbose : bool, default=False
        Whether to print the progress of the solver.
    warm_start : bool, default=False
        Whether ``fit`` starts from the present weights. They are kept unless others violate fewer
        rows, so ``n_iter_`` is 0 if they violate none. ``'sbpi'``, ``'ste'``, ``'replicated_sgd'``
        and ``'replicated_annealing'`` begin at them, and ``'auto'`` improves them by flips. All
        other solvers compute their messages from the rows alone.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : ndarray of shape (n_problems, n_features)
        Weights of the scaled features, -1 or +1. There is one row for two classes, and one per
        class otherwise.
    thresholds_ : ndarray of shape (n_problems,)
        Thresholds that belong to the weights.
    mean_, scale_ : ndarray of shape (n_features,)
        ``mean_`` is subtracted from each feature, and the difference is divided by ``scale_``.
    coef_, intercept_ : ndarray of shape (n_problems, n_features) and (n_problems,)
        The same model for the features as given. The decision is ``X @ coef_.T + intercept_``. This
        is ``sqrt(n_features)`` times the stability.
    temperature_ : float
        `predict_proba` divides the decision by this number.
    n_errors_ : int
        Number of training rows that `predict` gets wrong.
    n_violated_ : ndarray of shape (n_problems,)
        Number of training rows below the margin in each one-vs-rest problem. The fit has succeeded
        if all are 0. Otherwise there is a ``ConvergenceWarning`` if more iterations may help, or if
        the fit is no better than always predicting the most frequent class.
    n_iter_ : int
        Number of iterations of the solver. With several problems it is the largest number.
    sharpness_ : float
        Local energy: the rise of the error if 2 % of the weights are flipped at random, see
        `skflat.measures.FlipEnergy`. Smaller is flatter.
    flatness_ : float
        Share of weights to flip at random until the error rises by one tenth of the error of the
        best constant prediction, see `skflat.measures.FlipDistance`. Larger is flatter.
    weakness_ : float
        Share in [0, 1] of (probe, class) pairs that are still open, see `skflat.measures.Weakness`.
        With two classes the readings are affine in the features. Larger is weaker.
    measurements_ : dict of str to Measurement
        The three values with standard errors and protocols.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    FlatSphericalPerceptronClassifier : The same with real weights.
    FlatCommitteeClassifier : Majorities of several such units.
    skflat.measures.local_entropy : How many solutions there are near the one found.

    Notes
    -----
    All searches compute the best threshold for the weights exactly, and count the rows that are
    violated with it. So the number of violated rows is at most the size of the rarer class. During
    the search, ``'amp'``, ``'focusing_amp'``, ``'mean_field'`` and ``'auto'`` move a real threshold
    together with the weights. All other solvers represent it by six more weights with fixed inputs.
    With more than two classes, the classifier may still be worse than always predicting the most
    frequent class. The threshold of this class is then raised until it is not.

    `partial_fit` is there for solvers that learn from a part of the rows, ``'sbpi'``, ``'ste'``,
    ``'replicated_sgd'`` and ``'replicated_annealing'``. A threshold is then the sum of its six
    weights, and the weights are those at the end of the pass. So repeated calls with all rows find
    the weights of one fit, if that ends with a solution and there is no threshold.

    All problems have the same rows, so they are solved together, by products of matrices. If
    classes are many, the best that a problem alone can do is nearly to reject every row. With
    ``'auto'`` and margin 0 the weights of all classes are then improved together, by flips that
    lower the log-loss of the classifier (`skflat.solvers.binary.joint_descent`). The rows violated
    in single problems may then be more.

    The weights are a point on the sphere of radius ``sqrt(n_features)``. Measures for real weights
    measure at this point, with the default loss of `FlatSphericalPerceptronClassifier`.

    References
    ----------
    Dense regions of solutions and what finds them: Baldassi, Lauditi, Malatesta, Perugini and
    Zecchina, arXiv:2107.01163, and Baldassi and others, arXiv:1605.06444.

    Examples
    --------
    Random patterns:

    >>> import numpy as np
    >>> from skflat import FlatPerceptronClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.choice([-1.0, 1.0], (100, 201)), rng.integers(2, size=100)
    >>> clf = FlatPerceptronClassifier(scale=False, fit_intercept=False, random_state=0).fit(X, y)
    >>> clf.n_errors_, clf.sharpness_ < 0.05
    (0, True)
    """

    _parameter_constraints: dict = {
        **LinearThresholdClassifier._parameter_constraints,
        **BinaryWeights._parameter_constraints,
        "solver": [StrOptions({"auto", *BINARY_SOLVERS}), BinarySolver],
    }

    _derived = "coef_", "intercept_"
    _alternatives = "FlatSphericalPerceptronClassifier", "FlatCommitteeClassifier"

    def __init__(
        self,
        solver="auto",
        margin=0.0,
        *,
        scale=True,
        fit_intercept=True,
        class_weight=None,
        max_iter="auto",
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        n_jobs=None,
        random_state=None,
        verbose=False,
        warm_start=False,
    ):
        self.solver = solver
        self.margin = margin
        self.scale = scale
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.measures = measures
        self.measure_max_samples = measure_max_samples
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    @property
    def _solvers(self):
        return BINARY_SOLVERS | {"auto": partial(Auto, self.scale)}

    def _find(self, X, targets, weight, given, known):
        """Search for the weights, and compute the best thresholds for them."""
        bar, counts = self._bar(X.shape[1]), row_counts(weight)
        patterns = partial(perceptron_patterns, X, bar, self.fit_intercept, counts)
        start = self._start(known, (targets.shape[1], 1, X.shape[1]))
        found = self._search(patterns, targets, given, start)
        weights = np.array([each.w[0] for each in found], X.dtype)
        thresholds = np.zeros(len(weights), X.dtype)
        if self.fit_intercept:
            thresholds = best_thresholds(X @ weights.T, targets, bar, counts)
        if self._is_joint(found, targets, counts):
            return joined(X, targets, weights, thresholds, counts, self.fit_intercept)
        return weights, thresholds

    def _find_in_part(self, X, targets, weight, given, known):
        """Pass over the rows. The thresholds are those of the solver, as a part may be small."""
        n, bar = X.shape[1], self._bar(X.shape[1])
        counts = 1.0 if weight is None else weight
        patterns = partial(perceptron_patterns, X, bar, self.fit_intercept, counts)
        w = self._pass(patterns, targets, self._start(known, (targets.shape[1], 1, n)))[:, 0]
        w = w.astype(X.dtype, copy=False)
        if not self.fit_intercept:
            return w, np.zeros(len(w), X.dtype)
        return w[:, :n], w[:, n:] @ threshold_bits(n).astype(X.dtype)

    def _is_joint(self, found, targets, counts):
        """Whether the results of all classes are improved together.

        Each problem alone is a poor guide if it does little better than to reject every row.
        """
        if len(found) == 1 or self.margin != 0 or not isinstance(self._solver(), Auto):
            return False
        n_violated = sum(each.n_violated for each in found)
        n_rows = (counts * targets.T).sum()  # violated if all problems reject all rows
        return n_violated > REJECTED * n_rows and not any(each.interrupted for each in found)


REJECTED = 0.5  # share of the rows that the problems of all classes reject, each its own


def perceptron_patterns(X, bar, fit_intercept, weight, labels):
    """The patterns of a problem: the rows of ``X`` times their labels; or those of many."""
    if labels.ndim == 2:
        return Problems(X[None], labels, bar=bar, weight=weight, is_free=fit_intercept)
    xi = (labels[:, None] * X)[None]
    if fit_intercept:
        return FreeThreshold(xi, labels, bar, weight)
    return Patterns(xi, bar=bar, weight=weight)


def joined(X, targets, weights, thresholds, counts, fit_intercept):
    """Weights and thresholds improved together, if that makes clearly more rows right."""
    found = joint_descent(X, targets, weights, thresholds, counts, fit_intercept)
    before = n_wrong(X, targets, weights, thresholds, counts)
    # Fewer rows would be noise, which is not worth that problems answer wrongly more often.
    if before - n_wrong(X, targets, *found, counts) <= 2 * np.sqrt(before):
        return weights, thresholds
    weights, thresholds = found
    if fit_intercept:
        thresholds = thresholds + common_threshold(X @ weights.T + thresholds, targets, counts)
    return weights, thresholds


def common_threshold(scores, targets, weight=1.0):
    """What to add to the scores of all classes so that their problems violate the fewest rows."""
    weight = np.broadcast_to(np.reshape(weight, (-1, 1)), scores.shape).ravel()
    return best_threshold(scores.ravel(), targets.ravel() > 0, weight=weight)


def best_thresholds(fields, targets, bar, weight=1.0):
    """The thresholds that violate the fewest rows of every problem.

    With several problems, the classifier that they form is never worse than a constant one.
    """
    problems = zip(fields.T, targets.T, strict=True)
    found = [best_threshold(z, y > 0, bar, weight) for z, y in problems]
    thresholds = np.array(found, fields.dtype)
    if len(thresholds) > 1:
        scores = fields + thresholds
        counts = weight * targets.T
        frequent = counts.sum(axis=1).argmax()
        right = counts[scores.argmax(axis=1), np.arange(len(scores))]
        if right.sum() < counts[frequent].sum():
            # Each problem alone may be right in most rows if it rejects all of them. The
            # classifier formed by all of them is then wrong.
            thresholds[frequent] += winning_threshold(scores, targets, frequent, weight)
    return thresholds
