"""Perceptrons with real weights, on a sphere."""

from numbers import Integral, Real

import numpy as np

from ..._compat import Interval, StrOptions
from ...models.threshold import Sphere, StabilityLoss
from ...objective import Objective
from ...solvers import SOLVERS, MaxMargin, Solver
from .._pipeline import FlatEstimator, Training
from ._linear import LinearThresholdClassifier

SPHERICAL_SOLVERS = SOLVERS | {"max_margin": MaxMargin}


class FlatSphericalPerceptronClassifier(LinearThresholdClassifier):
    """Linear threshold classifier with real weights, on the sphere of radius ``sqrt(n_features)``.

    The stability of a row is ``t (w @ x + b) / sqrt(n_features)``, with the label ``t`` in
    {-1, +1}. A row with a positive stability is classified correctly. Weights in {-1, +1} are the
    corners of the cube in the same sphere, so both kinds of weights are measured in the same units.
    With more than two classes there is one problem for each class against the rest.

    The solvers of `skflat.solvers` minimise a cross-entropy of the stabilities,
    ``log(1 + exp(gain (margin - stability))) / gain``. They start at the direction from the mean of
    the other classes to that of the class.

    Parameters
    ----------
    solver : str or solver object, default='sam'
        ``'max_margin'``, a name in `skflat.solvers.SOLVERS`, or an object of such a class, which
        holds the structure of its rule.
    margin : float, default=0.0
        Stability that every row should reach. At 0 every row should exceed it.
    scale : bool, default=True
        Whether to subtract the mean of every feature and divide by its standard deviation. False
        takes the features as they are, as in the theory of random patterns.
    fit_intercept : bool, default=True
        Whether there is a threshold ``b``.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes. ``'balanced'`` is inverse to their numbers of rows.
    max_iter : int, default=200
        Largest number of epochs, or of iterations if the solver has no epochs.
    rho : 'auto' or float, default='auto'
        The radius over which the solution must stay good, see the solver.
    gain : float, default=5.0
        The steepness of the cross-entropy.
    learning_rate_init : float, default=0.1
        Learning rate of the first step.
    batch_size : int or 'auto', default='auto'
        Number of rows of a batch. ``'auto'`` is ``min(200, n_samples)``.
    tol : float, default=1e-4
        Smallest change of the loss that counts as an improvement.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which training stops.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names in `skflat.measures.MEASURES`.
    measure_max_samples : int, default=2000
        Largest number of training rows to measure on. If there are more, a sample is drawn once,
        stratified by class.
    random_state : int, RandomState instance or None, default=None
        Draws the order of the batches, everything random in the solver, and the rows and seeds of
        the measures; and the start, if the means of the classes are equal.
    verbose : bool, default=False
        Whether to print the progress of the solver.
    warm_start : bool, default=False
        Whether ``fit`` starts from the present weights, with a new state of the solver.
        ``'max_margin'`` ends at the same weights from any start.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    weights_ : ndarray of shape (n_problems, n_features)
        Points on the sphere of radius ``sqrt(n_features)``, for the scaled features. There is one
        for two classes, and one per class otherwise.
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
        Number of training rows that `predict` gets wrong. There is a ``ConvergenceWarning`` if this
        is no better than always predicting the most frequent class.
    n_violated_ : ndarray of shape (n_problems,)
        Number of training rows below the margin in each one-vs-rest problem.
    n_iter_ : int
        Number of iterations of the solver.
    n_grad_evals_ : float
        Number of rows that the solver has differentiated, divided by the number of training rows.
    loss_, best_loss_ : float
        Loss of the last epoch, and the smallest loss of all epochs.
    loss_curve_ : list of float
        Loss of every epoch.
    sharpness_ : float
        Trace of the Hessian of the loss, see `skflat.measures.HessianTrace`. Smaller is flatter.
    flatness_ : float
        Distance to a level set of the loss, see `skflat.measures.LevelSetDistance`. Larger is
        flatter.
    weakness_ : float
        Share in [0, 1] of (probe, class) pairs that are still open, see `skflat.measures.Weakness`.
        With two classes the readings are affine in the features. Larger is weaker.
    measurements_ : dict of str to Measurement
        The three values with standard errors and protocols.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    FlatPerceptronClassifier : The same with weights in {-1, +1}.
    skflat.solvers.MaxMargin : The largest margin, by a quadratic program.

    References
    ----------
    Gardner, The space of interactions in neural network models, J. Phys. A 21 (1988) 257.

    Examples
    --------
    The largest margin on a data set:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from skflat import FlatSphericalPerceptronClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = FlatSphericalPerceptronClassifier("max_margin", random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.98
    True
    """

    _parameter_constraints: dict = {
        **LinearThresholdClassifier._parameter_constraints,
        "solver": [StrOptions(set(SPHERICAL_SOLVERS)), Solver],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "rho": FlatEstimator._parameter_constraints["rho"],
        "gain": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    }

    _solvers = SPHERICAL_SOLVERS
    _alternatives = "FlatMLPClassifier", "FlatCommitteeClassifier"

    def __init__(
        self,
        solver="sam",
        margin=0.0,
        *,
        scale=True,
        fit_intercept=True,
        class_weight=None,
        max_iter=200,
        rho="auto",
        gain=5.0,
        learning_rate_init=0.1,
        batch_size="auto",
        tol=1e-4,
        n_iter_no_change=10,
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
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
        self.rho = rho
        self.gain = gain
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.measures = measures
        self.measure_max_samples = measure_max_samples
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    def _find(self, X, targets, weight, given, known, incremental=False):
        """Minimise with a solver of `skflat.solvers`."""
        model = Sphere(X.shape[1], targets.shape[1], self.fit_intercept)
        loss = StabilityLoss(self.gain, self.margin)
        weight = None if weight is None else weight.astype(X.dtype, copy=False)
        # The first call fixes the unit of rho="auto", as the rows of every part have another.
        unit = self._unit_radius if incremental and known is not None else None
        objective = Objective(model, loss, X, targets, weight, unit_radius=unit)
        self._unit_radius = objective.unit_radius if self.rho == "auto" else unit

        def fitted_attributes(w):
            return self._attributes(*on_sphere(model, w))

        if known is None:
            start = self._start(model, X, targets, weight)
        else:
            start = packed(model, *known).astype(X.dtype, copy=False)
        training = Training(objective, start, given, fitted_attributes)
        first_pass = known is None or not incremental
        w = self._train(training, first_pass=first_pass, incremental=incremental)
        return on_sphere(model, w)

    def _find_in_part(self, X, targets, weight, given, known):
        return self._find(X, targets, weight, given, known, incremental=True)

    def _start(self, model, X, targets, weight):
        """The direction between the means of the classes: the rule of Hebb.

        The loss is not convex on the sphere, and from a random point some solvers end in a worse
        minimum. With a single feature the sphere consists of two points without a path between
        them, so the start must already have the right sign.
        """
        w = model.init(self._random_state, X.dtype)
        W = model.layout.views(w)["W"]
        lead = targets - np.average(targets, axis=0, weights=weight)
        lead = lead if weight is None else weight[:, None] * lead
        # In units of the largest feature, so that nothing overflows.
        unit = np.abs(X).max(axis=0).max() or 1
        between = ((X / unit).T @ lead).astype(X.dtype)
        size = np.linalg.norm(between, axis=0)
        # If the means are equal, the start stays a random one.
        known = size > len(X) * np.finfo(X.dtype).eps
        W[:, known] = between[:, known] / size[known]
        return model.project(w)


def packed(model, weights, thresholds):
    """Weights and thresholds as a point of the model."""
    arrays = {"W": weights.T, "b": thresholds}
    return model.layout.pack({name: arrays[name] for name in model.layout.shapes})


def on_sphere(model, w):
    """Weights and thresholds of the point of the sphere that defines the same function as ``w``."""
    views = model.layout.views(model.project(w))
    return np.ascontiguousarray(views["W"].T), views.get("b", np.zeros(model.width, w.dtype))
