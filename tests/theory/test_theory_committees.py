"""Tree committees of very many hidden units: groups of solutions, and solutions around one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_ndtr

from skflat.theory import (
    capacity,
    clone_entropy,
    clone_threshold,
    franz_parisi,
    hamming_entropy,
    typical_solutions,
)
from skflat.theory._kernels import identity, relu_units, sign_units

KERNELS = {"sign_committee": sign_units, "relu_committee": relu_units}
committees = pytest.mark.parametrize("machine", KERNELS)
GRID = np.linspace(-8, 8, 321)
NORMAL = np.exp(-(GRID**2) / 2) / np.sqrt(2 * np.pi) * (GRID[1] - GRID[0])


@pytest.mark.parametrize("kernel", [identity, sign_units, relu_units])
def test_a_kernel_comes_with_its_derivatives(kernel):
    q, h = 0.6, 1e-5
    (back, back_slope, _), (_, slope, bend), (ahead, ahead_slope, _) = map(
        kernel, (q - h, q, q + h)
    )
    assert (ahead - back) / (2 * h) == pytest.approx(slope, rel=1e-8)
    assert (ahead_slope - back_slope) / (2 * h) == pytest.approx(bend, rel=1e-8)
    assert kernel(0.0)[0] == 0
    assert kernel(1 - 1e-12)[0] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("kernel", "unit"), [(sign_units, np.sign), (relu_units, lambda x: np.maximum(x, 0))]
)
def test_a_kernel_is_the_covariance_of_hidden_units(kernel, unit):
    rng, q = np.random.default_rng(0), 0.7
    u, noise = rng.standard_normal((2, 400_000))
    u, v = unit(u), unit(q * u + np.sqrt(1 - q**2) * noise)
    assert np.corrcoef(u, v)[0, 1] == pytest.approx(kernel(q)[0], abs=0.005)


# Around a reference


@committees
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_a_solution_sees_typical_ones_at_their_distance(machine, margin):
    typical = typical_solutions(0.4, margin, machine=machine)
    distance = (1 - typical.overlap) / 2
    found = franz_parisi(0.4, [distance, 0.2], margin, margin, machine=machine)
    assert found.entropy[0] == pytest.approx(typical.entropy, abs=1e-9)
    assert found.slope[0] == pytest.approx(0, abs=1e-4)
    assert found.instability[0] == pytest.approx(typical.instability, rel=1e-4)
    assert found.entropy[1] < typical.entropy


@committees
def test_the_slope_is_the_derivative_of_the_entropy(machine):
    """So the derivatives of all overlaps of the fields are right."""
    d, h = np.array([0.3, 0.05]), 1e-4
    found = [franz_parisi(0.6, d + e, 0.2, -0.1, machine=machine) for e in (-h, 0, h)]
    difference = (found[2].entropy - found[0].entropy) / (2 * h)
    assert_allclose(difference, found[1].slope, atol=2e-4)


@committees
def test_each_of_few_patterns_leaves_the_share_of_correlated_fields(machine):
    """To first order, solutions near a reference are independent given the reference."""
    alpha, d, reference_margin, margin = 1e-4, 0.15, 0.4, 0.1
    p, kernel = 1 - 2 * d, KERNELS[machine]
    own, shared = kernel(p)[0], kernel(p**2)[0]
    share = log_ndtr((np.sqrt(shared) * GRID - margin) / np.sqrt(1 - shared))
    c = own / np.sqrt(shared)
    chosen = log_ndtr((c * GRID - reference_margin) / np.sqrt(1 - c**2))
    expected = (NORMAL * np.exp(chosen)) @ share / np.exp(log_ndtr(-reference_margin))
    found = franz_parisi(alpha, d, reference_margin, margin, machine=machine)
    assert found.density / alpha == pytest.approx(expected, rel=1e-3)
    assert found.entropy == pytest.approx(hamming_entropy(d), abs=alpha)


@committees
def test_margin_makes_neighbours(machine):
    curves = [franz_parisi(0.4, [0.1, 0.01], kt, machine=machine) for kt in (0, 0.2, 0.4)]
    assert (np.diff([each.density for each in curves], axis=0) > 0).all()
    assert all((each.density < 0).all() for each in curves)


def test_solutions_of_relu_units_lie_closer_than_those_of_sign_units():
    """Small changes of weights switch signs, which is the finding of arXiv:1907.07578."""
    sign, relu = (franz_parisi(0.4, [0.1, 0.01], 0.2, machine=each).density for each in KERNELS)
    assert (relu > sign).all()


# Groups


@pytest.mark.parametrize("machine", ["spherical", *KERNELS])
@pytest.mark.parametrize("overlap", [0.5, 0.95])
def test_groups_of_one_are_typical_solutions(machine, overlap):
    typical = typical_solutions(0.5, machine=machine).entropy
    assert clone_entropy(0.5, overlap, 1, machine=machine) == pytest.approx(typical, abs=1e-10)


@pytest.mark.parametrize("machine", ["spherical", *KERNELS])
def test_groups_of_few_patterns_are_as_many_as_there_are_of_weights(machine):
    """Groups of independent weights at a mutual overlap, each of which a pattern leaves alone."""
    m, q1 = 3, 0.8
    if machine == "spherical":
        overlaps = q1 * np.ones((m, m)) + (1 - q1) * np.eye(m)
        everything = np.linalg.slogdet(overlaps)[1] / (2 * m)
    else:
        # Weights that share a field, tilted by (2 cosh)^m.
        everything = groups_of_bits(q1, m)
    found = clone_entropy(1e-6, q1, m, machine=machine)
    assert found == pytest.approx(everything, abs=2e-6)


def groups_of_bits(q1, m):
    """The Legendre transform of ``ln E (2 cosh)^m`` on a grid of the field's variance."""
    spread = np.linspace(0.5, 4, 3501)[:, None]
    reach = GRID * 2  # the tilt moves the field outwards
    dz = np.exp(-(reach**2) / 2) / np.sqrt(2 * np.pi) * (reach[1] - reach[0])
    total = np.log((2 * np.cosh(np.sqrt(spread) * reach)) ** m @ dz) / m
    return np.min(total - spread[:, 0] * (1 + (m - 1) * q1) / 2)


