"""Rules and closed forms of flatness, against Hessians and searches."""

from functools import reduce
from itertools import pairwise

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian
from numpy.testing import assert_allclose
from toys import Toy, factorization, hyperbola, problem, product_of, quadratic, traced

from skflat.measures import MaximalVariation
from skflat.theory.flatness import (
    balanced_spectrum,
    balanced_variation,
    composed_variation,
    deep_linear_spectrum,
    deep_linear_trace,
    deep_scalar_variation,
    level_distance,
    linear_variation,
    quadratic_variation,
    scaled_variation,
    separable_variation,
    sum_bound,
    variation_through,
)

RADII = np.array([0.05, 0.2, 0.5])


def searched(objective, w, radii=RADII):
    return MaximalVariation(radii).evaluate(problem(objective, w)).table["variation"]


def at(x):
    """The variation of ``(x y - 1)^2`` at (x, 1 / x), by search."""
    point = np.array([x, 1 / x])
    return lambda r: searched(hyperbola(), point, [r])[0] if r > 0 else 0.0


def changed(toy, value, slope):
    """An outer function of a toy, from its value and slope."""
    return Toy(
        lambda w: value(toy.function(w)),
        lambda w: slope(toy.function(w)) * toy.gradient(w),
        lambda w: slope(toy.function(w)) * toy.hessian(w),
    )


def through(toy, A):
    """``f(A x)``."""
    return Toy(
        lambda w: toy.function(A @ w),
        lambda w: A.T @ toy.gradient(A @ w),
        lambda w: A.T @ toy.hessian(A @ w) @ A,
    )


# The rules


@pytest.mark.parametrize("factor", [3.0, -0.5])
def test_a_factor_scales_the_variation(factor):
    scaled = changed(hyperbola(), lambda f: factor * f, lambda f: factor)
    rule = scaled_variation(at(2), factor)
    assert_allclose(searched(scaled, (2, 0.5)), [rule(r) for r in RADII], rtol=1e-6)


def test_a_constant_does_not_change_the_variation():
    shifted = changed(hyperbola(), lambda f: f + 3, lambda f: 1.0)
    assert_allclose(searched(shifted, (2, 0.5)), [at(2)(r) for r in RADII], rtol=1e-6)


def test_a_sum_varies_at_most_as_its_terms_together():
    rng = np.random.default_rng(0)
    A, B = ((lambda F: F @ F.T)(rng.normal(size=(3, 3))) for _ in range(2))
    terms = [traced(lambda w, C=C: w @ C @ w / 2) for C in (A, B, A + B)]
    first, second, both = (searched(toy, np.zeros(3)) for toy in terms)
    assert (both < (1 - 1e-3) * sum_bound(lambda r: first, lambda r: second)(0)).all()
    tops = [np.linalg.eigvalsh(C)[-1] for C in (A, B)]
    assert_allclose(sum_bound(*map(quadratic_variation, tops))(RADII), first + second, rtol=1e-6)


def test_a_sum_of_terms_with_a_common_worst_direction_varies_as_they_do():
    terms = [quadratic(4.0, 1.0), quadratic(3.0, 2.0), quadratic(7.0, 3.0)]
    first, second, both = (searched(toy, np.zeros(2)) for toy in terms)
    assert_allclose(both, first + second, rtol=1e-6)


@pytest.mark.parametrize(
    ("outer", "slope"),
    [
        (lambda f: f**2, lambda f: 2 * f),
        (np.log1p, lambda f: 1 / (1 + f)),
        (np.expm1, np.exp),
    ],
    ids=["square", "log", "exp"],
)
def test_an_increasing_function_acts_on_the_variation(outer, slope):
    inner = hyperbola()
    composed = changed(inner, outer, slope)
    for x in (1, 2):
        rule = composed_variation(outer, at(x), 0.0)
        assert_allclose(searched(composed, (x, 1 / x)), [rule(r) for r in RADII], rtol=1e-5)


def test_an_isometry_keeps_the_variation():
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))[0]
    turned = through(hyperbola(), Q)
    lower, upper = variation_through(Q, at(2))
    found = searched(turned, Q.T @ [2, 0.5])
    for rule in (lower, upper):
        assert_allclose([rule(r) for r in RADII], found, rtol=1e-6)


