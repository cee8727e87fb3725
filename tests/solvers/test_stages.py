"""Solvers on the exact trace, noisy labels and averaged weights, and solvers in sequence."""

import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_classification
from toys import (
    Bilinear,
    Toy,
    Watched,
    descend,
    hyperbola,
    quadratic,
    trace_gradient,
    trace_of_rows,
)

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.models.mlp import MLP
from skflat.objective import Binary, HalfPoisson, HalfSquared, Multinomial, Objective, Workspace
from skflat.solvers import (
    ASAM,
    EMA,
    LBFGS,
    SAM,
    SGD,
    SWA,
    Adam,
    Chain,
    LabelNoise,
    Run,
    Settings,
    TracePenalty,
    minimize,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(
    n_samples=60, n_features=5, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
LOSSES = {
    "multinomial": (Multinomial(), 3),
    "binary": (Binary(), 2),
    "smoothed classes": (Multinomial(0.2), 3),
    "smoothed labels": (Binary(0.3), 2),
    "squared": (HalfSquared(), 2),
    "poisson": (HalfPoisson(), 2),
}
ACTIVATIONS = ["relu", "identity", "tanh", "logistic", "gelu", "silu", "selu", "mish", anp.sin]
PLAIN = {"momentum": 0.0, "nesterovs_momentum": False, "n_iter_no_change": np.inf}
ONE_ROW = Settings(learning_rate_init=0.02, batch_size=1, **PLAIN)

each_loss = pytest.mark.parametrize("loss", LOSSES)
each_base = pytest.mark.parametrize("base", ["adam", "sgd"])


def some_targets(loss, n_rows, rng):
    return {
        "multinomial": rng.integers(0, 3, n_rows),
        "binary": rng.integers(0, 2, (n_rows, 2)).astype(float),
        "smoothed classes": rng.integers(0, 3, n_rows),
        "smoothed labels": rng.integers(0, 2, (n_rows, 2)).astype(float),
        "squared": rng.normal(size=(n_rows, 2)),
        "poisson": rng.poisson(2.0, (n_rows, 2)).astype(float),
    }[loss]


def network(loss, activation="relu", hidden=(5,), n_rows=7, weighted=False, dtype=float):
    """A small network's objective, and a point."""
    rng = np.random.default_rng(0)
    function, n_outputs = LOSSES[loss]
    inputs, y = rng.normal(size=(n_rows, 4)), some_targets(loss, n_rows, rng)
    weight = rng.uniform(0.1, 2, n_rows).astype(dtype) if weighted else None
    model = MLP([4, *hidden, n_outputs], activation)
    y = y if y.ndim == 1 else y.astype(dtype)
    objective = Objective(model, function, inputs.astype(dtype), y, weight, alpha=0.1)
    return objective, (0.5 * rng.normal(size=model.layout.size)).astype(dtype)


def running(solver, objective, w, **settings):
    """The state of a rule while the loop runs."""
    state = solver.init_state(objective, w, Settings(**settings), np.random.default_rng(0))
    state.work = Workspace()
    return state


def classifier(solver, **params):
    few = {"hidden_layer_sizes": (6,), "batch_size": 16, "max_iter": 8, "measures": None}
    return FlatMLPClassifier(solver=solver, random_state=0, **few | params)


def weights_of(clf):
    return np.concatenate([np.ravel(array) for array in (*clf.coefs_, *clf.intercepts_)])


def central(function, w, h):
    return np.array([(function(w + h * e) - function(w - h * e)) / (2 * h) for e in np.eye(len(w))])


# The gradient of the exact trace


@each_loss
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4), (5, 4, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_traces_gradient_is_its_slope(loss, activation, hidden, weighted):
    objective, w = network(loss, activation, hidden, weighted=weighted)
    found = trace_gradient(objective, w)
    assert (found is None) == (trace_of_rows(objective, w) is None)
    if found is not None:
        slope = central(
            lambda w: objective.data.mean(trace_of_rows(objective, w).sum(axis=1)), w, 1e-5
        )
        assert_allclose(found, slope, rtol=1e-6, atol=1e-6 * max(1, np.abs(slope).max()))


@each_loss
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [(2,), (2, 2)])
def test_the_traces_gradient_is_that_of_the_dense_hessians_trace(loss, activation, hidden):
    objective, w = network(loss, activation, hidden, weighted=True)
    objective = objective.unpenalized()
    basis = np.eye(len(w))

    def trace(w):
        return sum(objective.hvp(w, e) @ e for e in basis)

    slope = central(trace, w, 1e-5)
    assert_allclose(trace_gradient(objective, w), slope, rtol=1e-6, atol=1e-6 * np.abs(slope).max())


@each_loss
def test_rows_that_come_in_pieces_sparse_or_with_weight_0(loss):
    objective, w = network(loss, n_rows=1100, weighted=True)
    model, function, data = objective.model, objective.loss_function, objective.data
    whole = trace_gradient(objective, w)
    parts = [trace_gradient(objective, w, piece) * share for share, piece in data.shares(100)]
    assert_allclose(whole, sum(parts), rtol=1e-10, atol=1e-12)
    thin = Objective(model, function, sparse.csr_matrix(data.X), data.y, data.weight)
    assert_allclose(trace_gradient(thin, w), whole, rtol=1e-10, atol=1e-12)
    data.weight[:] = 0
    assert_array_equal(trace_gradient(objective, w), 0)


@pytest.mark.parametrize("hidden", [(5,), (5, 4)])
def test_the_traces_gradient_keeps_float32(hidden):
    double, w = network("multinomial", hidden=hidden, weighted=True)
    single, _ = network("multinomial", hidden=hidden, weighted=True, dtype=np.float32)
    found = trace_gradient(single, w.astype(np.float32))
    assert found.dtype == np.float32
    assert_allclose(found, trace_gradient(double, w), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("hidden", "cost"), [((), 1), ((5,), 1), ((5, 4), 3), ((5, 4, 3), 6)])
def test_the_traces_gradient_costs_an_output_each_for_every_further_layer(hidden, cost):
    objective, w = network("multinomial", hidden=hidden)
    work, out = Workspace(), np.empty_like(w)
    assert trace_gradient(objective, w, objective.batch(slice(0, 4)), out, work) is out
    assert work.rows == 4 * cost


# The trace penalty


def test_the_trace_penalty_follows_the_gradient_of_the_sum():
    objective, w = network("multinomial", "tanh", weighted=True)
    state = running(TracePenalty(), objective, w, rho=0.3)
    loss, found = TracePenalty().direction(objective, w, objective.batch(), state)

    def penalised(w):
        trace = objective.data.mean(trace_of_rows(objective, w).sum(axis=1))
        return objective.loss(w) + 0.3**2 / 2 * trace

    assert loss == pytest.approx(objective.loss(w), rel=1e-12)
    assert_allclose(found, central(penalised, w, 1e-5), rtol=1e-6, atol=1e-8)
    assert state.work.rows == 2 * 7


@pytest.mark.parametrize("rho", [0.2, 0.4])
def test_on_the_hyperbola_the_penalised_minimum_is_known(rho):
    """``(x y - 1)^2 + rho^2 (x^2 + y^2)`` is least at ``x = y = sqrt(1 - rho^2)``."""
    end = descend(TracePenalty("sgd"), hyperbola(), (4, 0.3), 5000, rho=rho)
    assert_allclose(end, (1 - rho**2) ** 0.5, rtol=1e-5)


def test_the_trace_penalty_drifts_along_the_valley_at_the_rate_of_the_noise_it_stands_for():
    """``C = x^2 - y^2`` shrinks by ``(1 - 2 eta rho^2)^2 - 4 eta^2 r^2``: ``-4 eta rho^2``."""
    w = np.array([4.0, 0.25])
    for _ in range(5):
        end, r = descend(TracePenalty("sgd"), hyperbola(), w, 1, rho=0.1), w[0] * w[1] - 1
        factor = (1 - 2 * 0.02 * 0.1**2) ** 2 - 4 * 0.02**2 * r**2
        assert factor == pytest.approx(1 - 4 * 0.02 * 0.1**2, abs=1e-6)
        # The toy's own gradient of the trace is by differences.
        assert (end**2) @ [1, -1] == pytest.approx(factor * (w**2) @ [1, -1], rel=1e-11)
        w = end


def penalised_steps(solver, points, objective, rho=0.3):
    """The directions followed at some points in turn, all rows in every batch."""
    state, batch = running(solver, objective, points[0], rho=rho), objective.batch()
    return [solver.direction(objective, w, batch, state)[1].copy() for w in points]


def some_points(w, n_points):
    return w + 0.3 * np.random.default_rng(1).normal(size=(n_points, len(w)))


def test_renewed_in_every_step_it_is_the_gradient_of_the_sum_to_the_bit():
    objective, w = network("multinomial", weighted=True)
    points = some_points(w, 3)
    for w, found in zip(points, penalised_steps(TracePenalty(), points, objective), strict=True):
        slope = trace_gradient(objective, w) * (0.5 * 0.3**2)
        assert_array_equal(found, objective.loss_gradient(w)[1] + slope)


@pytest.mark.parametrize("interval", [1, 2, 3, 10])
def test_between_two_renewals_the_last_slope_is_used_again(interval):
    objective, w = network("multinomial", weighted=True)
    points = some_points(w, 7)
    found = penalised_steps(TracePenalty(interval=interval), points, objective)
    for step, w in enumerate(points):
        slope = trace_gradient(objective, points[step - step % interval])
        assert_allclose(found[step], objective.loss_gradient(w)[1] + 0.3**2 / 2 * slope, rtol=1e-12)


@pytest.mark.parametrize("interval", [1, 2])
def test_the_last_slopes_may_be_averaged(interval):
    objective, w = network("squared", "tanh")
    points = some_points(w, 3 * interval)
    found = penalised_steps(TracePenalty(interval=interval, average=0.75), points, objective)
    first, second, third = (trace_gradient(objective, w) for w in points[::interval])
    last = objective.loss_gradient(points[-1])[1]
    mean = 0.75 * (0.75 * first + 0.25 * second) + 0.25 * third
    assert_allclose(found[-1], last + 0.3**2 / 2 * mean, rtol=1e-12)


@pytest.mark.parametrize("interval", [1, 2, 10])
@pytest.mark.parametrize("hidden", [(5,), (5, 4)])
def test_renewals_are_what_the_trace_costs(interval, hidden):
    objective, w = network("multinomial", hidden=hidden)
    state = running(TracePenalty(interval=interval), objective, w, rho=0.1)
    rows = []
    for _ in range(20):
        TracePenalty(interval=interval).direction(objective, w, objective.batch(), state)
        rows.append(state.work.rows / 7)
    renewal = 1 if len(hidden) == 1 else 3
    pattern = [1 + renewal] + [1] * (interval - 1)
    assert_array_equal(np.diff(rows, prepend=0), pattern * (20 // interval))


def test_an_epoch_of_ten_steps_costs_one_gradient_and_a_tenth():
    clf = classifier(TracePenalty(interval=10), batch_size=6).fit(X, Y)
    assert clf.n_grad_evals_ == pytest.approx(8 * 1.1)


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("interval", [2, 10])
def test_however_seldom_it_is_renewed_the_penalised_minimum_is_the_same(interval, average):
    solver = TracePenalty("sgd", interval=interval, average=average)
    end = descend(solver, hyperbola(), (4, 0.3), 5000, rho=0.3)
    assert_allclose(end, (1 - 0.3**2) ** 0.5, rtol=1e-5)


def test_another_radius_weighs_the_slope_in_use_anew():
    objective, w = network("multinomial")
    solver, batch = TracePenalty(interval=5), objective.batch()
    state = running(solver, objective, w, rho=0.3)
    solver.direction(objective, w, batch, state)
    solver.adopt(objective, w, state, Settings(rho=0.1))
    _, found = solver.direction(objective, w, batch, state)
    assert state.work.rows == 3 * 7
    expected = objective.loss_gradient(w)[1] + 0.1**2 / 2 * trace_gradient(objective, w)
    assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (TracePenalty("rmsprop"), "base"),
        (TracePenalty(interval=0), "interval"),
        (TracePenalty(average=1.0), "average"),
    ],
)
def test_a_penalty_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of TracePenalty"):
        classifier(solver).fit(X, Y)


@pytest.mark.parametrize("solver", [TracePenalty(), Chain("sgd", "trace")], ids=repr)
@pytest.mark.parametrize("hidden", [(4, 4, 4)])
def test_a_network_without_an_exact_trace_is_refused_at_fit(solver, hidden):
    deep = {"hidden_layer_sizes": hidden, "activation": "tanh"}
    needed = "TracePenalty needs the gradient of the exact trace .* MLP has none"
    with pytest.raises(ValueError, match=needed):
        classifier(solver, **deep).fit(X, Y)
    classifier(solver, **deep | {"activation": "relu"}).fit(X, Y)
    classifier(solver, rho=0, **deep).fit(X, Y)


def test_a_model_that_does_not_know_its_trace_is_refused():
    objective = Objective(Bilinear(3, 1), HalfSquared(), np.ones((4, 3)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="and this Bilinear has none"):
        minimize(TracePenalty(), objective, np.ones(6), Settings(rho=0.1))


# Label noise


class Noted(Watched):
    """Notes the targets that it is asked about."""

    def __init__(self, objective):
        super().__init__(objective)
        self.targets = []

    def loss_gradient(self, w, batch=None, out=None, work=None):
        self.targets.append(batch.y.copy())
        return super().loss_gradient(w, batch, out, work)


def noisy_targets(loss, rho, n_rows=4000, n_steps=3, **setup):
    """The targets as they are, and as they were in some steps."""
    objective, w = network(loss, n_rows=n_rows, **setup)
    noted, solver = Noted(objective), LabelNoise()
    state = running(solver, noted, w, rho=rho)
    for _ in range(n_steps):
        solver.direction(noted, w, noted.batch(), state)
    assert state.work.rows == n_steps * n_rows
    return objective.data.y, noted.targets


def one_factor_each(n_pairs):
    """``sum_i (x_i y_i - 1)^2 / 2``: as many independent problems as there are pairs."""
    ones = np.ones((1, n_pairs))
    return Objective(Bilinear(1, n_pairs), HalfSquared(), np.ones((1, 1)), ones)


def test_a_step_on_noisy_labels_shrinks_the_imbalance_exactly():
    """``C = x^2 - y^2`` by the factor ``1 - eta^2 (r - eps)^2``, ``r = x y - 1``."""
    noted, w = Noted(one_factor_each(50)), np.repeat([2.0, 0.5], 50)
    for step in range(5):
        x, y = w[:50], w[50:]
        settings = Settings(rho=0.3, learning_rate_init=0.05, **PLAIN)
        end, _ = minimize(LabelNoise(), noted, w, settings, random_state=step, max_epochs=1)
        eps = noted.targets[-1][0] - 1
        assert_allclose(np.abs(eps), 0.3, rtol=1e-12)
        factor = 1 - 0.05**2 * (x * y - 1 - eps) ** 2
        assert_allclose(end[:50] ** 2 - end[50:] ** 2, (x**2 - y**2) * factor, rtol=1e-12)
        w = end


def test_noisy_labels_flatten_at_the_known_rate():
    """Over 400 signs each; the mean rate ``eta^2 sigma^2 / (1 - eta h / 2)`` says 2.30."""
    start = np.repeat([2.0, 0.5], 400)
    settings = Settings(rho=0.3, learning_rate_init=0.05, **PLAIN)
    w, _ = minimize(LabelNoise(), one_factor_each(400), start, settings, max_epochs=2000)
    imbalance = w[:400] ** 2 - w[400:] ** 2
    assert 2.267 < imbalance.mean() < 2.335
    plain, _ = minimize(SGD(), one_factor_each(400), start, settings, max_epochs=2000)
    assert_array_equal(plain, start)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_get_fresh_noise_of_the_given_size(dtype):
    y, seen = noisy_targets("squared", rho=0.3, dtype=dtype)
    for noisy in seen:
        assert noisy.dtype == dtype
        assert_allclose(np.abs(noisy - y), 0.3, rtol=1e-3)
        assert abs(np.mean(noisy > y) - 0.5) < 0.03
    assert np.mean(seen[0] == seen[1]) < 0.55


def test_noisy_counts_do_not_become_negative():
    y, seen = noisy_targets("poisson", rho=0.3)
    assert seen[0].min() == 0
    assert_allclose(seen[0][y > 0], y[y > 0] + np.where(seen[0] > y, 0.3, -0.3)[y > 0])


@pytest.mark.parametrize("rho", [0.1, 0.4, 1.0, 7.0])
def test_a_class_is_replaced_by_another_one_with_the_given_probability(rho):
    y, seen = noisy_targets("multinomial", rho)
    for noisy in seen:
        assert noisy.dtype == y.dtype
        assert set(noisy) <= {0, 1, 2}
        assert np.mean(noisy != y) == pytest.approx(min(rho, 1), abs=0.03)
        by = ((noisy - y) % 3)[noisy != y]
        assert np.mean(by == 1) == pytest.approx(0.5, abs=0.09)
    assert (rho >= 1) == (seen[0] != y).all()


def test_each_of_several_labels_is_turned_round_by_itself():
    y, seen = noisy_targets("binary", 0.2)
    turned = seen[0] != y
    assert set(np.unique(seen[0])) == {0, 1}
    assert_allclose(turned.mean(axis=0), 0.2, atol=0.03)
    assert np.mean(turned.all(axis=1)) == pytest.approx(0.04, abs=0.015)


def test_the_labels_themselves_stay():
    target = Y.astype(float)
    reg = FlatMLPRegressor(solver="label_noise", rho=0.5, max_iter=3, measures=None)
    reg.fit(X, target)
    classifier("label_noise").fit(X, Y)
    assert_array_equal(target, Y)


# Weight averaging


def sgd_path(n_steps, **settings):
    """Where SGD is on a quadratic after every number of steps, from the start on."""
    bowl, numbers = quadratic(4.0, 1.0), range(1, n_steps + 1)
    return [np.array([1.0, -2.0])] + [descend(SGD(), bowl, (1, -2), n, **settings) for n in numbers]


@pytest.mark.parametrize(
    ("start", "cycle", "averaged"),
    [(0.5, 1, range(10, 21)), (0.75, 2, (15, 17, 19)), (0, 1, range(1, 21)), (1, 3, (20,))],
)
def test_the_end_is_the_mean_of_the_ends_of_the_later_epochs(start, cycle, averaged):
    path = sgd_path(20, max_iter=20)
    solver = SWA(start=start, cycle=cycle)
    end = descend(solver, quadratic(4.0, 1.0), (1, -2), 20, max_iter=20)
    assert_allclose(end, np.mean([path[n] for n in averaged], axis=0), rtol=1e-13)


@each_base
def test_before_the_tail_it_is_the_base_to_the_bit(base):
    plain = {"adam": Adam(), "sgd": SGD()}[base]
    averaged, by_hand = (
        classifier(solver, max_iter=8, rho=0).fit(X, Y) for solver in (SWA(base), plain)
    )
    assert averaged.loss_curve_ == by_hand.loss_curve_
    assert averaged.n_grad_evals_ == by_hand.n_grad_evals_ == 8
    assert np.abs(weights_of(averaged) - weights_of(by_hand)).max() > 1e-5
    first = classifier(SWA(base), max_iter=8, rho=0)
    second = classifier(plain, max_iter=8, rho=0)
    for _ in range(6):
        first.partial_fit(X, Y, classes=[0, 1, 2])
        second.partial_fit(X, Y, classes=[0, 1, 2])
    assert_array_equal(weights_of(first), weights_of(second))


@each_base
def test_training_goes_on_from_the_last_point_and_not_from_the_mean(base):
    plain = {"adam": Adam(), "sgd": SGD()}[base]
    averaged, by_hand = (classifier(solver, rho=0, max_iter=4) for solver in (SWA(base), plain))
    path = []
    for _ in range(6):
        averaged = pickle.loads(pickle.dumps(averaged.partial_fit(X, Y, classes=[0, 1, 2])))
        path.append(weights_of(by_hand.partial_fit(X, Y, classes=[0, 1, 2])))
    assert averaged.loss_curve_ == by_hand.loss_curve_
    assert_allclose(weights_of(averaged), np.mean(path[2:], axis=0), rtol=1e-12)


def test_what_somebody_else_sets_between_two_calls_is_gone_on_from():
    clf = classifier("swa", max_iter=2)
    for _ in range(3):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
    for array in (*clf.coefs_, *clf.intercepts_):
        array[...] = 0
    clf.partial_fit(X, Y)
    assert clf.loss_curve_[-1] > 1.05
    assert clf.loss_curve_[-2] < clf.loss_curve_[-1]


def test_an_average_begins_anew_where_somebody_else_sets_the_parameters():
    """Half of one step away from there, and not between there and where it was."""
    plain = classifier("sgd", max_iter=2, momentum=0.0, nesterovs_momentum=False)
    clf = classifier("swa", max_iter=2, momentum=0.0, nesterovs_momentum=False)
    for each in (clf, plain):
        for _ in range(3):
            each.partial_fit(X, Y, classes=[0, 1, 2])
        for array in (*each.coefs_, *each.intercepts_):
            array[...] = 0.1
        each.partial_fit(X, Y)
    assert_allclose(weights_of(clf), (0.1 + weights_of(plain)) / 2, rtol=1e-12)


def test_the_mean_is_what_validation_sees_and_early_stopping_keeps():
    params = {"max_iter": 30, "learning_rate_init": 0.1, "early_stopping": True, "tol": 0}
    clf = classifier(SWA(start=0.1), **params).fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]))
    assert clf.best_validation_score_ == clf.score(X[40:], Y[40:])


