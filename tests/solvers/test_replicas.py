"""Rules that keep more than one point: Entropy-SGD, replicas, agents on a graph."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from toys import Toy, Watched, descend, hyperbola, quadratic

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, Objective, Workspace
from skflat.solvers import (
    SGD,
    Consensus,
    Diffusion,
    EntropySGD,
    ReplicatedSGD,
    Run,
    Settings,
    minimize,
)

NETWORKS = (Diffusion, Consensus)
PLAIN = {"learning_rate_init": 0.02, "momentum": 0.0, "nesterovs_momentum": False}

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
each_network = pytest.mark.parametrize("network", NETWORKS)


def regression(n_rows=24, weighted=False):
    rng = np.random.default_rng(0)
    inputs, y = rng.normal(size=(n_rows, 3)), rng.normal(size=(n_rows, 1))
    weight = rng.uniform(0.1, 2, size=n_rows) if weighted else None
    objective = Objective(MLP([3, 4, 1], "tanh"), HalfSquared(), inputs, y, weight)
    return objective, rng.normal(size=objective.model.layout.size)


def running(solver, objective, w, **settings):
    """The state of a rule while the loop runs."""
    state = solver.init_state(objective, w, Settings(**settings), np.random.default_rng(0))
    state.work = Workspace()
    return state


def scattered(solver, objective, w, spread, **settings):
    """The same with the points drawn around ``w``, which becomes their mean."""
    state = running(solver, objective, w, **settings)
    noise = np.random.default_rng(1).normal(size=state.memory.points.shape)
    state.memory.points += spread * noise
    w[:] = state.memory.points.mean(axis=0)
    return state


class Drawn(Watched):
    """Notes the rows of every batch, in the order in which they are asked for."""

    def __init__(self, objective):
        super().__init__(objective)
        self.drawn = []

    def batch(self, rows=None, work=None):
        if isinstance(rows, np.ndarray):
            self.drawn.append(rows.copy())
        return self.objective.batch(rows, work)


class Noisy(Toy):
    """``lam |w|^2 / 2`` with fresh normal noise in every gradient."""

    def __init__(self, lam, n_rows):
        super().__init__(lambda w: 0.5 * lam * w @ w, lambda w: lam * w, None, n_rows)
        self.rng = np.random.default_rng(0)

    def loss_gradient(self, w, batch=None, out=None, work=None):
        loss, out = super().loss_gradient(w, batch, out, work)
        out += self.rng.standard_normal(len(w)) / len(batch) ** 0.5
        return loss, out


# Entropy-SGD


def entropy_direction(solver, objective, w, rho, step=0):
    state = running(solver, objective, w, rho=rho, learning_rate_init=0.1)
    state.step = step
    loss, found = solver.direction(objective, w, objective.batch(), state)
    return loss, found.copy()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_gradient_of_the_local_entropy_of_a_quadratic(momentum):
    """``a gamma x / (a + gamma)``, where the inner loop has come to rest."""
    solver = EntropySGD(n_inner=2000, noise=0.0, inner_momentum=momentum)
    loss, found = entropy_direction(solver, quadratic(3.0), np.array([1.5]), rho=0.7**-0.5)
    assert 0.7 * 0.1 * found[0] == pytest.approx(3 * 0.7 * 1.5 / 3.7, rel=1e-12)
    assert 0.7 * 0.1 * found[0] == pytest.approx(0.8513514, abs=5e-8)
    assert loss == pytest.approx(3 * 1.5**2 / 2)


def test_noise_leaves_the_mean_of_the_inner_loop_where_it_is():
    solver = EntropySGD(n_inner=20_000, noise=0.05, inner_momentum=0.0, averaging=0.9998)
    _, found = entropy_direction(solver, quadratic(3.0), np.array([1.5]), rho=0.7**-0.5)
    share = 1 - 0.9998**20_000  # the mean began at x
    assert 0.07 * found[0] / share == pytest.approx(0.8513514, abs=5e-3)
    assert 0.07 * found[0] / share != pytest.approx(0.8513514, abs=1e-7)


@pytest.mark.parametrize("variance", [0.01, 1.0])
def test_the_noise_has_the_temperature_that_is_documented(variance):
    """Inner steps spread by ``noise^2 / (a + gamma)`` without momentum, for small rates."""
    n_rows, noise = 20_000, variance**0.5
    objective, w = quadratic(*np.full(n_rows, 3.0)), np.zeros(n_rows)
    numbers = {"inner_rate": 0.01, "inner_momentum": 0.0, "averaging": 0.0}
    solver = EntropySGD(n_inner=200, noise=noise, **numbers)
    _, found = entropy_direction(solver, objective, w, rho=0.7**-0.5)
    assert np.var(0.01 * found) == pytest.approx(variance / 3.7, rel=0.05)
    assert np.mean(found**4) / np.mean(found**2) ** 2 == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("base", ["sgd", "adam"])
def test_entropy_sgd_step_by_step(base):
    """Against the recursion as it is written down, with the rows it drew."""
    objective, w = regression()
    drawn, rho, scoping = Drawn(objective), 0.4, 0.5  # the rate is limited from the third step
    solver = EntropySGD(base, n_inner=4, noise=0.01, scoping=scoping)
    settings = {"rho": rho, "batch_size": 6, "shuffle": False, "learning_rate_init": 0.05}
    end, _ = minimize(solver, drawn, w, Settings(**settings), max_epochs=1)
    x, found, outer = w.copy(), iter(drawn.drawn), solver.delegate()
    rng = generator_of_a_run(objective, w, settings)
    state = outer.init_state(objective, x, Settings(**settings), rng)
    for step in range(4):
        gamma = (1 + scoping) ** step / rho**2
        rate = min(0.05, 1 / gamma)
        there, mean, v = x.copy(), x.copy(), np.zeros_like(x)
        for inner in range(4):
            rows = slice(6 * step, 6 * step + 6)
            if inner > 0:
                rows = rng.choice(24, 6, replace=False, shuffle=False)
                assert_array_equal(rows, next(found))
            force = objective.loss_gradient(there, objective.batch(rows))[1] + gamma * (there - x)
            v = 0.9 * v + force
            octets = np.frombuffer(rng.bytes(len(x) // 8 + 1), np.uint8)
            signs = 2.0 * np.unpackbits(octets)[: len(x)] - 1
            noise = 0.01 * np.sqrt(2 * rate) * signs
            there = there - rate * (force + 0.9 * v) + noise
            mean = 0.75 * mean + 0.25 * there
        state.base.step(x, (x - mean) / 0.05)
    assert_allclose(end, x, rtol=1e-9)


def generator_of_a_run(objective, w, settings):
    """The generator that ``minimize`` hands to a rule."""
    kept = []

    class Keep(SGD):
        def init_state(self, objective, w, settings, rng):
            kept.append(rng)
            return super().init_state(objective, w, settings, rng)

    minimize(Keep(), objective, w, Settings(**settings), max_epochs=1)
    return kept[0]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("n_inner", [1, 2, 5, 20])
def test_the_direction_tends_to_a_multiple_of_the_gradient(n_inner, momentum):
    """To ``(x - m) / rho^2`` times the same; the deviation falls with the square of ``rho``."""
    objective, w = regression()
    solver = EntropySGD(n_inner=n_inner, inner_momentum=momentum, noise=0.0)
    factor = 1 - 0.75**n_inner + 0.25 * momentum * 0.75 ** (n_inner - 1)
    g = objective.loss_gradient(w)[1]
    off = [
        np.abs(entropy_direction(solver, objective, w, rho)[1] - factor * g) for rho in (1e-2, 1e-3)
    ]
    assert off[0].max() < 1e-3
    if n_inner > 1:
        assert off[0].max() / off[1].max() == pytest.approx(100, rel=0.1)
    tiny = entropy_direction(solver, objective, w, rho=1e-200)[1]
    assert_allclose(tiny, factor * g, rtol=1e-9)


def test_scoping_narrows_with_every_step():
    """``gamma (x - m)`` of the rule at step t is that of a narrower one at its start."""
    solver = EntropySGD(n_inner=7, noise=0.0, scoping=0.1)
    objective, w = quadratic(3.0, 1.0), np.array([1.0, -2.0])
    late = entropy_direction(solver, objective, w, rho=2.0, step=30)[1]
    narrow = entropy_direction(solver, objective, w, rho=2.0 * 1.1**-15)[1]
    rates = [min(0.1, rho**2) for rho in (2.0, 2.0 * 1.1**-15)]
    assert_allclose(late * rates[0], narrow * rates[1], rtol=1e-12)
    early = entropy_direction(solver, objective, w, rho=2.0)[1]
    assert (np.abs(late) < 0.9 * np.abs(early)).all()
    assert_array_equal(entropy_direction(solver, objective, w, rho=2.0, step=10**7)[1], 0)


@pytest.mark.parametrize("rho", [1e-3, 0.05, 0.3])
def test_the_inner_loop_is_stable_however_strong_the_pull(rho):
    """Explicit steps of rate 0.1 would not be."""
    solver = EntropySGD(n_inner=500, noise=0.0)
    _, found = entropy_direction(solver, quadratic(3.0), np.array([1.5]), rho)
    gamma = rho**-2
    scale = gamma * min(0.1, rho**2)
    assert scale * found[0] == pytest.approx(3 * gamma * 1.5 / (3 + gamma), rel=1e-9)


def test_a_rate_equal_to_the_inner_one_goes_to_the_mean():
    """The published rate of 1."""
    w, n_inner = np.array([1.0, -2.0]), 3
    solver = EntropySGD(n_inner=n_inner, noise=0.0, inner_momentum=0.0, averaging=0.0)
    end = descend(solver, quadratic(3.0, 1.0), w, 1, rho=1e9, learning_rate_init=0.1)
    assert_allclose(end, w * (1 - 0.1 * np.array([3.0, 1.0])) ** n_inner, rtol=1e-12)


def test_the_langevin_noise_alone_moves_by_its_own_size():
    """The contract's minimum, which nothing leaves but by noise."""
    bowl = Toy(lambda w: (w - 3) @ (w - 3) / 2, lambda w: w - 3, lambda w: np.eye(2), n_rows=12)
    settings = Settings(rho=0.1, batch_size=6)
    end, _ = minimize(EntropySGD(), bowl, np.full(2, 3.0), settings, max_epochs=3)
    assert 0 < np.abs(end - 3).max() < 1e-4


