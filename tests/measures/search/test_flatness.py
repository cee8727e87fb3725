"""Flatness: the distance of level sets."""

import numpy as np
import pytest
from fitted import DOUBLE, LENGTHS, SETOSA, SPECIES, WEIGHT, distance, fitted, unsettled_variation
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from toys import Toy, Watched, hyperbola, problem, product_of, quadratic

from skflat.measures import LevelSetDistance, level_set_distance
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("x", "s", "expected"),
    [
        (1, 0.01, 0.0690261350),
        (1, 0.1, 0.2082707980),
        (1, 1, 0.5857864376),
        (2, 0.01, 0.0482315656),
        (2, 0.1, 0.1505163132),
        (2, 1, 0.4545710206),
        (4, 0.01, 0.0249411768),
        (4, 0.1, 0.0787916384),
        (4, 1, 0.2480981806),
    ],
)
def test_the_distance_along_the_hyperbola(x, s, expected):
    assert distance(hyperbola(), (x, 1 / x), s).value == pytest.approx(expected, rel=1e-6)
    usual = LevelSetDistance(s).evaluate(problem(hyperbola(), (x, 1 / x)))
    assert usual.value == pytest.approx(expected, rel=1e-4)
    assert usual.converged


@pytest.mark.parametrize("s", [1e-4, 0.01, 0.3, 1, 10])
def test_the_distance_at_the_flattest_point_has_a_closed_form(s):
    expected = (2 + 2 * s**0.5) ** 0.5 - 2**0.5
    assert distance(hyperbola(), (1, 1), s).value == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("r", [0.01, 0.1, 0.5, 1, 3])
def test_distance_and_variation_are_inverse_to_each_other(r):
    level = unsettled_variation(r)
    assert distance(hyperbola(), (1, 1), level).value == pytest.approx(r, rel=1e-8)


@pytest.mark.parametrize(
    ("x", "r", "variation"),
    [
        (2, 0.01, 4.259784548e-4),
        (2, 0.1, 0.04355086101),
        (2, 1, 5.835456943),
        (4, 0.01, 1.606758905e-3),
        (4, 0.1, 0.1612223485),
        (4, 1, 17.463506047),
    ],
)
def test_distance_and_variation_are_inverse_to_each_other_elsewhere(x, r, variation):
    assert distance(hyperbola(), (x, 1 / x), variation).value == pytest.approx(r, rel=1e-6)


@pytest.mark.parametrize("s", [0.01, 0.1, 1])
def test_isometries_keep_the_distance(s):
    values = [distance(hyperbola(), w, s).value for w in ((2, 0.5), (0.5, 2), (-2, -0.5))]
    assert_allclose(values, values[0], rtol=1e-6)


@pytest.mark.parametrize("x", [1, 2, 4])
def test_an_increasing_function_of_the_loss_keeps_its_level_sets(x):
    inner = hyperbola()
    squared = Toy(
        lambda w: inner.function(w) ** 2,
        lambda w: 2 * inner.function(w) * inner.gradient(w),
        lambda w: (
            2 * np.outer(inner.gradient(w), inner.gradient(w))
            + 2 * inner.function(w) * inner.hessian(w)
        ),
    )
    found, expected = distance(squared, (x, 1 / x), 0.01), distance(inner, (x, 1 / x), 0.1)
    assert found.value == pytest.approx(expected.value, rel=1e-6)


@pytest.mark.parametrize(("n_factors", "r", "variation"), [(3, 0.7, 3.1274), (4, 2.0, 225)])
def test_the_distance_of_deep_scalars(n_factors, r, variation):
    """The variation within ``r`` of the ones is ``((1 + r / sqrt(n))^n - 1)^2``."""
    exactly = ((1 + r / n_factors**0.5) ** n_factors - 1) ** 2
    assert exactly == pytest.approx(variation, rel=2e-5)
    found = distance(product_of(n_factors), np.ones(n_factors), exactly)
    assert found.value == pytest.approx(r, rel=1e-8)


@pytest.mark.parametrize("s", [1e-6, 0.02, 5.0])
@pytest.mark.parametrize("curvatures", [(4, 1), (1, 0, 0, 9, 2), (1, 1, 1)])
def test_the_distance_in_a_quadratic_is_along_the_largest_curvature(curvatures, s):
    found = distance(quadratic(*curvatures), np.zeros(len(curvatures)), s)
    assert found.value == pytest.approx((2 * s / max(curvatures)) ** 0.5, rel=1e-8)


def test_away_from_a_minimum_the_lower_level_set_counts_too():
    """At 3 on ``w^2 / 2`` the loss rises by 0.5 at sqrt(10) - 3 and falls by 3 at 3 - sqrt(3)."""
    up = distance(quadratic(1.0), [3.0], 0.5).value
    assert up == pytest.approx(10**0.5 - 3, rel=1e-8)
    saturated = Toy(
        lambda w: np.tanh(w[0]) + 1,
        lambda w: 1 / np.cosh(w) ** 2,
        lambda w: np.diag(-2 * np.tanh(w) / np.cosh(w) ** 2),
    )
    down = distance(saturated, [0.5], 0.6).value  # tanh(0.5) + 0.6 > 1: there is no way up
    assert down == pytest.approx(0.5 - np.arctanh(np.tanh(0.5) - 0.6), rel=1e-8)


