"""The walk of replicated annealing leaves the robust ensemble as it is."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from storage import random_patterns, sign_vectors

from skflat.models.threshold import Patterns, Problems
from skflat.solvers.binary import ReplicatedAnnealing
from skflat.solvers.binary.flips._replicated_annealing import Walk

SMALL = random_patterns(3, 1, 0)
ENERGIES = ("flips", "rows", "cross_entropy")


def walk(w, energy="flips", beta=0.7, gamma=0.4, patterns=SMALL):
    """A walk of these replicas, of shape (n_replicas, n_inputs)."""
    w = np.array(w, float)[:, None]
    return Walk(patterns, w, ReplicatedAnnealing(energy)._energies(patterns), beta, gamma)


def row_energies(leads, energy, n):
    """For entries -1 and +1 and a bar of 0, as they are written down."""
    return {
        "flips": np.where(leads <= 0, (1 - leads) / 2, 0),
        "rows": 1.0 * (leads <= 0),
        "cross_entropy": np.log1p(np.exp(-2 * leads / np.sqrt(n))),
    }[energy]


def log_weight(w, energy, beta=0.7, gamma=0.4, patterns=SMALL):
    """Of replicas in the ensemble, with the sum over all centres term by term."""
    w, n = np.array(w, float), patterns.shape[1]
    each = row_energies(w @ patterns.matrix.T, energy, n)
    ties = np.exp(gamma * sign_vectors(n) @ w.sum(axis=0)).sum()
    return np.log(ties) - beta * each.sum()


@pytest.mark.parametrize("energy", ENERGIES)
@pytest.mark.parametrize("n_replicas", [1, 2, 3])
def test_a_flip_costs_the_ratio_of_the_weights_in_the_ensemble(energy, n_replicas):
    rng = np.random.default_rng(n_replicas)
    for _ in range(20):
        w = rng.choice([-1.0, 1.0], (n_replicas, 3))
        a, i = rng.integers(n_replicas), rng.integers(3)
        flipped = w.copy()
        flipped[a, i] *= -1
        before, after = walk(w, energy), walk(flipped, energy)
        rise = after.total[a, 0] - before.total[a, 0]
        cost = before.costs(rise, w[a : a + 1, i : i + 1], before.sums[:, i : i + 1])
        ratio = log_weight(w, energy) - log_weight(flipped, energy)
        assert cost.item() == pytest.approx(ratio, abs=1e-12)


def test_replicas_visit_each_state_as_often_as_the_ensemble_says():
    states = list(itertools.product([-1.0, 1.0], repeat=6))
    weights = np.exp([log_weight(np.reshape(s, (2, 3)), "flips") for s in states])
    there, rng = walk(np.ones((2, 3))), np.random.default_rng(0)
    counts = dict.fromkeys(states, 0)
    for _ in range(6000):
        there.sweep(rng)
        counts[tuple(there.w.ravel())] += 1
    found = np.array(list(counts.values())) / 6000
    # A walk that stayed where it is, or ignored the ties, would miss by more than .2.
    assert np.abs(found - weights / weights.sum()).sum() / 2 < 0.05


@pytest.mark.parametrize("n_replicas", [2, 5])
@pytest.mark.parametrize("kind", ["one", "many"])
def test_a_walk_keeps_its_books(n_replicas, kind):
    """More replicas than weights, too: no two of them flip the same weight at once."""
    rng, patterns = np.random.default_rng(0), SMALL
    if kind == "many":
        patterns = Problems(SMALL.xi, rng.choice([-1.0, 1.0], (4, 3)))
    solver = ReplicatedAnnealing(n_replicas=n_replicas)
    w = solver.begin(patterns, rng)["w"]
    there = Walk(patterns, w, solver._energies(patterns), 0.2, 0.3)
    for _ in range(5):
        there.sweep(rng)
        again = Walk(patterns, w, solver._energies(patterns), 0.2, 0.3)
        for name in ("leads", "total", "sums", "w"):
            assert_allclose(getattr(there, name), getattr(again, name), atol=1e-12)


def test_at_an_infinite_temperature_every_flip_is_taken():
    there = walk(np.ones((2, 3)), beta=0.0, gamma=0.0)
    there.sweep(np.random.default_rng(0))
    assert_array_equal(there.w, -1)


def test_ties_do_nothing_to_one_replica():
    patterns = random_patterns(101, 0.6, 0)
    found = [
        ReplicatedAnnealing(n_replicas=1, gamma=gamma).solve(patterns, np.random.default_rng(0), 5)
        for gamma in [(0.0, 0.0), (0.5, 2.0)]
    ]
    assert_array_equal(found[0].w, found[1].w)
    assert found[0].n_violated == found[1].n_violated > 0


def test_strong_ties_make_replicas_one():
    there, rng = walk(random_patterns(3, 1, 1).xi[0], beta=0.0, gamma=5.0), np.random.default_rng(0)
    for _ in range(20):
        there.sweep(rng)
    assert len(np.unique(there.w[:, 0], axis=0)) == 1


@pytest.mark.parametrize("energy", ENERGIES)
@pytest.mark.parametrize("bar", [0.0, 2.5])
def test_energies_do_not_see_the_unit_of_the_features(energy, bar):
    xi = np.random.default_rng(0).standard_normal((1, 20, 11))
    w = np.random.default_rng(1).choice([-1.0, 1.0], (2, 11))
    totals = [
        walk(w, energy, patterns=Patterns(unit * xi, bar=unit * bar)).total for unit in (1, 1024)
    ]
    assert_allclose(totals[1], totals[0])


@pytest.mark.parametrize("unit", [1e30, 1e-30])
@pytest.mark.parametrize("energy", ENERGIES)
def test_entries_may_be_of_any_size(energy, unit):
    patterns = random_patterns(101, 0.4, 1, np.float32)
    sized = Patterns(np.float32(unit) * patterns.xi)
    solver, rng = ReplicatedAnnealing(energy, n_sweeps=100), np.random.default_rng
    assert solver.solve(patterns, rng(0)).n_violated == 0
    assert solver.solve(sized, rng(0)).n_violated == 0


@pytest.mark.parametrize("energy", ENERGIES)
def test_entries_that_are_all_zero_are_no_error(energy):
    solver, patterns = ReplicatedAnnealing(energy), Patterns(np.zeros((1, 2, 3)))
    state, _ = solver.resume(patterns, None, np.random.default_rng(0))
    assert np.isfinite(state["w"]).all()


def test_energies_count_from_the_bar():
    w, xi = np.array([[1.0, 1, 1]]), np.array([[[1.0, 1, 1], [1, 1, -1], [1, -1, -1]]])
    # Fields 3, 1 and -1 at the bar 2: a field of 2 would do.
    patterns = Patterns(xi, bar=2.0)
    assert walk(w, "flips", patterns=patterns).total.item() == 1 / 2 + 3 / 2
    assert walk(w, "rows", patterns=patterns).total.item() == 2
    expected = row_energies(np.array([1.0, -1, -3]), "cross_entropy", 3).sum()
    assert walk(w, "cross_entropy", patterns=patterns).total.item() == pytest.approx(expected)


def test_a_walk_begins_at_given_weights():
    start = np.random.default_rng(1).choice([-1.0, 1.0], (1, 3))
    w = ReplicatedAnnealing().begin(SMALL, np.random.default_rng(0), start)["w"]
    assert_array_equal(w, np.repeat(start[None], 7, axis=0))


def test_the_sign_of_the_mean_is_a_candidate():
    """At this heat all flips are taken. Each replica then violates a row, and the majority none."""
    w = 2 * np.eye(3)[:, None] - 1
    patterns = Patterns(np.ones((1, 1, 3)), bar=3.0)
    solver = ReplicatedAnnealing(n_replicas=3, beta=(0.0, 0.0), gamma=(0.0, 0.0))
    found = solver.advance(patterns, {"w": w, "n_sweeps": 0}, np.random.default_rng(0))
    assert [patterns.n_violated(each) for each in w] == [1, 1, 1]
    assert patterns.n_violated(found) == 0


def test_the_schedule_is_not_cut_off():
    assert ReplicatedAnnealing(n_sweeps=1000).max_iter > 1000


def test_replicas_solve_what_one_cannot():
    patterns = [random_patterns(101, 0.5, seed) for seed in range(6)]
    errors = {
        y: [
            ReplicatedAnnealing(n_replicas=y, n_sweeps=50)
            .solve(each, np.random.default_rng(0), 50)
            .n_violated
            for each in patterns
        ]
        for y in (1, 7)
    }
    assert np.count_nonzero(errors[7]) < np.count_nonzero(errors[1])


@pytest.mark.parametrize("name", ["beta", "gamma"])
@pytest.mark.parametrize("ends", [(1.0,), (-1, 1.0), (0.0, np.inf), (np.nan, 1.0), [1, "a"]])
def test_a_schedule_has_two_ends(name, ends):
    solver = ReplicatedAnnealing(**{name: ends})
    with pytest.raises(ValueError, match=f"{name} must be two finite numbers"):
        solver.solve(SMALL, np.random.default_rng(0))
