"""Typical solutions: their number, their overlap and their stabilities."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import norm

from skflat.datasets import make_perceptron_storage, make_random_features, make_teacher_student
from skflat.theory import (
    amp_threshold,
    capacity,
    enumerate_solutions,
    hamming_entropy,
    max_margin,
    recovery_threshold,
    student_interpolation,
    student_max_margin,
    student_solutions,
    teacher_student,
    typical_local_energy,
    typical_solutions,
    typical_stabilities,
)

COMMITTEES = ("sign_committee", "relu_committee")


def normal_mean(f):
    """``E f(z)``, the slow way."""

    def integrand(z):
        return np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * f(z)

    return quad(integrand, -12, 12, epsabs=1e-13, limit=400, points=[0])[0]


def log_cosh_mean(shift, scale):
    return normal_mean(lambda z: np.logaddexp(shift + scale * z, -shift - scale * z))


def is_stationary(functional, *at, step=1e-4):
    """Central differences in each argument vanish."""
    for direction in np.eye(len(at)) * step:
        ahead, back = functional(*(at + direction)), functional(*(at - direction))
        assert (ahead - back) / (2 * step) == pytest.approx(0, abs=1e-7)


# Binary weights


@pytest.mark.parametrize(
    ("margin", "alpha"),
    [
        (-0.5, 1.67884111),
        (0.0, 0.83307860),
        (0.1, 0.73301667),
        (0.2, 0.64740403),
        (0.3, 0.57387616),
        (0.4, 0.51049477),
        (0.5, 0.45566456),
        (0.75, 0.34789353),
        (1.0, 0.27070009),
        (1.5, 0.17244658),
        (2.0, 0.11648872),
    ],
)
def test_the_capacity_of_binary_weights(margin, alpha):
    assert capacity(margin) == pytest.approx(alpha, abs=1e-8)
    assert max_margin(alpha) == pytest.approx(margin, abs=1e-7)
    assert typical_solutions(capacity(margin), margin).entropy == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("alpha", "entropy", "overlap", "conjugate", "margin"),
    [
        (0.1, 0.62277921, 0.063435, 0.072145, 2.214273),
        (0.2, 0.55012011, 0.126865, 0.164930, 1.327704),
        (0.3, 0.47482893, 0.190838, 0.285979, 0.895392),
        (0.4, 0.39645505, 0.255843, 0.447194, 0.618418),
        (0.5, 0.31439007, 0.322385, 0.668035, 0.418062),
        (0.6, 0.22778496, 0.391050, 0.982300, 0.262728),
        (0.7, 0.13539967, 0.462571, 1.453591, 0.136762),
        (0.75, 0.08647747, 0.499699, 1.784857, 0.081879),
        (0.8, 0.03530572, 0.537942, 2.215316, 0.031341),
    ],
)
def test_typical_solutions_of_binary_weights(alpha, entropy, overlap, conjugate, margin):
    found = typical_solutions(alpha)
    assert found.entropy == pytest.approx(entropy, abs=1e-8)
    assert found.overlap == pytest.approx(overlap, abs=1e-6)
    assert found.conjugate == pytest.approx(conjugate, abs=1e-6)
    assert max_margin(alpha) == pytest.approx(margin, abs=1e-6)
    assert found.entropy < (1 - alpha) * np.log(2)  # the logarithm of the mean number


@pytest.mark.parametrize(
    ("machine", "effective"),
    [
        ("binary", lambda q: q),
        ("sign_committee", lambda q: 2 / np.pi * np.arcsin(q)),
        ("relu_committee", lambda q: (arc_cosine(q) - arc_cosine(0)) / (0.5 - arc_cosine(0))),
    ],
)
@pytest.mark.parametrize(("alpha", "margin"), [(0.3, 0.5), (0.8, 0.0)])
def test_the_entropy_is_that_of_a_stationary_point(machine, effective, alpha, margin):
    def functional(q, qh):
        e = effective(q)
        energy = normal_mean(lambda z: log_ndtr((np.sqrt(e) * z - margin) / np.sqrt(1 - e)))
        return -qh * (1 - q) / 2 + log_cosh_mean(0, np.sqrt(qh)) + alpha * energy

    found = typical_solutions(alpha, margin, machine=machine)
    assert functional(found.overlap, found.conjugate) == pytest.approx(found.entropy, abs=1e-10)
    is_stationary(functional, found.overlap, found.conjugate)


def arc_cosine(q):
    return (np.sqrt(1 - q**2) + q * (np.pi - np.arccos(q))) / (2 * np.pi)


def test_committees_store_more():
    assert capacity(machine="sign_committee") == pytest.approx(0.94695243, abs=1e-8)
    assert capacity(machine="relu_committee") == pytest.approx(0.90398628, abs=1e-8)


@pytest.mark.parametrize("machine", ["binary", "spherical", *COMMITTEES])
def test_few_patterns_leave_almost_all_weights(machine):
    """Each pattern leaves a share ``H(margin)`` of what there is."""
    found = typical_solutions(1e-6, 0.5, machine=machine)
    everything = 0.0 if machine == "spherical" else np.log(2)
    assert found.entropy == pytest.approx(everything + 1e-6 * log_ndtr(-0.5), abs=1e-11)
    assert found.overlap < 1e-5


@pytest.mark.parametrize("machine", ["binary", "spherical", *COMMITTEES])
@pytest.mark.parametrize("margin", [0.0, 0.7, 3.9])
def test_capacity_and_largest_margin_are_inverse(machine, margin):
    assert max_margin(capacity(margin, machine=machine), machine=machine) == pytest.approx(
        margin, abs=1e-9
    )


def test_solutions_of_larger_margin_are_fewer_and_closer():
    found = [typical_solutions(0.5, margin) for margin in (0.0, 0.2, 0.4)]
    assert_allclose([each.entropy for each in found], [0.3144, 0.1940, 0.0203], atol=1e-4)
    assert found[0].overlap < found[1].overlap < found[2].overlap
    assert found[2].overlap == pytest.approx(0.609, abs=1e-3)


# Stability


def test_spherical_weights_are_just_stable_at_capacity():
    """De Almeida and Thouless: at margin 0 the condition reaches 1 at Cover's capacity."""
    found = [typical_solutions(a, machine="spherical").instability for a in (0.5, 1.9, 1.9996)]
    assert 0 < found[0] < 0.5 < found[1] < found[2]
    assert found[2] == pytest.approx(1, abs=0.02)
    larger = typical_solutions(0.95, 0.5, machine="spherical")
    assert larger.instability < 0.7
    assert larger.is_stable