def test_a_level_that_is_nearest_straight_down_is_found():
    """Neither uphill nor along the largest curvature: at exp(-x) = 1.9."""
    slide = Toy(
        lambda w: 2 - np.exp(-w[0]) + 0.75 * w[1] ** 2,
        lambda w: np.array([np.exp(-w[0]), 1.5 * w[1]]),
        lambda w: np.diag([-np.exp(-w[0]), 1.5]),
    )
    found = distance(slide, (0, 0), 0.9, n_starts=0)
    assert found.value == pytest.approx(np.log(1.9), rel=1e-8)


def test_the_search_turns_towards_a_level_below_too():
    """At 2 - exp(-u), u = x + y / 2 - 2 y^2, the nearest level is u = -log(1.9)."""
    step = np.log(1.9)

    def u(w):
        return w[0] + w[1] / 2 - 2 * w[1] ** 2, np.array([1, 0.5 - 4 * w[1]])

    ridge = Toy(
        lambda w: 2 - np.exp(-u(w)[0]),
        lambda w: np.exp(-u(w)[0]) * u(w)[1],
        lambda w: np.exp(-u(w)[0]) * (np.diag([0, -4.0]) - np.outer(u(w)[1], u(w)[1])),
    )
    x = np.poly1d([2, -0.5, -step])  # of the level set, as a function of y
    y = (x * x + np.poly1d([1, 0, 0])).deriv().roots
    expected = min(np.hypot(x(r.real), r.real) for r in y if abs(r.imag) < 1e-12)
    found = distance(ridge, (0, 0), 0.9, n_starts=0)
    assert found.value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("w", [(0.1, 0.2), (0.1, 0.0), (0.0, 0.0)])
def test_a_level_that_is_nowhere_is_infinitely_far(w):
    bump = Toy(
        lambda w: 1 - np.exp(-w @ w / 2),
        lambda w: w * np.exp(-w @ w / 2),
        lambda w: (np.eye(2) - np.outer(w, w)) * np.exp(-w @ w / 2),
    )
    found = LevelSetDistance(level=2.0).evaluate(problem(bump, w))
    assert found.value == np.inf
    assert found.stderr == 0


@pytest.mark.parametrize("name", ["classes", "two outputs", "counts", "our labels"])
def test_there_is_a_point_at_the_distance_found_that_differs_by_the_level(name):
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    watched = Watched(task.objective)
    found = LevelSetDistance().evaluate(problem(watched, task.w))
    origin, level = task.objective.loss(task.w), found.protocol["level"]
    near = [w for w in watched.looked_at if np.linalg.norm(w - task.w) <= found.value * (1 + 1e-9)]
    change = max(abs(task.objective.loss(w) - origin) for w in near)
    assert level * (1 - 1e-6) <= change <= level * (1 + 1e-3)
    assert found.kind == "upper_bound"
    assert found.value == found.samples.min()


def nearest_by_programming(objective, w, level, start):
    """Distance of the upper level set, by sequential quadratic programming from one start."""
    origin = objective.loss(w)
    result = minimize(
        lambda h: (h @ h / 2, h),
        start,
        jac=True,
        method="SLSQP",
        constraints={
            "type": "eq",
            "fun": lambda h: objective.loss(w + h) - origin - level,
            "jac": lambda h: objective.loss_gradient(w + h)[1],
        },
        options={"maxiter": 200, "ftol": 1e-12},
    )
    return np.linalg.norm(result.x) if result.success else np.inf


@pytest.mark.parametrize("name", DOUBLE)
def test_the_distance_is_what_nonlinear_programming_finds(name):
    """The usual search ends within half a percent of it; a patient one with four digits."""
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    usual = LevelSetDistance().evaluate(task)
    patient = LevelSetDistance(n_refined=9, max_iter=200, tol=1e-9).evaluate(task)
    starts = np.random.default_rng(0).normal(size=(8, len(task.w)))
    starts *= usual.value / np.linalg.norm(starts, axis=1, keepdims=True)
    level = usual.protocol["level"]
    nearest = min(nearest_by_programming(task.objective, task.w, level, h) for h in starts)
    assert nearest * (1 - 1e-6) <= usual.value <= nearest * 1.005
    assert patient.value == pytest.approx(nearest, rel=1e-4)


def test_a_greater_level_is_farther():
    levels = (0.01, 0.1, 1, 10)
    values = [level_set_distance(*fitted("classes"), level=s).value for s in levels]
    assert values == sorted(values)
    assert values[0] < values[-1] / 5


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_the_level_is_a_tenth_of_the_loss_of_the_best_constant(weight):
    shares = np.bincount(SPECIES, weights=weight) / (150 if weight is None else weight.sum())
    found = level_set_distance(*fitted("classes"), weight)
    assert found.protocol["level"] == pytest.approx(-shares @ np.log(shares) / 10, rel=1e-12)
    mean = np.average(LENGTHS, axis=0, weights=weight)
    half = np.average(((LENGTHS - mean) ** 2).sum(axis=1), weights=weight) / 2
    found = level_set_distance(*fitted("two outputs"), weight)
    assert found.protocol["level"] == pytest.approx(half / 10, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "y", "weight"),
    [
        ("classes", np.zeros(150, int), None),
        ("regression", np.full(150, 2.0), None),
        ("counts", np.zeros(150), None),
        ("labels", np.ones((150, 2), int), None),
        ("two classes", SETOSA, SETOSA.astype(float)),
    ],
)
def test_where_the_target_is_constant_there_is_no_other_level(name, y, weight):
    estimator, X, _ = fitted(name)
    with pytest.warns(UserWarning, match="The target is constant"):
        found = level_set_distance(estimator, X, y, weight)
    assert found.value == np.inf
    assert found.stderr == 0