def test_an_entropy_step_costs_its_inner_steps():
    objective, w = regression()
    _, run = minimize(EntropySGD(n_inner=7), objective, w, Settings(rho=1.0), max_epochs=3)
    assert run.work.rows == 3 * 7 * 24


def test_entropy_sgd_keeps_single_precision():
    w = np.ones(3, np.float32)
    assert entropy_direction(EntropySGD(), quadratic(1.0, 2.0, 3.0), w, rho=1.0)[1].dtype == w.dtype


# Replicas


def by_hand(objective, w, batches, **settings):
    """Where gradient descent ends on given batches."""
    end, state = w.copy(), running(SGD(), objective, w, **settings)
    for rows in batches:
        SGD().step(objective, end, objective.batch(rows), state)
    return end


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_replica_is_gradient_descent_to_the_bit(momentum):
    X, y = load_iris(return_X_y=True)
    numbers = {"momentum": momentum, "learning_rate": "invscaling", "learning_rate_init": 0.1}
    one, plain = (
        FlatMLPClassifier(
            (6,), solver=s, max_iter=20, batch_size=32, measures=None, random_state=0, **numbers
        ).fit(X, y)
        for s in (ReplicatedSGD(1), SGD())
    )
    assert_array_equal(one.coefs_[0], plain.coefs_[0])
    assert_array_equal(one.intercepts_[1], plain.intercepts_[1])
    assert one.loss_curve_ == plain.loss_curve_
    assert one.n_grad_evals_ == plain.n_grad_evals_


