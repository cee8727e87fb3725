"""The threshold that violates the fewest rows."""

import numpy as np
import pytest

from skflat.models.threshold import best_threshold


@pytest.mark.parametrize("bar", [0.0, 0.5])
def test_the_threshold_violates_as_few_rows_as_any(bar):
    rng = np.random.default_rng(1)
    for n in (1, 2, 9, 30):
        fields, positive = rng.standard_normal(n).round(1), rng.random(n) > 0.4
        t = np.where(positive, 1, -1)
        found = best_threshold(fields, positive, bar)
        tried = np.append(np.linspace(-5, 5, 4001) + 1e-5, found)
        violated = (t[:, None] * (fields[:, None] + tried) < bar).sum(axis=0)
        assert violated[-1] == violated.min()


def test_the_threshold_is_in_the_middle_of_its_interval():
    fields, positive = np.array([-3.0, -1.0, 2.0, 5.0]), np.array([False, False, True, True])
    assert best_threshold(fields, positive) == -0.5


@pytest.mark.parametrize("bar", [0.0, 0.3])
def test_the_weighted_threshold_is_that_of_repeated_rows(bar):
    rng = np.random.default_rng(2)
    fields, positive, times = rng.standard_normal(30), rng.random(30) > 0.4, rng.integers(1, 4, 30)
    repeated = best_threshold(fields.repeat(times), positive.repeat(times), bar)
    assert best_threshold(fields, positive, bar, times) == repeated
