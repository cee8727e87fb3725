"""Messages, compared with enumeration and with known fixed points."""

import itertools
from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose
from storage import ENUMERATED, portable, random_patterns, sign_vectors, stored

from skflat.models.threshold import BeliefPropagation, Patterns, majority, max_sum_messages
from skflat.solvers.binary import FocusingBP
from skflat.solvers.binary._focusing_bp import focusing_field


def settled(patterns, seed=0, sweeps=300, **more):
    rng = np.random.default_rng(seed)
    messages = BeliefPropagation(patterns, rng, **more)
    for _ in range(sweeps):
        if messages.sweep(rng) < 1e-10:
            return messages
    raise AssertionError("belief propagation did not settle")


def majority_by_enumeration(up):
    """Over all states of the units."""
    states = sign_vectors(len(up))
    chances = np.where(states > 0, up, 1 - up).prod(axis=1)
    return states, chances, states.sum(axis=1) > 0


@pytest.mark.parametrize("n_units", [1, 3, 4, 7])
def test_the_majority_is_that_of_all_states(n_units):
    up = np.random.default_rng(n_units).uniform(size=n_units)
    states, chances, wins = majority_by_enumeration(up)
    total, given = majority(up[:, None])
    assert_allclose(total, chances[wins].sum(), rtol=1e-12)
    for unit, level in itertools.product(range(n_units), (0, 1)):
        known = states[:, unit] == 2 * level - 1
        expected = chances[known & wins].sum() / chances[known].sum()
        assert_allclose(given[level, unit], expected, rtol=1e-12, atol=1e-15)