# An average that forgets


def forgetful_mean(path, decay):
    """Of the points of a path, the first of which is the start."""
    mean = path[0]
    for n, point in enumerate(path[1:], start=1):
        kept = min(decay, n / (9 + n))
        mean = kept * mean + (1 - kept) * point
    return mean


@pytest.mark.parametrize("decay", [0.0, 1e-300, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("n_steps", [1, 2, 40])
def test_the_end_is_the_mean_of_all_points_with_weights_that_decay(decay, n_steps):
    end = descend(EMA("sgd", decay=decay), quadratic(4.0, 1.0), (1, -2), n_steps)
    assert_allclose(end, forgetful_mean(sgd_path(n_steps), decay), rtol=1e-13)


def test_the_weights_of_the_mean_in_closed_form():
    """A point that stands still ``k`` steps ago counts for ``(1 - decay) decay^k``."""
    n_steps, decay, q = 2000, 0.9, 1 - 0.02 * 4
    end = descend(EMA("sgd", decay=decay), quadratic(4.0, 4.0), (1, -2), n_steps)
    assert n_steps > 9 * decay / (1 - decay)
    late = descend(EMA("sgd", decay=decay), quadratic(4.0, 4.0), (1, -2), n_steps + 1)
    # The mean of ``q^t`` decays at the slower of the two rates.
    assert_allclose(late / end, max(q, decay), rtol=1e-9)


def test_the_mean_of_many_steps_keeps_its_precision():
    for decay in (0.5, 0.999):
        start = np.array([1, -2], dtype=np.float32)
        settings = Settings(learning_rate_init=1e-9, momentum=0.0)
        end, _ = minimize(EMA("sgd", decay=decay), quadratic(4.0, 1.0), start, settings, 0, 3000)
        assert_allclose(end, start, rtol=1e-5)


@each_base
def test_the_point_trains_as_the_base_and_the_mean_takes_no_part(base):
    plain = {"adam": Adam(), "sgd": SGD()}[base]
    averaged, by_hand = (classifier(solver, rho=0, batch_size=60) for solver in (EMA(base), plain))
    path = [weights_of(classifier(plain, batch_size=60, learning_rate_init=1e-300).fit(X, Y))]
    for _ in range(5):
        averaged = pickle.loads(pickle.dumps(averaged.partial_fit(X, Y, classes=[0, 1, 2])))
        path.append(weights_of(by_hand.partial_fit(X, Y, classes=[0, 1, 2])))
    assert averaged.loss_curve_ == by_hand.loss_curve_
    assert averaged.n_grad_evals_ == by_hand.n_grad_evals_ == 5
    assert_allclose(weights_of(averaged), forgetful_mean(path, 0.999), rtol=1e-12, atol=1e-14)


def test_point_and_average_begin_where_somebody_else_sets_the_parameters():
    plain = classifier("sgd", batch_size=60, momentum=0.0, nesterovs_momentum=False)
    clf = classifier(EMA("sgd"), batch_size=60, momentum=0.0, nesterovs_momentum=False)
    for each in (clf, plain):
        for _ in range(3):
            each.partial_fit(X, Y, classes=[0, 1, 2])
        for array in (*each.coefs_, *each.intercepts_):
            array[...] = 0.1
        each.partial_fit(X, Y)
    expected = forgetful_mean([0.1, weights_of(plain)], 0.999)
    assert_allclose(weights_of(clf), expected, rtol=1e-12)


def test_an_interrupted_epoch_ends_at_its_mean():
    class Interrupted(Toy):
        def loss_gradient(self, w, *args):
            if np.abs(w).max() < 1.7:
                raise KeyboardInterrupt
            return super().loss_gradient(w, *args)

    toy = quadratic(4.0, 1.0, n_rows=100)
    toy.__class__ = Interrupted
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        end, run = minimize(EMA("sgd"), toy, np.array([1.0, -2.0]), ONE_ROW, 0, 1)
    plain = [np.array([1.0, -2.0]) * (1 - 0.02 * np.array([4.0, 1.0])) ** n for n in range(10)]
    assert run.work.rows == 9
    assert_allclose(end, forgetful_mean(plain, 0.999), rtol=1e-13)


def test_the_forgetful_mean_is_what_validation_sees_and_early_stopping_keeps():
    params = {"max_iter": 30, "learning_rate_init": 0.1, "early_stopping": True, "tol": 0}
    clf = classifier(EMA(), **params).fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]))
    assert clf.best_validation_score_ == clf.score(X[40:], Y[40:])


