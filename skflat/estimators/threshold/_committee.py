"""Committee machines with weights in {-1, +1}."""

from functools import partial
from numbers import Integral

import numpy as np
from scipy import sparse

from ..._compat import Interval, StrOptions
from ...models.threshold import Committee, Patterns, Problems, threshold_bits
from ...problems import committee
from ...solvers.binary import BINARY_SOLVERS, BinarySolver
from ._binary_weights import BinaryWeights, row_counts
from ._fit import ThresholdClassifier

COMMITTEE_SOLVERS = {name: each for name, each in BINARY_SOLVERS.items() if each.committees}


class FlatCommitteeClassifier(BinaryWeights, ThresholdClassifier):
    """Majority of threshold units with weights in {-1, +1}: the smallest network with hidden units.

    In a fully connected committee every unit sees all features. In a tree committee every unit sees
    a part of the features of its own. With more than two classes there is one committee for each
    class against the rest. A weight takes one bit. In addition a model has the scale of the
    features and one threshold per unit. With one unit this is `FlatPerceptronClassifier`, except
    for the threshold.

    Parameters
    ----------
    n_units : int, default=3
        Number of units of every committee. It must be odd.
    structure : {'full', 'tree'}, default='full'
        ``'full'``: all units see all features. ``'tree'``: each unit sees the same number of
        consecutive features (the last ones may see fewer).
    solver : {'focusing_bp', 'replicated_sgd'} or solver object, default='focusing_bp'
        The search. An object of `skflat.solvers.binary` holds the numbers of its rule.
    scale : bool, default=True
        Whether to subtract the mean of every feature and divide by its standard deviation. False
        takes the features as they are, as in the theory of random patterns.
    fit_intercept : bool, default=True
        Whether every unit has a threshold. It is a binary fraction of six bits.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes. ``'balanced'`` is inverse to their numbers of rows.
    max_iter : int or 'auto', default='auto'
        Largest number of iterations. ``'auto'`` is the default of the solver.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names in `skflat.measures.BINARY_MEASURES`,
        ``'weakness'`` or ``'margins'`` (of the votes).
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
        rows, so ``n_iter_`` is 0 if they violate none. ``'replicated_sgd'``
        begins at them. ``'focusing_bp'`` computes its messages from the rows alone.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : ndarray of shape (n_problems, n_units, n_inputs)
        Weights of the scaled features, -1 or +1. There is one committee for two classes, and one
        per class otherwise.
    thresholds_ : ndarray of shape (n_problems, n_units)
        Thresholds of the units.
    mean_, scale_ : ndarray of shape (n_features,)
        ``mean_`` is subtracted from each feature, and the difference is divided by ``scale_``.
    temperature_ : float
        `predict_proba` divides the decision by this number.
    n_errors_ : int
        Number of training rows that `predict` gets wrong.
    n_violated_ : ndarray of shape (n_problems,)
        Number of training rows that the committee of each one-vs-rest problem gets wrong. The fit
        has succeeded if all are 0. Otherwise there is a ``ConvergenceWarning`` if more iterations
        may help, or if the fit is no better than always predicting the most frequent class.
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
        With two classes the readings are affine in the outputs of the units. Larger is weaker.
    measurements_ : dict of str to Measurement
        The three values with standard errors and protocols.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    FlatPerceptronClassifier : A single unit.

    References
    ----------
    Baldassi and others, arXiv:1605.06444; Baldassi, Malatesta and Zecchina, arXiv:1907.07578.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import FlatCommitteeClassifier
    >>> X = np.random.default_rng(0).choice([-1.0, 1.0], (60, 45))
    >>> y = np.arange(60) % 2
    >>> clf = FlatCommitteeClassifier(3, "tree", scale=False, fit_intercept=False, random_state=0)
    >>> clf.fit(X[:15], y[:15]).n_errors_
    0
    """

    _parameter_constraints: dict = {
        **ThresholdClassifier._parameter_constraints,
        **BinaryWeights._parameter_constraints,
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "structure": [StrOptions({"full", "tree"})],
        "solver": [StrOptions(set(COMMITTEE_SOLVERS)), BinarySolver],
    }

    _solvers = COMMITTEE_SOLVERS
    _alternatives = "a larger n_units", "FlatMLPClassifier"

    def __init__(
        self,
        n_units=3,
        structure="full",
        solver="focusing_bp",
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
        self.n_units = n_units
        self.structure = structure
        self.solver = solver
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

    def _validated(self, X, y, dtype, reset):
        if self.n_units % 2 == 0:
            raise ValueError(f"n_units must be odd, for a majority, got {self.n_units}.")
        return super()._validated(X, y, dtype, reset)

    def _learn(self, X, targets, weight, given, known):
        model, patterns = self._machine(X, targets, row_counts(weight))
        start = self._start(known, model.layout.shapes["W"])
        found = self._search(patterns, targets, given, start)
        self._set_weights(model, np.array([each.w for each in found], X.dtype))

    def _learn_part(self, X, targets, weight, given, known):
        model, patterns = self._machine(X, targets, 1.0 if weight is None else weight)
        self._set_weights(
            model, self._pass(patterns, targets, self._start(known, model.layout.shapes["W"]))
        )

    def _machine(self, X, targets, counts):
        """The model, and what maps labels to patterns."""
        model = Committee(X.shape[1], self.n_units, targets.shape[1], self.structure == "tree")
        # The solver knows only weights, so a threshold consists of weights on constant inputs.
        units = with_constants(model.inputs(X), self._bits(model))
        return model, partial(committee_patterns, units, self.n_units, counts)

    def _bits(self, model):
        """The values of the weights that make up a threshold."""
        bits = threshold_bits(model.n_inputs)
        return bits if self.fit_intercept else bits[:0]

    def _set_weights(self, model, w):
        """Set the fitted attributes, from weights and the bits of the thresholds."""
        n_inputs = model.n_inputs
        self.weights_ = np.ascontiguousarray(w[..., :n_inputs])
        self.thresholds_ = (w[..., n_inputs:] @ self._bits(model)).astype(w.dtype)

    def _violated(self, X, targets):
        return np.count_nonzero((2 * targets - 1) * self._votes(X) <= 0, axis=0)

    def _scores(self, X):
        """The mean votes of the committees."""
        X = X.toarray() if sparse.issparse(X) else X
        return self._votes((X - self.mean_) / self.scale_)

    def _votes(self, X):
        """The mean votes for rows of scaled features."""
        model = committee(self)
        w = model.layout.pack({"W": self.weights_, "b": self.thresholds_})
        return model.scores(w, X)


def with_constants(units, values):
    """The inputs of all units, with these values as further columns in every row."""
    columns = np.broadcast_to(values.astype(units.dtype), (*units.shape[:2], len(values)))
    return np.concatenate([units, columns], axis=2) if len(values) else units


def committee_patterns(units, n_units, weight, labels):
    """The inputs of the units in every row, times the label of the row; or those of many."""
    if labels.ndim == 2:
        return Problems(units, labels, n_units, weight=weight)
    return Patterns(labels[:, None] * units, n_units, weight=weight)
