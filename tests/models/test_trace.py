"""The exact trace of the Hessian, compared with the dense Hessian."""

import numpy as np
import pytest
from networks import (
    N_ROWS,
    PIECEWISE_LINEAR,
    SMOOTH,
    assert_close,
    each_activation,
    each_loss,
    in_dtype,
    network,
)
from numpy.testing import assert_array_equal
from toys import trace_of_rows


def dense_hessian(objective, w):
    return np.column_stack([objective.hvp(w, column) for column in np.eye(len(w))])


CLOSED_FORM = [
    *((activation, (5,) * depth) for activation in PIECEWISE_LINEAR for depth in range(4)),
    *((activation, (5,) * depth) for activation in SMOOTH for depth in range(3)),
]


@each_loss
@pytest.mark.parametrize(("activation", "hidden"), CLOSED_FORM)
def test_the_trace_is_that_of_the_dense_hessian_layer_by_layer(activation, hidden, loss):
    objective, w, _ = network(activation, loss, hidden, weighted=True, alpha=0)
    diagonal = dense_hessian(objective, w).diagonal()
    weights, intercepts = objective.model.split(diagonal)
    layers = [W.sum() + b.sum() for W, b in zip(weights, intercepts, strict=True)]
    by_row = trace_of_rows(objective, w)
    assert by_row.shape == (N_ROWS, len(hidden) + 1)
    assert_close(np.average(by_row, axis=0, weights=objective.data.weight), layers, 1e-9)
    total = np.average(by_row.sum(axis=1), weights=objective.data.weight)
    assert total == pytest.approx(diagonal.sum(), rel=1e-9)


@each_activation
def test_the_trace_of_a_row_is_its_own(activation):
    """More rows than are taken at a time, each as if it were alone."""
    objective, w, _ = network(activation, "multinomial", (6, 5), n_rows=1100)
    by_row = trace_of_rows(objective, w)
    for row in (0, 511, 512, 1023, 1024, 1099):
        alone = trace_of_rows(objective, w, objective.batch(slice(row, row + 1)))
        assert_close(by_row[row : row + 1], alone, 1e-12)


def test_the_trace_has_no_penalty_in_it():
    objective, w, _ = network("relu", "multinomial", (6,), alpha=10.0)
    assert_array_equal(trace_of_rows(objective, w), trace_of_rows(objective.unpenalized(), w))


@pytest.mark.parametrize("activation", SMOOTH)
def test_three_smooth_layers_have_no_closed_form(activation):
    objective, w, _ = network(activation, "multinomial", (5, 5, 5))
    assert trace_of_rows(objective, w) is None


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_trace_of_single_precision_is_in_double(activation):
    """Squares of features overflow long before the features do."""
    objective, w, _ = network(activation, "multinomial", (6, 5))
    by_row = trace_of_rows(in_dtype(objective, np.float32), w.astype(np.float32))
    assert by_row.dtype == np.float64
    assert_close(by_row, trace_of_rows(objective, w), 1e-4)
