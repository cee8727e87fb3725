"""The last layer of a fitted network: what it reads, and the curvature of its loss."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import validate_data

from ...problems import MULTICLASS, as_problem, loss_of, network, unwrapped

CHUNK = 2000  # rows at a time


@dataclass
class LastLayer:
    """What Laplace's approximation knows of the training rows.

    Attributes
    ----------
    blocks : list of ndarray
        Diagonal blocks of the Gauss-Newton matrix of the summed loss: one an output, of shape
        (n_units + 1, n_units + 1), or one for all classes.
    squared_norm : float
        Of weights and intercepts.
    loss : float
        Sum over the rows.
    n_rows : float
        By their weight.
    n_inputs, n_outputs : int
        Rows, that of the intercepts included, and columns of the layer.
    """

    blocks: list
    squared_norm: float
    loss: float
    n_rows: float
    n_inputs: int
    n_outputs: int


def final_network(estimator, X=None):
    """The network within pipelines and searches, and X as it reaches that."""
    estimator, steps = unwrapped(estimator)
    for each in steps if X is not None else ():
        X = each.transform(X)
    if not hasattr(estimator, "coefs_"):
        raise TypeError(
            f"Cannot approximate {type(estimator).__name__}: expected a fitted FlatMLPClassifier "
            "or FlatMLPRegressor, scikit-learn's MLPClassifier or MLPRegressor, or a Pipeline that "
            "ends in one of them."
        )
    return estimator, X


def read(estimator, X):
    """Inputs of the last layer, a last column of ones for the intercept, and its outputs.

    Yields
    ------
    features : ndarray of shape (n_chunk_rows, n_units + 1)
    scores : ndarray of shape (n_chunk_rows, n_outputs)
        Both in double precision.
    """
    last, X = final_network(estimator, X)
    X = validate_data(last, X, accept_sparse="csr", reset=False)
    yield from _read(last, X)


def _read(last, X):
    model, w = network(last)
    w = w.astype(float, copy=False)
    head = np.vstack([last.coefs_[-1], last.intercepts_[-1]]).astype(float)
    for start in range(0, X.shape[0], CHUNK):
        features = model.features(w, X[start : start + CHUNK])
        features = np.column_stack([features, np.ones(len(features))])
        yield features, features @ head


def last_layer(estimator, X, y, sample_weight):
    """Curvature, and what else the marginal likelihood depends on."""
    last, _ = final_network(estimator)
    problem = as_problem(estimator, X, y, sample_weight)
    data, task = problem.objective.data, problem.task
    loss, _ = loss_of(last)
    weight = np.ones(len(data.y)) if data.weight is None else data.weight.astype(float)
    head = np.vstack([last.coefs_[-1], last.intercepts_[-1]]).astype(float)
    found = LastLayer(
        _no_blocks(head.shape, task), float(np.sum(head**2)), 0.0, float(weight.sum()), *head.shape
    )
    start = 0
    for features, scores in _read(last, data.X):
        rows = slice(start, start + len(features))
        start = rows.stop
        _add(found, features, scores, loss, data.y[rows], weight[rows], task)
    return found


def _no_blocks(shape, task):
    size, n_blocks = (np.prod(shape), 1) if task is MULTICLASS else shape
    return [np.zeros((size, size)) for _ in range(n_blocks)]


def _add(found, features, scores, loss, y, weight, task):
    """Add some rows."""
    found.loss += float(weight @ loss.per_sample(scores, y))
    P = loss.predict(scores.copy())
    if task is MULTICLASS:
        _add_classes(found.blocks[0], features, loss, P, weight)
        return
    for block, curvature in zip(found.blocks, (weight[:, None] * loss.curvature(P)).T, strict=True):
        block += features.T @ (features * curvature[:, None])


def _add_classes(block, features, loss, P, weight):
    """Of a softmax, whose Hessian in the scores couples the classes of a row."""
    size, n_classes = features.shape[1], P.shape[1]
    for k in range(n_classes):
        unit = np.zeros_like(P)
        unit[:, k] = 1
        column = loss.hvp(P, unit) * weight[:, None]
        for other in range(k, n_classes):
            part = features.T @ (features * column[:, other, None])
            here, there = (slice(each * size, (each + 1) * size) for each in (k, other))
            block[here, there] += part
            if other > k:
                block[there, here] += part
