"""The number of solutions around a solution, for real weights."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.optimize import root
from scipy.special import log_ndtr

from skflat.theory import SaddlePointError, franz_parisi, max_margin, typical_solutions


def around(alpha, distance, reference_margin=0.0, margin=0.0):
    return franz_parisi(alpha, distance, reference_margin, margin, machine="spherical")


def shell(distance):
    return np.log(1 - (1 - 2 * np.asarray(distance)) ** 2) / 2


def test_few_patterns_leave_the_shell():
    d = np.array([0.4, 0.1, 0.001])
    found = around(1e-6, d)
    assert_allclose(found.entropy, shell(d), atol=1e-6)
    assert_allclose(found.slope, (1 - 2 * d) / (2 * d * (1 - d)), rtol=1e-5)
    assert (found.density < 0).all()


@pytest.mark.parametrize(("reference_margin", "margin"), [(0.0, 0.0), (0.5, 0.2), (0.1, -0.5)])
def test_each_of_few_patterns_leaves_the_share_of_two_correlated_fields(reference_margin, margin):
    """To first order, solutions near a reference are independent given the reference."""
    alpha, d = 1e-4, 0.15
    p = 1 - 2 * d

    def integrand(s):
        share = log_ndtr((p * s - margin) / np.sqrt(1 - p**2))
        return np.exp(-(s**2) / 2) / np.sqrt(2 * np.pi) * share

    satisfied = np.exp(log_ndtr(-reference_margin))
    expected = quad(integrand, reference_margin, 12)[0] / satisfied
    assert around(alpha, d, reference_margin, margin).density / alpha == pytest.approx(
        expected, rel=1e-3
    )


@pytest.mark.parametrize(("alpha", "margin"), [(0.5, 0.0), (1.5, 0.0), (0.3, 1.0), (3.0, -0.5)])
def test_a_solution_sees_typical_ones_at_their_distance(alpha, margin):
    """There the potential is stationary, and it is Gardner's volume."""
    typical = typical_solutions(alpha, margin, machine="spherical")
    top = around(alpha, (1 - typical.overlap) / 2, margin, margin)
    assert top.entropy == pytest.approx(typical.entropy, abs=1e-9)
    assert top.slope == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("alpha", "reference_margin", "margin", "distance"),
    [(0.5, 0.3, 0.0, 0.31), (1.0, 0.0, -0.5, 0.3)],
)
def test_any_reference_sees_typical_solutions_at_the_top(alpha, reference_margin, margin, distance):
    d = distance + np.array([-0.02, 0.02])
    slope = around(alpha, d, reference_margin, margin).slope
    top = around(alpha, d[0] - 0.04 * slope[0] / (slope[1] - slope[0]), reference_margin, margin)
    typical = typical_solutions(alpha, margin, machine="spherical")
    assert slope[0] > 0 > slope[1]
    assert top.entropy == pytest.approx(typical.entropy, abs=1e-5)
    assert top.entropy <= typical.entropy


@pytest.mark.parametrize(
    ("alpha", "reference_margin", "margin"), [(0.6, 0.0, -0.1), (0.9, 0.2, 0.0), (0.3, 1.0, 1.0)]
)
def test_the_slope_is_the_derivative_of_the_entropy(alpha, reference_margin, margin):
    d, h = np.array([0.1, 0.02]), 1e-5
    found = [around(alpha, d + e, reference_margin, margin) for e in (-h, 0, h)]
    difference = (found[2].entropy - found[0].entropy) / (2 * h)
    assert_allclose(difference, found[1].slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("alpha", "reference_margin", "margin", "distance"),
    [(0.5, 0.0, 0.0, 0.25), (0.4, 0.3, 0.1, 0.2), (1.0, -0.2, -0.5, 0.2)],
)
def test_the_entropy_is_that_of_a_stationary_point(alpha, reference_margin, margin, distance):
    """Of Gardner's determinants and the energy on plain grids, sought by differences."""
    qt, p = (
        typical_solutions(alpha, reference_margin, machine="spherical").overlap,
        1 - 2 * distance,
    )
    x, dx = plain_grid(7, 101)
    s, ds = plain_grid(8, 301)
    eta = (reference_margin - np.sqrt(qt) * x) / np.sqrt(1 - qt)

    def functional(q, t):
        spread = np.sqrt(q - t**2 / qt)
        c = (p - t) / np.sqrt(1 - qt) / spread
        lacking = (margin - (t / np.sqrt(qt) * x)[:, None] - spread * s) / np.sqrt(1 - q)
        share = log_ndtr((c * s - eta[:, None]) / np.sqrt(1 - c**2)) - log_ndtr(-eta)[:, None]
        return volume(q, t, p, qt) + alpha * (dx @ (np.exp(share) * log_ndtr(-lacking)) @ ds)

    def slopes(parameters, h=1e-5):
        return [
            (functional(*(parameters + e)) - functional(*(parameters - e))) / (2 * h)
            for e in h * np.eye(2)
        ]

    with np.errstate(invalid="ignore"):  # a trial step may leave the domain
        found = root(slopes, [p**2 + 0.02, qt * p + 0.01], tol=1e-9)
    assert np.abs(found.fun).max() < 1e-8
    expected = around(alpha, distance, reference_margin, margin).entropy
    assert functional(*found.x) == pytest.approx(expected, abs=1e-8)


def volume(q, t, p, qt, n=1e-10, m=1e-10):
    """The entropic term as a difference of log-determinants for few replicas.

    ``n`` references and ``m`` weights near the first of them have a matrix of overlaps whose
    determinant is known for real ``n`` and ``m``.
    """
    own, spread = p - t, 1 - qt
    of_ones = n * t + own
    explained = (t * of_ones + own * p - qt * of_ones**2 / (spread + n * qt)) / spread
    return (m * np.log(1 - q) + np.log1p(m * (q - explained) / (1 - q))) / (2 * m)


