"""Perceptrons with weights in {-1, +1}."""

from functools import partial

import numpy as np

from ..._compat import StrOptions
from ...models.threshold import FreeThreshold, Patterns, best_threshold, winning_threshold
from ...solvers.binary import BINARY_SOLVERS, Auto, BinarySolver
from ._binary_weights import BinaryWeights, row_counts
from ._linear import LinearThresholdClassifier


class FlatPerceptronClassifier(BinaryWeights, LinearThresholdClassifier):
    """Linear threshold classifier with weights in {-1, +1}.

    A row is on the right side by its stability ``t (w @ x + b) / sqrt(n_features)``, with the label
    ``t`` in {-1, +1}. More than two classes are taken one against the rest.

    A model is one bit a feature and class beside the scale of the features and one threshold a
    class. Solutions are searched for by message passing and other methods that end where solutions
    are dense.

    Parameters
    ----------
    solver : str or solver object, default='auto'
        A name of `skflat.solvers.binary.BINARY_SOLVERS` or such an object, which holds the numbers
        of its rule. ``'auto'`` is `skflat.solvers.binary.Auto`, which tries several of them until
        one finds a solution, and otherwise improves the best.
    margin : float, default=0.0
        Stability that every row must reach (at 0: exceed).
    scale : bool, default=True
        Whether to subtract the mean of every feature and divide by its standard deviation. False
        takes features as they are, as the theory of random patterns has it.
    fit_intercept : bool, default=True
        Whether there is a threshold ``b``, always a real number.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes. ``'balanced'`` is inverse to their numbers of rows.
    max_iter : int or 'auto', default='auto'
        Most iterations; ``'auto'`` is what the solver says.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names of `skflat.measures.MEASURES` and of
        `skflat.measures.BINARY_MEASURES`, which stand before those.
    measure_max_samples : int, default=2000
        Most training rows to measure on, drawn once and stratified by class.
    n_jobs : int, default=None
        Workers for the one-vs-rest problems; see `joblib.Parallel`. The result is the same to the
        bit for any number.
    random_state : int, RandomState instance or None, default=None
        Draws all that the solver draws, and the rows and seeds of the measures.
    verbose : bool, default=False
        Whether to print the progress of the solver.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : ndarray of shape (n_problems, n_features)
        -1 or +1, of the scaled features: one row for two classes and one a class otherwise.
    thresholds_ : ndarray of shape (n_problems,)
        Beside them.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each feature, and what it is divided by then.
    coef_, intercept_ : ndarray of shape (n_problems, n_features) and (n_problems,)
        The same model in terms of the features as given: the decision is
        ``X @ coef_.T + intercept_``, ``sqrt(n_features)`` times the stability.
    temperature_ : float
        What `predict_proba` divides the decision by.
    n_errors_ : int
        Training rows that `predict` gets wrong.
    n_violated_ : ndarray of shape (n_problems,)
        Training rows below the margin in every one-vs-rest problem. All 0 is success. There is a
        ``ConvergenceWarning`` where more iterations may help, and where the fit is no better than
        always predicting the most frequent class.
    n_iter_ : int
        Iterations of the solver; of several problems, the most.
    sharpness_ : float
        Local energy, the rise of the error when 2 % of the weights are flipped at random, see
        `skflat.measures.FlipEnergy`. Smaller is flatter.
    flatness_ : float
        Share of weights to flip at random until the error rises by one tenth of the best constant
        prediction's, see `skflat.measures.FlipDistance`. Larger is flatter.
    weakness_ : float
        Share in [0, 1] of (probe, class) pairs that are still open, see `skflat.measures.Weakness`;
        of two classes, to affine readings of the features. Larger is weaker.
    measurements_ : dict of str to Measurement
        The same with standard errors and protocols.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    FlatSphericalPerceptronClassifier : The same with real weights.
    FlatCommitteeClassifier : Majorities of several such units.
    skflat.measures.local_entropy : How many solutions are around the one found.

    Notes
    -----
    All searches count the rows that the weights violate with the threshold that is best for them,
    which is computed exactly; so they violate no more than the rarer class has. On the way there,
    ``'amp'``, ``'mean_field'`` and ``'auto'`` move a real threshold beside the weights, and the
    other solvers see it as six more of them, with fixed inputs. If several classes together are
    still behind the most frequent one, its threshold is raised until they are not.

    Measures of real weights see the point on the sphere of radius ``sqrt(n_features)`` that the
    weights are, with the loss that `FlatSphericalPerceptronClassifier` has by default.

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

    @property
    def _solvers(self):
        return BINARY_SOLVERS | {"auto": partial(Auto, self.scale)}

    def _find(self, X, targets, given):
        """By search; the thresholds are those that go best with the weights found."""
        bar, weight = self._bar(X.shape[1]), row_counts(given[2])
        patterns = partial(perceptron_patterns, X, bar, self.fit_intercept, weight)
        found = self._search(patterns, targets, given)
        weights = np.array([each.w[0] for each in found], X.dtype)
        if self.fit_intercept:
            return weights, best_thresholds(X @ weights.T, targets, bar, weight)
        return weights, np.zeros(len(weights), X.dtype)


def perceptron_patterns(X, bar, fit_intercept, weight, labels):
    """The rows of a table, times their labels."""
    xi = (labels[:, None] * X)[None]
    if fit_intercept:
        return FreeThreshold(xi, labels, bar, weight)
    return Patterns(xi, bar=bar, weight=weight)


def best_thresholds(fields, targets, bar, weight=1.0):
    """Of every problem that which violates the fewest rows; never worse than a constant."""
    problems = zip(fields.T, targets.T, strict=True)
    found = [best_threshold(z, y > 0, bar, weight) for z, y in problems]
    thresholds = np.array(found, fields.dtype)
    if len(thresholds) > 1:
        scores = fields + thresholds
        counts = weight * targets.T
        frequent = counts.sum(axis=1).argmax()
        right = counts[scores.argmax(axis=1), np.arange(len(scores))]
        if right.sum() < counts[frequent].sum():
            # Each problem may do well by answering "none of mine", and all together do not.
            thresholds[frequent] += winning_threshold(scores, targets, frequent, weight)
    return thresholds
