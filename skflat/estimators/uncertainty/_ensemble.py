"""Ensembles of networks."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._compat import HasMethods, Interval, fit_context
from ..._parallel import run
from .._pipeline import all_or_nothing, checked_weight
from .._saved import Saved
from ..networks import FlatMLPClassifier, FlatMLPRegressor
from ._members import check_can_walk, members

PARAMETERS = """estimator : estimator or None, default=None
        The network, as which every member begins. None is {network} with ``measures=None``.
        What it measures is an attribute of every member.
    n_estimators : int, default=5
        Networks trained from seeds of their own.
    n_cycles : int, default=1
        Members from each of these: the network as fitted, and where it is after every further
        cycle of the learning rate. ``n_estimators=1`` with several cycles is an ensemble of one
        trajectory.
    cycle_length : int, default=20
        Epochs of a cycle, in which the rate falls from ``learning_rate_init`` along half a cosine,
        epoch by epoch.
    n_jobs : int, default=None
        Workers for the seeds; see `joblib.Parallel`. The result is the same to the bit for any
        number.
    random_state : int, RandomState instance or None, default=None
        Draws the seeds."""

ATTRIBUTES = """estimators_ : list of estimator
        The ``n_estimators * n_cycles`` members, fitted.
    n_grad_evals_ : float
        Gradients of all training rows, of all members.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)"""

NOTES = """Members of several seeds are deep ensembles (Lakshminarayanan and others,
    arXiv:1612.01474), those of one trajectory are snapshots (Huang and others, arXiv:1704.00109),
    as in cyclic SWA (Izmailov and others, arXiv:1803.05407), but with averaged predictions in place
    of averaged parameters. Training costs ``n_estimators`` fits and ``n_estimators * (n_cycles - 1)
    * cycle_length`` epochs."""


def _documented(cls):
    """Class decorator: put the common paragraphs into the docstring."""
    parameters = PARAMETERS.replace("{network}", f"`{cls._network_class.__name__}`")
    for name, text in (("parameters", parameters), ("attributes", ATTRIBUTES), ("notes", NOTES)):
        cls.__doc__ = cls.__doc__.replace(f"{{{name}}}", text)
    return cls


class BaseEnsemble(Saved, MetaEstimatorMixin, BaseEstimator):
    """What the ensembles of classifiers and of regressors share."""

    _network_class: type
    _parameter_constraints: dict = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "n_cycles": [Interval(Integral, 1, None, closed="left")],
        "cycle_length": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        n_estimators=5,
        *,
        n_cycles=1,
        cycle_length=20,
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.n_cycles = n_cycles
        self.cycle_length = cycle_length
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Train the members.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, training diverged, or ``n_cycles`` is above 1
            and the estimator has no ``partial_fit``.

        Warns
        -----
        ConvergenceWarning
            Of the members.
        """
        with all_or_nothing(self):
            estimator = self._estimator()
            check_can_walk(estimator, self.n_cycles)
            X, y = self._validated(X, y)
            data = X, y, checked_weight(sample_weight, X)
            seeds = check_random_state(self.random_state).randint(2**31 - 1, size=self.n_estimators)
            length = self.n_cycles, self.cycle_length
            found = run(
                members, [(estimator, data, int(seed), *length) for seed in seeds], self.n_jobs
            )
            self.estimators_ = [each for trajectory in found for each in trajectory]
            # A later point of a trajectory has counted the earlier ones.
            last = (trajectory[-1] for trajectory in found)
            self.n_grad_evals_ = float(sum(getattr(each, "n_grad_evals_", np.nan) for each in last))
            self._learn(data)
            return self

    def _estimator(self):
        if self.estimator is None:
            return self._network_class(measures=None)
        return self.estimator

    def _validated(self, X, y):
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=(np.float64, np.float32),
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _learn(self, data):
        """Set what follows from the members."""

    def _outputs(self, method, X):
        """What the members predict, one array a member."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        return np.array([getattr(each, method)(X) for each in self.estimators_])

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self._estimator())
        tags.input_tags.sparse = inner.input_tags.sparse
        return tags


@_documented
class FlatMLPEnsembleClassifier(ClassifierMixin, BaseEnsemble):
    """Mean of the probabilities of several networks.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    {attributes}

    See Also
    --------
    laplace : Uncertainty of a single network.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skflat import FlatMLPClassifier, FlatMLPEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = FlatMLPClassifier((20,), learning_rate_init=0.05, max_iter=500, measures=None)
    >>> clf = FlatMLPEnsembleClassifier(network, 3, n_cycles=2, random_state=0).fit(scale(X), y)
    >>> len(clf.estimators_), clf.score(scale(X), y) > 0.95
    (6, True)
    """

    _network_class = FlatMLPClassifier
    _parameter_constraints: dict = {
        **BaseEnsemble._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
    }

    def predict_proba(self, X):
        """Mean of the members' probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._outputs("predict_proba", X).mean(axis=0)

    def predict_log_proba(self, X):
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """The most probable class, or the labels that are more probable than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        P = self.predict_proba(X)
        return (P > 0.5).astype(int) if self._multilabel else self.classes_[P.argmax(axis=1)]

    def _learn(self, data):
        self.classes_ = self.estimators_[0].classes_
        self._multilabel = data[1].ndim == 2

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@_documented
class FlatMLPEnsembleRegressor(RegressorMixin, BaseEnsemble):
    """Mean of the predictions of several networks, with its standard deviation.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    noise_std_ : float or ndarray of shape (n_outputs,)
        Root mean square residual of the mean prediction on the training rows. It is too small if
        the networks overfit.
    {attributes}

    See Also
    --------
    laplace : Uncertainty of a single network.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skflat import FlatMLPEnsembleRegressor, FlatMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = scale(X), scale(y)
    >>> network = FlatMLPRegressor(hidden_layer_sizes=(10,), max_iter=1000, measures=None)
    >>> reg = FlatMLPEnsembleRegressor(network, 3, random_state=0).fit(X, y)
    >>> mean, std = reg.predict(X, return_std=True)
    >>> bool((std >= reg.noise_std_).all())
    True
    """

    _network_class = FlatMLPRegressor
    _parameter_constraints: dict = {
        **BaseEnsemble._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict"]), None],
    }

    def predict(self, X, return_std=False):
        """Mean of the members' predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of a target, too: the variance between the
            members, and that of a target around its mean, ``noise_std_`` squared. Counts have a
            variance that is equal to the mean.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        std : ndarray of the same shape
            Only with ``return_std``.
        """
        each = self._outputs("predict", X)
        mean = each.mean(axis=0)
        if not return_std:
            return mean
        noise = mean if self._counts else self.noise_std_**2
        return mean, np.sqrt(each.var(axis=0) + noise)

    def _validated(self, X, y):
        X, y = super()._validated(X, y)
        return X, y if y.dtype.kind in "OSU" else y.astype(X.dtype, copy=False)

    def _learn(self, data):
        X, y, weight = data
        self._counts = getattr(self.estimators_[0], "out_activation_", None) == "exp"
        residuals = np.mean([each.predict(X) for each in self.estimators_], axis=0) - y
        self.noise_std_ = np.sqrt(np.average(residuals**2, axis=0, weights=weight))

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self._estimator())
        tags.target_tags = inner.target_tags
        tags.regressor_tags = inner.regressor_tags
        return tags
