"""Focusing message passing follows its protocol, and climbs again where few rows are violated."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from storage import random_patterns

from skflat.models.threshold import FreeThreshold, Patterns, Problems
from skflat.solvers.binary import FocusingAMP
from skflat.solvers.binary._focusing_amp import _Climbs


def solve(solver, patterns, seed=0):
    return solver.solve(patterns, np.random.default_rng(seed))


def candidates(solver, patterns, n):
    """The signs of the first few."""
    found = solver.candidates(patterns, np.random.default_rng(0))
    return np.array([np.where(next(found) >= 0, 1.0, -1.0) for _ in range(n)])


def plain_focusing_amp(xi, step, n, seed):
    """The node equations with the field of the replicas, as they are written down."""
    X = xi / np.sqrt(xi.shape[1])
    a = 1e-3 * np.random.default_rng(seed).standard_normal(xi.shape[1])
    g, external, found = 0.0, 0.0, []
    for t in range(n):
        x = t * step
        V = X**2 @ (1 - a**2)
        M = X @ a - V * g
        g = norm.pdf(M / np.sqrt(V)) / norm.cdf(M / np.sqrt(V)) / np.sqrt(V)
        h = X.T @ g + a * ((X**2).T @ (g * M / V + g**2))
        gamma, y = np.arctanh(np.sqrt(x)), (2 - x) / (1 - x)
        up = np.tanh((y - 1) * np.arctanh(np.tanh(h) * np.tanh(gamma)))
        external = 0.5 * external + 0.5 * np.arctanh(up * np.tanh(gamma))
        a = np.tanh(h + external)
        found.append(np.sign(a))
    return np.array(found)


@pytest.mark.parametrize("signs", [True, False])
def test_focusing_amp_is_the_rule_written_down(signs):
    patterns = random_patterns(101, 0.6, 0)
    if not signs:
        patterns = Patterns(np.random.default_rng(0).standard_normal((1, 60, 101)))
    found = candidates(FocusingAMP(step=0.01), patterns, 60)
    assert_array_equal(found, plain_focusing_amp(patterns.matrix, 0.01, 60, 0))


HARD = 0.74  # nearly the most patterns for a weight that focusing AMP stores


def test_focusing_amp_climbs_again_from_its_camp():
    patterns = [random_patterns(501, HARD, seed) for seed in (0, 3, 5, 6)]
    once, often = (
        [solve(FocusingAMP(step=0.004, n_restarts=k), each).n_violated for each in patterns]
        for k in (0, 10)
    )
    assert all(more <= less for more, less in zip(often, once, strict=True))
    assert sum(often) < sum(once)


@pytest.mark.parametrize("unit", [1.0, 3.0])
def test_violated_rows_ask_for_more_and_then_for_less(unit):
    xi = random_patterns(101, 2, 0).xi
    climbs = _Climbs(FocusingAMP(), Patterns(unit * xi), np.random.default_rng(0))
    w = np.random.default_rng(0).choice([-1.0, 1.0], 101)
    climbs.patterns.xi *= np.where(xi @ w > 0, 1, -1)[..., None]  # so that w satisfies all rows
    climbs.patterns.xi[0, :2] *= -1  # but two, one in a hundred
    asked = []
    for n_climbs in (0, 1):
        climbs.n_climbs = np.array([n_climbs])
        for _ in range(2):
            climbs._count(w, np.array([True]))
            asked.append(climbs.asked.copy())
    climbs.patterns.xi[0, 0] *= -1
    climbs._count(w, np.array([True]))
    assert_array_equal(asked[:2], 0)  # the first climb is the protocol itself
    assert_allclose(asked[2][:2], 0.3 * unit)
    assert_allclose(asked[3][:2], (0.97 + 1) * 0.3 * unit)
    assert_allclose(climbs.asked[:3] / asked[3][1], [0.97, 0.97 + 1 / 1.97, 0])
    climbs.iterate()
    assert_array_equal(climbs.nodes.bar, climbs.asked)


def test_no_restart_loses_what_one_climb_finds():
    for seed in range(40):
        patterns = random_patterns(101, 0.7, seed)
        once, often = (solve(FocusingAMP(step=0.03, n_restarts=k), patterns) for k in (0, 3))
        assert often.n_violated <= once.n_violated


def test_a_solved_problem_does_not_climb_on():
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], (1, 120, 201))
    X[0, 60:72] = -X[0, :12]
    labels = np.repeat(rng.choice([-1.0, 1.0], (1, 120)), 2, axis=0)
    labels[:, 60:72] = np.array([[-1], [1]]) * labels[:, :12]
    possible, impossible = solve(FocusingAMP(), Problems(X, labels))
    assert possible.n_violated == 0 < impossible.n_violated
    assert possible.n_iter < impossible.n_iter == 1000


def test_a_threshold_goes_back_to_the_camp():
    xi = random_patterns(501, HARD, 0).xi
    t = np.random.default_rng(0).choice([-1.0, 1.0], xi.shape[1])
    climbs = _Climbs(FocusingAMP(step=0.004), FreeThreshold(xi, t), np.random.default_rng(0))
    for _ in range(150):
        climbs.iterate()
    assert climbs.now["threshold"] != climbs.camp["threshold"]
    climbs._climb_again(np.array([True]))
    assert climbs.now["threshold"] == climbs.camp["threshold"]


def test_a_first_climb_is_the_whole_protocol_without_restarts():
    """A tenth of the rows are the reverse of others, so nothing promises a solution."""
    xi = random_patterns(101, 0.6, 0).matrix
    patterns = Patterns(np.concatenate([xi, -xi[:6]])[None])
    found = [candidates(FocusingAMP(step=0.02, n_restarts=k), patterns, 50) for k in (0, 20)]
    assert_array_equal(found[1], found[0])
    assert solve(FocusingAMP(step=0.02), patterns).n_iter == 50


def test_problems_that_are_equal_climb_alike():
    xi = random_patterns(501, HARD, 5).xi
    t = np.random.default_rng(0).choice([-1.0, 1.0], (2, xi.shape[1]))
    problems = Problems(xi, np.array([np.ones(xi.shape[1]), t[0], t[1], np.ones(xi.shape[1])]))
    found = solve(FocusingAMP(step=0.004, n_restarts=2), problems)
    assert max(each.n_iter for each in found) > 250  # one climb has at most so many
    assert_array_equal(found[0].w, found[3].w)
    assert_array_equal([f.n_violated for f in found], problems.n_violated([f.w for f in found]))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_real_entries_and_thresholds_climb_again(weighted, dtype):
    climbs, rng = [], np.random.default_rng(0)
    for seed in range(3):
        xi = (random_patterns(501, HARD, seed).xi * rng.uniform(0.9, 1.1, 501)).astype(dtype)
        t = rng.choice([-1.0, 1.0], xi.shape[1]).astype(dtype)
        weight = rng.permutation(np.linspace(0.8, 1.2, len(t))) if weighted else 1.0
        patterns = FreeThreshold(xi, t, weight=weight)
        once, again = (solve(FocusingAMP(step=0.004, n_restarts=k), patterns) for k in (0, 2))
        climbs.append(again.n_iter > 250)
        assert again.n_violated == patterns.n_violated(again.w)
        assert again.n_violated <= once.n_violated
    assert any(climbs)


def test_focusing_amp_stores_seven_patterns_for_ten_weights():
    for seed in range(3):
        patterns = random_patterns(1001, 0.7, seed, np.float32)
        assert solve(FocusingAMP(step=0.002), patterns, seed).n_violated == 0