def test_the_volume_of_replicas_is_the_determinant_of_their_overlaps():
    q, t, p, qt, n, m = 0.6, 0.3, 0.7, 0.4, 3, 2
    A = qt * np.ones((n, n)) + (1 - qt) * np.eye(n)
    B = q * np.ones((m, m)) + (1 - q) * np.eye(m)
    C = np.full((n, m), t)
    C[0] = p
    both = np.linalg.slogdet(np.block([[A, C], [C.T, B]]))[1]
    expected = (both - np.linalg.slogdet(A)[1]) / (2 * m)
    assert volume(q, t, p, qt, n, m) == pytest.approx(expected, abs=1e-12)


def plain_grid(reach, n):
    z = np.linspace(-reach, reach, n)
    return z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])


def test_margin_makes_neighbours():
    d, nearly_the_largest = [0.1, 0.01], max_margin(0.5, machine="spherical") - 0.1
    densities = [around(0.5, d, kt).density for kt in (0, 0.4, nearly_the_largest)]
    assert (np.diff(densities, axis=0) > 0).all()


def test_close_to_a_solution_all_weights_are_solutions():
    """Around a typical one slowly, as the root of the distance; at a margin from there on."""
    d = np.array([1e-2, 1e-4, 1e-6])
    typical = around(0.5, d).density
    assert_allclose(typical[1:] / typical[:-1], 0.1, rtol=0.02)
    assert_allclose(around(0.5, d[1:], 0.3).density, 0, atol=1e-9)
    assert (around(0.5, d, 0.3).density <= 1e-9).all()


def test_negative_margins_are_marked_unstable():
    """Solutions near an unstable reference are, even if typical ones are stable."""
    few = around(1.0, [0.3, 0.1], -0.5, -0.5)
    assert few.is_stable.all()
    unstable = around(6.0, [0.05, 0.02], -0.8, -1.0)
    assert not unstable.is_stable.any()
    reference = typical_solutions(6.0, -0.8, machine="spherical").instability
    assert (unstable.instability >= reference).all()
    assert reference > 1 > typical_solutions(6.0, -1.0, machine="spherical").instability


def test_solutions_at_the_typical_distance_are_as_stable_as_typical_ones():
    typical = typical_solutions(1.0, -0.3, machine="spherical")
    found = around(1.0, (1 - typical.overlap) / 2, -0.3, -0.3)
    assert found.instability == pytest.approx(typical.instability, rel=1e-5)


@pytest.mark.slow
def test_far_from_the_reference_there_are_no_solutions():
    """They are a convex cone, and it gets narrow."""
    with pytest.raises(SaddlePointError, match="solutions"):
        around(1.8, 0.45)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: around(2.0, 0.1), "alpha == 2, must be <= 1.9996"),
        (lambda: around(0.5, 0.5), "distance == 0.5, must be < 0.5"),
        (lambda: around(0.5, 0.1, -0.2), "reference_margin == -0.2, must be >= 0"),
        (lambda: franz_parisi(0.5, 0.1, machine="symmetric"), "machine must be one of 'binary'"),
    ],
)
def test_what_is_outside_the_domain_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Few weights, by sampling


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alpha", "reference_margin", "distance"), [(0.5, 0.0, 0.05), (0.5, 0.3, 0.1), (0.2, 0.0, 0.2)]
)
def test_few_real_weights_have_as_many_neighbours_as_many(alpha, reference_margin, distance):
    rng, n, n_instances = np.random.default_rng(0), 40, 60
    found = []
    for _ in range(n_instances):
        X = rng.standard_normal((round(alpha * n), n))
        w = a_typical_solution(X, reference_margin, rng)
        found.append(np.log(share_of_shell(X, w, distance, rng)) / n)
    expected = around(alpha, distance, reference_margin).density
    stderr = np.std(found) / np.sqrt(n_instances)
    assert np.mean(found) == pytest.approx(expected, abs=3 * stderr + 0.003)
    assert stderr < 0.006


def share_of_shell(X, w, distance, rng, n_draws=20_000):
    n, p = len(w), 1 - 2 * distance
    U = rng.standard_normal((n_draws, n))
    U -= np.outer(U @ w / n, w)
    U *= np.sqrt(n) / np.linalg.norm(U, axis=1, keepdims=True)
    stored = ((p * w + np.sqrt(1 - p**2) * U) @ X.T >= 0).all(axis=1)
    return max(stored.mean(), 0.5 / n_draws)


def a_typical_solution(X, margin, rng, n_steps=300):
    """Uniform among weights of the margin: a random great circle after the other."""
    n = X.shape[1]
    w = a_solution(X, margin, rng)
    for _ in range(n_steps):
        u = rng.standard_normal(n)
        u -= (u @ w) / n * w
        u *= np.sqrt(n) / np.linalg.norm(u)
        a, b = X @ w / np.sqrt(n), X @ u / np.sqrt(n)
        angle = rng.uniform(0, 2 * np.pi)
        low, high = angle - 2 * np.pi, angle
        while not (a * np.cos(angle) + b * np.sin(angle) >= margin).all():
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = rng.uniform(low, high)
        w = w * np.cos(angle) + u * np.sin(angle)
    return w


def a_solution(X, margin, rng):
    """By steps towards the pattern of least stability."""
    n = X.shape[1]
    w = rng.standard_normal(n)
    while True:
        w *= np.sqrt(n) / np.linalg.norm(w)
        worst = np.argmin(X @ w)
        if X[worst] @ w >= margin * np.sqrt(n):
            return w
        w += 0.3 * X[worst] / np.sqrt(n)
