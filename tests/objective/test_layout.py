"""The flat vector: named arrays as views of it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skflat.objective import Layout

LAYOUT = Layout({"A": (2, 3), "b": (3,), "c": ()})


def test_arrays_follow_each_other_in_the_flat_vector():
    views = LAYOUT.views(np.arange(10.0))
    assert LAYOUT.size == 10
    assert list(views) == ["A", "b", "c"]
    assert_array_equal(views["A"], [[0, 1, 2], [3, 4, 5]])
    assert_array_equal(views["b"], [6, 7, 8])
    assert views["c"] == 9


def test_writing_into_a_view_writes_into_the_flat_vector():
    w = np.zeros(10)
    LAYOUT.views(w)["A"][1] = 7
    assert_array_equal(w, [0, 0, 0, 7, 7, 7, 0, 0, 0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_packing_undoes_the_views(dtype):
    w = np.arange(10, dtype=dtype)
    packed = LAYOUT.pack(LAYOUT.views(w))
    assert packed.dtype == dtype
    assert_array_equal(packed, w)
    assert not np.shares_memory(packed, w)
    assert LAYOUT.pack(LAYOUT.views(w), np.float32).dtype == np.float32
