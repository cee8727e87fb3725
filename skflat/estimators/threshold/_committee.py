"""Committee machines with weights in {-1, +1}."""

from functools import partial
from numbers import Integral

import numpy as np
from scipy import sparse

from ..._compat import Interval, StrOptions
from ...models.threshold import Committee, Patterns, threshold_bits
from ...problems import committee
from ...solvers.binary import BINARY_SOLVERS, BinarySolver
from ._binary_weights import BinaryWeights, row_counts
from ._fit import ThresholdClassifier

COMMITTEE_SOLVERS = {name: each for name, each in BINARY_SOLVERS.items() if each.committees}


class FlatCommitteeClassifier(BinaryWeights, ThresholdClassifier):
    """Majority of threshold units with weights in {-1, +1}: the smallest network with hidden units.

    The units of a fully connected committee see all features, those of a tree committee a part of
    their own each. More than two classes are taken one against the rest. A model is one bit a
    weight beside the scale of the features and one threshold a unit. With one unit this is
    `FlatPerceptronClassifier`, but for the threshold.

    Parameters
    ----------
    n_units : int, default=3
        Units of every committee, an odd number.
    structure : {'full', 'tree'}, default='full'
        Whether all units see all features, or each sees as many consecutive ones as the others
        (the last ones may see fewer).
    solver : {'focusing_bp', 'replicated_sgd'} or solver object, default='focusing_bp'
        An object of `skflat.solvers.binary` holds the numbers of its rule.
    scale : bool, default=True
        Whether to subtract the mean of every feature and divide by its standard deviation. False
        takes features as they are, as the theory of random patterns has it.
    fit_intercept : bool, default=True
        Whether every unit has a threshold: a binary fraction of six bits.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes. ``'balanced'`` is inverse to their numbers of rows.
    max_iter : int or 'auto', default='auto'
        Most iterations; ``'auto'`` is what the solver says.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names of `skflat.measures.BINARY_MEASURES`,
        ``'weakness'`` or ``'margins'`` (of the votes).
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
    weights_ : ndarray of shape (n_problems, n_units, n_inputs)
        -1 or +1, of the scaled features; one committee for two classes and one a class otherwise.
    thresholds_ : ndarray of shape (n_problems, n_units)
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from each feature, and what it is divided by then.
    temperature_ : float
        What `predict_proba` divides the decision by.
    n_errors_ : int
        Training rows that `predict` gets wrong.
    n_violated_ : ndarray of shape (n_problems,)
        Training rows that the committee of every one-vs-rest problem gets wrong. All 0 is success.
        There is a ``ConvergenceWarning`` where more iterations may help, and where the fit is no
        better than always predicting the most frequent class.
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
        of two classes, to affine readings of the units. Larger is weaker.
    measurements_ : dict of str to Measurement
        The same with standard errors and protocols.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

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

    def _prepare(self, X, y, sample_weight):
        if self.n_units % 2 == 0:
            raise ValueError(f"n_units must be odd, for a majority, got {self.n_units}.")
        return super()._prepare(X, y, sample_weight)

    def _learn(self, X, targets, given):
        model = Committee(X.shape[1], self.n_units, targets.shape[1], self.structure == "tree")
        n_inputs, bits = model.n_inputs, threshold_bits(model.n_inputs)
        bits = bits if self.fit_intercept else bits[:0]
        units = with_constants(model.inputs(X), bits)
        patterns = partial(committee_patterns, units, self.n_units, row_counts(given[2]))
        found = self._search(patterns, targets, given)
        self.weights_ = np.array([each.w[:, :n_inputs] for each in found], X.dtype)
        self.thresholds_ = np.array([each.w[:, n_inputs:] @ bits for each in found], X.dtype)
        right = (2 * targets - 1) * self._scores(given[0]) > 0
        self.n_violated_ = np.count_nonzero(~right, axis=0)

    def _scores(self, X):
        """Mean votes."""
        X = X.toarray() if sparse.issparse(X) else X
        model = committee(self)
        w = model.layout.pack({"W": self.weights_, "b": self.thresholds_})
        return model.scores(w, (X - self.mean_) / self.scale_)


def with_constants(units, values):
    """The inputs of all units, and beside them these values in every row."""
    columns = np.broadcast_to(values.astype(units.dtype), (*units.shape[:2], len(values)))
    return np.concatenate([units, columns], axis=2) if len(values) else units


def committee_patterns(units, n_units, weight, labels):
    """What the units see in every row, times its label."""
    return Patterns(labels[:, None] * units, n_units, weight=weight)