def test_negative_margins_of_spherical_weights_are_marked_unstable():
    found = [typical_solutions(a, -0.5, machine="spherical") for a in (0.5, 2.0, 3.9, 4.1, 4.7)]
    assert [each.is_stable for each in found] == [True, True, True, False, False]
    assert (np.diff([each.instability for each in found]) > 0).all()


@pytest.mark.parametrize("margin", [-1.0, 0.0, 0.7])
def test_typical_binary_solutions_are_isolated_but_stable(margin):
    found = typical_solutions(capacity(margin), margin)
    assert found.is_stable
    few = typical_solutions(1e-6, margin)
    push = np.exp(-(margin**2) / 2 - log_ndtr(-margin)) / np.sqrt(2 * np.pi)
    assert few.instability == pytest.approx(1e-6 * (push * (push - margin)) ** 2, rel=1e-4)


@pytest.mark.parametrize("machine", COMMITTEES)
def test_committees_become_less_stable_with_their_load(machine):
    """Few patterns leave the curvature of the layer, which relu units have even at overlap 0."""
    few = typical_solutions(1e-6, machine=machine)
    push, bend = 2 / np.pi, {"sign_committee": 0, "relu_committee": 1 / (np.pi - 1)}[machine]
    slope = {"sign_committee": 2 / np.pi, "relu_committee": np.pi / 2 / (np.pi - 1)}[machine]
    assert few.instability == pytest.approx(1e-6 * (push**2 * slope**2 + bend * push), rel=1e-4)
    found = [typical_solutions(alpha, machine=machine) for alpha in (0.3, 0.6, 0.9)]
    assert (np.diff([each.instability for each in found]) > 0).all()
    assert all(each.is_stable for each in found)


# The symmetric machine


@pytest.mark.parametrize(("margin", "expected"), [(1.0, 1.815875), (0.5, 0.722091)])
def test_the_capacity_of_the_symmetric_machine(margin, expected):
    assert capacity(margin, machine="symmetric") == pytest.approx(expected, abs=1e-6)
    assert max_margin(capacity(margin, machine="symmetric"), machine="symmetric") == pytest.approx(
        margin, abs=1e-9
    )


