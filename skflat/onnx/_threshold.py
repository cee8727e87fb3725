"""Perceptrons and committees as ONNX graphs."""

import numpy as np

from ._graph import Graph


def perceptron(scope, operator, container):
    """Convert a perceptron, with binary or with real weights."""
    graph = Graph(scope, operator, container)
    fitted = graph.estimator
    _end(graph, graph.affine(graph.cast(graph.input), fitted.coef_.T, fitted.intercept_))


def committee(scope, operator, container):
    """Convert a committee: signs of all units, and their means."""
    graph = Graph(scope, operator, container)
    fitted = graph.estimator
    centred = graph.node("Sub", graph.cast(graph.input), graph.constant(fitted.mean_[None]))
    X = graph.node("Div", centred, graph.constant(fitted.scale_[None]))
    n_problems, n_units, _ = fitted.weights_.shape
    signs = graph.node("Sign", graph.affine(X, _all_weights(fitted), fitted.thresholds_))
    mean = np.kron(np.eye(n_problems), np.full((n_units, 1), 1 / n_units))
    _end(graph, graph.node("MatMul", signs, graph.constant(mean)))


def _all_weights(fitted):
    """One column a unit, in which 0 stands for features that it does not see."""
    n_problems, n_units, n_inputs = fitted.weights_.shape
    n_features = fitted.n_features_in_
    if fitted.structure == "full":
        return fitted.weights_.reshape(-1, n_inputs).T
    W = np.zeros((n_units * n_inputs, n_problems, n_units))
    for unit in range(n_units):
        W[unit * n_inputs : (unit + 1) * n_inputs, :, unit] = fitted.weights_[:, unit].T
    return W[:n_features].reshape(n_features, -1)


def _end(graph, scores):
    """The class, and how far a row is on its side; of two classes one is minus the other."""
    if len(graph.estimator.classes_) == 2:
        scores = graph.node("Concat", graph.node("Neg", scores), scores, axis=1)
    graph.end_with_classes(scores)
