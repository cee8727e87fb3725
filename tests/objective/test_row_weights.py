"""Weights of rows: weight 0 is absence, weight 2 is presence twice."""

import numpy as np
import pytest
from networks import N_ROWS, TracedMLP, assert_close, each_loss, everything, network, on_rows
from numpy.testing import assert_array_equal

from skflat.models.mlp import MLP


def expected_without(objective, rows, w, v):
    kept = everything(on_rows(objective, rows), w, v)
    return {name: kept[name] for name in ("loss", "gradient", "Hessian product")}


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
@each_loss
def test_a_row_of_weight_0_is_not_there(loss, kind):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True, kind=kind)
    objective.data.weight[::3] = 0
    found = everything(objective, w, v)
    for name, expected in expected_without(objective, objective.data.weight > 0, w, v).items():
        assert_close(found[name], expected, 1e-12)


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
@each_loss
def test_a_row_of_weight_2_is_there_twice(loss, kind):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True, kind=kind)
    objective.data.weight[:] = np.tile([1, 2], N_ROWS // 2)
    found = everything(objective, w, v)
    rows = np.repeat(np.arange(N_ROWS), np.tile([1, 2], N_ROWS // 2))
    repeated = on_rows(objective, rows)
    repeated.data.weight[:] = 1
    expected = everything(repeated, w, v)
    for name in ("loss", "gradient", "Hessian product"):
        assert_close(found[name], expected[name], 1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("kind", [MLP, TracedMLP])
@each_loss
def test_a_batch_that_weighs_nothing_has_no_gradient(loss, kind, alpha):
    objective, w, v = network("tanh", loss, (6, 5), weighted=True, kind=kind, alpha=alpha)
    objective.data.weight[:] = 0
    value, gradient = objective.loss_gradient(w)
    assert value == objective.loss(w) == 0
    assert_array_equal(gradient, 0)
    assert_array_equal(objective.hvp(w, v), 0)