@pytest.mark.parametrize("onto", [True, False])
def test_a_linear_map_changes_the_variation_within_bounds(onto):
    rng = np.random.default_rng(1)
    A = rng.normal(size=(2, 3)) if onto else np.array([[1.0], [0.3]])
    x = np.linalg.lstsq(A, np.array([2, 0.6 if not onto else 0.5]), rcond=None)[0]
    there = A @ x
    inner = hyperbola()
    lower, upper = variation_through(A, lambda r: searched(inner, there, [r])[0] if r > 0 else 0.0)
    found = searched(through(inner, A), x)
    for r, value in zip(RADII, found, strict=True):
        assert lower(r) <= value * (1 + 1e-6)
        assert value <= upper(r) * (1 + 1e-6)
    assert (lower(0.5) > 0) == onto


def test_a_restriction_varies_no_more_than_the_whole():
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 2)))[0]
    whole = quadratic(5.0, 3.0, 2.0, 1.0)
    found = searched(through(whole, basis), np.zeros(2))
    _, upper = variation_through(basis, quadratic_variation(5.0))
    assert (found < upper(RADII)).all()
    top = np.linalg.eigvalsh(basis.T @ np.diag([5.0, 3.0, 2.0, 1.0]) @ basis)[-1]
    assert_allclose(found, quadratic_variation(top)(RADII), rtol=1e-6)


def test_a_separable_function_shares_the_radius():
    """``cosh``-like growth on one side, so that the best share depends on the radius."""
    both = traced(lambda w: w[0] ** 2 + 4 * w[1] ** 4)
    rule = separable_variation(lambda a: a**2, lambda b: 4 * b**4)
    radii = np.array([0.1, 0.5, 1.0])
    found = searched(both, np.zeros(2), radii)
    assert_allclose(found, [rule(r) for r in radii], rtol=1e-6)
    kinked = separable_variation(lambda a: a, lambda b: b)
    assert kinked(1.0) == pytest.approx(2**0.5, rel=1e-10)


def test_the_leading_terms_are_curvature_and_slope():
    radii = np.array([1e-4, 1e-3])
    assert_allclose(
        searched(hyperbola(), (2, 0.5), radii), quadratic_variation(8.5)(radii), rtol=1e-2
    )
    gradient = hyperbola().gradient(np.array([2.0, 0.7]))
    rule = linear_variation(np.linalg.norm(gradient))
    assert_allclose(searched(hyperbola(), (2, 0.7), radii), rule(radii), rtol=1e-2)
    assert (linear_variation(1e-3)(1e-6 * radii) > quadratic_variation(100.0)(1e-6 * radii)).all()


@pytest.mark.parametrize("s", [0.01, 0.1, 1])
def test_the_distance_is_the_inverse_of_the_variation(s):
    """``sqrt(2 + 2 sqrt(s)) - sqrt(2)`` at (1, 1)."""
    exactly = (2 + 2 * s**0.5) ** 0.5 - 2**0.5
    assert level_distance(balanced_variation(1.0), s) == pytest.approx(exactly, rel=1e-12)
    assert level_distance(lambda r: min(r, 0.5), 1.0) == np.inf
    with pytest.raises(ValueError, match="level must be greater than 0, got 0"):
        level_distance(balanced_variation(1.0), 0)


# Deep linear networks


def deep(M, widths):
    """``|W_L ... W_1 - M|^2`` as a function of the flat vector of all factors."""
    shapes = [(b, a) for a, b in pairwise(widths)]
    ends = np.cumsum([a * b for a, b in shapes])

    def loss(w):
        parts = [
            anp.reshape(w[end - a * b : end], (a, b))
            for end, (a, b) in zip(ends, shapes, strict=True)
        ]
        return anp.sum((reduce(lambda done, W: W @ done, parts) - M) ** 2)

    return loss


def flat(factors):
    return np.concatenate([np.ravel(W) for W in factors])


def balanced(sigma, depth, shape, seed=0):
    """Balanced factors of a matrix of given singular values, of widths as needed, and the matrix.

    Each factor is ``Q_i diag(s^(1/L)) Q_(i-1)'`` with orthonormal ``Q_i``.
    """
    rng, k = np.random.default_rng(seed), len(sigma)
    sizes = [shape[1], *[k] * (depth - 1), shape[0]]
    bases = [np.linalg.qr(rng.normal(size=(size, k)))[0] for size in sizes]
    root = np.asarray(sigma) ** (1 / depth)
    factors = [after * root @ before.T for before, after in pairwise(bases)]
    return factors, reduce(lambda done, W: W @ done, factors), sizes


