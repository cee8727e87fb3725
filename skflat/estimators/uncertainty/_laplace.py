"""Laplace's approximation of the last layer of a network."""

from numbers import Real

import numpy as np
from scipy.linalg import eigh
from scipy.special import expit, softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
    is_classifier,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ..._compat import HasMethods, Interval, fit_context
from .._pipeline import all_or_nothing
from .._saved import Saved
from ..networks import FlatMLPClassifier, FlatMLPRegressor
from ._evidence import log_evidence, noise_variance, precision_and_noise, prior_precision
from ._last_layer import final_network, last_layer, read


def laplace(estimator, X, y, sample_weight=None, *, prior_precision=None, noise_std=None):
    """Laplace's approximation of the last layer of a fitted network.

    The weights and intercepts of the last layer get a normal distribution around what training
    found. Its precision is the exact Gauss-Newton block of the summed loss, plus that of an
    isotropic normal prior. The layers before stay fixed.

    Parameters
    ----------
    estimator : estimator
        A fitted `FlatMLPClassifier` or `FlatMLPRegressor`, scikit-learn's ``MLPClassifier`` or
        ``MLPRegressor``, a pipeline that ends in one of them, or a search that found one. It is not
        changed, and the result refers to it.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The training rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), default=None
        How often each row counts.
    prior_precision : float, default=None
        Inverse of the prior's variance. None is where the marginal likelihood is largest.
    noise_std : float, default=None
        Of regression with the squared error: standard deviation of a target around the prediction.
        None is where the marginal likelihood is largest.

    Returns
    -------
    LaplaceClassifier or LaplaceRegressor
        Fitted.

    Raises
    ------
    TypeError
        If the estimator holds no network.
    ValueError
        If the data or a parameter is not valid.

    Notes
    -----
    It costs one pass over the rows and an eigendecomposition: of ``n_units + 1`` rows and columns
    for every output, or of ``n_classes`` times as many for three classes and more.

    References
    ----------
    MacKay, Neural Computation 4 (1992) 415 and 720; Daxberger and others, arXiv:2106.14806.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import FlatMLPRegressor, laplace
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> y = np.sin(3 * X[:, 0]) + 0.1 * np.cos(50 * X[:, 0])
    >>> network = FlatMLPRegressor(
    ...     hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", alpha=0.01, random_state=0
    ... ).fit(X, y)
    >>> mean, std = laplace(network, X, y).predict([[0.0], [3.0]], return_std=True)
    >>> bool(std[1] > 2 * std[0])
    True
    """
    if is_classifier(estimator):
        if noise_std is not None:
            raise ValueError(f"noise_std is of regression only, got {noise_std!r}.")
        model = LaplaceClassifier(estimator, prior_precision=prior_precision)
    else:
        model = LaplaceRegressor(estimator, prior_precision=prior_precision, noise_std=noise_std)
    model._validate_params()
    model.estimator_ = estimator
    return model._approximate(X, y, sample_weight)


class BaseLaplace(Saved, MetaEstimatorMixin, BaseEstimator):
    """What classifier and regressor share."""

    _network_class: type
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "prior_precision": [Interval(Real, 0, None, closed="neither"), None],
    }

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Fit the network, and approximate the distribution of its last layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with all_or_nothing(self):
            weights = {} if sample_weight is None else {"sample_weight": sample_weight}
            self.estimator_ = clone(self._estimator()).fit(X, y, **weights)
            return self._approximate(X, y, sample_weight)

    def _estimator(self):
        return self._network_class(measures=None) if self.estimator is None else self.estimator

    def _approximate(self, X, y, sample_weight):
        layer = last_layer(self.estimator_, X, y, sample_weight)
        spectra = [_spectrum(block) for block in layer.blocks]
        values = np.concatenate([values for values, _ in spectra])
        self.prior_precision_, variance = self._precisions(values, layer)
        self.log_marginal_likelihood_ = log_evidence(
            self._log_likelihood(layer, variance),
            values / variance,
            self.prior_precision_,
            layer.squared_norm,
        )
        ratio = self.prior_precision_ * variance
        self.covariance_ = variance * _inverses(spectra, ratio, layer.n_inputs)
        return self

    def _moments(self, X):
        """Scores, and their variances, of shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        parts = [
            (scores, variances(features, self.covariance_))
            for features, scores in read(self.estimator_, X)
        ]
        return tuple(np.concatenate(each) for each in zip(*parts, strict=True))

    @property
    def _out_activation(self):
        return final_network(self.estimator_)[0].out_activation_

    @property
    def n_features_in_(self):
        """Columns that the network was fitted on."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Their names, if they have some."""
        return self.estimator_.feature_names_in_

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self._estimator())
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.target_tags = inner.target_tags
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        return tags


