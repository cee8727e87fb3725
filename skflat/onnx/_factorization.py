"""Factorizations as ONNX graphs, from identifiers to values."""

from itertools import combinations

import numpy as np

from ._graph import ML, Graph, labels


def factorization(scope, operator, container):
    """Convert a factorization. It computes in double precision."""
    graph = Graph(scope, operator, container)
    graph.dtype = np.float64
    fitted = graph.estimator
    if getattr(fitted, "user_drift_", None) is not None:
        raise NotImplementedError("Offsets that drift (timestamps=) have no ONNX converter.")
    codes = [_codes(graph, c, known) for c, known in enumerate(fitted.identifiers_)]
    parts = [graph.constant([[fitted.intercept_]])]
    if fitted.offsets_ is not None:
        pairs = zip(fitted.offsets_, codes, strict=True)
        parts += [_rows(graph, offsets[:, None], at) for offsets, at in pairs]
    factors = [_rows(graph, F, at) for F, at in zip(fitted.factors_, codes, strict=True)]
    parts += [_inner(graph, *pair) for pair in combinations(factors, 2)]
    value = graph.node("Sum", *parts)
    if fitted.clip is not None:
        low, high = (graph.constant([[float(end)]]) for end in fitted.clip)
        value = graph.node("Min", graph.node("Max", value, low), high)
    graph.cast(value, np.float32, output=graph.outputs[0])


def _codes(graph, column, identifiers):
    """Places of the identifiers of a column; one never seen has the place after the last."""
    known = labels(identifiers)
    kind = "strings" if known.dtype.kind == "U" else "int64s"
    given = graph.node("Gather", graph.input, graph.constant(column, np.int64), axis=1)
    return graph.node(
        "LabelEncoder",
        given if kind == "strings" else graph.cast(given, np.int64),
        domain=ML,
        op_version=2,
        **{f"keys_{kind}": known.tolist(), "values_int64s": list(range(len(known)))},
        default_int64=len(known),
    )


def _rows(graph, table, codes):
    """The rows of a table, which has one of zeros at its end."""
    padded = np.vstack([table, np.zeros_like(table[:1])])
    return graph.node("Gather", graph.constant(padded), codes, axis=0)


def _inner(graph, one, other):
    product = graph.node("Mul", one, other)
    n_factors = graph.constant([1], np.int64)
    return graph.node("ReduceSum", product, n_factors, keepdims=1)
