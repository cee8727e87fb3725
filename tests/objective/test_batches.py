"""Batches: the rows asked for, pieces, and means."""

import numpy as np
import pytest
from networks import each_weighting, network
from numpy.testing import assert_array_equal

from skflat.objective import Batch, Workspace


@pytest.mark.parametrize("rows", [slice(3, 9), np.array([8, 1, 1, 5])])
@each_weighting
def test_a_batch_is_the_rows_asked_for(rows, weighted):
    objective, _, _ = network("relu", "multinomial", (6,), weighted)
    data = objective.data
    for work in (None, Workspace()):
        batch = objective.batch(rows, work)
        assert_array_equal(batch.X, data.X[rows])
        assert_array_equal(batch.y, data.y[rows])
        assert (batch.weight is None) == (not weighted)
        if weighted:
            assert_array_equal(batch.weight, data.weight[rows])
    assert objective.batch() is objective.batch(objective.batch()) is data


def test_a_batch_falls_into_consecutive_pieces():
    X, y, weight = np.arange(20.0).reshape(10, 2), np.arange(10), np.arange(10.0)
    pieces = list(Batch(X, y, weight).pieces(4))
    assert [len(piece) for piece in pieces] == [4, 4, 2]
    assert_array_equal(np.concatenate([piece.y for piece in pieces]), y)
    assert [piece.total_weight for piece in pieces] == [6, 22, 17]
    assert [piece.total_weight for piece in Batch(X, y).pieces(4)] == [4, 4, 2]


def test_a_batch_averages_by_weight():
    X, y = np.zeros((3, 1)), np.zeros(3)
    values = np.array([1.0, 2.0, 6.0])
    assert Batch(X, y).mean(values) == 3
    assert Batch(X, y, np.array([1.0, 1.0, 2.0])).mean(values) == 3.75
    assert Batch(X, y, np.zeros(3)).mean(values) == 0