@pytest.mark.parametrize(("solver", "named"), [(EMA(decay=1.0), "decay"), (EMA("lbfgs"), "base")])
def test_an_average_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of EMA"):
        classifier(solver).fit(X, Y)


# Weight averaging: the rate


@each_base
def test_a_cyclic_rate_falls_within_every_cycle(base):
    rates = []

    def note(state):
        inner = state.base.base
        rates.append(inner.settings.learning_rate_init)
        assert base == "adam" or inner.learning_rate == rates[-1]

    class Seen(SWA):
        def step(self, objective, w, batch, state):
            loss = super().step(objective, w, batch, state)
            note(state)
            return loss

    solver = Seen(base, start=0.5, cycle=2, rate="cyclic", ratio=10.0)
    settings = Settings(learning_rate_init=0.1, max_iter=8, batch_size=2, **PLAIN)
    minimize(solver, quadratic(4.0, 1.0, n_rows=4), np.ones(2), settings)
    fall = [0.1 * (1 - 0.9 * t) for t in (0.25, 0.5, 0.75, 1.0)]
    assert_allclose(rates, [0.1] * 8 + 2 * fall, rtol=1e-12)


def test_the_mean_is_nearer_to_the_minimum_than_the_points():
    """Whose rows disagree, so that SGD wanders around it."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 3))
    y = inputs @ np.ones((3, 1)) + rng.normal(size=(200, 1))
    objective = Objective(MLP([3, 1]), HalfSquared(), inputs, y)
    best = np.linalg.lstsq(np.c_[inputs, np.ones(200)], y, rcond=None)[0].ravel()
    settings = Settings(learning_rate_init=0.05, batch_size=5, max_iter=60, **PLAIN)
    distance = [
        np.linalg.norm(minimize(solver, objective, np.zeros(4), settings)[0] - best)
        for solver in (SWA(start=0.2), SGD())
    ]
    assert distance[0] < 0.3 * distance[1]


def test_a_plateau_begins_the_tail_and_a_second_one_ends_training():
    settings = Settings(
        learning_rate_init=0.1,
        max_iter=1000,
        n_iter_no_change=5,
        **{name: PLAIN[name] for name in ("momentum", "nesterovs_momentum")},
    )
    runs = [minimize(s, quadratic(1.0), np.ones(1), settings)[1] for s in (SGD(), SWA())]
    assert runs[0].n_iter < runs[1].n_iter < 2 * runs[0].n_iter < 1000
    noisy = Toy(lambda w: 1.0, np.ones_like, lambda w: np.zeros((1, 1)))
    path, run = minimize(SWA(), noisy, np.zeros(1), settings)
    assert run.n_iter == 7 + 6
    assert_allclose(path, -0.1 * np.mean(range(8, 14)), rtol=1e-12)


# One solver, then another


def test_sam_late_in_training_is_a_chain():
    """The traces from GD's end, moved off the manifold by 1e-3."""

    class Nudged(SGD):
        """GD that ends beside where it ended."""

        def finalize(self, w, state):
            return w + 1e-3

    expected = {100: "11.20", 300: "4.52", 500: "4.012", 1000: "3.898"}
    for n_late, figure in expected.items():
        n_steps = 5000 + n_late
        solver = Chain(Nudged(), SAM("sgd"), switch=5000 / n_steps)
        end = descend(solver, hyperbola(), (4, 0.3), n_steps, rho=0.3, max_iter=n_steps)
        trace = 2 * end @ end
        assert f"{trace:.{len(figure.split('.')[1])}f}" == figure


