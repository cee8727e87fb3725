"""From a fitted perceptron or committee to the problem it solved."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from ..models.threshold import Committee, Cube, Sphere, StabilityLoss
from ..objective import Objective
from ._data import class_codes, class_labels, in_precision, row_weights
from ._tasks import BINARY, MULTICLASS

#: Gain of the loss with which binary perceptrons are measured. They are fitted without a loss, so
#: it is the default gain of the spherical ones, and both are measured with the same loss.
GAIN = 5.0


def perceptron_problem(estimator, X, y, sample_weight):
    """Objective, point and task of a fitted binary perceptron, in the scaled features."""
    loss = StabilityLoss(GAIN, estimator.margin)
    return _perceptron(estimator, Cube, loss, X, y, sample_weight)


def spherical_problem(estimator, X, y, sample_weight):
    """Objective, point and task of a fitted spherical perceptron, in the scaled features."""
    loss = StabilityLoss(estimator.gain, estimator.margin)
    return _perceptron(estimator, Sphere, loss, X, y, sample_weight)


def committee_problem(estimator, X, y, sample_weight):
    """Objective, point and task of a fitted committee on ``(X, y)``, in the scaled features."""
    model, loss = committee(estimator), StabilityLoss()
    return _problem(estimator, model, loss, estimator.weights_, X, y, sample_weight)


def committee(estimator):
    """The model of fitted ``weights_``.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    Model
    """
    n_outputs, n_units, _ = estimator.weights_.shape
    return Committee(estimator.n_features_in_, n_units, n_outputs, estimator.structure == "tree")


def threshold_inputs(estimator, X):
    """X as ``predict`` validates it."""
    dtype = estimator.thresholds_.dtype
    return validate_data(estimator, X, accept_sparse="csr", dtype=dtype, reset=False)


def _perceptron(estimator, model_class, loss, X, y, sample_weight):
    n_outputs, n_features = estimator.weights_.shape
    model = model_class(n_features, n_outputs, estimator.fit_intercept)
    return _problem(estimator, model, loss, estimator.weights_.T, X, y, sample_weight)


def _problem(estimator, model, loss, weights, X, y, sample_weight):
    dtype = estimator.thresholds_.dtype
    X = in_precision(X, dtype, "X")
    y = class_labels(estimator, y)
    sample_weight = row_weights(sample_weight, X, y)
    X = ((X.toarray() if sparse.issparse(X) else X) - estimator.mean_) / estimator.scale_
    objective = Objective(model, loss, X, one_vs_rest(y, estimator.classes_, dtype), sample_weight)
    w = np.concatenate([np.ravel(weights), np.ravel(estimator.thresholds_)], dtype=dtype)
    w = w[: model.layout.size]  # the model of a perceptron without thresholds does not hold them
    return objective, w, BINARY if len(estimator.classes_) == 2 else MULTICLASS


def one_vs_rest(y, classes, dtype):
    """Targets 0 or 1 of every row in every one-vs-rest problem.

    Two classes make one problem. More classes make one problem each.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
    classes : ndarray of shape (n_classes,)
    dtype : dtype

    Returns
    -------
    ndarray of shape (n_rows, n_problems)
    """
    codes, n = class_codes(y, classes), len(classes)
    positive = np.arange(1, n) if n == 2 else np.arange(n)
    return (codes[:, None] == positive).astype(dtype)
