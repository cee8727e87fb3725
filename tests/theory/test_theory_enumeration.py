"""The exact geometry of the solutions of small perceptrons."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skflat.datasets import make_perceptron_storage
from skflat.theory import enumerate_solutions


def portable(n, n_samples, seed):
    """An instance that any language can make: the top bits of a linear congruential generator."""
    bits, state = [], seed
    for _ in range(n * n_samples):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        bits.append(state >> 63)
    return 2.0 * np.reshape(bits, (n_samples, n)) - 1, np.ones(n_samples)


def integer_stability(solutions):
    n = solutions.weights.shape[1]
    return np.rint(solutions.stability * np.sqrt(n)).astype(int)


@pytest.mark.parametrize(
    ("instance", "n_solutions", "stabilities", "n_isolated", "n_neighbours"),
    [
        ((11, 5, 1), 48, {1: 47, 3: 1}, 16, 1.5),
        ((15, 3, 1), 4096, {1: 3250, 3: 780, 5: 66}, 60, 5.7129),
        ((15, 7, 1), 36, {1: 36}, 6, 1.5556),
        ((15, 9, 2), 68, {1: 68}, 45, 0.5588),
        ((17, 8, 3), 246, {1: 245, 3: 1}, 75, 1.6016),
        ((19, 9, 1), 908, {1: 906, 3: 2}, 171, 2.3965),
        ((19, 13, 1), 106, {1: 106}, 36, 1.4717),
        ((21, 10, 1), 977, {1: 974, 3: 3}, 275, 1.9652),
        ((21, 15, 1), 10, {1: 10}, 8, 0.2),
    ],
)
def test_all_solutions_of_small_instances(
    instance, n_solutions, stabilities, n_isolated, n_neighbours
):
    solutions = enumerate_solutions(*portable(*instance))
    values, counts = np.unique(integer_stability(solutions), return_counts=True)
    neighbours = solutions.n_at_distance()[:, 1]
    assert len(solutions) == n_solutions
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == stabilities
    assert (neighbours == 0).sum() == n_isolated
    assert neighbours.mean() == pytest.approx(n_neighbours, abs=5e-5)


@pytest.mark.parametrize("instance", [(11, 5, 1), (15, 3, 1), (17, 8, 3)])
def test_everything_near_a_solution_of_large_margin_is_a_solution(instance):
    """A flip changes a stability by 2: margin ``k`` leaves room for ``(k - 1) / 2`` of them."""
    solutions = enumerate_solutions(*portable(*instance))
    room = (integer_stability(solutions) - 1) // 2
    n, counts = instance[0], solutions.n_at_distance()
    assert (room > 0).any()
    for radius, expected in ((1, n), (2, n * (n - 1) // 2)):
        assert (counts[room >= radius, radius] == expected).all()
        assert (counts[room < 1, 1] < n).any()


@pytest.mark.parametrize(("n", "n_samples"), [(11, 4), (11, 8), (13, 6)])
def test_every_pattern_halves_the_weights_on_average(n, n_samples):
    numbers = [
        len(enumerate_solutions(*make_perceptron_storage(n, n_samples / n, random_state=seed)))
        for seed in range(400)
    ]
    stderr = np.std(numbers) / 20
    assert abs(np.mean(numbers) - 2 ** (n - n_samples)) < 3 * stderr
    assert stderr < 0.1 * 2 ** (n - n_samples)


def test_the_slow_way_finds_the_same():
    X, y = make_perceptron_storage(7, 0.6, patterns="normal", random_state=3)
    solutions = enumerate_solutions(X, y, margin=0.2)
    everything = np.array(list(itertools.product((-1, 1), repeat=7)))[:, ::-1]
    stability = (y * (everything @ X.T) / np.sqrt(7)).min(axis=1)
    assert 0 < len(solutions) < 2**7
    assert_array_equal(solutions.weights, everything[stability >= 0.2])
    np.testing.assert_allclose(solutions.stability, stability[stability >= 0.2], rtol=1e-12)
    W = solutions.weights
    for row, counts in zip(W, solutions.n_at_distance(), strict=True):
        assert_array_equal(counts, np.bincount((row != W).sum(axis=1), minlength=8))


@given(st.integers(0, 2**32 - 1))
def test_flipped_and_permuted_columns_leave_all_counts(seed):
    rng = np.random.default_rng(seed)
    X, y = make_perceptron_storage(9, 0.5, random_state=seed % 1000)
    signs, order = rng.choice([-1, 1], size=9), rng.permutation(9)
    before, after = enumerate_solutions(X, y), enumerate_solutions((X * signs)[:, order], y)
    assert_array_equal(np.sort(before.stability), np.sort(after.stability))
    as_rows = {tuple(row) for row in (before.weights * signs)[:, order]}
    assert as_rows == {tuple(row) for row in after.weights}
    assert_array_equal(*(np.sort(each.n_at_distance()[:, 1]) for each in (before, after)))


def test_the_margin_itself_is_enough_and_zero_is_not():
    X, y = np.ones((1, 4)), [1]
    assert len(enumerate_solutions(X, y)) == 5  # sums 2 and 4, not 0
    assert len(enumerate_solutions(X, y, margin=1.0)) == 5
    assert len(enumerate_solutions(X, y, margin=1.01)) == 1
    assert len(enumerate_solutions(X, y, margin=-1.0)) == 15


def test_an_instance_without_solutions():
    X = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]])
    solutions = enumerate_solutions(X, [1, 1])
    assert len(solutions) == 0
    assert solutions.weights.shape == (0, 3)
    assert solutions.n_at_distance().shape == (0, 4)


def test_one_weight():
    solutions = enumerate_solutions([[-1.0]], [1])
    assert_array_equal(solutions.weights, [[-1]])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((1, 25)), [1], "X has 25 features, must have <= 24"),
        (np.ones((2, 3)), [0, 1], "y must be -1 and [+]1"),
        (np.full((1, 3), np.nan), [1], "contains NaN"),
    ],
)
def test_what_cannot_be_enumerated_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        enumerate_solutions(X, y)