def test_symmetric_solutions_are_as_many_as_the_first_moment():
    """Their number is the mean over all patterns, which enumeration gives for few weights."""
    found = typical_solutions(0.5, 1.0, machine="symmetric")
    assert found.entropy == pytest.approx(np.log(2) + 0.5 * np.log(0.6826894921), abs=1e-9)
    assert (found.overlap, found.conjugate) == (0, 0)
    rng, n = np.random.default_rng(0), 9
    W = 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1
    X = rng.standard_normal((400, 4, n))
    counts = (np.abs(X @ W.T) <= np.sqrt(n)).all(axis=1).sum(axis=1)
    expected = 2**n * 0.6826894921**4
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.std(counts) / 20)


def test_the_symmetric_machine_is_stable_up_to_capacity():
    """The curvature of the chance to satisfy a pattern, by differences."""
    step = 1e-3
    shifted = [norm.cdf(1 - d) - norm.cdf(-1 - d) for d in (-step, 0, step)]
    bend = (shifted[0] - 2 * shifted[1] + shifted[2]) / step**2 / shifted[1]
    found = typical_solutions(capacity(1.0, machine="symmetric"), 1.0, machine="symmetric")
    assert found.instability == pytest.approx(found_load(1.0) * bend**2, rel=1e-5)
    assert found.is_stable


def found_load(margin):
    return np.log(2) / -np.log(norm.cdf(margin) - norm.cdf(-margin))


# Spherical weights


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
def test_the_capacity_of_spherical_weights_is_gardners_integral(margin):
    integral = normal_mean(lambda t: max(t + margin, 0) ** 2)
    assert capacity(margin, machine="spherical") == pytest.approx(1 / integral, rel=1e-9)


def test_half_the_capacity_of_spherical_weights():
    """Cover's 2, and a stationary point of Gardner's volume."""
    assert capacity(machine="spherical") == pytest.approx(2, abs=1e-12)

    def functional(q):
        energy = normal_mean(lambda z: log_ndtr(np.sqrt(q / (1 - q)) * z))
        return np.log1p(-q) / 2 + q / (1 - q) / 2 + energy

    found = typical_solutions(1.0, machine="spherical")
    assert functional(found.overlap) == pytest.approx(found.entropy, abs=1e-10)
    is_stationary(functional, found.overlap)


def test_spherical_solutions_close_in_on_one_another():
    overlaps = [typical_solutions(a, machine="spherical").overlap for a in (1, 1.9, 1.999)]
    assert (np.diff(overlaps) > 0).all()
    assert overlaps[-1] > 0.999


# With a teacher


@pytest.mark.parametrize(
    ("alpha", "entropy", "overlap", "error"),
    [
        (0.5, 0.372133, 0.293089, 0.405317),
        (1.0, 0.106108, 0.560715, 0.310526),
        (1.2, 0.017965, 0.668661, 0.266868),
    ],
)
def test_what_a_teacher_teaches(alpha, entropy, overlap, error):
    found = teacher_student(alpha)
    assert found.entropy == pytest.approx(entropy, abs=1e-6)
    assert found.overlap == pytest.approx(overlap, abs=1e-6)
    assert found.error == pytest.approx(error, abs=1e-6)


def test_the_entropy_with_a_teacher_is_that_of_a_stationary_point():
    def functional(q, qh):
        def energy(z):
            log_share = log_ndtr(np.sqrt(q / (1 - q)) * z)
            return np.exp(log_share) * log_share

        return -qh * (1 + q) / 2 + log_cosh_mean(qh, np.sqrt(qh)) + 2 * normal_mean(energy)

    found = teacher_student(1.0)
    assert functional(found.overlap, found.conjugate) == pytest.approx(found.entropy, abs=1e-10)
    is_stationary(functional, found.overlap, found.conjugate)


def test_when_the_teacher_is_found():
    assert recovery_threshold() == pytest.approx(1.24468, abs=1e-5)
    assert amp_threshold() == pytest.approx(1.4926, abs=1e-4)
    just_before = teacher_student(recovery_threshold() - 1e-6)
    assert just_before.entropy == pytest.approx(0, abs=1e-5)
    assert just_before.overlap < 0.8
    assert teacher_student(recovery_threshold() + 1e-6).overlap == 1
    metastable = teacher_student(1.4, branch="metastable")
    assert metastable.entropy < 0
    assert just_before.overlap < metastable.overlap < 0.9
    assert teacher_student(1.5, branch="metastable").error == 0


# Stabilities