def test_the_spectrum_of_three_balanced_factors():
    """Singular values 2, 1 and 1/2."""
    factors, M, widths = balanced([2, 1, 0.5], 3, (3, 3))
    expected = [15.1191, 10.2145, 10.2145, 7.8334, 7.8334, 6.0, 4.0536, 4.0536, 2.3811]
    rule = balanced_spectrum([2, 1, 0.5], 3)
    assert_allclose(rule, expected, atol=5e-5)
    assert rule[0] == pytest.approx(6 * 2 ** (4 / 3), rel=1e-12)
    assert rule[0] == pytest.approx(15.1190526, abs=5e-8)
    assert rule.sum() == pytest.approx(67.7031394, abs=5e-8)
    dense = np.linalg.eigvalsh(hessian(deep(M, widths))(flat(factors)))[::-1]
    assert_allclose(dense[:9], rule, rtol=1e-9)
    assert_allclose(dense[9:], 0, atol=1e-9)
    assert_allclose(deep_linear_spectrum(factors), rule, rtol=1e-9)
    assert deep_linear_trace(factors) == pytest.approx(rule.sum(), rel=1e-12)


@pytest.mark.parametrize("widths", [(3, 4, 4, 3), (2, 5, 3), (3, 2, 2, 2, 4)])
def test_the_spectrum_of_any_factors_of_the_matrix(widths):
    rng = np.random.default_rng(0)
    factors = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
    M = reduce(lambda done, W: W @ done, factors)
    dense = np.linalg.eigvalsh(hessian(deep(M, widths))(flat(factors)))[::-1]
    found = deep_linear_spectrum(factors)
    n_positive = min(len(found), len(dense))
    assert_allclose(dense[:n_positive], found[:n_positive], atol=1e-9 * dense[0])
    assert_allclose(dense[n_positive:], 0, atol=1e-9 * dense[0])
    assert deep_linear_trace(factors) == pytest.approx(dense.sum(), rel=1e-10)


def test_a_rank_below_the_size_adds_the_eigenvalues_of_zeros():
    factors, M, widths = balanced([3, 1], 2, (4, 3))
    rule = balanced_spectrum([3, 1], 2, (4, 3))
    dense = np.linalg.eigvalsh(hessian(deep(M, widths))(flat(factors)))[::-1]
    assert_allclose(dense[:12], rule, atol=1e-9)
    assert rule[0] == pytest.approx(12)
    assert rule.sum() == pytest.approx(56)
    assert (rule > 1e-9).sum() == 10


def test_no_two_factors_have_a_smaller_largest_eigenvalue_than_balanced_ones():
    rng = np.random.default_rng(0)
    factors, _, _ = balanced([3, 1], 2, (4, 3))
    least = balanced_spectrum([3, 1], 2, (4, 3))[0]
    for _ in range(50):
        G = rng.normal(size=(2, 2))
        moved = [np.linalg.solve(G, factors[0]), factors[1] @ G]
        assert deep_linear_spectrum(moved)[0] >= least * (1 - 1e-12)


@pytest.mark.parametrize("w", [(2.0, 0.5, 1.0), (1.0, 1.0, 1.0, 1.0)])
def test_of_scalars_there_is_one_eigenvalue(w):
    found = deep_linear_spectrum([np.array([[each]]) for each in w])
    assert found == pytest.approx(2 * np.sum(np.array(w) ** -2.0), rel=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_variation_of_deep_scalars_at_ones(depth):
    rule = deep_scalar_variation(depth)
    assert_allclose(searched(product_of(depth), np.ones(depth)), rule(RADII), rtol=1e-6)


def test_the_variation_of_balanced_factors():
    (W, V), M, _ = balanced([3, 1], 2, (4, 3))
    w = np.concatenate([V.ravel(), W.T.ravel()])
    assert_allclose(searched(factorization(M, 2), w), balanced_variation(3.0)(RADII), rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([-1.0], 2), "singular_values"),
        (([1.0], 0), "depth must be an integer >= 1, got 0"),
        (([1.0, 2.0], 2, (1, 3)), "has fewer than 2 singular values"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        balanced_spectrum(*arguments)
