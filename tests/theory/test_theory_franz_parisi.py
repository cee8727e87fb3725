"""The number of solutions around a solution."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import root
from scipy.special import log_ndtr

from skflat.theory import (
    SaddlePointError,
    flat_minima_threshold,
    franz_parisi,
    hamming_entropy,
    max_margin,
    typical_solutions,
)

DISTANCES = [0.30, 0.20, 0.10, 0.05, 0.02, 0.01]
TABLE = {
    0.0: [0.31064, 0.26590, 0.16466, 0.08653, 0.02760, 0.00620],
    0.2: [0.31402, 0.28266, 0.19599, 0.12551, 0.06865, 0.04401],
    0.4: [0.31395, 0.29512, 0.22009, 0.15190, 0.08767, 0.05421],
}


@pytest.mark.parametrize("reference_margin", TABLE)
def test_the_local_entropy_around_typical_solutions_of_a_margin(reference_margin):
    found = franz_parisi(0.5, DISTANCES, reference_margin)
    assert_allclose(found.entropy, TABLE[reference_margin], atol=2e-5)
    assert (found.entropy < hamming_entropy(DISTANCES)).all()


def test_margin_makes_neighbours():
    curves = [franz_parisi(0.5, [0.1, 0.02, 0.005], kt).entropy for kt in (0, 0.1, 0.2, 0.3, 0.4)]
    assert (np.diff(curves, axis=0) > 0).all()


def test_close_to_a_solution_with_a_margin_all_weights_are_solutions():
    d = np.array([0.01, 0.005, 0.002])
    missing = 1 - franz_parisi(0.5, d, 0.4).entropy / hamming_entropy(d)
    assert (np.diff(missing) < 0).all()
    assert 0 < missing[-1] < 1e-3


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.7])
def test_very_close_to_solutions_of_the_largest_margin_all_weights_are_solutions(alpha):
    d = np.array([1e-4, 1e-5])
    found = franz_parisi(alpha, d, max_margin(alpha))
    assert_allclose(found.entropy, hamming_entropy(d), rtol=1e-8)


@pytest.mark.parametrize(("alpha", "margin"), [(0.5, 0.0), (0.7, 0.0), (0.3, 0.4)])
def test_a_solution_sees_typical_ones_at_their_distance(alpha, margin):
    typical = typical_solutions(alpha, margin)
    distance = (1 - typical.overlap) / 2
    found = franz_parisi(alpha, distance, margin, margin)
    assert found.entropy == pytest.approx(typical.entropy, abs=1e-9)
    assert found.slope == pytest.approx(0, abs=1e-4)
    around = franz_parisi(alpha, distance + np.array([-0.05, 0.05]), margin, margin)
    assert (around.entropy < typical.entropy).all()


@pytest.mark.parametrize("reference_margin", [0.0, 0.3])
def test_the_slope_is_the_derivative_of_the_entropy(reference_margin):
    """Which it is only where all other parameters are stationary."""
    d, h = np.array([0.3, 0.1, 0.02]), 1e-4
    ahead = franz_parisi(0.6, d + h, reference_margin / 2, -0.1)
    back = franz_parisi(0.6, d - h, reference_margin / 2, -0.1)
    slope = franz_parisi(0.6, d, reference_margin / 2, -0.1).slope
    assert_allclose((ahead.entropy - back.entropy) / (2 * h), slope, atol=2e-4)


def test_distances_come_in_any_order_and_shape():
    d = np.array([[0.05, 0.4], [0.3, 0.01]])
    found = franz_parisi(0.5, d, 0.2)
    assert found.distance.shape == found.entropy.shape == found.slope.shape == (2, 2)
    assert found.entropy[1, 0] == pytest.approx(franz_parisi(0.5, 0.3, 0.2).entropy, abs=1e-9)


def test_typical_solutions_are_isolated_where_those_of_largest_margin_are_not():
    d = np.geomspace(0.005, 0.1, 12)
    typical, best = franz_parisi(0.7, d), franz_parisi(0.7, d, max_margin(0.7))
    assert (typical.entropy[d < 0.036] < 0).all()
    assert (typical.entropy[d > 0.038] > 0).all()
    assert (best.entropy > 0).all()
    assert (best.slope > 0).all()
    assert franz_parisi(0.7, 0.008, max_margin(0.7)).entropy == pytest.approx(0.0196, abs=1e-4)


@pytest.mark.slow
def test_even_the_largest_margin_is_alone_beyond_the_threshold():
    assert flat_minima_threshold() == pytest.approx(0.7305, abs=0.003)
    beyond = franz_parisi(0.76, np.geomspace(0.005, 0.05, 9), max_margin(0.76))
    assert beyond.slope.min() < 0
    assert beyond.entropy.min() < 0


@pytest.mark.parametrize(("reference_margin", "distance"), [(0.0, 0.25), (0.2, 0.25), (0.3, 0.22)])
def test_the_entropy_is_that_of_a_stationary_point(reference_margin, distance):
    """Of the functional on plain grids, all five parameters sought by its differences."""
    alpha, p = 0.5, 1 - 2 * distance
    reference = typical_solutions(alpha, reference_margin)
    qt, qht = reference.overlap, reference.conjugate
    x, dx = plain_grid(6.5, 66)
    s, ds = plain_grid(7.5, 251)

    def functional(q, qh, t, th, ph):
        field = np.sqrt(qht) * x
        entropic = 0.0
        for sign in (-1, 1):
            h = np.sqrt(qh - th**2 / qht) * x + (th / qht * field + (ph - th) * sign)[:, None]
            prior = np.exp(sign * field) / (2 * np.cosh(field))
            entropic += (dx * prior) @ np.logaddexp(h, -h) @ dx
        eta = (reference_margin - field * np.sqrt(qt / qht)) / np.sqrt(1 - qt)
        spread = np.sqrt(q - t**2 / qt)
        c = (p - t) / np.sqrt(1 - qt) / spread
        lacking = -((t / np.sqrt(qt) * x)[:, None] + spread * s) / np.sqrt(1 - q)
        share = log_ndtr((c * s - eta[:, None]) / np.sqrt(1 - c**2)) - log_ndtr(-eta)[:, None]
        energetic = dx @ (np.exp(share) * log_ndtr(-lacking)) @ ds
        return -qh * (1 - q) / 2 + t * th - p * ph + entropic + alpha * energetic

    def slopes(parameters, h=1e-5):
        return [
            (functional(*(parameters + e)) - functional(*(parameters - e))) / (2 * h)
            for e in h * np.eye(5)
        ]

    with np.errstate(invalid="ignore"):  # a trial step may leave the domain
        found = root(slopes, [p**2 + 0.1, 0.8, qt * p + 0.1, 0.6, 1.0], tol=1e-9)
    assert np.abs(found.fun).max() < 1e-8
    expected = franz_parisi(alpha, distance, reference_margin).entropy
    assert functional(*found.x) == pytest.approx(expected, abs=1e-8)


def plain_grid(reach, n):
    z = np.linspace(-reach, reach, n)
    return z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: franz_parisi(0.5, 0.0), "distance == 0.0, must be > 0"),
        (lambda: franz_parisi(0.5, [0.1, 0.6]), "distance == 0.6, must be < 0.5"),
        (lambda: franz_parisi(0.5, 0.1, -0.1), "reference_margin == -0.1, must be >= 0"),
        (lambda: franz_parisi(0.5, 0.1, 0.5), "alpha == 0.5, must be <= 0.4556646"),
        (lambda: franz_parisi(0.9, 0.1), "alpha == 0.9, must be <= 0.833"),
        (lambda: franz_parisi(0.5, 0.1, margin=9), "margin == 9, must be <= 3"),
    ],
)
def test_what_is_outside_the_domain_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
def test_a_curve_that_ends_says_so():
    with pytest.raises(SaddlePointError, match=r"before distance=0\.0001: .* at distance 0"):
        franz_parisi(0.8, 1e-4)