def test_the_stabilities_of_typical_solutions():
    stability = np.linspace(1e-9, 10, 5001)
    density = typical_stabilities(stability, 0.5)
    assert np.trapezoid(density, stability) == pytest.approx(1, abs=1e-6)
    small = stability < 0.201
    assert np.trapezoid(density[small], stability[small]) == pytest.approx(0.1968, abs=5e-5)
    assert (typical_stabilities([-1, 0.19], 0.5, margin=0.2) == 0).all()
    assert typical_stabilities(0.21, 0.5, margin=0.2) > 0.5


def test_the_local_energy_of_typical_solutions():
    found = typical_local_energy([0, 0.01, 0.02, 0.05, 0.1, 0.5, 1], 0.5)
    assert_allclose(found, [0, 0.0785, 0.1090, 0.1673, 0.2301, 0.5, 1], atol=5e-5)
    assert found[0] == 0
    assert found[-2] == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("flips", [1e-6, 0.02])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_the_local_energy_is_an_integral_over_stabilities(flips, margin):
    def integrand(s):
        slope = (1 - 2 * flips) / np.sqrt(4 * flips * (1 - flips))
        return typical_stabilities(s, 0.5, margin) * np.exp(log_ndtr(-slope * s))

    # Shells, for quad does not see what happens only close to the margin.
    edges = [margin, *(margin + np.geomspace(1e-4, 12, 6))]
    shells = [quad(integrand, *ends)[0] for ends in pairwise(edges)]
    assert typical_local_energy(flips, 0.5, margin) == pytest.approx(sum(shells), abs=1e-9)


def test_the_local_energy_of_stabilities_that_were_drawn():
    """A stability ``s`` becomes ``(1 - 2 d) s`` and noise: the central limit theorem."""
    n, flips, q = 200_000, 0.05, typical_solutions(0.5).overlap
    rng = np.random.default_rng(0)
    shared = np.sqrt(q) * rng.standard_normal(n)
    own = -ndtri(rng.uniform(size=n) * ndtr(shared / np.sqrt(1 - q)))  # above what is needed
    stability = shared + np.sqrt(1 - q) * own
    assert (stability > 0).all()
    spread = np.sqrt(4 * flips * (1 - flips))
    wrong = (1 - 2 * flips) * stability + spread * rng.standard_normal(n) < 0
    energy = typical_local_energy(flips, 0.5)
    assert abs(wrong.mean() - energy) < 3 * np.sqrt(energy * (1 - energy) / n)


# A student on random features


@pytest.mark.parametrize(
    ("alpha_t", "size"),
    [
        (5, 0.76717),
        (3, 0.87748),
        (2, 0.95675),
        (1, 1.06179),
        (0.5, 1.12666),
        (0.1, 1.18495),
        (0.01, 1.19881),
    ],
)
def test_the_size_from_which_on_a_student_has_solutions(alpha_t, size):
    assert student_interpolation(alpha_t) == pytest.approx(size, abs=1e-5)
    assert student_solutions(student_interpolation(alpha_t), alpha_t).entropy == pytest.approx(
        0, abs=1e-10
    )


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.5])
def test_a_teacher_of_few_patterns_might_as_well_be_random(margin):
    assert student_interpolation(1e-3, margin) == pytest.approx(1 / capacity(margin), rel=5e-4)
    found = student_solutions(3 / capacity(margin), 1e-3, margin)
    stored = typical_solutions(capacity(margin) / 3, margin)
    assert found.entropy == pytest.approx(stored.entropy, abs=1e-4)
    assert found.overlap == pytest.approx(stored.overlap, abs=1e-3)
    assert found.error == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("size", "entropy", "error", "margin", "error_at_margin"),
    [
        (0.9, 0.0223, 0.3186, 0.0185, 0.3175),
        (1.0, 0.1051, 0.3148, 0.0961, 0.3084),
        (1.1, 0.1686, 0.3121, 0.1676, 0.3002),
        (1.2, 0.2192, 0.3100, 0.2339, 0.2928),
        (1.5, 0.3246, 0.3058, 0.4090, 0.2743),
        (2.1, 0.4372, 0.3017, 0.6891, 0.2484),
        (2.5, 0.4803, 0.3002, 0.8434, 0.2362),
        (3.5, 0.5433, 0.2980, 1.1623, 0.2151),
    ],
)
def test_large_margin_generalises_where_typical_solutions_do_not(
    size, entropy, error, margin, error_at_margin
):
    typical, largest = student_solutions(size, 3), student_max_margin(size, 3)
    assert (typical.entropy, typical.error) == pytest.approx((entropy, error), abs=5e-5)
    assert largest == pytest.approx(margin, abs=5e-5)
    best = student_solutions(size, 3, largest)
    assert best.error == pytest.approx(error_at_margin, abs=5e-5)
    assert best.error < typical.error
    assert best.entropy == pytest.approx(0, abs=1e-8)