def variances(features, covariances):
    """``f' C f`` for every row of features and every matrix, shape (n_rows, n_matrices)."""
    found = [np.einsum("ij,ij->i", features @ C, features) for C in covariances]
    return np.array(found).T.clip(min=0)


def _spectrum(block):
    """Eigenvalues, of which rounding makes none negative, and eigenvectors."""
    values, vectors = eigh(block)
    return values.clip(min=0), vectors


def _inverses(spectra, ratio, size):
    """Inverses of the matrices plus ``ratio``: their blocks of one output each.

    Of several classes in one matrix they are those of the weights minus their mean over the
    classes, which a softmax does not see. Its variance is the prior's, however many rows there are.
    """
    blocks = []
    for values, vectors in spectra:
        parts = (vectors / np.sqrt(values + ratio)).reshape(-1, size, len(values))
        parts = parts - parts.mean(axis=0) if len(parts) > 1 else parts
        blocks += [part @ part.T for part in parts]
    return np.array(blocks)


class LaplaceClassifier(ClassifierMixin, BaseLaplace):
    """A network whose probabilities take the uncertainty of its last layer into account.

    `laplace` makes one from a network that is fitted already.

    Parameters
    ----------
    estimator : estimator or None, default=None
        The network, or a pipeline that ends in one. None is `FlatMLPClassifier` with
        ``measures=None``.
    prior_precision : float, default=None
        Inverse of the prior's variance. None is where the marginal likelihood is largest.

    Attributes
    ----------
    estimator_ : estimator
        The fitted network, or pipeline.
    classes_ : ndarray of shape (n_classes,)
    prior_precision_ : float
    covariance_ : ndarray of shape (n_outputs, n_units + 1, n_units + 1)
        Of the weights and the intercept of every output, with three classes and more minus their
        mean over the classes, which does not change the probabilities. The covariances between
        outputs are left out, since the prediction does not need them.
    log_marginal_likelihood_ : float
        Of all rows, in nats.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    FlatMLPEnsembleClassifier : Several networks.

    Notes
    -----
    The probabilities are MacKay's: every score is divided by ``sqrt(1 + pi v / 8)``, where ``v`` is
    its variance. Of two classes, and of labels, `predict` is therefore that of the network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skflat import FlatMLPClassifier, LaplaceClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = FlatMLPClassifier((20,), learning_rate_init=0.02, max_iter=500, random_state=0)
    >>> clf = LaplaceClassifier(make_pipeline(StandardScaler(), network)).fit(X, y)
    >>> plain = clf.estimator_.predict_proba(X)
    >>> bool(clf.predict_proba(X).max(axis=1).mean() < plain.max(axis=1).mean())
    True
    """

    _network_class = FlatMLPClassifier

    def __init__(self, estimator=None, *, prior_precision=None):
        self.estimator = estimator
        self.prior_precision = prior_precision

    @property
    def classes_(self):
        """Class labels."""
        return self.estimator_.classes_

    def predict_proba(self, X):
        """Probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        scores, spread = self._moments(X)
        shrunk = 1 / np.sqrt(1 + np.pi / 8 * spread)
        if self._out_activation == "softmax":
            return softmax((scores - scores.mean(axis=1, keepdims=True)) * shrunk, axis=1)
        P = expit(scores * shrunk)
        return np.column_stack([1 - P, P]) if P.shape[1] == 1 else P

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
        several = self._out_activation == "logistic" and len(self.covariance_) > 1
        return (P > 0.5).astype(int) if several else self.classes_[P.argmax(axis=1)]

    def _precisions(self, values, layer):
        given = self.prior_precision
        return (prior_precision(values, layer.squared_norm) if given is None else given), 1.0

    def _log_likelihood(self, layer, variance):
        return -layer.loss


class LaplaceRegressor(RegressorMixin, BaseLaplace):
    """A network that says how far its last layer and the noise leave a target uncertain.

    `laplace` makes one from a network that is fitted already.

    Parameters
    ----------
    estimator : estimator or None, default=None
        The network, or a pipeline that ends in one. None is `FlatMLPRegressor` with
        ``measures=None``.
    prior_precision : float, default=None
        Inverse of the prior's variance. None is where the marginal likelihood is largest.
    noise_std : float, default=None
        Standard deviation of a target around the prediction. None is where the marginal likelihood
        is largest. Counts, of ``loss='poisson'``, have none.

    Attributes
    ----------
    estimator_ : estimator
        The fitted network, or pipeline.
    prior_precision_ : float
    noise_std_ : float
        One for all outputs.
    covariance_ : ndarray of shape (n_outputs, n_units + 1, n_units + 1)
        Of the weights and the intercept of every output.
    log_marginal_likelihood_ : float
        Of all rows, in nats.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    FlatMLPEnsembleRegressor : Several networks.

    Notes
    -----
    Without hidden layers, and with the squared error, this is Bayesian linear regression: exact if
    the network is at the largest posterior density. The prior is on the intercept, too.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skflat import FlatMLPRegressor, LaplaceRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> network = FlatMLPRegressor(hidden_layer_sizes=(10,), max_iter=1000, random_state=0)
    >>> reg = LaplaceRegressor(network).fit(scale(X), scale(y))
    >>> mean, std = reg.predict(scale(X), return_std=True)
    >>> bool((std > reg.noise_std_).all())
    True
    """

    _network_class = FlatMLPRegressor
    _parameter_constraints: dict = {
        **BaseLaplace._parameter_constraints,
        "noise_std": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, estimator=None, *, prior_precision=None, noise_std=None):
        self.estimator = estimator
        self.prior_precision = prior_precision
        self.noise_std = noise_std

    def predict(self, X, return_std=False):
        """Mean of a target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of a target, too, its noise included.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            What the network predicts. Of counts it is larger, since the exponential of an
            uncertain score is skewed.
        std : ndarray of the same shape
            Only with ``return_std``.
        """
        mean, variance = self._moments(X)
        if self._out_activation == "exp":
            mean = np.exp(mean + variance / 2)
            variance = mean + np.expm1(variance) * mean**2
        else:
            variance += self.noise_std_**2
        found = [each[:, 0] if each.shape[1] == 1 else each for each in (mean, np.sqrt(variance))]
        return tuple(found) if return_std else found[0]

    def _precisions(self, values, layer):
        if self._out_activation == "exp":
            given = self.prior_precision
            return (prior_precision(values, layer.squared_norm) if given is None else given), 1.0
        precision, variance = self.prior_precision, self.noise_std
        n_values, residuals = layer.n_rows * layer.n_outputs, 2 * layer.loss
        norm = layer.squared_norm
        if variance is not None:
            variance = variance**2
            if precision is None:
                precision = prior_precision(values / variance, norm)
        elif precision is not None:
            variance = noise_variance(values, precision, residuals, n_values)
        else:
            precision, variance = precision_and_noise(values, norm, residuals, n_values)
        self.noise_std_ = float(np.sqrt(variance))
        return precision, variance

    def _log_likelihood(self, layer, variance):
        if self._out_activation == "exp":
            return -layer.loss
        n_values = layer.n_rows * layer.n_outputs
        return -layer.loss / variance - n_values / 2 * np.log(2 * np.pi * variance)