def test_uncoupled_replicas_are_independent_runs_to_the_bit():
    objective, w = regression()
    drawn, solver = Drawn(objective), ReplicatedSGD(3)
    settings = Settings(rho=np.inf, batch_size=6, learning_rate_init=0.05)
    run = Run(drawn, settings, np.random.RandomState(0), max_epochs=5)
    state = solver.init_state(drawn, w, settings, np.random.default_rng(0))
    end = solver.solve(w.copy(), state, run)
    for number, replica in enumerate(state.memory.points):
        batches = drawn.drawn[number::3]
        assert_array_equal(replica, by_hand(objective, w, batches, learning_rate_init=0.05))
    assert_allclose(end, state.memory.points.mean(axis=0), rtol=1e-13)
    assert np.ptp(state.memory.points, axis=0).max() > 1e-3


@pytest.mark.parametrize("rho", [0.01, 1.0, 10.0, np.inf])
def test_the_centre_follows_the_mean_gradient(rho):
    """The coupling cancels there."""
    objective, w = regression()
    state = scattered(ReplicatedSGD(4), objective, w, 0.1, rho=rho, batch_size=24, **PLAIN)
    mean = np.mean([objective.loss_gradient(p)[1] for p in state.memory.points], axis=0)
    losses = [objective.loss(point) for point in state.memory.points]
    expected = w - 0.02 * mean
    loss = ReplicatedSGD(4).step(objective, w, objective.batch(), state)
    assert_allclose(w, expected, rtol=1e-12, atol=1e-14)
    assert loss == pytest.approx(np.mean(losses), rel=1e-13)