@pytest.mark.parametrize(
    ("first", "second"),
    [(SGD(), SAM("sgd")), (Adam(), SAM()), (ASAM(), SGD()), (SWA(), SAM()), (SAM(), LabelNoise())],
    ids=repr,
)
def test_a_chain_is_its_solvers_by_hand_to_the_bit(first, second):
    """Momentum and moments begin anew; noise and the order of the rows go on."""
    objective, w = network("multinomial", n_rows=12)
    numbers = {"batch_size": 5, "rho": 0.2, "n_iter_no_change": np.inf, "shuffle": False}
    chain = Chain(first, second, switch=0.6, rho=0.1, learning_rate_init=0.05)
    found, run = minimize(chain, objective, w, Settings(max_iter=10, **numbers))
    middle, early = minimize(first, objective, w, Settings(max_iter=6, **numbers))
    late = Settings(max_iter=4, **numbers | {"rho": 0.1, "learning_rate_init": 0.05})
    end, after = minimize(second, objective, middle, late)
    assert_array_equal(found, end)
    assert run.work.rows == early.work.rows + after.work.rows


@each_base
def test_late_sam_in_a_fit_is_sam_that_starts_late_but_with_new_moments(base):
    chain, late, plain = (
        classifier(solver).fit(X, Y)
        for solver in (Chain(base, switch=0.5), SAM(base, start=0.5), base)
    )
    assert chain.loss_curve_[:4] == late.loss_curve_[:4] == plain.loss_curve_[:4]
    assert chain.n_grad_evals_ == late.n_grad_evals_ == 4 + 2 * 4
    assert chain.loss_curve_[4:] != late.loss_curve_[4:] != plain.loss_curve_[4:]


