"""Decoupled weight decay and the cosine schedule: closed forms, and PyTorch's numbers."""

import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from toys import Toy, descend

from skflat import FlatMatrixFactorization, FlatMLPClassifier
from skflat.models.factorization import Factorization
from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, Objective
from skflat.solvers import SOLVERS, SWA, Chain, Settings, minimize

X, Y = load_iris(return_X_y=True)
X = scale(X)
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
DECAYING = [name for name in STOCHASTIC if name != "ngd"]
# Without the average of where training went, which trails behind it.
AT_THE_END = [name for name in DECAYING if name != "ema"]

SCHEDULE = {"learning_rate": "cosine", "warmup": 0.2, "max_iter": 10}


def classifier(solver="adam", **params):
    small = {"hidden_layer_sizes": (5,), "batch_size": 40, "random_state": 0, "max_iter": 10}
    return FlatMLPClassifier(solver=solver, measures=None, **small | params)


def flat(net):
    return np.concatenate([array.ravel() for array in net.coefs_ + net.intercepts_])


def plain(*part):
    """An objective of loss 0 whose penalty would apply to these parts."""
    toy = Toy(lambda w: 0.0, np.zeros_like, lambda w: np.zeros((len(w), len(w))))
    toy.penalized = part
    return toy


def pulled():
    """A quadratic around (1, -1, 2, 0.5), steep and flat; the last two parameters do not decay."""
    lam, around = np.array([1.0, 1e-6, 3.0, 0.5]), np.array([1.0, -1.0, 2.0, 0.5])
    toy = Toy(
        lambda w: 0.5 * lam @ (w - around) ** 2,
        lambda w: lam * (w - around),
        lambda w: np.diag(lam),
    )
    toy.penalized = [slice(0, 2)]
    return toy


# --- weight decay ---


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("solver", AT_THE_END)
def test_where_nothing_pulls_the_penalised_part_shrinks_by_the_rate_times_the_decay(solver, dtype):
    objective, w = plain(slice(1, 3), slice(5, None)), np.ones(6, dtype)
    settings = Settings(weight_decay=0.5, learning_rate_init=0.1, rho=0.0)
    end, _ = minimize(SOLVERS[solver](), objective, w, settings, max_epochs=4)
    factor = (1 - 0.1 * 0.5) ** 4
    assert_allclose(end, [1, factor, factor, 1, 1, factor], rtol=1e-6)
    assert end.dtype == dtype


def test_normalised_steps_do_not_decay():
    settings = Settings(weight_decay=0.5)
    end, _ = minimize(SOLVERS["ngd"](), plain(slice(None)), np.ones(3), settings, max_epochs=3)
    assert_array_equal(end, np.ones(3))


@pytest.mark.parametrize("hidden", [(), (5,), (4, 3)])
def test_what_decays_is_what_the_penalty_applies_to(hidden):
    model = MLP([4, *hidden, 3])
    objective = Objective(model, HalfSquared(), X, np.eye(3)[Y])
    w = np.arange(1.0, model.layout.size + 1)
    decayed = np.zeros(len(w), bool)
    for part in objective.penalized:
        decayed[part] = True
    penalty = Objective(model, HalfSquared(), X, np.eye(3)[Y], alpha=1.0)
    difference = penalty.loss_gradient(w)[1] - objective.loss_gradient(w)[1]
    assert_array_equal(decayed, np.abs(difference) > 1e-3)


def test_of_a_factorization_factors_and_offsets_decay_and_the_intercept_does_not():
    model = Factorization([3, 2], 2)
    objective = Objective(model, HalfSquared(), np.zeros((1, 2), int), np.zeros((1, 1)))
    decayed = np.zeros(model.layout.size, bool)
    for part in objective.penalized:
        decayed[part] = True
    assert_array_equal(decayed, np.arange(model.layout.size) > 0)


def test_in_plain_steps_decay_is_the_penalty_times_the_rows_of_a_batch():
    sgd = {"solver": "sgd", "momentum": 0.0, "batch_size": 50, "learning_rate_init": 0.1}
    unconverged = pytest.warns(ConvergenceWarning)
    with unconverged:
        by_decay = classifier(alpha=0.0, weight_decay=0.02, **sgd).fit(X, Y)
        by_penalty = classifier(alpha=0.02 * 50, **sgd).fit(X, Y)
    assert_allclose(flat(by_decay), flat(by_penalty), rtol=1e-9)


