"""From a fitted multi-layer perceptron, ours or scikit-learn's, to the problem it solved."""

import copy

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, check_consistent_length

from .._compat import check_sample_weight
from ..models.mlp import MLP
from ..objective import Binary, HalfPoisson, HalfSquared, Multinomial, Objective

#: What a fitted network has.
NETWORK = ("coefs_", "out_activation_")


def network_problem(estimator, X, y, sample_weight):
    """Objective, point and kind of a fitted multi-layer perceptron on ``(X, y)``."""
    model, w = network(estimator)
    X = check_array(X, accept_sparse="csr", dtype=w.dtype)
    if X.shape[1] != model.sizes[0]:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{model.sizes[0]} features as input."
        )
    check_consistent_length(X, y)
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, X)
        if (sample_weight < 0).any():
            raise ValueError(
                f"Negative values in sample_weight: the least is {sample_weight.min()}."
            )
    loss, kind = loss_of(estimator)
    check_targets(y, kind, isinstance(loss, HalfPoisson))
    y = encode(y, kind, getattr(estimator, "classes_", None), w.dtype)
    if y.ndim == 2 and y.shape[1] != estimator.n_outputs_:
        raise ValueError(
            f"y has {y.shape[1]} outputs, but {type(estimator).__name__} was fitted with "
            f"{estimator.n_outputs_}."
        )
    # Pickling makes strided arrays contiguous, and products may differ by that in their last bits.
    X, y, sample_weight = (contiguous(array) for array in (X, y, sample_weight))
    return Objective(model, loss, X, y, sample_weight), w, kind


def contiguous(array):
    """The array itself, or a copy in one piece if it is a strided one."""
    if array is None or sparse.issparse(array):
        return array
    return array if array.flags.forc else np.ascontiguousarray(array)


def network(estimator):
    """The model of fitted ``coefs_`` and ``intercepts_``, and their flat vector."""
    coefs = estimator.coefs_
    sizes = [coefs[0].shape[0]] + [coef.shape[1] for coef in coefs]
    model = MLP(sizes, estimator.activation)
    return model, model.join(coefs, estimator.intercepts_)


def moved(estimator, change):
    """A copy of a fitted estimator, or Pipeline, whose flat vector is ``change(model, w)``.

    What it knew of the old parameters is forgotten: measurements and an optimizer's memory.
    """
    moved = last = copy.deepcopy(estimator)
    while isinstance(last, Pipeline):
        last = last[-1]
    if not all(hasattr(last, name) for name in NETWORK):
        raise TypeError(
            f"Cannot change {type(last).__name__}: expected a fitted FlatMLPClassifier or "
            "FlatMLPRegressor, scikit-learn's MLPClassifier or MLPRegressor, or a Pipeline that "
            "ends in one of them."
        )
    model, w = network(last)
    last.coefs_, last.intercepts_ = model.split(change(model, w))
    measured = [f"{name}_" for name in getattr(last, "measurements_", ())]
    for name in ("measurements_", "_optimizer", "_solver_state", "_rule", *measured):
        vars(last).pop(name, None)
    return moved


def loss_of(estimator):
    """The loss with its canonical link, and what the outputs mean."""
    out, n_outputs = estimator.out_activation_, estimator.n_outputs_
    if out == "softmax":
        return Multinomial(), "multiclass"
    if out == "logistic":
        return Binary(), "binary" if n_outputs == 1 else "multilabel"
    return HalfPoisson() if out == "exp" else HalfSquared(), "regression"


def check_targets(y, kind, are_counts):
    """Refuse targets that the loss is not defined for."""
    if kind in ("multiclass", "binary"):
        check_array(y, ensure_2d=False, dtype=None, input_name="y")
        return
    y = check_array(y, accept_sparse=True, ensure_2d=False, dtype="numeric", input_name="y")
    least, most = y.min(), y.max()
    if kind == "multilabel" and not (least >= 0 and most <= 1):
        raise ValueError(f"y must be 0 or 1 for several labels, got values in [{least}, {most}].")
    if are_counts and least < 0:
        raise ValueError(f"y must not be negative for the Poisson loss, got {least}.")


def encode(y, kind, classes, dtype):
    """Targets as the losses want them: class codes, or one column an output."""
    if sparse.issparse(y):
        y = y.toarray()
    y = np.asarray(y)
    if kind in ("multiclass", "binary"):
        y = np.ravel(y)
        codes = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        if not np.array_equal(np.asarray(classes)[codes], y):
            raise ValueError(f"y has classes that the estimator was not fitted on: {classes}.")
        if kind == "multiclass":
            return codes
        y = codes
    return np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)