@pytest.mark.parametrize(
    ("chain", "rho"),
    [
        (Chain(), 0.05),
        (Chain("sam", "sam"), 0.05),
        (Chain("adam", "asam"), 0.5),
        (Chain("asam", "sgd"), 0.5),
        (Chain("sgd", "adam"), None),
        (Chain("sgd", "sam", rho=0.3), None),
        (Chain("asam", "sam", rho=0.3), 0.5),
    ],
    ids=repr,
)
def test_the_default_radius_is_that_of_the_stages(chain, rho):
    assert chain.default_rho == rho


def test_where_the_stages_differ_auto_is_each_its_own():
    apart = Chain("asam", "sam", switch=0.5)
    assert np.isnan(apart.default_rho)
    given = Chain("asam", "sam", switch=0.5, rho=0.05)
    fits = [classifier(s, rho=r).fit(X, Y) for s, r in ((apart, "auto"), (given, 0.5))]
    assert_array_equal(*map(weights_of, fits))


def test_a_radius_of_its_own_outlives_radius_0():
    alone, chain = (
        classifier(solver, rho=rho).fit(X, Y)
        for solver, rho in ((Chain("sgd", "sam", rho=0.3), 0), (Chain("sgd", "sam"), 0.3))
    )
    assert_array_equal(weights_of(alone), weights_of(chain))
    plain = classifier(Chain("sgd", "sam", rho=0.0)).fit(X, Y)
    assert_array_equal(weights_of(plain), weights_of(classifier(Chain("sgd", "adam")).fit(X, Y)))


