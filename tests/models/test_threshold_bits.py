"""A threshold as a binary fraction."""

from itertools import product

import numpy as np
from numpy.testing import assert_array_equal

from skflat.models.threshold import nearest_bits, threshold_bits


def test_a_sum_of_bits_is_recovered():
    bits = np.array(list(product([-1.0, 1.0], repeat=6)))
    assert_array_equal(nearest_bits(bits @ threshold_bits(49), 49), bits)


def test_no_sum_of_bits_is_nearer():
    values = threshold_bits(20)
    sums = np.array(list(product([-1.0, 1.0], repeat=6))) @ values
    thresholds = np.linspace(-7, 7, 402).reshape(2, 201)
    found = nearest_bits(thresholds, 20) @ values
    least = np.abs(thresholds[..., None] - sums).min(axis=-1)
    assert np.allclose(np.abs(found - thresholds), least, atol=1e-12)
