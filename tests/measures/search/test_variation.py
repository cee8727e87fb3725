"""The greatest change of the loss within a ball, in several norms."""

import copy

import numpy as np
import pytest
from fitted import DOUBLE, IRIS, SPECIES, fitted, last_step, sampled, twin, unsettled_variation
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from test_spectra import singular
from toys import Toy, factorization, hyperbola, problem, product_of, quadratic
from turns import in_turn

from skflat.measures import (
    AdaptiveSharpness,
    HessianEigenvalues,
    LevelSetDistance,
    LocalEnergy,
    MaximalVariation,
    adaptive_sharpness,
    level_set_distance,
    maximal_variation,
)
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def variation(objective, w, radius, **settings):
    return MaximalVariation(radius, **settings).evaluate(problem(objective, w))


@pytest.mark.parametrize(
    ("r", "expected"),
    [
        (0.01, 2.0141671356e-4),
        (0.1, 0.0214392136),
        (0.5, 0.6924016953),
        (1, 3.6642135624),
        (3, 76.4337661841),
    ],
)
def test_the_variation_at_the_flattest_point_of_the_hyperbola(r, expected):
    assert unsettled_variation(r) == pytest.approx(expected, rel=1e-8)
    found = variation(hyperbola(), (1, 1), r)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.kind == "lower_bound"
    assert found.converged


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (2, (4.259784548e-4, 0.04355086101, 5.835456943)),
        (4, (1.606758905e-3, 0.1612223485, 17.463506047)),
    ],
)
def test_a_ladder_of_radii_along_the_hyperbola(x, expected):
    found = variation(hyperbola(), (x, 1 / x), [0.01, 0.1, 1])
    assert_allclose(found.table["variation"], expected, rtol=1e-6)
    assert found.value == found.table["variation"][-1]
    alone = [variation(hyperbola(), (x, 1 / x), r).value for r in (0.01, 0.1, 1)]
    assert_allclose(alone, expected, rtol=1e-6)
    assert found.table["curvature"][0] == pytest.approx(2 * (x**2 + x**-2), rel=0.01)


@pytest.mark.parametrize("r", [0.01, 0.1, 0.5, 1])
def test_flatter_points_vary_less_and_are_farther_from_their_level_sets(r):
    """(1, 1), then (2, 1/2), then (4, 1/4)."""
    points = [(x, 1 / x) for x in (1, 2, 4)]
    values = [variation(hyperbola(), w, r).value for w in points]
    assert values == sorted(values)
    far = [LevelSetDistance(r).evaluate(problem(hyperbola(), w)).value for w in points]
    assert far == sorted(far, reverse=True)


@pytest.mark.parametrize("r", [0.1, 1])
def test_isometries_keep_the_variation(r):
    values = [variation(hyperbola(), w, r).value for w in ((2, 0.5), (0.5, 2), (-2, -0.5))]
    assert_allclose(values, values[0], rtol=1e-7)


def test_an_increasing_function_of_the_loss_is_one_of_the_variation_too():
    inner = hyperbola()
    squared = Toy(
        lambda w: inner.function(w) ** 2,
        lambda w: 2 * inner.function(w) * inner.gradient(w),
        lambda w: (
            2 * np.outer(inner.gradient(w), inner.gradient(w))
            + 2 * inner.function(w) * inner.hessian(w)
        ),
    )
    for x, expected in ((1, 4.5964e-4), (2, 1.89668e-3), (4, 2.59926e-2)):
        found = variation(squared, (x, 1 / x), 0.1).value
        assert found == pytest.approx(expected, rel=1e-4)
        assert found == pytest.approx(variation(inner, (x, 1 / x), 0.1).value ** 2, rel=1e-6)


@pytest.mark.parametrize(("n_factors", "r"), [(3, 0.7), (4, 2.0)])
def test_the_variation_of_deep_scalars(n_factors, r):
    found = variation(product_of(n_factors), np.ones(n_factors), r)
    assert found.value == pytest.approx(((1 + r / n_factors**0.5) ** n_factors - 1) ** 2, rel=1e-7)


FACTORS = [
    ("balanced", (1, 1), (0.0624744897, 1.8218112178, 23.0326528819)),
    ("second column stretched", (1, 1.4), (0.0624744897, 1.8218112178, 23.0326528819)),
    ("flattest by the trace", None, (0.0630850905,)),
]


@pytest.mark.parametrize(("stretch", "expected"), [row[1:] for row in FACTORS], ids=lambda x: "")
def test_the_variation_of_a_factorization(stretch, expected):
    """Where both factors have the same spectral norm it is ``(sqrt(2 s) r + r^2 / 2)^2``."""
    U, V, M = singular(4, 3, (3, 1))
    stretch = np.full(2, (3 / 4) ** -0.25) if stretch is None else np.array(stretch)
    root = np.sqrt([3, 1])
    w = np.concatenate([np.ravel(U * root * stretch), np.ravel(V * root / stretch)])
    found = variation(factorization(M, 2), w, [0.1, 0.5, 1.5][: len(expected)])
    assert_allclose(found.table["variation"], expected, rtol=1e-6)