@pytest.mark.parametrize("rho", [0, 0.1])
def test_partial_fit_passes_the_switch(rho):
    clf = classifier(Chain(SAM("sgd"), SAM(), switch=0.5), rho=rho, max_iter=4)
    for _ in range(4):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
    memory = clf._solver_state.memory
    assert (memory.position, memory.epoch) == (1, 2)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_schedule_goes_on_over_the_switch(share):
    """With equal stages and without momentum the switch is not to be seen."""
    falling = {"learning_rate": "invscaling", "momentum": 0.0, "learning_rate_init": 0.1}
    chain = classifier(Chain("sgd", "sgd", switch=share), **falling).fit(X, Y)
    alone = classifier("sgd", **falling).fit(X, Y)
    assert_array_equal(weights_of(chain), weights_of(alone))


def test_points_of_a_stage_follow_where_somebody_moves_their_centre():
    still = Toy(lambda w: 0.0, np.zeros_like, None, n_rows=12)
    settings, random_state = Settings(rho=1.0, batch_size=6), np.random.RandomState(0)
    solver, w = Chain("replicated_sgd", "sam"), np.zeros(3)
    state = solver.init_state(still, w, settings, np.random.default_rng(0))
    for _ in range(2):
        w = solver.solve(w + 1, state, Run(still, settings, random_state, max_epochs=1))
    assert_array_equal(w, 2)


