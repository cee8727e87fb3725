"""Values that readings of features can give to a probe, compared with linear programs."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linprog

from skflat.measures._budget import Budget
from skflat.measures.feasibility._attainable import attainable as ends_and_decided
from skflat.measures.feasibility._brackets import Brackets


def attainable(*args, **kwargs):
    """The ends, all of which are decided."""
    ends, decided = ends_and_decided(*args, **kwargs)
    assert decided.all()
    return ends


def ends_by_linear_programs(rows, low, high, goal):
    """Least and greatest ``goal @ x`` over ``low <= rows @ x <= high``, by HiGHS."""
    above, below = np.isfinite(high), np.isfinite(low)
    constraints = {
        "A_ub": np.vstack([rows[above], -rows[below]]),
        "b_ub": np.concatenate([high[above], -low[below]]),
        "bounds": (None, None),
    }
    found = [linprog(sign * goal, **constraints) for sign in (1, -1)]
    least, minus_greatest = (-np.inf if each.status == 3 else each.fun for each in found)
    return least, -minus_greatest


def with_ones(features):
    return np.column_stack([features, np.ones(len(features))])


KINDS = ["symmetric", "uneven", "some one-sided", "one-sided"]


def band(kind, rng, n_rows):
    """Bounds below and above 0."""
    low, high = -rng.uniform(0.5, 2, n_rows), rng.uniform(0.5, 2, n_rows)
    if kind == "symmetric":
        low, high = -np.ones(n_rows), np.ones(n_rows)
    if kind == "some one-sided":
        low[rng.random(n_rows) < 0.4] = -np.inf
    if kind == "one-sided":
        low = np.full(n_rows, -np.inf)
    return low, high


def reading(kind, seed):
    """Features, values that a reading gives them, bounds around these, and probes."""
    rng = np.random.default_rng(seed)
    features, probes = rng.normal(size=(60, 5)), 2 * rng.normal(size=(8, 5))
    values = features @ rng.normal(size=5) + 1
    low, high = band(kind, rng, 60)
    return features, values, values + low, values + high, probes


def test_a_line_within_a_tolerance_spreads_beyond_its_ends():
    """Through 0 and 1 within 0.1 each, a line can be anywhere within 0.3 at 2."""
    features, values = np.array([[0.0], [0.5], [1.0]]), np.array([0.0, 0.5, 1.0])
    probes, spread = np.array([[2.0], [0.5], [-3.0]]), np.array([[0.3], [0.1], [0.7]])
    found = attainable(features, values - 0.1, values + 0.1, values, probes)
    assert_allclose(found, probes + spread * [-1, 1], rtol=1e-9)


def test_bounds_on_one_side_hold_one_side():
    features, low = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    none = np.full(2, np.inf)
    middle = np.array([[0.5]])
    assert_allclose(attainable(features, low, none, low + 1, middle), [(0.5, np.inf)], rtol=1e-6)
    assert_allclose(attainable(features, -none, low, low - 1, middle), [(-np.inf, 0.5)], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_attainable_values_are_those_of_linear_programs(kind, seed):
    features, values, low, high, probes = reading(kind, seed)
    rows, goals = with_ones(features), with_ones(probes)
    expected = [ends_by_linear_programs(rows, low, high, goal) for goal in goals]
    found = attainable(features, low, high, values, probes)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_ends_lie_between_the_right_edges(kind, seed):
    """However close an edge is to an end, and however many there are."""
    features, values, low, high, probes = reading(kind, seed)
    exact = attainable(features, low, high, values, probes)
    ends = exact[np.isfinite(exact)]
    for edges in (np.linspace(-8, 8, 9), np.sort(np.concatenate([ends - 1e-4, ends + 1e-4]))):
        found = attainable(features, low, high, values, probes, edges=edges)
        assert_array_equal(np.searchsorted(edges, found), np.searchsorted(edges, exact))


@pytest.mark.parametrize("n_rounds", [1, 5, 20])
@pytest.mark.parametrize("kind", KINDS)
def test_brackets_hold_the_least_values_whatever_the_round(kind, n_rounds):
    rng = np.random.default_rng(n_rounds)
    rows = np.linalg.qr(rng.normal(size=(60, 6)))[0] * rng.uniform(0.5, 2, 6)
    low, high = band(kind, rng, 60)
    goals = rng.normal(size=(12, 6))
    expected = np.array([ends_by_linear_programs(rows, low, high, goal)[0] for goal in goals])
    rounds = []

    def is_settled(lower, upper):
        rounds.append((lower.copy(), upper.copy()))
        return np.full(len(goals), len(rounds) == n_rounds)

    brackets = Brackets(goals, rows, low, high)
    brackets.narrow(is_settled, Budget())
    assert len(rounds) == n_rounds
    for (lower, upper), (later_lower, later_upper) in pairwise(rounds):
        assert (later_lower >= lower).all()
        assert (later_upper <= upper).all()
    assert (brackets.lower <= expected + 1e-9).all()
    assert (brackets.upper >= expected - 1e-9).all()
    if kind != "one-sided" and n_rounds == 20:
        assert_allclose(brackets.upper, brackets.lower, rtol=0.05)


def test_a_reading_without_an_intercept_leaves_zeros_at_zero():
    """Probes of zeros, rows of zeros, and no row that is anything else."""
    features, probes = np.array([[0.0], [2.0], [3.0]]), np.array([[0.0], [1.0], [-6.0]])
    low, high, learned = -np.ones(3), np.array([1.0, np.inf, 1.0]), np.zeros(3)
    for edges in ((), (-1.0, 0.25, 3.0)):
        found = attainable(features, low, high, learned, probes, False, edges)
        expected = np.array([[0.0, 0.0], [-1 / 3, 1 / 3], [-2.0, 2.0]])
        for each in (edges, (-1.0, 0.25, 3.0)):
            assert_array_equal(np.searchsorted(each, found), np.searchsorted(each, expected))
        nothing = attainable(np.zeros((3, 1)), low, high, learned, probes, False, edges)
        assert_array_equal(nothing, [[0, 0], [-np.inf, np.inf], [-np.inf, np.inf]])


@pytest.mark.parametrize("unit", [1e-290, 1e-20, 1e100, 1e290])
def test_the_unit_of_the_values_does_not_matter(unit):
    features, values, low, high, probes = reading("uneven", 0)
    expected = attainable(features, low, high, values, probes)
    found = attainable(features, unit * low, unit * high, unit * values, probes)
    assert_allclose(found / unit, expected, rtol=1e-6)


def test_values_that_round_by_more_than_their_bounds_leave_every_probe_undecided():
    features, values, low, high, probes = reading("uneven", 0)
    values = 1e20 * (values - values[0])
    ends, decided = ends_and_decided(features, values + low, values + high, values, probes)
    assert not decided.any()
    assert_array_equal(ends[:, 0], ends[:, 1])


def test_a_row_without_bounds_does_not_hold_anything():
    features, values, low, high, probes = reading("uneven", 0)
    expected = attainable(features[1:], low[1:], high[1:], values[1:], probes)
    low[0], high[0] = -np.inf, np.inf
    assert_allclose(attainable(features, low, high, values, probes), expected)


def test_an_end_that_is_held_where_much_else_is_not():
    """Readings may run away, and the least value at a row among them is still its own."""
    features = np.array(
        [
            [-1.0, 0.0, 2.0, 0.0, 0.0],
            [2.0, 1.0, -1.0, 1.0, -1.0],
            [-2.0, 0.0, -1.0, 0.0, 1.0],
            [2.0, 0.0, -2.0, 0.0, -2.0],
            [0.0, 1.0, 0.0, -1.0, 0.0],
            [-1.0, 1.0, 1.0, 1.0, 1.0],
        ]
    )
    values = np.array([2.0, -1.0, 0.0, -4.0, -3.0, 3.0])
    low = values + np.array([-np.inf, -np.inf, -0.61703463, -0.99513567, -np.inf, -0.8685829])
    high = values + np.array(
        [1.88874807, 1.14042555, 1.30043401, 1.47894935, 1.99252951, 1.53222649]
    )
    found = attainable(features, low, high, values, features[:1], False)
    assert_allclose(found, [ends_by_linear_programs(features, low, high, features[0])], rtol=1e-6)


def test_how_many_probes_go_together_does_not_matter(monkeypatch):
    features, values, low, high, probes = reading("uneven", 3)
    edges = np.linspace(-8, 8, 40)
    together = attainable(features, low, high, values, probes, edges=edges)
    monkeypatch.setattr("skflat.measures.feasibility._brackets.CHUNK", 1)
    alone = attainable(features, low, high, values, probes, edges=edges)
    assert_array_equal(np.searchsorted(edges, alone), np.searchsorted(edges, together))