def test_the_ball_is_searched_and_not_the_sphere_alone():
    """A ridge at distance 1 is 1 high; at distance 3 everything is low again."""
    ridge = Toy(
        lambda w: (w @ w) * np.exp(1 - w @ w),
        lambda w: 2 * w * (1 - w @ w) * np.exp(1 - w @ w),
        lambda w: np.eye(2) * 2 * np.e,
    )
    found = variation(ridge, (0, 0), [0.5, 1, 3])
    assert found.table["variation"][1] == pytest.approx(1, rel=1e-9)
    assert found.value == found.table["variation"][1]


def test_falls_count_unless_only_rises_are_asked_for():
    slope = Toy(lambda w: np.exp(w[0]), lambda w: np.exp(w), lambda w: np.diag(np.exp(w)))
    both = variation(slope, [1.0], 0.5, n_starts=0)
    assert both.value == pytest.approx(np.exp(1.5) - np.exp(1), rel=1e-9)
    sink = Toy(lambda w: -np.exp(w[0]), lambda w: -np.exp(w), lambda w: -np.diag(np.exp(w)))
    fall = variation(sink, [1.0], 0.5)
    assert fall.value == pytest.approx(np.exp(1.5) - np.exp(1), rel=1e-9)
    rise = variation(sink, [1.0], 0.5, rise_only=True)
    assert rise.value == pytest.approx(np.exp(1) - np.exp(0.5), rel=1e-9)


@pytest.mark.parametrize("name", in_turn(3, DOUBLE))
def test_the_variation_is_what_nonlinear_programming_finds(name):
    """No less than the best of sixteen runs, but for half a percent."""
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    r, origin = 0.3, task.objective.loss(task.w)
    starts = np.random.default_rng(0).normal(size=(8, len(task.w)))

    def best(start, sign):
        result = minimize(
            lambda h: -sign * task.objective.loss(task.w + h),
            r * start / np.linalg.norm(start),
            jac=lambda h: -sign * task.objective.loss_gradient(task.w + h)[1],
            method="SLSQP",
            constraints={
                "type": "ineq",
                "fun": lambda h: r**2 - h @ h,
                "jac": lambda h: -2 * h,
            },
            options={"maxiter": 300, "ftol": 1e-12},
        )
        # SLSQP may end a little outside of the ball.
        h = result.x * min(1.0, r / np.linalg.norm(result.x))
        return sign * (task.objective.loss(task.w + h) - origin)

    with np.errstate(over="ignore", invalid="ignore"):  # on its way it may step far out of the ball
        expected = max(best(start, sign) for start in starts for sign in (1, -1))
    found = MaximalVariation(r, tol=1e-9, max_iter=300).evaluate(task)
    assert found.value >= expected * 0.995


@pytest.mark.parametrize("name", ["classes", "two outputs", "our labels"])
def test_far_from_a_minimum_the_gradient_rules_small_balls_and_curvature_does_at_one(name):
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    slope = np.linalg.norm(task.objective.loss_gradient(task.w)[1])
    tiny = maximal_variation(estimator, X, y, radius=1e-5)
    assert tiny.value == pytest.approx(slope * 1e-5, rel=1e-2)
    hyperbolic = problem(hyperbola(), (2, 0.5))
    curvature = MaximalVariation(1e-4).evaluate(hyperbolic).table["curvature"][0]
    assert curvature == pytest.approx(HessianEigenvalues().evaluate(hyperbolic).value, rel=1e-3)


def test_there_is_a_point_within_the_radius_that_differs_by_the_variation():
    estimator, X, y = fitted("classes")
    task = as_problem(estimator, X, y)
    r = 0.5
    found = MaximalVariation(r).evaluate(task)
    dual = LevelSetDistance(found.value, n_refined=9, max_iter=200, tol=1e-9).evaluate(task)
    assert dual.value == pytest.approx(r, rel=1e-3)


@pytest.mark.slow
def test_the_standard_error_of_a_sampled_variation_covers_it():
    estimator, X, y = fitted("classes")
    measure = MaximalVariation(0.3)
    whole = measure.measure(estimator, X, y)
    assert whole.stderr == 0
    found = [measure.evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(40)]
    errors = np.array([(part.value - whole.value) / part.stderr for part in found])
    assert np.abs(errors).max() < 4
    assert 0.5 < np.mean(errors**2) < 1.8


def test_a_loss_that_overflows_within_the_radius_has_no_greatest_change():
    found = maximal_variation(*fitted("counts"), radius=300.0)
    assert found.value == np.inf