# Against enumeration


def mean_entropy(instances, n):
    """Mean logarithm of the number of solutions per weight, where there are any, and its error."""
    numbers = [len(enumerate_solutions(X, y)) for X, y in instances]
    entropy = np.log([number for number in numbers if number]) / n
    return entropy.mean(), entropy.std() / np.sqrt(len(entropy))


# Few weights have a little more entropy than many.
FINITE_SIZE = 0.02


def test_few_weights_have_the_entropy_of_many():
    n, alpha = 17, 0.4
    mean, stderr = mean_entropy(
        [make_perceptron_storage(n, alpha, random_state=seed) for seed in range(60)], n
    )
    assert mean == pytest.approx(typical_solutions(7 / 17).entropy, abs=3 * stderr + FINITE_SIZE)
    assert stderr < 0.01


def test_few_weights_with_a_teacher_have_the_entropy_of_many():
    n, alpha = 17, 0.7
    mean, stderr = mean_entropy(
        [make_teacher_student(n, alpha, coef=False, random_state=seed) for seed in range(60)], n
    )
    assert mean == pytest.approx(teacher_student(12 / 17).entropy, abs=3 * stderr + FINITE_SIZE)
    assert stderr < 0.01


@pytest.mark.parametrize(("n_samples", "n_inputs"), [(4, 4), (8, 8)])
def test_small_students_have_the_entropy_of_large_ones(n_samples, n_inputs):
    n = 17
    instances = [
        make_random_features(n, n_samples, n_inputs, coef=False, random_state=seed)
        for seed in range(60)
    ]
    mean, stderr = mean_entropy(instances, n)
    found = student_solutions(n / n_samples, n_samples / n_inputs)
    assert mean == pytest.approx(found.entropy, abs=3 * stderr + FINITE_SIZE)
    assert stderr < 0.01


# Distances


def test_the_number_of_weights_at_a_distance():
    assert_allclose(hamming_entropy([0, 0.5, 1]), [0, np.log(2), 0], atol=1e-15)
    assert hamming_entropy(0.02) == pytest.approx(0.0980, abs=5e-5)


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: typical_solutions(0.9), "alpha == 0.9, must be <= 0.8330786"),
        (lambda: typical_solutions(0.5, 0.5), "the capacity at margin 0.5 is 0.4556646"),
        (lambda: typical_solutions(0.0), "alpha == 0.0, must be > 0"),
        (lambda: typical_solutions(float("nan")), "alpha == nan"),
        (lambda: typical_solutions(2.0, machine="spherical"), "alpha == 2, must be <= 1.9996"),
        (lambda: capacity(5.0), "margin == 5.0, must be <= 4.0"),
        (lambda: capacity(-0.1, machine="spherical"), "margin == -0.1, must be >= 0"),
        (lambda: capacity(machine="ternary"), "machine must be one of 'binary', 'spherical'"),
        (lambda: max_margin(2.1, machine="spherical"), "alpha == 2.1, must be <= 2"),
        (lambda: max_margin(0.01), "alpha == 0.01, must be >= 0.0366"),
        (lambda: teacher_student(-1), "alpha == -1, must be > 0"),
        (lambda: teacher_student(1, branch="other"), "branch must be one of"),
        (lambda: typical_stabilities(float("nan"), 0.5), "stability == nan"),
        (lambda: typical_local_energy(1.1, 0.5), "flips == 1.1, must be <= 1"),
        (lambda: typical_local_energy(0.1, 0.5, -0.1), "margin == -0.1, must be >= 0"),
        (lambda: student_solutions(0.5, 3), "size == 0.5, must be >= 0.877484"),
        (lambda: student_solutions(1.5, 30), "alpha_t == 30, must be <= 20"),
        (lambda: student_interpolation(1, -0.1), "margin == -0.1, must be >= 0"),
        (lambda: student_max_margin(0.5, 3), "size == 0.5, must be >= 0.877"),
        (lambda: hamming_entropy([0.5, -1]), "distance == -1.0, must be >= 0"),
    ],
)
def test_what_is_outside_the_domain_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="alpha must be an instance of"):
        typical_solutions("0.5")