def test_a_switch_at_either_end_is_one_solver_alone():
    for switch, alone in ((0.0, SAM()), (1.0, SGD())):
        chain = classifier(Chain("sgd", "sam", switch=switch)).fit(X, Y)
        assert_array_equal(weights_of(chain), weights_of(classifier(alone).fit(X, Y)))


def test_a_plateau_of_the_first_stage_begins_the_second():
    settings = Settings(rho=0.1, learning_rate_init=0.02, max_iter=1000, momentum=0.0)
    w, alone = minimize(SGD(), hyperbola(), np.array([4.0, 0.3]), settings)
    end, chained = minimize(Chain("sgd", "sam"), hyperbola(), np.array([4.0, 0.3]), settings)
    assert alone.n_iter < chained.n_iter < 750
    assert end @ end < w @ w - 1e-3


def test_stages_are_set_like_any_parameter():
    clf = classifier(Chain("sgd", SAM("sgd")))
    clf.set_params(solver__second__interval=3, solver__switch=0.25)
    assert repr(clf.solver) == "Chain(second=SAM(base='sgd', interval=3), switch=0.25)"


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (Chain("sgd", "lbfgs"), "'second' parameter of Chain must be a rule .* LBFGS has a loop"),
        (Chain(LBFGS()), "'first' parameter of Chain must be a rule"),
        (Chain("steepest"), "'first' parameter of Chain must be a solver or one of .*'steepest'"),
        (Chain("sgd", SAM("rmsprop")), "The 'base' parameter of SAM"),
        (Chain(switch=1.5), "The 'switch' parameter of Chain"),
        (Chain(rho=-1), "The 'rho' parameter of Chain"),
        (Chain(learning_rate_init=0), "The 'learning_rate_init' parameter of Chain"),
        (SWA("rmsprop"), "The 'base' parameter of SWA"),
        (SWA(start=-0.1), "The 'start' parameter of SWA"),
        (SWA(cycle=0), "The 'cycle' parameter of SWA"),
        (SWA(rate="falling"), "The 'rate' parameter of SWA"),
        (SWA(ratio=0.5), "The 'ratio' parameter of SWA"),
        (LabelNoise("rmsprop"), "The 'base' parameter of LabelNoise"),
        (TracePenalty("rmsprop"), "The 'base' parameter of TracePenalty"),
    ],
    ids=repr,
)
def test_a_structure_that_makes_no_sense_is_refused(solver, message):
    with pytest.raises(ValueError, match=message):
        classifier(solver).fit(X, Y)


def test_a_chain_of_chains_is_refused():
    with pytest.raises(ValueError, match="'second' parameter of Chain must not be a Chain itself"):
        minimize(Chain("sgd", Chain()), quadratic(1.0), np.ones(1), Settings(rho=0.1))
