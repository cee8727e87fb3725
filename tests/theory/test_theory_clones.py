"""Groups of solutions that are close to each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.special import erfcx, log_ndtr

from skflat.theory import (
    SaddlePointError,
    clone_entropy,
    clone_threshold,
    student_clone_entropy,
    student_clone_threshold,
    student_interpolation,
    student_solutions,
    teacher_student,
    typical_solutions,
)
from skflat.theory._saddle import follow, solve


@pytest.mark.parametrize("overlap", [0.6, 0.9, 0.999])
def test_groups_of_one_are_typical_solutions(overlap):
    """Whatever the overlap they would have with nobody."""
    typical = typical_solutions(0.5).entropy
    assert clone_entropy(0.5, overlap, 1) == pytest.approx(typical, abs=1e-10)
    taught = teacher_student(1.0).entropy
    assert clone_entropy(1.0, overlap, 1, task="teacher_student") == pytest.approx(
        taught, abs=1e-10
    )
    student = student_solutions(1.2, 1.0).entropy
    assert student_clone_entropy(1.2, 1.0, overlap, 1) == pytest.approx(student, abs=1e-10)


def test_groups_at_the_typical_overlap_are_drawn_one_by_one():
    typical = typical_solutions(0.5)
    assert clone_entropy(0.5, typical.overlap + 1e-4, 3) == pytest.approx(typical.entropy, abs=1e-6)


@pytest.mark.parametrize("task", ["storage", "teacher_student"])
def test_the_entropy_of_groups_is_that_of_the_plain_iteration(task):
    alpha, q1, m = 0.7, 0.9, 3
    expected = plain_iteration(alpha, q1, m, planted=task == "teacher_student")
    assert clone_entropy(alpha, q1, m, task=task) == pytest.approx(expected, abs=1e-7)


def plain_iteration(alpha, q1, m, planted, n_steps=70):
    """The saddle point equations as they stand, on plain grids."""
    z0, dz0 = plain_grid(6.5, 66)
    z1, dz1 = plain_grid(10, 151)
    q0, r = 0.5, 0.5 if planted else 0.0
    for _ in range(n_steps):
        log_sum, pull = energetic(np.sqrt(q0) * z0, q0, q1, m, z1, dz1)
        L = 2 * np.exp(log_ndtr(r * z0 / np.sqrt(q0 - r**2))) if planted else 1.0
        qh0 = alpha * np.sum(dz0 * L * pull**2)
        at_border = energetic(np.sqrt(q0 - r**2) * z0, q0, q1, m, z1, dz1)[1]
        rh = alpha * np.sqrt(2 / np.pi) * np.sum(dz0 * at_border) if planted else 0.0

        def entropic(spread, qh0=qh0, rh=rh):
            field = np.sqrt(qh0) * z0[:, None] + np.sqrt(spread) * z1 + rh
            weight, w = (2 * np.cosh(field)) ** m * dz1, np.tanh(field)
            total = weight.sum(axis=1)
            mean, square = (weight * w).sum(axis=1) / total, (weight * w**2).sum(axis=1) / total
            return dz0 @ np.log(total) / m, dz0 @ mean, dz0 @ mean**2, dz0 @ square

        spread = brentq(lambda spread: entropic(spread)[3] - q1, 1e-8, 5, xtol=1e-9)
        before, (log_total, r, q0, _) = q0, entropic(spread)
    assert q0 == pytest.approx(before, abs=1e-7)
    qh1 = qh0 + spread
    entropy = log_total - qh1 * (1 - q1) / 2 + m / 2 * (q0 * qh0 - q1 * qh1) - rh * r
    return entropy + alpha * np.sum(dz0 * L * log_sum) / m


def plain_grid(reach, n):
    z = np.linspace(-reach, reach, n)
    return z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])


def energetic(shared, q0, q1, m, z1, dz1):
    x = -(shared[:, None] + np.sqrt(q1 - q0) * z1) / np.sqrt(1 - q1)
    weight = np.exp(m * log_ndtr(-x)) * dz1
    total = weight.sum(axis=1)
    hazard = np.sqrt(2 / np.pi) / erfcx(x / np.sqrt(2))
    return np.log(total), (weight * hazard).sum(axis=1) / total / np.sqrt(1 - q1)


@pytest.mark.parametrize(
    ("task", "n_clones", "alpha", "overlap"),
    [
        ("storage", 2, 0.79877, 0.973),
        ("storage", 3, 0.78758, 0.978),
        ("storage", 4, 0.78434, 0.983),
        ("teacher_student", 2, 1.1790, 0.981),
        ("teacher_student", 3, 1.1589, None),
        ("teacher_student", 4, 1.1537, 0.989),
    ],
)
def test_the_load_at_which_groups_break_up(task, n_clones, alpha, overlap):
    found = clone_threshold(n_clones, task=task)
    assert found.alpha == pytest.approx(alpha, abs=3e-4)
    if overlap is not None:
        assert found.overlap == pytest.approx(overlap, abs=1e-3)


@pytest.mark.parametrize(("task", "least"), [("storage", 0.784), ("teacher_student", 1.154)])
def test_the_least_of_these_loads_is_at_four_clones(task, least):
    alphas = [clone_threshold(m, task=task).alpha for m in (3, 4, 5)]
    assert np.argmin(alphas) == 1
    assert alphas[1] == pytest.approx(least, abs=1e-3)


def test_at_the_threshold_a_gap_opens():
    threshold = clone_threshold(2)
    nearby = threshold.overlap + np.array([-0.01, 0, 0.01])
    at = clone_entropy(threshold.alpha, nearby, 2)
    assert at[1] == pytest.approx(0, abs=1e-8)
    assert (at[[0, 2]] > 1e-4).all()
    assert clone_entropy(threshold.alpha + 0.005, threshold.overlap, 2) < 0
    assert (clone_entropy(threshold.alpha - 0.005, nearby, 2) > 0).all()


# A student on random features


@pytest.mark.parametrize(
    ("n_clones", "size", "overlap"),
    [(2, 0.9190, 0.970), (3, 0.9345, 0.976), (4, 0.9397, 0.980), (5, 0.9402, 0.985)],
)
def test_the_size_at_which_a_student_has_groups_of_solutions(n_clones, size, overlap):
    found = student_clone_threshold(3, n_clones)
    assert found.size == pytest.approx(size, abs=2e-4)
    assert found.overlap == pytest.approx(overlap, abs=2e-3)
    assert found.size > student_interpolation(3) + 0.04


@pytest.mark.parametrize(("alpha_t", "size"), [(1, 1.1319), (0.01, 1.2734)])
def test_groups_of_four_students(alpha_t, size):
    assert student_clone_threshold(alpha_t, 4).size == pytest.approx(size, abs=2e-4)


def test_few_patterns_of_a_teacher_break_up_groups_like_random_ones():
    expected = 1 / clone_threshold(3).alpha
    assert student_clone_threshold(1e-3, 3).size == pytest.approx(expected, rel=3e-4)
    stored = clone_entropy(0.5, 0.9, 3)
    assert student_clone_entropy(2.0, 1e-3, 0.9, 3) == pytest.approx(stored, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("alpha_t", [0.1, 1, 3, 10])
def test_dense_regions_appear_at_the_size_at_which_groups_do(alpha_t):
    """The entropy vanishes at the threshold, and the size is largest at four or five clones."""
    found = [student_clone_threshold(alpha_t, m) for m in (2, 3, 4, 5, 6)]
    assert np.argmax([each.size for each in found]) in (2, 3)
    for m, each in zip((2, 3, 4, 5, 6), found, strict=True):
        assert student_clone_entropy(each.size, alpha_t, each.overlap, m) == pytest.approx(
            0, abs=1e-7
        )


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clone_entropy(0.5, 0.3, 2), "overlap == 0.3, must be > 0.322"),
        (lambda: clone_entropy(0.5, [0.5, 1.0], 2), "overlap == 1.0, must be < 1"),
        (lambda: clone_entropy(0.9, 0.9, 2), "alpha == 0.9, must be <= 0.833"),
        (lambda: clone_entropy(0.5, 0.9, 0.5), "n_clones == 0.5, must be >= 1"),
        (lambda: clone_threshold(1), "n_clones == 1, must be >= 2"),
        (lambda: clone_threshold(3, task="other"), "task must be one of 'storage'"),
        (lambda: student_clone_threshold(0, 3), "alpha_t == 0, must be >= 0.001"),
        (lambda: student_clone_entropy(0.8, 3, 0.9, 3), "size == 0.8, must be >= 0.877"),
        (lambda: student_clone_entropy(1.5, 3, 0.1, 3), "overlap == 0.1, must be > 0.312"),
    ],
)
def test_what_is_outside_the_domain_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# How saddle points are found


def test_a_root_is_followed_in_steps_that_are_small_enough():
    tried = []

    def solve_at(there, x):
        tried.append(there)
        if abs(there - x) > 0.3:
            raise SaddlePointError("too far")
        return there

    assert follow(solve_at, 0.0, 0.0, 1.0) == 1.0
    assert tried == [1.0, 0.5, 0.25, 0.5, 0.75, 1.0]


def test_a_root_that_is_not_there_is_not_made_up():
    with pytest.raises(SaddlePointError, match="No saddle point found for a parabola: residual"):
        solve(lambda x: x**2 + 1, np.array([0.5]), "a parabola")
    with pytest.raises(SaddlePointError, match="residual nan"):
        solve(lambda x: np.sqrt(x - 5) * np.nan, np.array([0.5]), "nothing")

    def never(there, x):
        raise SaddlePointError("No.")

    with pytest.raises(SaddlePointError, match="No"):
        follow(never, 0.0, 0.0, 1.0)


def test_a_simple_root():
    assert_allclose(solve(lambda x: x**3 - 8, np.array([1.0]), "a cube"), [2.0], rtol=1e-9)