# Norms


def at_scale(objective, w, t):
    """The objective in coordinates ``h / t``."""
    return Toy(
        lambda v: objective.function(w + t * v),
        lambda v: t * objective.gradient(w + t * v),
        lambda v: t[:, None] * objective.hessian(w + t * v) * t,
    )


@pytest.mark.parametrize("measure", [MaximalVariation(0.2), LevelSetDistance(0.1)])
def test_a_norm_is_a_change_of_coordinates(measure):
    w = np.array([2.0, 0.5])
    toy = hyperbola()
    toy.layout.parts = [slice(0, 1), slice(1, 2)]
    by_weight = copy.deepcopy(measure).set_params(norm="weight").evaluate(problem(toy, w))
    by_block = copy.deepcopy(measure).set_params(norm="block").evaluate(problem(toy, w))
    moved = measure.evaluate(problem(at_scale(hyperbola(), w, np.abs(w)), (0, 0)))
    assert by_weight.value == pytest.approx(moved.value, rel=1e-4)
    assert by_block.value == pytest.approx(moved.value, rel=1e-4)
    toy.layout.parts = [slice(0, 2)]
    as_one = copy.deepcopy(measure).set_params(norm="block").evaluate(problem(toy, w))
    t = np.full(2, np.linalg.norm(w))
    moved = measure.evaluate(problem(at_scale(hyperbola(), w, t), (0, 0)))
    assert as_one.value == pytest.approx(moved.value, rel=1e-4)


@pytest.mark.parametrize("x", [1, 2, 4])
def test_adaptive_sharpness_cannot_tell_the_points_of_the_hyperbola_apart(x):
    """At every ``(x, 1/x)`` the radius 0.1 gives ``(sqrt(2) r + r^2 / 2)^2``."""
    found = AdaptiveSharpness(0.1).evaluate(problem(hyperbola(), (x, 1 / x)))
    assert found.value == pytest.approx(0.0214392136, rel=1e-7)
    average = AdaptiveSharpness(0.1, average=True).evaluate(problem(hyperbola(), (x, 1 / x)))
    same = AdaptiveSharpness(0.1, average=True).evaluate(problem(hyperbola(), (1, 1)))
    assert average.value == pytest.approx(same.value, rel=1e-9)
    assert average.value == pytest.approx(2 * 0.1**2 + 0.1**4, abs=4 * average.stderr)


def test_adaptive_sharpness_is_the_variation_and_the_energy_relative_to_the_weights():
    estimator, X, y = fitted("classes")
    worst = adaptive_sharpness(estimator, X, y, rho=0.2)
    assert (
        worst.value
        == maximal_variation(estimator, X, y, radius=0.2, norm="weight", rise_only=True).value
    )
    average = adaptive_sharpness(estimator, X, y, rho=0.2, average=True)
    assert average.value == LocalEnergy(0.2, "weight").measure(estimator, X, y).value
    assert worst.value > 0
    assert average.value > 0


def test_parameters_that_are_zero_do_not_move_in_a_relative_norm():
    toy = quadratic(1.0, 100.0)
    found = variation(toy, (1.0, 0.0), 0.1, norm="weight")
    assert found.value == pytest.approx(1.1**2 / 2 - 0.5, rel=1e-7)
    far = LevelSetDistance(0.105, norm="weight").evaluate(problem(toy, (1.0, 0.0)))
    assert far.value == pytest.approx(0.1, rel=1e-6)


def test_a_variation_of_nothing_is_nothing():
    flat = Toy(lambda w: 3.0, lambda w: np.zeros(2), lambda w: np.zeros((2, 2)))
    assert variation(flat, (1.0, 1.0), 0.5).value == 0


@pytest.mark.parametrize("radius", [0, -1, [0.2, 0.1], [], np.nan, np.inf, [[0.1]]])
def test_radii_must_increase_and_be_positive(radius):
    with pytest.raises(ValueError, match=r"radius must be a number > 0 or several that increase"):
        maximal_variation(*fitted("classes"), radius=radius)


@pytest.mark.parametrize("function", [maximal_variation, level_set_distance])
@pytest.mark.parametrize(
    ("name", "value"), [("norm", "taxicab"), ("n_starts", -1), ("n_refined", 0), ("tol", -1.0)]
)
def test_parameters_out_of_range_are_named(function, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter .* {value!r} instead"):
        function(*fitted("classes"), **{name: value})


def test_a_network_is_looked_at_from_where_it_ended():
    estimator, X, y = fitted("classes")
    network, inputs = last_step(estimator, X)
    loss, w = twin(network, inputs, y)
    task = as_problem(estimator, X, y)
    assert task.objective.loss(w) == pytest.approx(loss(w), rel=1e-12)
    assert len(IRIS) == len(SPECIES) == task.objective.n_rows
