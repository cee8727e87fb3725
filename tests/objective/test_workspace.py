"""Memory: what is the caller's, and what is scratch."""

from itertools import pairwise

import numpy as np
import pytest
from networks import N_ROWS, TracedMLP, each_loss, each_pair, each_weighting, everything, network
from numpy.testing import assert_array_equal
from toys import features, trace_of_rows

from skflat.models.mlp import MLP
from skflat.objective import Workspace


@each_weighting
@each_loss
@pytest.mark.parametrize("activation", ["relu", "callable"])
def test_nothing_given_is_written_to(activation, loss, weighted):
    objective, w, v = network(activation, loss, (6, 5), weighted)
    data = objective.data
    for array in (data.X, data.y, data.weight, w, v):
        if array is not None:
            array.flags.writeable = False
    everything(objective, w, v)
    everything(objective.as_reported(), w, v)
    trace_of_rows(objective, w)
    features(objective, w)
    objective.constant_loss()


@pytest.mark.parametrize("kind", [MLP, TracedMLP])
def test_two_gradients_are_two_arrays(kind):
    objective, w, v = network("relu", "multinomial", (6, 5), kind=kind)
    work = Workspace()
    results = []
    for point in (w, 2 * w):
        results += [objective.loss_gradient(point, work=work)[1]]
        results += [objective.hvp(point, v, work=work)]
    kept = [result.copy() for result in results]
    objective.loss_gradient(-w, work=work)
    objective.hvp(-w, v, work=work)
    for result, copy in zip(results, kept, strict=True):
        assert_array_equal(result, copy)
    assert not any(np.shares_memory(a, b) for a, b in pairwise(results))


def test_the_gradient_is_written_where_it_is_wanted():
    objective, w, _ = network("relu", "multinomial", (6, 5))
    out = np.full_like(w, np.nan)
    assert objective.loss_gradient(w, out=out)[1] is out
    assert_array_equal(out, objective.loss_gradient(w)[1])


@each_weighting
@each_pair
def test_used_scratch_gives_the_bits_of_fresh_scratch(activation, loss, weighted):
    objective, w, v = network(activation, loss, (6, 5), weighted)
    work, rng = Workspace(), np.random.default_rng(0)
    for size in (N_ROWS, 7, 1, 12, N_ROWS, 2):
        rows = rng.permutation(N_ROWS)[:size]
        batch, fresh = objective.batch(rows, work), objective.batch(rows)
        found, expected = (
            (
                objective.loss_gradient(w, b, work=s)[1],
                objective.hvp(w, v, b, work=s),
                objective.per_sample_loss(w, b, work=s).copy(),
            )
            for b, s in ((batch, work), (fresh, None))
        )
        for part, whole in zip(found, expected, strict=True):
            assert_array_equal(part, whole)


def test_a_workspace_counts_the_rows_differentiated():
    objective, w, v = network("relu", "multinomial", (6,))
    work = Workspace()
    objective.loss(w, work=work)
    objective.per_sample_loss(w, work=work)
    assert work.rows == 0
    objective.loss_gradient(w, work=work)
    assert work.rows == N_ROWS
    objective.hvp(w, v, work=work)
    assert work.rows == 3 * N_ROWS
    objective.loss_gradient(w, objective.batch(slice(0, 7)), work=work)
    assert work.rows == 3 * N_ROWS + 7


def test_a_workspace_hands_out_the_same_memory_by_name():
    work = Workspace()
    first = work.array("z", (10, 3), np.float64)
    assert np.shares_memory(first, work.array("z", (4, 3), np.float64))
    assert work.array("z", (4, 3), np.float64).shape == (4, 3)
    assert not np.shares_memory(first, work.array("a", (10, 3), np.float64))
    assert work.array("z", (12, 3), np.float64).shape == (12, 3)
    assert work.array("z", (4, 3), np.float32).dtype == np.float32
