"""Josz's preorder: the order of two points in the limit of small radii."""

import numpy as np
import pytest
from fitted import fitted, rescaled
from numpy.testing import assert_allclose
from toys import Toy, factorization, hyperbola, problem, product_of, quadratic

from skflat.measures import LevelSetDistance, MaximalVariation, flatter
from skflat.symmetry import balance

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def along(function, slope, bend):
    """A function of one parameter."""
    return Toy(lambda w: function(w[0]), lambda w: slope(w), lambda w: np.array([[bend(w[0])]]))


def quartic(a, b):
    """``a w^2 + b w^4``."""
    return along(
        lambda w: a * w**2 + b * w**4,
        lambda w: 2 * a * w + 4 * b * w**3,
        lambda w: 2 * a + 12 * b * w**2,
    )


def order(first, second, **settings):
    return flatter(first, second, **settings).order


@pytest.mark.parametrize(
    ("x", "z", "expected"),
    [(1, 2, -1), (2, 4, -1), (4, 1, 1), (1, -1, 0), (2, 0.5, 0), (-0.5, 2, 0), (3, 3, 0)],
)
def test_the_order_of_the_points_of_the_hyperbola(x, z, expected):
    """(1, 1), then (2, 1/2), then (4, 1/4). Points that an isometry exchanges are equally flat."""
    points = [(hyperbola(), np.array([s, 1 / s])) for s in (x, z)]
    assert order(*points) == expected
    assert order(*points[::-1]) == -expected


def test_a_fixed_level_can_order_two_points_the_other_way():
    """The preorder is the limit of small levels and radii."""
    origin = np.zeros(1)
    first, second = quartic(0.5, 0.0), quartic(0.4, 5.0)
    high, low = (
        [LevelSetDistance(level).evaluate(problem(toy, origin)).value for toy in (first, second)]
        for level in (0.1, 1e-4)
    )
    assert high[0] > high[1]
    assert low[0] < low[1]
    found = flatter((first, origin), (second, origin), radii=np.geomspace(1e-3, 1, 10))
    assert found.order == 1
    assert found.table["order"].tolist() == [1] * 7 + [-1] * 3
    assert_allclose(found.table["first"], found.table["radius"] ** 2 / 2, rtol=1e-9)


def test_terms_of_higher_order_decide_between_equal_eigenvalues():
    origin = np.zeros(1)
    points = [(quartic(0.5, b), origin) for b in (0.0, 1.0)]
    assert order(*points) == -1
    assert order(points[1], points[1]) == 0


def test_a_ladder_that_does_not_settle_compares_nothing():
    """``w^2 (2 + sin(log w^2))`` is above and below ``2 w^2`` at ever smaller radii."""

    def wave(w):
        return w**2 * (2 + np.sin(4 * np.log(w**2))) if w else 0.0

    def slope(w):
        t = 4 * np.log(w**2) if w[0] else np.zeros(1)
        return 2 * w * (2 + np.sin(t)) + 8 * w * np.cos(t)

    waving = along(wave, slope, lambda w: 4.0)
    points = (waving, np.zeros(1)), (quartic(2.0, 0.0), np.zeros(1))
    found = flatter(*points)
    assert found.order is None
    assert set(found.table["order"]) == {-1, 1}


def test_away_from_a_minimum_the_gradient_decides():
    """At radii far below the gradient over the curvature, and the curvature at greater ones."""
    steep, bent = (quadratic(1.0), np.array([1e-2])), (quadratic(9.0), np.array([1e-4]))
    assert order(steep, bent, radii=[1e-7, 1e-6]) == 1
    assert order(steep, bent, radii=[0.1, 1.0]) == -1


def test_kinks_are_never_flatter_than_smooth_minima():
    kink = along(lambda w: 1e-2 * abs(w), lambda w: 1e-2 * np.sign(w), lambda w: 0.0)
    assert order((kink, np.zeros(1)), (quadratic(4.0), np.zeros(1)), radii=[1e-5, 1e-4, 1e-3]) == 1


