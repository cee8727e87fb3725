"""From a fitted multi-layer perceptron, ours or scikit-learn's, to the problem it solved."""

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags
from sklearn.utils.validation import validate_data

from ..models.mlp import MLP
from ..objective import Binary, HalfPoisson, HalfSquared, Multinomial, Objective
from ._data import class_codes, class_labels, in_precision, numbers, row_weights
from ._tasks import BINARY, MULTICLASS, MULTILABEL, REGRESSION

#: Attributes by which a fitted network is recognised.
NETWORK = ("coefs_", "out_activation_")


def network_inputs(estimator, X):
    """X as ``predict`` validates it."""
    return validate_data(estimator, X, accept_sparse="csr", reset=False)


def network_problem(estimator, X, y, sample_weight):
    """Objective, point and task of a fitted multi-layer perceptron on ``(X, y)``."""
    return _problem(estimator, *network(estimator), X, y, sample_weight)


def model_inputs(estimator, X):
    """X as ``predict`` of an estimator of any model validates it."""
    sparse_too = get_tags(estimator).input_tags.sparse
    return validate_data(estimator, X, accept_sparse="csr" if sparse_too else False, reset=False)


def model_problem(estimator, X, y, sample_weight):
    """Objective, point and task of an estimator that keeps its ``model_`` and ``params_``."""
    model = estimator.model_
    return _problem(estimator, model, model.layout.pack(estimator.params_), X, y, sample_weight)


def _problem(estimator, model, w, X, y, sample_weight):
    X = in_precision(X, w.dtype, "X")
    loss, task = loss_of(estimator)
    y = targets(estimator, y, task, loss, w.dtype)
    sample_weight = row_weights(sample_weight, X, y)
    y = encode(y, task, getattr(estimator, "classes_", None), w.dtype)
    # Pickling makes strided arrays contiguous, which may change the last bits of a product. With
    # contiguous arrays a parallel run gives the same numbers.
    X, y, sample_weight = (contiguous(array) for array in (X, y, sample_weight))
    return Objective(model, loss, X, y, sample_weight), w, task


def contiguous(array):
    """The array itself, or a contiguous copy if it is strided."""
    if array is None or sparse.issparse(array):
        return array
    return array if array.flags.forc else np.ascontiguousarray(array)


def network(estimator):
    """The model of fitted ``coefs_`` and ``intercepts_``, and their flat vector.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    model : MLP
    w : ndarray of shape (n_parameters,)
    """
    coefs = estimator.coefs_
    sizes = [coefs[0].shape[0]] + [coef.shape[1] for coef in coefs]
    model = MLP(sizes, estimator.activation)
    return model, model.join(coefs, estimator.intercepts_)


def loss_of(estimator, label_smoothing=0.0):
    """The loss with its canonical link, and the task. Only training uses label smoothing.

    Parameters
    ----------
    estimator : fitted estimator
    label_smoothing : float, default=0.0

    Returns
    -------
    loss : Loss
    task : LearningTask
    """
    out, n_outputs = estimator.out_activation_, estimator.n_outputs_
    fitted = getattr(estimator, "_fitted_loss", None)
    if out == "softmax":
        return fitted or Multinomial(label_smoothing, n_outputs), MULTICLASS
    if out == "logistic":
        return fitted or Binary(label_smoothing), BINARY if n_outputs == 1 else MULTILABEL
    # scikit-learn's networks have no loss of their own: the last layer tells it.
    return fitted or (HalfPoisson() if out == "exp" else HalfSquared()), REGRESSION


def targets(estimator, y, task, loss, dtype):
    """Targets in the form that ``fit`` takes. If the loss is not defined for them, an error."""
    if task in (MULTICLASS, BINARY):
        return class_labels(estimator, y)
    y = numbers(estimator, y, estimator.n_outputs_, dtype)
    if task is MULTILABEL and not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"y must be 0 or 1 for several labels, got values in [{y.min():g}, {y.max():g}]."
        )
    if task is REGRESSION:
        loss.check_targets(y)
    return y


def encode(y, task, classes, dtype):
    """Targets in the form that the losses expect: class codes, or one column for each output.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
    task : LearningTask
    classes : ndarray or None
        Class labels, in the order of the codes.
    dtype : dtype

    Returns
    -------
    ndarray
    """
    if sparse.issparse(y):
        y = y.toarray()
    if task in (MULTICLASS, BINARY):
        y = class_codes(np.ravel(y), classes)
        if task is MULTICLASS:
            return y
    return np.ascontiguousarray(np.reshape(y, (len(y), -1)), dtype=dtype)
