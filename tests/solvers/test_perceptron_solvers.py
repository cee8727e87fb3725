"""The solvers of binary weights find solutions, and each follows its rule."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import erfcx
from scipy.stats import norm
from storage import ENUMERATED, random_patterns, sign_vectors, solutions, stored

from skflat.models.threshold import FreeThreshold, Patterns, Problems
from skflat.solvers.binary import (
    AMP,
    BINARY_SOLVERS,
    SBPI,
    STE,
    Auto,
    BinaryReplicatedSGD,
    BinarySolver,
    FocusingAMP,
    FocusingBP,
    MaxSum,
    MeanField,
    _amp,
)
from skflat.solvers.binary._amp import Products
from skflat.solvers.binary._replicated_sgd import correction

each_solver = pytest.mark.parametrize("name", BINARY_SOLVERS)
KICKS = ("continuous", "simple", "corrected", "hard")
VARIANTS = {
    **{name: solver() for name, solver in BINARY_SOLVERS.items()},
    "reinforcement": FocusingBP("reinforcement"),
    "scoping": FocusingBP("scoping"),
    "tempered": AMP(temperature=0.2, damping=0.5),
    "unbounded": SBPI(bound=None),
    "auto": Auto(),
    "auto, raw": Auto(scaled=False),
    **{kick: BinaryReplicatedSGD(kick) for kick in KICKS},
}


def solve(solver, patterns, seed=0, **more):
    return solver.solve(patterns, np.random.default_rng(seed), **more)


def candidates(solver, patterns, n, seed=0):
    """The first few."""
    found = solver.candidates(patterns, np.random.default_rng(seed))
    return np.array([np.where(next(found) >= 0, 1.0, -1.0) for _ in range(n)])


# Patterns


@pytest.mark.parametrize(
    ("size", "known"),
    [
        pytest.param(size, known, marks=[pytest.mark.slow] if size[0] > 19 else [])
        for size, known in ENUMERATED.items()
    ],
)
def test_solutions_of_small_instances_are_known(size, known):
    count, stabilities, isolated, neighbours = known
    patterns, n = stored(*size), size[0]
    W = solutions(patterns)
    least = (W @ patterns.matrix.T).min(axis=1)
    codes = {tuple(w) for w in W}
    near = np.array([sum(tuple(w * f) in codes for f in 1 - 2 * np.eye(n)) for w in W])
    assert len(W) == count
    assert {int(k): int((least == k).sum()) for k in np.unique(least)} == stabilities
    assert (near == 0).sum() == isolated
    assert near.mean() == pytest.approx(neighbours, abs=1e-4)
    # A row at stability k survives (k - 1) / 2 flips, whichever they are.
    assert (near[least >= 3] == n).all()


def test_patterns_of_signs_have_two_to_the_power_of_the_difference_solutions_on_average():
    W = sign_vectors(11)
    rng, counts = np.random.default_rng(0), []
    for _ in range(400):
        xi = rng.choice([-1.0, 1.0], (8, 11))
        counts.append((W @ xi.T > 0).all(axis=1).sum())
    assert np.mean(counts) == pytest.approx(8, abs=4 * np.std(counts) / 20)


def test_a_row_must_exceed_the_bar_zero_and_reach_any_other():
    xi = np.array([[1.0, 1.0, 1.0, 1.0]])
    flat, w = np.array([1.0, 1.0, -1.0, -1.0]), np.ones(4)
    assert Patterns(xi[None]).n_violated(flat) == 1
    assert Patterns(xi[None], bar=4.0).n_violated(w) == 0
    assert Patterns(xi[None], bar=4.1).n_violated(w) == 1
    assert Patterns(xi[None], offset=np.array([[0.5]])).n_violated(flat) == 0


def test_a_committee_wants_a_majority_of_units():
    xi = np.ones((1, 1, 3))
    patterns, up, down = Patterns(xi, 3), np.ones(3), -np.ones(3)
    assert patterns.n_violated([up, up, down]) == 0
    assert patterns.n_violated([up, down, down]) == 1


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_signs_are_told_from_other_entries(dtype):
    patterns = random_patterns(21, 1, 0, dtype)
    assert patterns.are_signs
    patterns.xi[0, 3, 5] *= 2
    assert not Patterns(patterns.xi).are_signs


# All solvers


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_an_easy_instance_is_solved(name, dtype):
    patterns = random_patterns(201, 0.25, 1, dtype)
    found = solve(VARIANTS[name], patterns)
    assert found.n_violated == 0
    assert set(np.unique(found.w)) == {-1, 1}
    assert (patterns.matrix @ found.w[0] > 0).all()
    assert found.n_iter <= VARIANTS[name].max_iter


@each_solver
def test_equal_seeds_give_equal_weights(name):
    patterns = random_patterns(101, 0.4, 0)
    found = [solve(BINARY_SOLVERS[name](), patterns, max_iter=20) for _ in range(2)]
    assert_array_equal(found[0].w, found[1].w)
    assert found[0].n_iter == found[1].n_iter


@each_solver
def test_what_cannot_be_solved_ends_in_time_with_the_best_weights(name):
    """A row and its mirror image: whatever the weights, one of the two is violated."""
    xi = random_patterns(51, 0.3, 0).matrix
    patterns = Patterns(np.concatenate([xi, -xi[:4]])[None])
    found = solve(BINARY_SOLVERS[name](), patterns, max_iter=40)
    assert found.n_iter <= 40
    assert found.n_violated == patterns.n_violated(found.w)
    assert 4 <= found.n_violated < len(xi)


@each_solver
def test_the_best_of_all_candidates_is_kept(name):
    class Watched(BINARY_SOLVERS[name]):
        interval = 1

        def candidates(self, patterns, rng):
            for w in super().candidates(patterns, rng):
                seen.append(patterns.n_violated(np.where(w >= 0, 1, -1)))
                yield w

    seen, patterns = [], random_patterns(51, 1.5, 0)
    found = solve(Watched(), patterns, max_iter=30)
    assert found.n_violated == min(seen) == patterns.n_violated(found.w)


@each_solver
def test_a_solver_leaves_the_patterns_alone(name):
    patterns = random_patterns(51, 0.5, 0)
    kept = patterns.xi.copy()
    patterns.xi.flags.writeable = False
    solve(BINARY_SOLVERS[name](), patterns, max_iter=5)
    assert_array_equal(patterns.xi, kept)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(float, marks=pytest.mark.slow)])
def test_max_sum_stays_finite_where_there_is_no_solution(dtype):
    xi = random_patterns(21, 3.0, 0).xi.astype(dtype)
    fields = MaxSum(reinforcement=0.5).candidates(Patterns(xi), np.random.default_rng(0))
    assert all(np.isfinite(next(fields)).all() for _ in range(1500))


@pytest.mark.parametrize("name", [name for name in BINARY_SOLVERS if name != "max_sum"])
def test_a_margin_is_reached(name):
    bar = 0.3 * np.sqrt(201)
    xi = random_patterns(201, 0.15, 0).xi
    found = solve(BINARY_SOLVERS[name](), Patterns(xi, bar=bar))
    assert found.n_violated == 0
    assert (xi[0] @ found.w[0]).min() >= bar


@pytest.mark.parametrize("name", [name for name in BINARY_SOLVERS if name != "max_sum"])
def test_any_real_patterns_will_do(name):
    xi = np.random.default_rng(0).standard_normal((30, 201))
    offset = np.random.default_rng(1).standard_normal((1, 30))
    found = solve(BINARY_SOLVERS[name](), Patterns(xi[None], offset=offset))
    assert found.n_violated == 0
    assert (xi @ found.w[0] + offset[0] > 0).all()


def test_interrupted_it_keeps_what_it_has():
    class Interrupted(BinarySolver):
        def candidates(self, patterns, rng):
            yield -np.ones(patterns.shape)
            raise KeyboardInterrupt

    patterns = random_patterns(51, 0.5, 0)
    with pytest.warns(UserWarning, match="interrupted"):
        found = solve(Interrupted(), patterns)
    assert_array_equal(found.w, -1)
    assert found.n_violated == patterns.n_violated(-np.ones(51))


@pytest.mark.parametrize("name", [n for n, each in BINARY_SOLVERS.items() if not each.committees])
def test_solvers_of_perceptrons_refuse_committees(name):
    patterns = Patterns(random_patterns(21, 1, 0).xi, 3)
    with pytest.raises(ValueError, match="not of committees"):
        solve(BINARY_SOLVERS[name](), patterns)


@pytest.mark.parametrize("name", [n for n, each in BINARY_SOLVERS.items() if each.committees])
@pytest.mark.parametrize("tree", [False, True])
def test_a_committee_is_trained(name, tree):
    rng = np.random.default_rng(0)
    patterns = Patterns(rng.choice([-1.0, 1.0], (3 if tree else 1, 60, 101)), 3)
    found = solve(BINARY_SOLVERS[name](), patterns)
    assert found.n_violated == 0
    votes = np.sign(patterns.fields(found.w)).sum(axis=0)
    assert (votes > 0).all()


@pytest.mark.parametrize("spoil", [{"offset": np.ones((1, 10))}, {"xi": 2.0}])
def test_max_sum_wants_signs(spoil):
    xi = random_patterns(21, 10 / 21, 0).xi * spoil.get("xi", 1.0)
    with pytest.raises(ValueError, match="scale=False and fit_intercept=False"):
        solve(MaxSum(), Patterns(xi, offset=spoil.get("offset", 0.0)))


# The rules


def plain_amp(patterns, rho, n, seed):
    """Reinforced AMP as it is written down."""
    xi = patterns.matrix
    X = xi / np.sqrt(xi.shape[1])
    a = 1e-3 * np.random.default_rng(seed).standard_normal(xi.shape[1])
    g, h, kept, found = 0.0, 0.0, 0.0, []
    for t in range(1, n + 1):
        V = X**2 @ (1 - a**2)
        M = X @ a - V * g
        x = -M / np.sqrt(V)
        g = np.sqrt(2 / np.pi) / erfcx(x / np.sqrt(2)) / np.sqrt(V)
        dg = -g * M / V - g**2
        h = X.T @ g - a * ((X**2).T @ dg) + kept * h
        a = np.tanh(h)
        kept = 1 - (1 - rho) ** t
        found.append(np.sign(a))
    return np.array(found)


@pytest.mark.parametrize("signs", [True, False])
def test_amp_is_the_rule_written_down(signs):
    patterns = random_patterns(101, 0.6, 0)
    if not signs:
        patterns = Patterns(np.random.default_rng(0).standard_normal((1, 60, 101)))
    found = candidates(AMP(0.01), patterns, 100)
    assert_array_equal(found, plain_amp(patterns, 0.01, 100, 0))


@pytest.mark.parametrize("solver", [AMP(), FocusingAMP()])
def test_amp_costs_two_products_an_iteration_on_signs_and_four_otherwise(monkeypatch, solver):
    calls = []
    for name in ("rows", "columns", "variances", "column_squares"):
        whole = getattr(Products, name)

        def counted(self, *args, whole=whole, name=name):
            free = name not in ("rows", "columns") and self._squares is None
            calls.extend([] if free else [name])
            return whole(self, *args)

        monkeypatch.setattr(Products, name, counted)
    candidates(solver, random_patterns(31, 0.5, 0), 50)
    assert len(calls) == 100
    calls.clear()
    candidates(solver, Patterns(np.random.default_rng(0).standard_normal((1, 15, 31))), 50)
    assert len(calls) == 200


@pytest.mark.parametrize("weight", [1.0, np.arange(60) % 3 + 1.0])
@pytest.mark.parametrize("kind", ["fixed", "free", "many"])
def test_blocks_of_rows_make_one_field(monkeypatch, kind, weight):
    rng = np.random.default_rng(0)
    xi, t = rng.choice([-1.0, 1.0], (1, 60, 31)), rng.choice([-1.0, 1.0], (2, 60))
    patterns = {
        "fixed": Patterns(xi, bar=0.5, weight=weight),
        "free": FreeThreshold(xi, t[0], weight=weight),
        "many": Problems(xi, t, is_free=True, weight=weight),
    }[kind]
    a, fields = patterns.repeated(rng.uniform(-1, 1, 31)), []
    for n_bytes in (1 << 20, 7 * 31 * 8):
        monkeypatch.setattr(_amp, "BLOCK", n_bytes)
        nodes = _amp.Nodes(patterns, lambda x: _amp.inverse_mills(-x))
        fields.append([nodes.field(a), nodes.field(-a), nodes.field(a)])
    assert len(nodes.blocks) == 9
    assert_allclose(fields[1], fields[0], rtol=1e-9)


def test_a_temperature_at_which_nothing_else_is_left_is_none():
    """The chances to satisfy and to violate a row both vanish in double precision."""
    x = np.array([-60.0, -40.0, 0.0, 40.0])
    assert_array_equal(AMP(temperature=1e-3)._push(x), AMP()._push(x))


def test_a_temperature_close_to_zero_is_none():
    patterns = random_patterns(101, 0.6, 0)
    cold, frozen = (candidates(AMP(temperature=t), patterns, 30) for t in (1e-2, 0.0))
    assert_array_equal(cold, frozen)


def test_a_slope_of_amp_is_that_of_the_logarithm_of_a_rows_weight():
    x, T, step = np.linspace(-6, 6, 25), 0.7, 1e-5

    def weight(x):
        return np.exp(-1 / T) + (1 - np.exp(-1 / T)) * norm.cdf(x)

    slope = (np.log(weight(x + step)) - np.log(weight(x - step))) / (2 * step)
    assert_allclose(AMP(temperature=T)._push(x), slope, atol=1e-8)
    assert_allclose(AMP()._push(x), norm.pdf(x) / norm.cdf(x), rtol=1e-9)


def test_sbpi_without_reinforcement_corrects_errors_only():
    patterns = random_patterns(31, 0.5, 0)
    rng = np.random.default_rng(3)
    found = candidates(SBPI(probability=0.0, bound=0.9), patterns, 3, seed=3)
    h = rng.choice([-1.0, 1.0], 31)
    for w in found:
        rng.random(patterns.n_rows)
        for row in rng.permutation(patterns.n_rows):
            xi = patterns.matrix[row]
            if xi @ np.sign(h) <= 0:
                h = np.clip(h + 2 * xi, -5, 5)
        assert_array_equal(w, np.sign(h))


def test_sbpi_reinforces_what_is_barely_right_and_no_more():
    """One row: once it is right by more than the threshold nothing moves."""
    patterns = random_patterns(101, 1 / 101, 0)
    found = candidates(SBPI(threshold=0.5, probability=1.0), patterns, 60)
    lead = found @ patterns.matrix[0]
    assert (np.diff(found, axis=0) == 0)[np.flatnonzero(lead[:-1] > 0)].all()


def test_the_threshold_of_sbpi_is_halved_in_the_second_half_of_a_period():
    """A single row, always reinforced, moves the states only while it is below the threshold."""
    falling, n = SBPI(0.3, probability=1.0, period=4), 101
    assert [falling._threshold(k) for k in range(6)] == [0.3, 0.3, 0.15, 0.15, 0.3, 0.3]
    assert SBPI(threshold=0.3, period=None)._threshold(2) == 0.3
    patterns, start = Patterns(np.ones((1, 1, n))), np.ones((1, n))
    start[0, :49] = -1  # the field is 3, 0.2985 in units of the stability
    state = falling.begin(patterns, rng := np.random.default_rng(0), start)
    largest = []
    for _ in range(6):
        falling.advance(patterns, state, rng)
        largest.append(state["h"].max())
    assert largest == [3, 5, 5, 5, 7, 9]
    assert state["h"].min() == -1


def test_mean_field_climbs_the_natural_gradient():
    patterns = random_patterns(31, 0.4, 0)
    xi, theta = patterns.matrix, 1e-2 * np.random.default_rng(0).standard_normal(31)

    def log_chance(m):
        from autograd.scipy.stats import norm as traced

        return anp.sum(traced.logcdf((xi @ m) / anp.sqrt(anp.sum(1 - m * m))))

    for w in candidates(MeanField(0.5), patterns, 20):
        theta = theta + 0.5 * np.sqrt(31) / len(xi) * grad(log_chance)(np.tanh(theta))
        assert_array_equal(w, np.where(theta >= 0, 1, -1))


def test_the_straight_through_step_is_a_gradient_with_respect_to_the_signs():
    patterns = random_patterns(31, 0.4, 0)
    xi, n = patterns.matrix, 31

    def loss(w):
        return anp.mean(anp.log1p(anp.exp(-3.0 * (xi @ w) / anp.sqrt(n)))) / 3.0

    solver = STE(gain=1.5, rate=0.1, batch_size=100)
    h = np.random.default_rng(0).uniform(-0.1, 0.1, n)
    for w in candidates(solver, patterns, 10):
        h = np.clip(h - 0.1 * np.sqrt(n) * grad(loss)(np.where(h >= 0, 1.0, -1.0)), -1, 1)
        assert_array_equal(w, np.where(h >= 0, 1, -1))


def test_a_perceptron_is_corrected_along_its_violated_rows():
    patterns, w = random_patterns(21, 1, 0), np.ones((1, 21))
    rows = np.array([1, 4, 7, 9])
    violated = [row for row in rows if patterns.matrix[row].sum() <= 0]
    assert_allclose(correction(patterns, w, rows)[0], patterns.matrix[violated].sum(axis=0))


def test_of_a_committee_only_the_units_closest_to_right_are_corrected():
    fields = np.array([[-5.0], [-1.0], [3.0], [-3.0], [-2.0]])  # two of four wrong ones must turn
    patterns = Patterns(fields[:, :, None].copy())
    assert_allclose(correction(patterns, np.ones((5, 1)), [0])[:, 0], [0, -1, 0, 0, -2])
    satisfied = Patterns(np.abs(fields)[:, :, None])
    assert_allclose(correction(satisfied, np.ones((5, 1)), [0]), 0)


def test_the_kicks_pull_to_the_mean_as_their_formulas_say():
    mean, w = np.array([0.2, -0.6, 1.0]), np.array([1.0, -1.0, 1.0])
    s, pulls = 7 * 0.3, {kick: BinaryReplicatedSGD(kick)._pull(mean, w, 0.3) for kick in KICKS}
    assert_allclose(pulls["continuous"], mean - w)
    assert_allclose(pulls["simple"], np.tanh(s * mean) - w)
    assert_allclose(pulls["corrected"], np.tanh(s * mean) - np.tanh(s) * w)
    assert_allclose(pulls["hard"], np.clip(s * mean, -1, 1) - w)


def test_replicas_that_agree_are_not_kicked():
    w = np.array([1.0, -1.0, 1.0])
    for kick in ("continuous", "corrected"):
        assert_allclose(BinaryReplicatedSGD(kick)._pull(w, w, 0.3), 0, atol=1e-15)


# What they can do


def test_max_sum_is_not_stronger_if_it_is_slower():
    patterns = random_patterns(201, 0.5, 0, np.float32)
    fast, slow = (solve(MaxSum(r), patterns, max_iter=300) for r in (0.02, 0.001))
    assert fast.n_violated == 0 < slow.n_violated
    assert fast.n_iter < 100


def errors(solver, n, load, seeds, dtype=np.float32):
    return [solve(solver, random_patterns(n, load, seed, dtype), seed).n_violated for seed in seeds]


def test_amp_stores_seven_patterns_for_ten_weights():
    assert np.count_nonzero(errors(AMP(), 1001, 0.7, range(6))) <= 1


def test_sbpi_stores_half_as_many_patterns_as_weights_within_sixty_epochs():
    for seed in range(4):
        found = solve(SBPI(), random_patterns(1001, 0.5, seed, np.float32), seed)
        assert found.n_violated == 0
        assert found.n_iter < 60


@pytest.mark.slow
def test_a_threshold_that_falls_stores_more():
    solved = {
        period: errors(SBPI(period=period), 1001, 0.65, range(6)).count(0) for period in (100, None)
    }
    assert solved[100] > solved[None]


@pytest.mark.slow
def test_focusing_bp_stores_six_patterns_for_ten_weights():
    assert not any(errors(FocusingBP(), 1001, 0.6, range(6)))


@pytest.mark.slow
def test_slow_amp_comes_closer_to_the_capacity_and_no_further():
    slow = AMP(reinforcement=3e-4)
    assert np.count_nonzero(errors(slow, 1001, 0.7, range(6))) <= 1
    assert np.all(errors(slow, 1001, 0.78, range(6)))


@pytest.mark.slow
def test_amp_stores_seven_patterns_for_ten_of_many_weights():
    assert np.count_nonzero(errors(AMP(), 10_001, 0.7, range(10))) <= 1
