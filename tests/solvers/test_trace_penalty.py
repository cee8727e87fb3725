"""Solvers on the exact trace: closed forms, renewals now and then, and who has none."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from staging import central, classifier, network
from stepping import X, Y, running
from toys import Bilinear, descend, hyperbola, trace_gradient, trace_of_rows

from skflat.objective import HalfSquared, Objective
from skflat.solvers import Chain, Settings, TracePenalty, minimize

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