def test_on_a_quadratic_the_replicas_gather():
    """By the factor ``1 - rate (a + gamma)`` a step."""
    objective, w = quadratic(4.0, 1.0), np.array([1.0, -2.0])
    solver = ReplicatedSGD(3, growth=1.0)
    state = scattered(solver, objective, w, 0.5, rho=0.5, **PLAIN)
    before = state.memory.points - w
    for _ in range(5):
        solver.step(objective, w, objective.batch(), state)
    factor = (1 - 0.02 * (np.array([4.0, 1.0]) + 4.0)) ** 5
    assert_allclose(state.memory.points - w, before * factor, rtol=1e-11)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_strongest_coupling_gathers_the_replicas(momentum, nesterov):
    """Half of the way in a step without momentum, and by its root a step with it."""
    objective, w = quadratic(4.0, 1.0), np.array([1.0, -2.0])
    solver = ReplicatedSGD(3)
    numbers = {**PLAIN, "momentum": momentum, "nesterovs_momentum": nesterov}
    state = scattered(solver, objective, w, 0.5, rho=1e-200, **numbers)
    before = state.memory.points - w
    solver.step(objective, w, objective.batch(), state)
    if momentum == 0:
        left = before * (0.5 - 0.02 * np.array([4.0, 1.0]))
        assert_allclose(state.memory.points - w, left, rtol=1e-11)
    for _ in range(299):
        solver.step(objective, w, objective.batch(), state)
    assert np.abs(state.memory.points - w).max() < 10 * momentum**150 + 1e-15


def test_as_the_width_vanishes_the_centre_follows_the_mean_gradient_of_all_batches():
    objective, w = regression()
    drawn, solver = Drawn(objective), ReplicatedSGD(3)
    state = running(solver, drawn, w, rho=1e-9, **PLAIN)
    start = w.copy()
    solver.step(drawn, w, drawn.batch(np.arange(6)), state)
    gradients = [objective.loss_gradient(start, objective.batch(r))[1] for r in drawn.drawn]
    assert len(gradients) == 3
    assert_allclose(w, start - 0.02 * np.mean(gradients, axis=0), rtol=1e-12)
    for replica, gradient in zip(state.memory.points, gradients, strict=True):
        assert_allclose(replica, start - 0.02 * gradient, rtol=1e-12)