@pytest.mark.parametrize("outer", ["square", "root"])
def test_an_increasing_function_of_the_loss_keeps_the_order(outer):
    inner = hyperbola()
    square = Toy(
        lambda w: inner.function(w) ** 2,
        lambda w: 2 * inner.function(w) * inner.gradient(w),
        lambda w: np.zeros((2, 2)),
    )
    root = Toy(
        lambda w: abs(w[0] * w[1] - 1),
        lambda w: np.sign(w[0] * w[1] - 1) * w[::-1],
        lambda w: np.zeros((2, 2)),
    )
    toy = {"square": square, "root": root}[outer]
    points = [(toy, np.array([x, 1 / x])) for x in (1, 2, 4)]
    assert order(points[0], points[1]) == order(points[1], points[2]) == -1


@pytest.mark.parametrize(("x", "expected"), [(1, 0.1464214), (2, 0.2086884), (4, 0.4015250)])
def test_the_variation_of_the_root_is_the_root_of_the_variation(x, expected):
    root = Toy(
        lambda w: abs(w[0] * w[1] - 1),
        lambda w: np.sign(w[0] * w[1] - 1) * w[::-1],
        lambda w: np.zeros((2, 2)),
    )
    there = np.array([x, 1 / x])
    found = MaximalVariation(0.1).evaluate(problem(root, there)).value
    assert found == pytest.approx(expected, rel=1e-6)
    inner = MaximalVariation(0.1).evaluate(problem(hyperbola(), there)).value
    assert found == pytest.approx(inner**0.5, rel=1e-6)


def test_deep_scalars_are_flattest_where_they_are_equal():
    points = [(product_of(3), np.array(w)) for w in ((1.0, 1.0, 1.0), (2.0, 0.5, 1.0))]
    assert order(*points) == -1


def test_balanced_factors_are_the_flattest_and_not_the_only_ones():
    """All with equal largest singular values are: the trace does not matter."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
    toy, (X, Y) = factorization(X @ Y.T, 2), balance(X, Y)

    def pair(left, right):
        return toy, np.concatenate([left.ravel(), right.ravel()])

    balanced, stretch = pair(X, Y), np.array([1, 1.2])
    trace_flat = pair(*balance(X, Y, np.full(4, 3.0), np.full(3, 4.0)))
    assert order(balanced, pair(X * stretch, Y / stretch)) == 0
    assert order(balanced, trace_flat) == -1


def test_networks_are_compared_on_data():
    estimator, X, y = fitted("classes")
    sharp = rescaled(estimator, 8.0)
    found = flatter(estimator, sharp, X, y, radii=[0.01, 0.02, 0.04])
    assert found.order == -1
    assert found.first.kind == found.second.kind == "lower_bound"
    assert flatter(estimator, estimator, X, y, radii=[0.01]).order == 0
    with pytest.raises(ValueError, match="X must be given to compare fitted estimators"):
        flatter(estimator, sharp)


def test_what_no_float_can_tell_apart_is_a_tie():
    """A loss of 1 hides a change of 1e-16."""
    lifted = along(lambda w: 1 + w**2, lambda w: 2 * w, lambda w: 2.0)
    more = along(lambda w: 1 + 2 * w**2, lambda w: 4 * w, lambda w: 4.0)
    points = (lifted, np.zeros(1)), (more, np.zeros(1))
    assert order(*points, radii=[1e-9, 1e-8]) == 0
    assert order(*points, radii=[1e-8, 1e-2]) == -1


def test_radii_must_increase():
    with pytest.raises(ValueError, match="radii must be a number > 0 or several that increase"):
        flatter((quadratic(1.0), np.zeros(1)), (quadratic(1.0), np.zeros(1)), radii=[0.1, 0.01])
