"""Gradients at random points around, and the random numbers they are drawn from."""

import numpy as np
import pytest
from drawing import direction, many_rows, tail_mean
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from stepping import X, Y, classifier
from toys import Watched, descend, hyperbola

from skflat.objective import PERTURBATIONS, rounded_normals, windowed_normals
from skflat.solvers import RSP, SAP, Noise, OneSidedNoise

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("two_point", [False, True])
@pytest.mark.parametrize("weight", [0.0, 0.25])
def test_noise_averages_losses_and_gradients(two_point, weight):
    objective, w = many_rows()
    watched = Watched(objective)
    solver = Noise(n_draws=3, two_point=two_point, weight=weight)
    loss, found, work = direction(solver, watched, w, rho=0.2)
    n_points = 3 * (1 + two_point)
    assert work.rows == 12 * (n_points + (weight > 0))
    looked = [objective.loss_gradient(point) for point in watched.climbed_to[:n_points]]
    plain = objective.loss_gradient(w)
    expected = [
        (1 - weight) * np.mean([value[i] for value in looked], axis=0) + weight * plain[i]
        for i in (0, 1)
    ]
    assert loss == pytest.approx(expected[0], rel=1e-12)
    assert_allclose(found, expected[1], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(
    ("noise", "size"),
    [
        ("isotropic", 0.2 * np.sqrt(21)),
        ("sphere", 0.2),
        ("block", None),
        ("weight", None),
    ],
)
def test_the_radius_is_the_size_of_the_noise(noise, size):
    """Root mean square of the displacement; relative noise is so to the parameters."""
    objective, w = many_rows()
    watched = Watched(objective)
    direction(Noise(noise=noise, n_draws=4000, two_point=False), watched, w, rho=0.2)
    square = np.mean([(point - w) @ (point - w) for point in watched.climbed_to])
    expected = 0.2 * np.linalg.norm(w) if size is None else size
    assert np.sqrt(square) == pytest.approx(expected, rel=0.03)


def test_two_points_have_far_less_variance_than_one():
    """At (1, 1): 0.166 against 0.0048, about the same mean."""
    w, found = np.ones(2), {}
    rng = np.random.default_rng(0)
    for two_point in (False, True):
        solver = Noise(two_point=two_point)
        draws = [direction(solver, hyperbola(), w, 0.1, rng)[1] for _ in range(20_000)]
        assert_allclose(np.mean(draws, axis=0), [0.02, 0.02], atol=4 * 0.3 / np.sqrt(20_000))
        found[two_point] = np.var(draws, axis=0).sum()
    assert found[False] == pytest.approx(0.166, rel=0.05)
    assert found[True] == pytest.approx(0.0048, rel=0.05)
    assert found[False] / found[True] > 20


def test_noise_ends_beside_the_flattest_minimum():
    """At ``x = y = sqrt(1 - sigma^2)``, the minimum of the averaged loss."""
    solver = Noise("sgd")
    found = [descend(solver, hyperbola(), (4, 0.25), n, rho=0.1) for n in (1000, 5000)]
    traces = [2 * w @ w for w in found]
    assert 14 < traces[0] < 17
    assert traces[1] == pytest.approx(4.0, abs=0.1)
    mean = tail_mean(solver, hyperbola(), (1.1, 0.9), 10_000, rho=0.1)
    assert mean[0] * mean[1] == pytest.approx(1 - 0.1**2, abs=2e-3)
    assert_allclose(mean, np.sqrt(1 - 0.1**2), atol=0.02)


def test_noise_is_of_the_dtype_of_the_parameters():
    objective, w = many_rows(dtype=np.float32)
    noises = [Noise(noise=noise) for noise in PERTURBATIONS]
    for solver in (RSP(), SAP(centered=False), *noises):
        assert direction(solver, objective, w)[1].dtype == np.float32
    for kind in PERTURBATIONS.values():
        for normals in (None, rounded_normals, windowed_normals):
            noise = kind(w, objective.layout.parts, normals)
            assert noise.draw(np.random.default_rng(0)).dtype == np.float32


@pytest.mark.parametrize("normals", [rounded_normals, windowed_normals])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quick_normal_numbers_are_normal(dtype, normals):
    noise = PERTURBATIONS["isotropic"](np.empty(200_001, dtype), [], normals)
    drawn = noise.draw(np.random.default_rng(0)).astype(float)
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    moments = [np.mean(drawn**power) for power in (1, 2, 3, 4)]
    stderrs = np.sqrt([1, 2, 15, 96]) / np.sqrt(len(drawn))
    assert np.all(np.abs(np.subtract(moments, [0, 1, 0, 3])) < 3 * stderrs)
    neighbours = [np.mean(drawn[lag:] * drawn[:-lag]) for lag in range(1, 9)]
    assert np.abs(neighbours).max() < 4 / np.sqrt(len(drawn))
    again = noise.draw(np.random.default_rng(0))
    assert_array_equal(again, drawn)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 20])
def test_windowed_numbers_have_the_moments_of_independent_ones_wherever_they_are(size):
    """Over all windows, so exactly: what noise makes of a loss hangs on these."""

    class Every:
        """A generator of which every window comes once."""

        def __init__(self, window):
            self.bit_generator, self.window = self, window

        def random_raw(self, n):
            return np.full(4 * n, self.window, np.uint16).view(np.uint64)

    drawn = np.array([windowed_normals(Every(k), np.empty(size)) for k in range(4096)])
    first = drawn[:, :8]
    assert_allclose(first.mean(axis=0), 0, atol=1e-13)
    assert_allclose(first.T @ first / 4096, np.eye(first.shape[1]), rtol=1e-12, atol=0.005)
    assert_allclose((drawn**4).mean(axis=0), 3, rtol=0.004)
    assert drawn.max() == pytest.approx(3.67, abs=0.01)


def test_one_sided_noise_costs_one_gradient():
    objective, w = many_rows()
    watched = Watched(objective)
    _, found, work = direction(OneSidedNoise(), watched, w, rho=0.2)
    assert work.rows == watched.rows == 12
    (there,) = watched.climbed_to
    assert_array_equal(found, objective.loss_gradient(there)[1])
    assert_array_equal(found, direction(Noise(two_point=False), objective, w, rho=0.2)[1])


# What they refuse


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (Noise("rmsprop"), "base"),
        (Noise(noise="laplace"), "noise"),
        (Noise(n_draws=0), "n_draws"),
        (Noise(two_point=None), "two_point"),
        (Noise(weight=1.0), "weight"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of {type(solver).__name__}"):
        classifier(solver).fit(X, Y)