def test_of_one_row_the_exact_message_is_a_binomial_coefficient():
    n = 11
    _, (down, up) = majority(np.full((n, 1), 0.5))
    assert_allclose((up - down) / (up + down), comb(n - 1, (n - 1) // 2) / 2 ** (n - 1))


@pytest.mark.parametrize("with_field", [False, True])
def test_exact_messages_of_one_row_are_those_of_all_weights(with_field):
    """Without a field all are the binomial coefficient, 0.24609375 for 11 weights."""
    messages = BeliefPropagation(stored(11, 1, 1), rng := _rng(), exact=True)
    field = with_field * rng.standard_normal((1, 11))
    messages.set_external(field)
    for _ in range(2):
        messages.sweep(rng)
    W = sign_vectors(11)
    chances = np.exp(W @ field[0]) * (W @ portable(11, 1, 1)[0] > 0)
    expected = chances @ W / chances.sum()
    assert_allclose(np.tanh(messages.total[0]), expected, rtol=1e-12)
    if not with_field:
        assert_allclose(np.abs(expected), 0.24609375, rtol=1e-14)


def test_of_one_row_the_normal_message_is_close_to_that():
    messages = settled(stored(11, 1, 1))
    assert_allclose(np.abs(np.tanh(messages.total)), 0.24817, atol=5e-6)
    assert_allclose(np.sign(messages.total[0]), portable(11, 1, 1)[0])


@pytest.mark.parametrize("size", [(15, 3, 1), (19, 9, 1), (21, 10, 1)])
def test_bethes_count_of_solutions_is_within_two_percent(size):
    patterns = stored(*size)
    count = np.log(ENUMERATED[size][0])
    assert settled(patterns).log_partition() == pytest.approx(count, rel=0.02)


@pytest.mark.parametrize(
    ("size", "found"), [((15, 3, 1), 8.183), ((19, 9, 1), 6.897), ((21, 10, 1), 6.971)]
)
def test_bethes_count_is_the_same_from_any_start(size, found):
    for seed in range(3):
        value = settled(stored(*size), seed, spread=0.5).log_partition()
        assert value == pytest.approx(found, abs=1e-3)


def test_bethes_entropy_of_random_patterns_is_that_of_replicas():
    """0.3144 and 0.3224 by the replica method at a load of one half."""
    found = [settled(random_patterns(801, 0.5, seed)) for seed in range(2)]
    assert_allclose([each.log_partition() / 801 for each in found], 0.3144, atol=0.012)
    assert_allclose([(np.tanh(each.total) ** 2).mean() for each in found], 0.3224, atol=0.01)


def test_bethes_estimate_is_stationary_in_the_messages():
    """So the rounding of messages matters in second order only."""
    messages = settled(stored(21, 10, 1))
    value, step = messages.log_partition(), np.random.default_rng(0).standard_normal((1, 10, 21))

    def moved(size):
        twin = BeliefPropagation(messages.patterns, np.random.default_rng(0))
        twin.u = messages.u + size * step
        twin.total = twin.u.sum(axis=1)
        return twin.log_partition() - value

    slope = (moved(1e-3) - moved(-1e-3)) / 2e-3
    assert abs(slope) < 0.05 * abs(moved(0.1) + moved(-0.1)) / 0.01


def test_without_rows_that_bind_every_weight_counts():
    loose = Patterns(portable(31, 5, 1)[None], bar=-1000.0)
    assert settled(loose).log_partition() == pytest.approx(31 * np.log(2), rel=1e-12)


def test_an_external_field_counts_weights_by_their_exponentials():
    messages = BeliefPropagation(Patterns(portable(31, 5, 1)[None], bar=-1000.0), rng := _rng())
    field = rng.standard_normal((1, 31))
    messages.set_external(field)
    for _ in range(5):
        messages.sweep(rng)
    assert_allclose(messages.total, field, atol=1e-12)
    assert messages.log_partition() == pytest.approx(np.log(2 * np.cosh(field)).sum(), rel=1e-12)


def _rng():
    return np.random.default_rng(0)


def test_flipping_a_weight_with_its_column_flips_its_field():
    xi, flip = portable(51, 20, 3), np.where(np.arange(51) % 3 == 0, -1.0, 1.0)
    here, there = (settled(Patterns(rows[None])) for rows in (xi, xi * flip))
    assert_allclose(there.total, here.total * flip, atol=1e-8)
    assert there.log_partition() == pytest.approx(here.log_partition(), rel=1e-10)


def test_the_threshold_shifts_every_field():
    """An offset is what an input that never changes, with a weight that is known, would add."""
    xi = portable(101, 30, 2)
    offset = np.linspace(-5, 5, 30)
    known = np.concatenate([xi, offset[:, None]], axis=1)
    messages = BeliefPropagation(Patterns(known[None]), rng := _rng())
    messages.set_external(np.append(np.zeros(101), 25.0)[None])
    for _ in range(50):
        messages.sweep(rng)
    twin = settled(Patterns(xi[None], offset=offset[None]))
    assert_allclose(messages.total[0, :-1], twin.total[0], atol=1e-6)


def test_a_committee_of_one_is_a_perceptron():
    xi = portable(51, 20, 1)
    one, three = Patterns(xi[None]), Patterns(np.stack([xi, 0 * xi, 0 * xi]), offset=_decided(20))
    assert_allclose(settled(three).total[0], settled(one).total[0], atol=1e-8)


def _decided(n_rows):
    """Offsets with which one of three units is always up and one always down."""
    return np.array([[0.0], [1e3], [-1e3]]) * np.ones(n_rows)


def test_messages_of_a_small_committee_are_those_of_all_weights():
    """One row: its message to a weight is exact but for the normal approximation."""
    rng, n = _rng(), 5
    xi = rng.choice([-1.0, 1.0], (3, 1, n))
    messages = settled(Patterns(xi))
    W = sign_vectors(3 * n).reshape(-1, 3, n)
    wins = np.sign(np.einsum("wki,ki->wk", W, xi[:, 0])).sum(axis=1) > 0
    assert_allclose(np.tanh(messages.total), W[wins].mean(axis=0), atol=0.02)


@pytest.mark.parametrize("needed", [3, 5, 6, 8])
@pytest.mark.parametrize("ties", [False, True])
def test_max_sum_messages_are_those_of_all_weights(needed, ties):
    a, S = np.random.default_rng(needed).standard_normal((20, 9)), sign_vectors(9)
    a = np.round(a) if ties else a
    enough = (S > 0).sum(axis=1) >= needed
    for row, found in zip(a, max_sum_messages(a, needed), strict=True):
        for i in range(9):
            best = [
                (np.delete(S[enough & (S[:, i] == s)], i, axis=1) @ np.delete(row, i)).max()
                for s in (1, -1)
            ]
            assert found[i] == pytest.approx((best[0] - best[1]) / 2, abs=1e-12)


H = np.array([-2.0, -0.3, 0.0, 0.7, 5.0])


@pytest.mark.parametrize("x", [0.0, 0.3, 0.9])
def test_an_infinite_coupling_is_reinforcement(x):
    field = focusing_field(H, 1.0, 1 / (1 - x))
    assert_allclose(field, x / (1 - x) * H)
    assert_allclose(H + field, H / (1 - x))
    assert_allclose(FocusingBP("reinforcement")._protocol(x), (1.0, 1 / (1 - x)))


def test_without_coupling_or_without_replicas_there_is_no_focus():
    assert_allclose(focusing_field(H, 0.0, 7), 0)
    assert_allclose(focusing_field(H, 0.8, 1), 0)


def test_the_focus_is_a_sum_over_the_centre_and_the_other_replicas():
    """Brute force: two further replicas and a centre, all spins."""
    gamma, h = 0.6, 0.4
    spins = (-1, 1)
    weight = dict.fromkeys(spins, 0.0)
    for w, centre, a, b in itertools.product(spins, repeat=4):
        weight[w] += np.exp(gamma * centre * (w + a + b) + h * (a + b))
    expected = 0.5 * np.log(weight[1] / weight[-1])
    assert focusing_field(np.array(h), np.tanh(gamma), 3) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n_replicas", [2, 3, 5])
@pytest.mark.parametrize("gamma", [0.2, 1.5])
def test_the_focus_is_that_of_the_ensemble_without_its_centre(n_replicas, gamma):
    """The sum over the centre of spins of sum ``S`` is ``2 cosh(gamma S)``: the robust ensemble."""
    sums = sign_vectors(n_replicas - 1).sum(axis=1)  # of all other replicas
    chances = np.exp(np.outer(H, sums))
    up, down = (chances @ (2 * np.cosh(gamma * (w + sums))) for w in (1, -1))
    expected = 0.5 * np.log(up / down)
    assert_allclose(focusing_field(H, np.tanh(gamma), n_replicas), expected, rtol=1e-9, atol=1e-12)


def test_the_protocols_begin_without_coupling_and_end_with_all():
    for protocol in ("pseudo_reinforcement", "scoping"):
        solver = FocusingBP(protocol)
        assert solver._protocol(0.0)[0] == 0
        assert solver._protocol(0.99)[0] > 0.98
    assert_allclose(FocusingBP()._protocol(0.5), (np.sqrt(0.5), 3.0))  # y = (2 - x) / (1 - x)
