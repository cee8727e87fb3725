"""Closed forms of sharpness-aware minimisation and its relatives."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from stepping import (
    X,
    Y,
    classifier,
    direction,
    each_base,
    regression,
    rows_by_step,
    running,
    weights_of,
)
from toys import Bilinear, Toy, Watched, descend, hyperbola, quadratic

from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, Objective
from skflat.solvers import (
    ASAM,
    GSAM,
    MSAM,
    SAM,
    SANER,
    SGD,
    Adam,
    Consensus,
    Diffusion,
    FriendlySAM,
    FunctionalSAM,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Sharpness-aware minimisation: where it ends


def traces(solver, start, checkpoints, **settings):
    """Trace of the Hessian of ``(x y - 1)^2`` on the hyperbola, after some steps each."""
    ends = [descend(solver, hyperbola(), start, n, **settings) for n in checkpoints]
    return [2 * float(w @ w) for w in ends]


def test_sam_ends_in_a_cycle_along_the_largest_curvature():
    """Of radius ``rate rho lam / (2 - rate lam)``."""
    w = descend(SAM("sgd"), quadratic(4.0, 1.0), (1, 1), 2000, learning_rate_init=0.1, rho=0.2)
    assert np.linalg.norm(w) == pytest.approx(0.1 * 0.2 * 4 / (2 - 0.1 * 4), abs=1e-6)
    assert np.linalg.norm(w) == pytest.approx(0.05, abs=1e-6)
    assert abs(w[1]) < 1e-12
    after = descend(SAM("sgd"), quadratic(4.0, 1.0), w, 1, learning_rate_init=0.1, rho=0.2)
    assert_allclose(after, -w, atol=1e-6)


@pytest.mark.parametrize(
    ("rho", "expected"), [(0.1, (27.44, 10.31, 4.044)), (0.3, (11.19, 3.898, 3.9966))]
)
def test_sam_flattens_along_the_hyperbola(rho, expected):
    found = traces(SAM("sgd"), (4, 0.3), (100, 1000, 5000), rho=rho)
    digits = [len(str(number).split(".")[1]) for number in expected]
    assert tuple(np.round(t, d) for t, d in zip(found, digits, strict=True)) == expected


def test_sam_late_in_training_reaches_what_sam_reaches():
    start = descend(SGD(), hyperbola(), (4, 0.3), 5000)
    assert 2 * start @ start == pytest.approx(32.0681, abs=5e-5)
    found = traces(SAM("sgd"), start + 1e-3, (100, 300, 500, 1000), rho=0.3)
    assert [round(t, 2) for t in found[:2]] == [11.2, 4.52]
    assert [round(t, 3) for t in found[2:]] == [4.012, 3.898]
    cycling = descend(SAM("sgd"), hyperbola(), start + 1e-3, 1000, rho=0.3)
    assert hyperbola().loss(cycling) == pytest.approx(6.5e-4, abs=5e-6)
    assert traces(SGD(), cycling, [5000]) == [pytest.approx(4.0000129, abs=5e-8)]


@pytest.mark.parametrize("solver", [SAM("sgd"), SAM(), ASAM("sgd")], ids=repr)
@pytest.mark.parametrize("w", [(1, 1), (2, 0.5), (4, 0.25)])
def test_sam_does_not_leave_a_minimum_it_starts_on(solver, w):
    assert_array_equal(descend(solver, hyperbola(), w, 10, rho=0.3), w)


def test_unnormalised_sam_ceases_to_flatten():
    solver = SAM("sgd", normalize=False)
    early, late = traces(solver, (4, 0.3), (100, 5000), rho=0.01)
    assert round(early, 2) == 32.06
    assert late == early
    normalised = traces(SAM("sgd"), (4, 0.3), (5000,), rho=0.01)[0]
    assert normalised < 31


def test_unnormalised_sam_converges_on_a_quadratic():
    """By the factor ``1 - rate lam (1 + rho lam)``, here 0.44 and 0.89, a step."""
    solver = SAM("sgd", normalize=False)
    w = descend(solver, quadratic(4.0, 1.0), (1, 1), 10, learning_rate_init=0.1, rho=0.1)
    assert_allclose(w, [0.44**10, 0.89**10], rtol=1e-12)


# Sharpness-aware minimisation: the climb


def test_sam_climbs_along_the_gradient():
    objective, w = regression()
    watched = Watched(objective)
    loss, found = direction(SAM(), watched, w, rho=0.2)
    g = objective.loss_gradient(w)[1]
    top = w + 0.2 * g / np.linalg.norm(g)
    assert loss == objective.loss_gradient(w)[0]
    assert_allclose(watched.climbed_to, [w, top], rtol=1e-14)
    assert_allclose(found, objective.loss_gradient(top)[1], rtol=1e-13)


def test_unnormalised_sam_climbs_by_the_gradient():
    objective, w = regression()
    watched = Watched(objective)
    direction(SAM(normalize=False), watched, w, rho=0.2)
    top = w + 0.2 * objective.loss_gradient(w)[1]
    assert_allclose(watched.climbed_to[1], top, rtol=1e-14)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("radius", ["constant", "graph", "rise"])
def test_the_length_of_the_climb_by_the_size_of_the_gradient(radius, scale):
    bowl, w = quadratic(4.0 * scale, scale), np.array([1.0, -2.0])
    watched = Watched(bowl)
    direction(SAM(radius=radius, rise=0.3), watched, w, rho=0.2)
    g = bowl.loss_gradient(w)[1]
    size, climbed = np.linalg.norm(g), watched.climbed_to[1] - w
    length = {"constant": 0.2, "graph": 0.2 / np.hypot(1, size), "rise": min(0.3 / size, 0.2)}
    assert_allclose(climbed, length[radius] * g / size, rtol=1e-10)


def test_a_way_on_the_graph_of_the_loss_is_of_the_radius():
    """And a climb by the rise raises a linear loss by that."""
    slope = np.array([3.0, -4.0])
    plane = Toy(lambda w: slope @ w, lambda w: slope, lambda w: np.zeros((2, 2)))
    for solver, expected in ((SAM(radius="graph"), 0.2), (SAM(radius="rise", rise=0.05), 0.05)):
        watched = Watched(plane)
        direction(solver, watched, np.ones(2), rho=0.2)
        there = watched.climbed_to[1] - 1
        rise = slope @ there
        way = np.hypot(rise, np.linalg.norm(there))
        assert expected == pytest.approx(way if solver.radius == "graph" else rise, rel=1e-12)


def test_the_steps_of_an_ascent_share_the_radius_by_its_rule():
    objective, w = regression()
    watched = Watched(objective)
    direction(SAM(ascent_steps=2, radius="graph"), watched, w, rho=0.3)
    for foot, top in pairwise(watched.climbed_to):
        size = np.linalg.norm(objective.loss_gradient(foot)[1])
        assert np.linalg.norm(top - foot) == pytest.approx(0.15 / np.hypot(1, size), rel=1e-10)


def test_several_ascent_steps_follow_the_path_up():
    objective, w = regression()
    watched = Watched(objective)
    _, found = direction(SAM(ascent_steps=3), watched, w, rho=0.3)
    path = [w]
    for _ in range(3):
        g = objective.loss_gradient(path[-1])[1]
        path.append(path[-1] + 0.1 * g / np.linalg.norm(g))
    assert_allclose(watched.climbed_to, path, rtol=1e-14)
    assert_allclose(found, objective.loss_gradient(path[-1])[1], rtol=1e-13)


@pytest.mark.parametrize(("ascent_steps", "cost"), [(1, 2), (2, 3), (5, 6)])
def test_an_ascent_step_costs_a_gradient(ascent_steps, cost):
    assert rows_by_step(SAM(ascent_steps=ascent_steps), 3, n_rows=7) == [7 * cost] * 3


def test_adaptive_sam_climbs_by_the_radius_in_the_norm_of_the_parameters():
    objective, w = regression()
    watched = Watched(objective)
    direction(ASAM(), watched, w, rho=0.4)
    g, T = objective.loss_gradient(w)[1], np.abs(w)
    climb = watched.climbed_to[1] - w
    assert_allclose(climb, 0.4 * T**2 * g / np.linalg.norm(T * g), rtol=1e-10)
    assert np.linalg.norm(climb / T) == pytest.approx(0.4, rel=1e-12)


@each_base
def test_asam_is_adaptive_sam(base):
    ends = [
        weights_of(classifier(solver, rho=0.5).fit(X, Y))
        for solver in (ASAM(base), SAM(base, adaptive=True))
    ]
    assert_array_equal(*ends)


@pytest.mark.parametrize("x", [1, 2, 4])
@pytest.mark.parametrize("rho", [0.1, 0.5])
def test_adaptive_sharpness_is_the_same_all_along_the_hyperbola(x, rho):
    """It is ``(sqrt(2) r + r^2 / 2)^2``, so it cannot tell these minima apart."""
    watched = Watched(hyperbola())
    direction(ASAM(), watched, np.array([x, (1 + 1e-12) / x]), rho=rho)
    top = hyperbola().loss(watched.climbed_to[1])
    assert top == pytest.approx((2**0.5 * rho + rho**2 / 2) ** 2, abs=1e-9)
    plain = Watched(hyperbola())
    direction(SAM(), plain, np.array([x, (1 + 1e-12) / x]), rho=rho)
    assert (hyperbola().loss(plain.climbed_to[1]) == pytest.approx(top, abs=1e-9)) == (x == 1)


def test_the_adaptive_climb_commutes_with_rescaling_the_layers():
    """Of a relu network, intercepts included; the plain climb does not."""
    objective, w = regression(model=MLP([3, 5, 1], "relu"))
    rescaled = w.copy()
    (W0, W1), (b0, _) = objective.model.split(rescaled)
    for array, factor in ((W0, 3.0), (b0, 3.0), (W1, 1 / 3)):
        array *= factor
    assert_allclose(objective.scores(rescaled), objective.scores(w), rtol=1e-12)
    distance = {}
    for solver in (ASAM, SAM):
        tops = []
        for point in (w, rescaled):
            watched = Watched(objective)
            direction(solver(), watched, point, rho=0.5)
            tops.append(watched.climbed_to[1])
        distance[solver] = np.abs(objective.scores(tops[0]) - objective.scores(tops[1])).max()
    assert np.abs(objective.scores(tops[0]) - objective.scores(w)).max() > 0.1
    assert distance[ASAM] < 1e-12
    assert distance[SAM] > 0.1


# Sharpness-aware minimisation: micro-batches


@each_base
@pytest.mark.parametrize("m", [16, 17, 1000])
def test_micro_batches_of_a_whole_batch_are_sam_to_the_bit(base, m):
    whole, cut = (classifier(SAM(base, m=size)).fit(X, Y) for size in (None, m))
    assert_array_equal(weights_of(whole), weights_of(cut))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("m", [1, 4, 5])
def test_micro_batches_are_averaged(m, weighted):
    """Each climbs by its own gradient; what they find counts by their weight."""
    objective, w = regression(weighted=weighted)
    loss, found = direction(SAM(m=m), objective, w, rho=0.3)
    weights = np.ones(12) if objective.data.weight is None else objective.data.weight
    expected, expected_loss = np.zeros_like(w), 0.0
    for first in range(0, 12, m):
        rows = slice(first, first + m)
        batch = objective.batch(rows)
        value, g = objective.loss_gradient(w, batch)
        top = w + 0.3 * g / np.linalg.norm(g)
        share = weights[rows].sum() / weights.sum()
        expected += share * objective.loss_gradient(top, batch)[1]
        expected_loss += share * value
    assert_allclose(found, expected, rtol=1e-12)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert loss == pytest.approx(objective.loss(w), rel=1e-12)
    whole = direction(SAM(), objective, w, rho=0.3)[1]
    assert np.abs(found - whole).max() > 1e-3


def test_micro_batches_cost_no_more_than_the_batch():
    assert rows_by_step(SAM(m=2), 3, n_rows=7) == [14, 14, 14]


def test_a_micro_batch_that_weighs_nothing_is_not_there():
    objective, w = regression(weighted=True)
    objective.data.weight[4:8] = 0
    batch = objective.batch(np.r_[0:4, 8:12])
    there = Objective(objective.model, HalfSquared(), batch.X, batch.y, batch.weight)
    found = direction(SAM(m=4), objective, w)[1]
    assert_allclose(found, direction(SAM(m=4), there, w)[1], rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", [SAM(m=4), Diffusion(3), Consensus(3)], ids=repr)
def test_the_penalty_is_that_of_the_batch_however_it_is_cut(solver, weighted):
    """Nothing else is left where all rows have the loss 0."""
    data, w = regression(weighted=weighted)
    y = data.scores(w)
    objective = Objective(data.model, HalfSquared(), data.data.X, y, data.data.weight, alpha=0.3)
    penalty, end = objective.loss_gradient(w)[1], w.copy()
    state = running(solver, objective, w, rho=1e-12, learning_rate_init=0.01, momentum=0.0)
    if solver.default_rho is None:
        solver.step(objective, end, objective.batch(), state)
    else:
        end -= 0.01 * solver.direction(objective, w, objective.batch(), state)[1]
    assert_allclose((w - end) / 0.01, penalty, atol=1e-10)


@pytest.mark.parametrize("solver", [SAM(), SAM(m=4), SAM(interval=2)], ids=repr)
def test_a_batch_that_weighs_nothing_moves_nothing(solver):
    objective, w = regression(weighted=True)
    objective.data.weight[:] = 0
    for n_turns in (1, 2):
        assert_array_equal(direction(solver, objective, w, n_turns=n_turns)[1], 0)


# Sharpness-aware minimisation: the gap


@pytest.mark.parametrize("gap", [0.0, 0.1, 2.0])
def test_gsam_on_a_quadratic(gap):
    lam, w = np.array([4.0, 1.0, 0.5]), np.array([1.0, -2.0, 0.3])
    plain = lam * w
    top = lam * (w + 0.2 * plain / np.linalg.norm(plain))
    across = plain - (plain @ top) / (top @ top) * top
    loss, found = direction(GSAM(gap=gap), quadratic(*lam), w, rho=0.2)
    assert loss == pytest.approx(0.5 * lam @ w**2, rel=1e-14)
    assert_allclose(found, top - gap * across, rtol=1e-13)


def test_gsam_climbs_at_the_point_and_keeps_the_loss_at_the_top():
    """To first order in the rate, by what it adds to the step of SAM."""
    objective, w = regression()
    with_gap, without = (direction(GSAM(gap=gap), objective, w, rho=0.05)[1] for gap in (0.5, 0))
    assert_array_equal(without, direction(SAM(), objective, w, rho=0.05)[1])
    added, g = with_gap - without, objective.loss_gradient(w)[1]
    assert abs(added @ without) < 1e-13
    assert -added @ g == pytest.approx(added @ added / 0.5, rel=1e-10)


# Sharpness-aware minimisation: along the momentum


@pytest.mark.parametrize("nesterov", [False, True])
def test_msam_on_a_quadratic_with_momentum(nesterov):
    lam, (rate, mu, rho) = np.array([4.0, 1.0]), (0.05, 0.9, 0.2)
    w, v = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(7):
        size = np.linalg.norm(v)
        g = lam * (w - (rho / size * v if size > 0 else 0))
        v = mu * v + g
        w = w - rate * (g + mu * v if nesterov else v)
    settings = {"learning_rate_init": rate, "momentum": mu, "nesterovs_momentum": nesterov}
    found = descend(MSAM("sgd"), quadratic(*lam), (1, -2), 7, rho=rho, **settings)
    assert_allclose(found, w, rtol=1e-12)


def test_msam_on_a_quadratic_with_adam():
    lam, w, mean, square = np.array([4.0, 1.0]), np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t in range(1, 8):
        size = np.linalg.norm(mean)
        g = lam * (w - (0.2 / size * mean if size > 0 else 0))
        mean = 0.9 * mean + 0.1 * g
        square = 0.999 * square + 0.001 * g**2
        root = np.sqrt(square / (1 - 0.999**t)) + 1e-8 / np.sqrt(1 - 0.999**t)
        w = w - 0.05 * mean / (1 - 0.9**t) / root
    found = descend(MSAM(), quadratic(*lam), (1, -2), 7, rho=0.2, learning_rate_init=0.05)
    assert_allclose(found, w, rtol=1e-12)


def test_msam_costs_one_gradient_and_looks_at_the_radius():
    assert rows_by_step(MSAM(), 3, n_rows=7) == [7] * 3
    objective, w = regression()
    watched, batch = Watched(objective), objective.batch()
    state = running(MSAM(), watched, w, rho=0.3)
    for _ in range(3):
        start = w.copy()
        MSAM().step(watched, w, batch, state)
        away = np.linalg.norm(watched.climbed_to[-1] - start)
        assert away == pytest.approx(0.3 if len(watched.climbed_to) > 1 else 0.0, rel=1e-12)


def test_msam_without_momentum_is_plain():
    plain, found = (
        classifier(solver, momentum=0.0, rho=rho).fit(X, Y)
        for solver, rho in ((SGD(), 0), (MSAM("sgd"), 0.5))
    )
    assert_array_equal(weights_of(plain), weights_of(found))


# Sharpness-aware minimisation: along the noise of the batch


def test_friendly_sam_climbs_along_what_the_mean_of_the_batches_leaves():
    objective, w = regression()
    watched, batches = Watched(objective), [objective.batch(slice(k, k + 4)) for k in (0, 4, 8)]
    state, mean = running(FriendlySAM(decay=0.8), watched, w, rho=0.2), None
    for batch in batches:
        loss, found = FriendlySAM(decay=0.8).direction(watched, w, batch, state)
        value, g = objective.loss_gradient(w, batch)
        noise = g if mean is None else g - mean
        mean = g if mean is None else 0.8 * mean + 0.2 * g
        top = w + 0.2 * noise / np.linalg.norm(noise)
        assert loss == value
        assert_allclose(watched.climbed_to[-2:], [w, top], rtol=1e-12)
        assert_allclose(found, objective.loss_gradient(top, batch)[1], rtol=1e-11)
    assert rows_by_step(FriendlySAM(), 1, n_rows=7) == [14]


def test_friendly_sam_is_plain_where_nothing_is_peculiar_to_the_batch():
    """The second time at the same point with the same rows."""
    objective, w = regression()
    first, second = (direction(FriendlySAM(), objective, w, n_turns=n)[1] for n in (1, 2))
    assert_array_equal(first, direction(SAM(), objective, w)[1])
    assert_array_equal(second, objective.loss_gradient(w)[1])


# Sharpness-aware minimisation: what wrong labels ask for


@pytest.mark.parametrize("reduction", [0.0, 0.5, 1.0])
def test_saner_reduces_the_components_that_the_climb_has_made_smaller(reduction):
    objective, w = regression(model=MLP([3, 4, 1], "tanh"))
    g, p = (direction(solver, objective, w, rho=0.7)[1] for solver in (Adam(), SAM()))
    smaller = (p / g > 0) & (p / g < 1)
    assert 0 < smaller.sum() < (p * g > 0).sum() < len(w)
    loss, found = direction(SANER(reduction=reduction), objective, w, rho=0.7)
    assert loss == objective.loss_gradient(w)[0]
    assert_array_equal(found, np.where(smaller, (1 - reduction) * p, p))
    assert rows_by_step(SANER(), 1, n_rows=7) == [14]


def test_saner_on_a_saddle():
    """``p / g = 1 + rho lam / |g|``: only the direction that curves down is reduced."""
    lam, w = np.array([2.0, -1.0]), np.array([1.0, 1.0])
    stretch = 1 + 0.1 * lam / np.linalg.norm(lam * w)
    found = direction(SANER(reduction=0.3), quadratic(*lam), w, rho=0.1)[1]
    assert_allclose(found, lam * w * stretch * [1, 0.7], rtol=1e-13)


# Sharpness-aware minimisation: through the Jacobian alone


def test_functional_sam_on_a_product_of_two():
    """``(a b - 1)^2 / 2``: the slope is ``a b - 1`` at the foot, the Jacobian that at the top."""
    ones = np.ones((1, 1))
    objective, w = Objective(Bilinear(1, 1), HalfSquared(), ones, ones), np.array([2.0, 1.5])
    slope, g = w[0] * w[1] - 1, (w[0] * w[1] - 1) * w[::-1]
    top = w + 0.3 * g / np.linalg.norm(g)
    loss, found = direction(FunctionalSAM(), objective, w, rho=0.3)
    assert loss == pytest.approx(slope**2 / 2, rel=1e-13)
    assert_allclose(found, slope * top[::-1], rtol=1e-12)
    there = objective.loss_gradient(top)[1]
    assert_allclose(direction(SAM(), objective, w, rho=0.3)[1], there, rtol=1e-12)
    assert np.abs(found - there).max() > 0.1


@pytest.mark.parametrize("weighted", [False, True])
def test_functional_sam_is_plain_where_outputs_are_linear(weighted):
    objective, w = regression(weighted=weighted)
    found = direction(FunctionalSAM(), objective, w, rho=0.5)[1]
    assert_allclose(found, objective.loss_gradient(w)[1], rtol=1e-11, atol=1e-14)


def test_functional_sam_costs_two_gradients_and_looks_where_sam_looks():
    objective, w = regression(model=MLP([3, 4, 1], "tanh"))
    places = []
    for solver in (SAM(), FunctionalSAM()):
        watched = Watched(objective)
        direction(solver, watched, w, rho=0.2)
        places.append(watched.climbed_to)
    assert_allclose(*places, rtol=1e-12)
    assert rows_by_step(FunctionalSAM(), 2, n_rows=7) == [14, 14]


# Sharpness-aware minimisation: fewer climbs


@pytest.mark.parametrize("interval", [1, 2, 3, 5])
def test_only_every_so_many_steps_cost_two_gradients(interval):
    pattern = [2] + [1] * (interval - 1)
    assert rows_by_step(SAM(interval=interval), 2 * interval) == 2 * pattern


@pytest.mark.parametrize("interval", [2, 5])
def test_an_interval_really_saves(interval):
    """A step costs 1 + 1/k gradients on average."""
    settings = {"max_iter": 10, "batch_size": 20, "n_iter_no_change": 100}
    clf = classifier(SAM(interval=interval), **settings).fit(X, Y)
    assert clf.n_grad_evals_ == pytest.approx(10 * (1 + 1 / interval))


def test_an_interval_of_1_is_sam_to_the_bit():
    ends = [weights_of(classifier(s).fit(X, Y)) for s in (SAM(), SAM(interval=1, reuse=0.3))]
    assert_array_equal(*ends)


def test_the_part_orthogonal_to_the_gradient_is_kept_and_used_again():
    objective, w = regression()
    g = objective.loss_gradient(w)[1]
    climbed = objective.loss_gradient(w + 0.2 * g / np.linalg.norm(g))[1]
    kept = climbed - (climbed @ g) / (g @ g) * g
    for turn, expected in (
        (1, climbed),
        (2, g + 0.7 * np.linalg.norm(g) / np.linalg.norm(kept) * kept),
        (3, g + 0.7 * np.linalg.norm(g) / np.linalg.norm(kept) * kept),
        (4, climbed),
    ):
        found = direction(SAM(interval=3), objective, w, rho=0.2, n_turns=turn)[1]
        assert_allclose(found, expected, rtol=1e-11)


def test_what_micro_batches_find_is_split_by_the_gradient_of_the_whole_batch():
    objective, w = regression(weighted=True)
    g = objective.loss_gradient(w)[1]
    climbed = direction(SAM(m=5), objective, w)[1]
    kept = climbed - (climbed @ g) / (g @ g) * g
    found = direction(SAM(m=5, interval=2), objective, w, n_turns=2)[1]
    expected = g + 0.7 * np.linalg.norm(g) / np.linalg.norm(kept) * kept
    assert_allclose(found, expected, rtol=1e-11)


def test_reusing_nothing_takes_plain_steps_between():
    objective, w = regression()
    found = direction(SAM(interval=2, reuse=0.0), objective, w, n_turns=2)[1]
    assert_allclose(found, objective.loss_gradient(w)[1], rtol=1e-14)


# Sharpness-aware minimisation: late


@each_base
def test_before_its_start_sam_is_the_base_to_the_bit(base):
    settings = {"max_iter": 8, "learning_rate_init": 0.05}
    late, plain, early = (
        classifier(solver, **settings).fit(X, Y)
        for solver in (SAM(base, start=0.5), SAM(base).delegate(), SAM(base))
    )
    assert late.loss_curve_[:4] == plain.loss_curve_[:4]
    assert late.loss_curve_[4:] != plain.loss_curve_[4:]
    assert late.loss_curve_[:4] != early.loss_curve_[:4]
    assert late.n_grad_evals_ == 4 * 1 + 4 * 2


@each_base
def test_a_start_at_the_end_is_the_base_to_the_bit(base):
    ends = [
        weights_of(classifier(solver).fit(X, Y))
        for solver in (SAM(base, start=1.0), SAM(base).delegate())
    ]
    assert_array_equal(*ends)


def test_an_adaptive_climb_that_has_no_direction_is_a_plain_step():
    """At 0 the adaptive norm lets no parameter move, although the gradient is not 0."""
    objective, w = regression()
    expected = objective.loss_gradient(np.zeros_like(w))[1]
    for solver in (ASAM(), ASAM(m=4), ASAM(ascent_steps=2)):
        found = direction(solver, objective, np.zeros_like(w))[1]
        assert_allclose(found, expected, rtol=1e-12)