def test_on_whole_batches_replicas_are_gradient_descent_to_the_bit():
    for rho in (0.01, 1.0, 100.0):
        ends = [
            descend(solver, hyperbola(), (2.0, 0.3), 50, rho=rho, max_iter=50, momentum=0.9)
            for solver in (ReplicatedSGD(), SGD())
        ]
        assert_array_equal(*ends)


def test_the_coupling_grows_over_the_epochs_and_then_stays():
    objective, w = regression()
    solver = ReplicatedSGD(2, growth=1e4)
    state = running(solver, objective, w, rho=10.0, max_iter=8, learning_rate_init=1e-3)
    found = []
    for _ in range(4 * 10):
        found.append(solver._gamma(objective, state))
        solver.step(objective, w, objective.batch(np.arange(6)), state)
    expected = 0.01 * 1e4 ** np.minimum(np.arange(40) / 32, 1)
    assert_allclose(found, np.minimum(expected, 50), rtol=1e-12)  # (1 - 0.9) / (2 * 0.001)


@pytest.mark.parametrize(("rate", "momentum"), [(0.35, 0.9), (0.5, 0.9), (1.2, 0.0)])
def test_replicas_are_stable_where_a_single_point_is(rate, momentum):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 5))
    y = inputs @ rng.normal(size=5) + 0.1 * rng.normal(size=300)
    settings = {"learning_rate_init": rate, "momentum": momentum, "max_iter": 100}
    reg = FlatMLPRegressor(
        hidden_layer_sizes=(), batch_size=50, alpha=0, measures=None, random_state=0,
        n_iter_no_change=np.inf, **settings,
    )  # fmt: skip
    scores = [
        reg.set_params(solver=s).fit(inputs, y).score(inputs, y) for s in ("sgd", "replicated_sgd")
    ]
    assert scores[0] > 0.9
    assert scores[1] > 0.9


@pytest.mark.parametrize("batch_size", [1, 3, 4, 8])
def test_on_a_complete_graph_small_batches_are_gradient_descent_too(batch_size):
    """However few agents a batch suffices for."""
    objective, w = regression()
    ends = [
        descend(solver, objective, w, 3, batch_size=batch_size)
        for solver in (Diffusion(8, graph="complete"), SGD())
    ]
    assert_allclose(*ends, rtol=1e-9)


def test_replicas_collapse_in_the_end():
    X, y = load_iris(return_X_y=True)
    clf = FlatMLPClassifier(
        (6,), solver="replicated_sgd", max_iter=60, batch_size=16, learning_rate_init=0.02,
        measures=None, random_state=0, n_iter_no_change=100,
    )  # fmt: skip
    spreads = []
    for _ in range(60):
        clf.partial_fit(X, y, classes=[0, 1, 2])
        spreads.append(np.ptp(clf._solver_state.memory.points, axis=0).max())
    assert spreads[-1] < 0.3 * max(spreads)
    assert clf.score(X, y) > 0.9


def test_a_step_costs_a_gradient_for_every_replica():
    objective, w = regression()
    settings = Settings(rho=1.0, batch_size=7)
    _, run = minimize(ReplicatedSGD(5), objective, w, settings, max_epochs=3)
    assert run.work.rows == 3 * 5 * 24