@pytest.mark.parametrize("machine", ["spherical", *KERNELS])
def test_groups_at_the_typical_overlap_tell_the_stability(machine):
    """How much rarer they are is quadratic in the excess of the overlap.

    The coefficient has a part that does not depend on ``m``, and ``m / (m - 1)`` times another one,
    which vanishes where the saddle point becomes unstable.
    """
    alpha, excess = 0.6, 2e-3
    typical = typical_solutions(alpha, machine=machine)
    few, many = (
        excess**2
        / (clone_entropy(alpha, typical.overlap + excess, m, machine=machine) - typical.entropy)
        for m in (2, 4)
    )
    weights = (1 - typical.overlap) ** 2
    if machine != "spherical":
        weights = NORMAL @ (1 - np.tanh(np.sqrt(typical.conjugate) * GRID) ** 2) ** 2
    expected = 4 * weights / (typical.instability - 1) * (2 / 1 - 4 / 3)
    assert few - many == pytest.approx(expected, rel=0.03)


def test_groups_of_relu_units_break_up_below_capacity():
    found = [clone_threshold(m, machine="relu_committee") for m in (3, 5)]
    most = capacity(machine="relu_committee")
    assert all(0.84 < each.alpha < most for each in found)
    for m, each in zip((3, 5), found, strict=True):
        entropy = clone_entropy(each.alpha, each.overlap, m, machine="relu_committee")
        assert entropy == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clone_entropy(0.5, 0.9, 2, machine="symmetric"), "machine must be one of"),
        (lambda: clone_entropy(1.6, 0.9, 2, machine="spherical"), "alpha == 1.6, must be <= 1.5"),
        (lambda: clone_threshold(3, machine="spherical"), "machine must be one of 'binary', 'sign"),
        (
            lambda: clone_entropy(0.5, 0.9, 2, task="teacher_student", machine="relu_committee"),
            "machine must be one of 'binary'; got 'relu_committee'",
        ),
        (lambda: clone_entropy(0.5, 0.1, 2, machine="sign_committee"), "must be > 0.178"),
        (lambda: franz_parisi(0.95, 0.1, machine="relu_committee"), "must be <= 0.9039"),
    ],
)
def test_what_is_outside_the_domain_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
