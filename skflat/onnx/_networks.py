"""Networks and their ensembles as ONNX graphs."""

import numpy as np

from ._graph import Graph


def identity(graph, z):
    """``z``."""
    return z


def logistic(graph, z):
    """``1 / (1 + exp(-z))``."""
    return graph.node("Sigmoid", z)


def tanh(graph, z):
    """``tanh(z)``."""
    return graph.node("Tanh", z)


def relu(graph, z):
    """``max(0, z)``."""
    return graph.node("Relu", z)


def gelu(graph, z):
    """``z`` times the normal distribution function; the runtime has its error function in float."""
    small = graph.cast(graph.scaled(z, np.sqrt(0.5)), np.float32)
    error = graph.cast(graph.node("Erf", small))
    half = graph.scaled(graph.node("Add", error, graph.constant([1.0])), 0.5)
    return graph.node("Mul", z, half)


def silu(graph, z):
    """``z`` times its logistic function."""
    return graph.node("Mul", z, graph.node("Sigmoid", z))


def mish(graph, z):
    """``z tanh(log(1 + exp(z)))``."""
    # The runtime has its own operator for log(1 + exp(z)) in float only.
    small = graph.node("Exp", graph.node("Neg", graph.node("Abs", z)))
    rest = graph.node("Log", graph.node("Add", small, graph.constant([1.0])))
    softplus = graph.node("Add", graph.node("Relu", z), rest)
    return graph.node("Mul", z, graph.node("Tanh", softplus))


def selu(graph, z):
    """``scale z`` for positive ``z``, else ``scale alpha (exp(z) - 1)``."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    zero = graph.constant(np.zeros((1, 1)))
    exponential = graph.node("Exp", graph.node("Min", z, zero))
    negative = graph.node("Sub", exponential, graph.constant([1.0]))
    positive = graph.node("Max", z, zero)
    return graph.scaled(graph.node("Add", positive, graph.scaled(negative, alpha)), scale)


ACTIVATIONS = {each.__name__: each for each in (gelu, identity, logistic, mish, relu, selu, silu)}
ACTIVATIONS["tanh"] = tanh
#: What becomes of the scores, by the fitted attribute ``out_activation_``.
OUTPUTS = {
    "exp": lambda graph, z: graph.node("Exp", z),
    "identity": identity,
    "logistic": logistic,
    "softmax": lambda graph, z: graph.node("Softmax", z, axis=1),
}


def outputs(graph, network, X):
    """Probabilities or means, of shape (n_samples, n_outputs)."""
    name = network.activation
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(
            f"activation={name!r} cannot be exported: ONNX has no such function. Known are "
            f"{', '.join(map(repr, sorted(ACTIVATIONS)))}."
        )
    layers = list(zip(network.coefs_, network.intercepts_, strict=True))
    for weights, offsets in layers[:-1]:
        X = ACTIVATIONS[name](graph, graph.affine(X, weights, offsets))
    return OUTPUTS[network.out_activation_](graph, graph.affine(X, *layers[-1]))


def probabilities(graph, network, X):
    """One column a class or a label."""
    P = outputs(graph, network, X)
    if network.n_outputs_ > 1:
        return P
    return graph.node("Concat", graph.node("Sub", graph.constant([[1.0]]), P), P, axis=1)


def is_multilabel(estimator):
    """Whether a row may have several labels."""
    network = getattr(estimator, "estimators_", [estimator])[0]
    return getattr(network, "out_activation_", "") == "logistic" and network.n_outputs_ > 1


def classifier(scope, operator, container):
    """Convert a network of classes."""
    graph = Graph(scope, operator, container)
    _end(graph, probabilities(graph, graph.estimator, graph.cast(graph.input)))


def regressor(scope, operator, container):
    """Convert a network of numbers."""
    graph = Graph(scope, operator, container)
    graph.end(outputs(graph, graph.estimator, graph.cast(graph.input)), 0)


def ensemble_classifier(scope, operator, container):
    """Convert an ensemble of networks of classes."""
    graph = Graph(scope, operator, container)
    _end(graph, _mean(graph, probabilities))


def ensemble_regressor(scope, operator, container):
    """Convert an ensemble of networks of numbers, without standard deviations."""
    graph = Graph(scope, operator, container)
    graph.end(_mean(graph, outputs), 0)


def _mean(graph, of_network):
    X = graph.cast(graph.input)
    each = [of_network(graph, network, X) for network in graph.estimator.estimators_]
    return graph.scaled(graph.node("Sum", *each), 1 / len(each))


def _end(graph, P):
    if not is_multilabel(graph.estimator):
        graph.end_with_classes(P)
        return
    likely = graph.node("Greater", P, graph.constant([[0.5]]))
    graph.cast(likely, np.int64, output=graph.outputs[0])
    graph.end(P, 1)