@pytest.mark.parametrize("solver", [ReplicatedSGD(), Diffusion(), Consensus()], ids=repr)
def test_points_follow_where_somebody_moves_the_centre(solver):
    """As early stopping does between two partial fits."""
    objective, w = regression()
    settings, random_state = Settings(rho=1.0, batch_size=8), np.random.RandomState(0)
    state = solver.init_state(objective, w, settings, np.random.default_rng(0))
    w = solver.solve(w.copy(), state, Run(objective, settings, random_state, max_epochs=2))
    before = state.memory.points.copy()
    still = Toy(lambda w: 0.0, np.zeros_like, None, n_rows=24)
    uncoupled = pickle.loads(pickle.dumps(state))
    moved = solver.solve(w + 1, uncoupled, Run(still, settings, random_state, max_epochs=1))
    same = pickle.loads(pickle.dumps(state))
    stayed = solver.solve(w.copy(), same, Run(still, settings, random_state, max_epochs=1))
    assert_allclose(moved, stayed + 1, rtol=1e-12)
    assert_allclose(uncoupled.memory.points, same.memory.points + 1, rtol=1e-12)
    assert_array_equal(state.memory.points, before)


@pytest.mark.parametrize("solver", [ReplicatedSGD(), Diffusion(), Consensus()], ids=repr)
def test_points_that_agree_do_not_move_by_rounding(solver):
    still = Toy(lambda w: 3.0, np.zeros_like, None, n_rows=12)
    w = np.random.default_rng(0).normal(size=50)
    end, _ = minimize(solver, still, w, Settings(rho=0.3, batch_size=6), max_epochs=5)
    assert_array_equal(end, w)


@pytest.mark.parametrize("solver", [ReplicatedSGD(), Diffusion(), Consensus()], ids=repr)
def test_points_stay_where_a_loss_is_not_finite(solver):
    cliff = Toy(lambda w: np.inf, np.ones_like, None, n_rows=12)
    w = np.ones(2)
    state = running(solver, cliff, w, rho=1.0)
    assert not np.isfinite(solver.step(cliff, w, cliff.batch(), state))
    assert_array_equal(w, 1)
    assert_array_equal(state.memory.points, 1)


# Agents on a graph


def risks(solver, checkpoints, n=20_000):
    """Excess risk after some steps from the minimiser: lam 1, rate 0.1, noise of variance 1."""
    objective, w, found = Noisy(1.0, n_rows=8), np.zeros(n), {}
    state = running(solver, objective, w, learning_rate_init=0.1)
    for step in range(1, max(checkpoints) + 1):
        solver.step(objective, w, objective.batch(), state)
        if step in checkpoints:
            found[step] = 0.5 * float(np.mean(state.memory.points**2))
    return found


@pytest.mark.parametrize(
    ("solver", "first", "last"),
    [
        (Diffusion(8, graph="complete"), 6.25e-4, 0.0032895),
        (Diffusion(8), 1.667e-3, 0.0052453),
        (Consensus(8), 5.0e-3, 0.0091894),
    ],
    ids=["centralised", "diffusion", "consensus"],
)
def test_the_excess_risk_of_a_ring_of_eight(solver, first, last):
    found = risks(solver, checkpoints=(1, *range(60, 161, 20)))
    assert found.pop(1) == pytest.approx(first, rel=0.03)
    assert np.mean(list(found.values())) == pytest.approx(last, rel=0.03)


