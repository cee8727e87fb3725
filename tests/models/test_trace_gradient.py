"""The gradient of the exact trace: by differences, in pieces, and what it costs."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from staging import LOSSES, central, network
from toys import trace_gradient, trace_of_rows

from skflat.objective import Objective, Workspace

ACTIVATIONS = ["relu", "identity", "tanh", "logistic", "gelu", "silu", "selu", "mish", anp.sin]
# The loss and the units do not know each other, so every loss meets one kind of units.
PAIRS = [("multinomial", units) for units in ACTIVATIONS]
PAIRS += [(loss, "tanh") for loss in LOSSES if loss != "multinomial"]

each_loss = pytest.mark.parametrize("loss", LOSSES)
each_pair = pytest.mark.parametrize(("loss", "activation"), PAIRS)


@each_pair
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4), (5, 4, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_traces_gradient_is_its_slope(loss, activation, hidden, weighted):
    objective, w = network(loss, activation, hidden, weighted=weighted)
    found = trace_gradient(objective, w)
    assert (found is None) == (trace_of_rows(objective, w) is None)
    if found is not None:
        slope = central(
            lambda w: objective.data.mean(trace_of_rows(objective, w).sum(axis=1)), w, 1e-5
        )
        assert_allclose(found, slope, rtol=1e-6, atol=1e-6 * max(1, np.abs(slope).max()))


@each_loss
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [(2,), (2, 2)])
def test_the_traces_gradient_is_that_of_the_dense_hessians_trace(loss, activation, hidden):
    objective, w = network(loss, activation, hidden, weighted=True)
    objective = objective.unpenalized()
    basis = np.eye(len(w))

    def trace(w):
        return sum(objective.hvp(w, e) @ e for e in basis)

    slope = central(trace, w, 1e-5)
    assert_allclose(trace_gradient(objective, w), slope, rtol=1e-6, atol=1e-6 * np.abs(slope).max())


@each_loss
def test_rows_that_come_in_pieces_sparse_or_with_weight_0(loss):
    objective, w = network(loss, n_rows=1100, weighted=True)
    model, function, data = objective.model, objective.loss_function, objective.data
    whole = trace_gradient(objective, w)
    parts = [trace_gradient(objective, w, piece) * share for share, piece in data.shares(100)]
    assert_allclose(whole, sum(parts), rtol=1e-10, atol=1e-12)
    thin = Objective(model, function, sparse.csr_matrix(data.X), data.y, data.weight)
    assert_allclose(trace_gradient(thin, w), whole, rtol=1e-10, atol=1e-12)
    data.weight[:] = 0
    assert_array_equal(trace_gradient(objective, w), 0)


@pytest.mark.parametrize("hidden", [(5,), (5, 4)])
def test_the_traces_gradient_keeps_float32(hidden):
    double, w = network("multinomial", hidden=hidden, weighted=True)
    single, _ = network("multinomial", hidden=hidden, weighted=True, dtype=np.float32)
    found = trace_gradient(single, w.astype(np.float32))
    assert found.dtype == np.float32
    assert_allclose(found, trace_gradient(double, w), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("hidden", "cost"), [((), 1), ((5,), 1), ((5, 4), 3), ((5, 4, 3), 6)])
def test_the_traces_gradient_costs_an_output_each_for_every_further_layer(hidden, cost):
    objective, w = network("multinomial", hidden=hidden)
    work, out = Workspace(), np.empty_like(w)
    assert trace_gradient(objective, w, objective.batch(slice(0, 4)), out, work) is out
    assert work.rows == 4 * cost