def test_the_decay_does_not_go_through_the_velocity():
    settings = {"momentum": 0.9, "learning_rate_init": 0.1, "weight_decay": 0.5}
    end = descend(SOLVERS["sgd"](), plain(slice(None)), np.ones(2), 5, **settings)
    assert_allclose(end, 0.95**5, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", DECAYING)
def test_every_solver_decays_in_an_estimator(solver):
    few = {"max_iter": 3, "learning_rate_init": 0.01}
    left, decayed = (classifier(solver, weight_decay=d, **few).fit(X, Y) for d in (0.0, 5.0))
    assert np.linalg.norm(decayed.coefs_[0]) < 0.9 * np.linalg.norm(left.coefs_[0])


def test_partial_fit_takes_over_a_new_decay():
    numbers = {"solver": "sgd", "momentum": 0.0, "shuffle": False, "learning_rate_init": 0.001}
    left, decayed = (
        classifier(**numbers).partial_fit(X, Y, classes=[0, 1, 2]).set_params(weight_decay=d)
        for d in (0.0, 100.0)
    )
    for _ in range(2):
        left.partial_fit(X, Y)
        decayed.partial_fit(X, Y)
    share = np.linalg.norm(decayed.coefs_[0]) / np.linalg.norm(left.coefs_[0])
    assert share == pytest.approx((1 - 0.1) ** (2 * math.ceil(len(X) / 40)), rel=0.01)


# --- the cosine schedule ---


def rates(n_steps, **settings):
    """The lengths of plain steps along a constant slope of 1."""
    toy, seen = Toy(lambda w: w[0], np.ones_like, lambda w: np.zeros((1, 1))), [0.0]
    toy.loss_gradient = lambda w, *args, slope=toy.loss_gradient: (
        seen.append(w[0]) or slope(w, *args)
    )
    end = descend(SOLVERS["sgd"](), toy, [0.0], n_steps, learning_rate_init=1.0, **settings)
    return -np.diff([*seen[1:], end[0]])


def test_the_rate_rises_linearly_and_falls_along_half_a_cosine():
    found = rates(10, **SCHEDULE)
    falling = [0.5 * (1 + math.cos(math.pi * t / 8)) for t in range(8)]
    assert_allclose(found, [1 / 3, 2 / 3, *falling], atol=1e-12)


def test_without_warm_up_it_only_falls_and_behind_the_horizon_it_stays():
    found = rates(6, learning_rate="cosine", max_iter=4)
    falling = [0.5 * (1 + math.cos(math.pi * t / 4)) for t in range(4)]
    assert_allclose(found, [*falling, falling[-1], falling[-1]], atol=1e-12)


@pytest.mark.parametrize("warmup", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_the_rate_is_never_0(max_iter, warmup):
    found = rates(max_iter, learning_rate="cosine", max_iter=max_iter, warmup=warmup)
    assert (found > 0).all()
    assert (found <= 1).all()


def test_a_warm_up_means_nothing_to_other_schedules():
    assert_allclose(rates(5, warmup=0.5), 1.0)


@pytest.mark.parametrize("nesterov", [True, False])
def test_the_velocity_goes_with_the_rate(nesterov):
    """A velocity free of the rate, times the rate at hand: PyTorch's momentum."""
    settings = {"momentum": 0.9, "nesterovs_momentum": nesterov, **SCHEDULE}
    end = descend(SOLVERS["sgd"](), pulled(), np.zeros(4), 10, **settings)
    w, velocity, toy = np.zeros(4), np.zeros(4), pulled()
    for share in rates(10, **SCHEDULE):
        slope = toy.gradient(w)
        velocity = 0.9 * velocity + slope
        w = w - 0.02 * share * (slope + 0.9 * velocity if nesterov else velocity)
    assert_allclose(end, w, rtol=1e-12)


@pytest.mark.parametrize("solver", DECAYING)
def test_as_many_calls_of_partial_fit_as_epochs_take_the_rates_of_one_fit(solver):
    settings = {"shuffle": False, "tol": 0.0, "rho": 0.0, **SCHEDULE, "learning_rate_init": 0.05}
    whole, parts = (classifier(solver, **settings) for _ in range(2))
    whole.fit(X, Y)
    for _ in range(10):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
    assert_allclose(flat(parts), flat(whole), rtol=1e-12)


@pytest.mark.parametrize("solver", AT_THE_END)
def test_every_solver_follows_it(solver):
    """At the end of the horizon hardly anything moves any more."""
    few = {"max_iter": 20, "learning_rate_init": 0.05, "rho": 0.0, "n_iter_no_change": np.inf}
    nets = [classifier(solver, learning_rate=name, **few) for name in ("constant", "cosine")]
    moves = []
    for net in nets:
        for _ in range(19):
            net.partial_fit(X, Y, classes=[0, 1, 2])
        before = flat(net).copy()
        moves.append(np.linalg.norm(flat(net.partial_fit(X, Y)) - before))
    assert moves[1] < 0.1 * moves[0]


def test_a_schedule_that_ends_is_no_failure_to_converge():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = classifier(learning_rate="cosine", tol=0.0, learning_rate_init=0.05).fit(X, Y)
    assert clf.n_iter_ == 10
    for learning_rate, solver in (("constant", "adam"), ("cosine", "ngd")):
        with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
            classifier(solver, learning_rate=learning_rate, learning_rate_init=0.1).fit(X, Y)


def test_the_second_stage_goes_on_where_the_schedule_is():
    settings = Settings(momentum=0.0, learning_rate_init=0.02, shuffle=False, tol=0.0, **SCHEDULE)
    start = np.zeros(4)
    chained, _ = minimize(Chain("sgd", "sgd", switch=0.5), pulled(), start, settings)
    whole, _ = minimize(SOLVERS["sgd"](), pulled(), start, settings)
    assert_allclose(chained, whole, rtol=1e-12)


def test_cycles_take_the_place_of_the_schedule():
    swa = SWA(start=0.0, cycle=2, rate="cyclic")
    ends = [
        descend(swa, pulled(), np.zeros(4), 10, learning_rate=name, max_iter=20)
        for name in ("constant", "cosine")
    ]
    assert_allclose(*ends, rtol=1e-12)


def test_a_factorization_follows_it():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(12, 3)) @ rng.normal(size=(3, 9))
    model = FlatMatrixFactorization(
        n_components=2, solver="adam", learning_rate="cosine", max_iter=5, tol=0.0, random_state=0
    )
    assert model.fit(matrix).n_iter_ == 5


# --- PyTorch ---

#: Where PyTorch 2.14 ends after ten steps from 0 on `pulled`, with the schedule, at a rate of 0.05.
PYTORCH = [
    (
        *("adam", "AdamW", {"weight_decay": 0.1}, {}),
        [0.269092827164512, -0.2663154761362974, 0.27382440582481476, 0.2679253694976964],
    ),
    (
        *("sgd", "SGD", {"weight_decay": 0.1, "momentum": 0.0}, {}),
        [0.24153756163164314, -2.717476786426691e-07, 1.1660978776605013, 0.06479243070734075],
    ),
    (
        *("sgd", "SGD", {"momentum": 0.9, "nesterovs_momentum": True}, {"nesterov": True}),
        [0.8681600550474259, -1.1688915019690179e-06, 2.8415323206791507, 0.2520265120865825],
    ),
    (
        *("sgd", "SGD", {"momentum": 0.9, "nesterovs_momentum": False}, {}),
        [0.8102378677396311, -9.93212964200464e-07, 3.1466447171906373, 0.22450764099791923],
    ),
]
each_optimizer = pytest.mark.parametrize(("solver", "name", "ours", "theirs", "end"), PYTORCH)


def end_of_ten_steps(solver, ours):
    settings = {"learning_rate_init": 0.05, **SCHEDULE, **ours}
    return descend(SOLVERS[solver](), pulled(), np.zeros(4), 10, **settings)


def pytorch_end(name, ours, theirs):
    """The same, by PyTorch: two steps of warm-up and eight that fall."""
    torch = pytest.importorskip("torch")
    schedules = torch.optim.lr_scheduler
    parts = [torch.zeros(2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    decay = ours.get("weight_decay", 0.0)
    groups = [{"params": [parts[0]], "weight_decay": decay}, {"params": [parts[1]]}]
    shared = {"lr": 0.05, "weight_decay": 0.0} | theirs
    shared |= {"momentum": ours["momentum"]} if "momentum" in ours else {}
    optimizer = getattr(torch.optim, name)(groups, **shared)
    rising = schedules.LinearLR(optimizer, start_factor=1 / 3, total_iters=2)
    falling = schedules.CosineAnnealingLR(optimizer, T_max=8)
    schedule = schedules.SequentialLR(optimizer, [rising, falling], milestones=[2])
    toy = pulled()
    for _ in range(10):
        slope = torch.from_numpy(toy.gradient(torch.cat(parts).detach().numpy()))
        parts[0].grad, parts[1].grad = slope[:2], slope[2:]
        optimizer.step()
        schedule.step()
    return torch.cat(parts).detach().numpy()


@each_optimizer
def test_ten_steps_end_where_pytorch_ends(solver, name, ours, theirs, end):
    assert_allclose(end_of_ten_steps(solver, ours), end, rtol=1e-10)


@each_optimizer
def test_pytorch_itself_ends_there(solver, name, ours, theirs, end):
    assert_allclose(pytorch_end(name, ours, theirs), end, rtol=1e-10)