@pytest.mark.parametrize("n_agents", [1, 2, 3, 4, 8])
def test_a_ring_of_agents(n_agents):
    objective, w = quadratic(1.0), np.ones(1)
    A = running(Diffusion(n_agents), objective, w).memory.weights
    assert_allclose(A.sum(axis=0), 1)
    assert_array_equal(A, A.T)
    assert (A > 0).sum(axis=0).max() <= 3
    if n_agents == 8:
        values = (1 + 2 * np.cos(np.pi * np.arange(8) / 4)) / 3
        assert_allclose(np.sort(np.linalg.eigvalsh(A)), np.sort(values), atol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_on_a_complete_graph_diffusion_is_gradient_descent(weighted):
    objective, w = regression(weighted=weighted)
    numbers = {**PLAIN, "batch_size": 8, "shuffle": False}
    ends = [
        descend(solver, objective, w, 10, **numbers)
        for solver in (Diffusion(4, graph="complete"), SGD())
    ]
    assert_allclose(*ends, rtol=1e-11)


@each_network
def test_batches_that_do_not_divide_evenly_count_by_their_rows(network):
    """The centre's first step is that of the whole batch."""
    objective, w = regression(n_rows=11)
    numbers = {**PLAIN, "batch_size": 11, "shuffle": False}
    ends = [descend(solver, objective, w, 1, **numbers) for solver in (network(4), SGD())]
    assert_allclose(*ends, rtol=1e-12)


@each_network
def test_one_agent_is_gradient_descent_to_the_bit(network):
    objective, w = regression(weighted=True)
    numbers = {**PLAIN, "batch_size": 5, "max_iter": 20, "learning_rate": "invscaling"}
    ends, runs = zip(
        *(
            minimize(solver, objective, w, Settings(**numbers), max_epochs=10)
            for solver in (network(1), SGD())
        ),
        strict=True,
    )
    assert_array_equal(*ends)
    assert runs[0].history.loss_curve == runs[1].history.loss_curve


@each_network
@pytest.mark.parametrize(
    "graph", ["ring", "complete", [[0.6, 0.4, 0], [0.4, 0.3, 0.3], [0, 0.3, 0.7]]]
)
def test_the_recursions_as_they_are_written_down(network, graph):
    objective, w = regression()
    solver = network(3, graph=graph)
    state = scattered(solver, objective, w, 0.3, **PLAIN)
    A, points = state.memory.weights, state.memory.points.copy()
    for _ in range(4):
        parts = list(objective.batch().pieces(8))
        g = [objective.loss_gradient(p, b)[1] for p, b in zip(points, parts, strict=True)]
        steps = 0.02 * np.array(g)
        points = A @ (points - steps) if network is Diffusion else A @ points - steps
        solver.step(objective, w, objective.batch(), state)
    assert_allclose(state.memory.points, points, rtol=1e-11)
    assert_allclose(w, points.mean(axis=0), rtol=1e-11)


@each_network
def test_agents_together_cost_one_gradient(network):
    objective, w = regression()
    for batch_size in (1, 5, 24):
        settings = Settings(batch_size=batch_size, learning_rate_init=0.01)
        _, run = minimize(network(), objective, w, settings, max_epochs=3)
        assert run.work.rows == 3 * 24


@each_network
def test_rows_that_weigh_nothing_move_nothing(network):
    objective, w = regression(weighted=True)
    objective.data.weight[:] = 0
    end = descend(network(), objective, w, 3, batch_size=8)
    assert_array_equal(end, w)


@each_network
@pytest.mark.parametrize(
    "graph",
    [
        np.eye(3),
        np.eye(2)[:1],
        [[0.5, 0.4], [0.4, 0.5]],
        [[1.2, -0.2], [-0.2, 1.2]],
        [[0.3, 0.7], [0.6, 0.4]],
        [[np.nan, 1], [1, 0]],
    ],
)
def test_a_graph_that_is_none_is_refused(network, graph):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="graph must be 'ring', 'complete' or a symmetric array"):
        FlatMLPClassifier(solver=network(2, graph=graph)).fit(X, y)


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (EntropySGD("lbfgs"), "base"),
        (EntropySGD(n_inner=0), "n_inner"),
        (EntropySGD(inner_rate=0), "inner_rate"),
        (EntropySGD(inner_momentum=1.0), "inner_momentum"),
        (EntropySGD(averaging=1.0), "averaging"),
        (EntropySGD(scoping=-1), "scoping"),
        (EntropySGD(noise=-1), "noise"),
        (ReplicatedSGD(0), "n_replicas"),
        (ReplicatedSGD(growth=0.5), "growth"),
        (Diffusion(0), "n_agents"),
        (Consensus(graph="star"), "graph"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=f"The '{named}' parameter of {type(solver).__name__}"):
        FlatMLPClassifier(solver=solver).fit(X, y)


def test_the_default_radii():
    """The first is the published ``gamma`` of 1e-4, the second is ours."""
    assert (EntropySGD.default_rho, ReplicatedSGD.default_rho) == (100, 10)
    assert all(network.default_rho is None for network in NETWORKS)
