"""Closed forms for volumes around a point, and for how fast they shrink with the loss."""

import numpy as np
import pytest
from fitted import NETWORKS, fitted, sampled
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammainc
from scipy.stats import ncx2
from toys import Toy, problem, quadratic

from skflat import FlatSphericalPerceptronClassifier
from skflat.measures import LearningCoefficient, LocalVolume, learning_coefficient, local_volume
from skflat.measures.noise._ellipsoid import Ellipsoid, curved
from skflat.objective import Binary, HalfPoisson, HalfSquared, Multinomial

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BALLS = {1: 2.0, 2: np.pi, 3: 4 / 3 * np.pi, 6: np.pi**3 / 6}


def bowl(center, factor=1.0):
    """``factor |w - center|^2 / 2``."""
    center = np.array(center, dtype=float)
    return Toy(
        lambda w: factor / 2 * np.sum((w - center) ** 2),
        lambda w: factor * (w - center),
        lambda w: factor * np.eye(len(center)),
    )


def volume(objective, w, cutoff=0.5, **params):
    return LocalVolume(cutoff, "loss", **params).evaluate(problem(objective, w))


# Lebesgue's measure


@pytest.mark.parametrize("n_dims", BALLS)
def test_the_volume_of_a_ball_takes_no_directions(n_dims):
    """They all say the same: radius ``sqrt(2 * 0.5 / 4)``, a half."""
    for preconditioner in (None, "curvature"):
        found = volume(
            bowl(np.zeros(n_dims), 4.0),
            np.zeros(n_dims),
            prior="uniform",
            n_draws=5,
            preconditioner=preconditioner,
        )
        assert found.value == pytest.approx(np.log(BALLS[n_dims] / 2**n_dims), abs=1e-7)
        assert found.stderr < 1e-6
        assert found.protocol["effective_draws"] == pytest.approx(5)


@pytest.mark.parametrize("curvatures", [(1.0, 4.0), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)])
def test_the_volume_of_an_ellipsoid(curvatures):
    """The ball's, times ``sqrt(2 cutoff / curvature)`` for every axis."""
    lam, n = np.array(curvatures), len(curvatures)
    expected = np.log(BALLS[n]) - 0.5 * np.sum(np.log(lam / 0.6))
    toy, origin = quadratic(*curvatures), np.zeros(n)
    plain = {"cutoff": 0.3, "prior": "uniform"}
    found = volume(toy, origin, preconditioner=None, n_draws=1000, **plain)
    assert abs(found.value - expected) < 3 * found.stderr < 0.2
    exact = volume(toy, origin, preconditioner=lam**-0.5, n_draws=3, **plain)
    assert exact.value == pytest.approx(expected, abs=1e-7)
    assert exact.stderr < 1e-6
    # The mean of the logarithms, which is not the logarithm of the mean, is too low.
    assert found.samples.mean() < expected - 3 * found.samples.std() / 1000**0.5


def test_stretching_the_directions_changes_the_error_and_not_the_value():
    toy, origin = quadratic(1.0, 10.0, 100.0), np.zeros(3)
    found = [
        volume(toy, origin, prior="uniform", preconditioner=each, n_draws=400)
        for each in (None, "curvature", [1.0, 0.5, 0.05])
    ]
    for first in found:
        for second in found:
            error = np.hypot(first.stderr, second.stderr)
            assert abs(first.value - second.value) <= 3 * error
    assert found[1].stderr < found[0].stderr / 5


def test_only_what_is_seen_from_the_point_counts():
    """Of ``cos``, the interval around 0 up to where it has first fallen by a half."""
    wave = Toy(lambda w: -np.cos(w[0]), lambda w: np.sin(w), lambda w: np.cos(w)[:, None])
    found = volume(wave, [0.0], 0.5, prior="uniform", n_draws=4)
    assert found.value == pytest.approx(np.log(2 * np.pi / 3), abs=1e-7)


def test_where_nothing_ends_the_volume_is_infinite_and_the_mass_is_one():
    flat = Toy(lambda w: 3.0, lambda w: np.zeros(4), lambda w: np.zeros((4, 4)))
    found = volume(flat, np.ones(4), prior="uniform", n_draws=3)
    assert found.value == np.inf
    assert found.stderr == 0
    mass = volume(flat, np.ones(4), prior_scale=2.0, n_draws=300)
    assert abs(mass.value) < 3 * mass.stderr < 0.2
    centred = volume(flat, np.zeros(4), prior_scale=2.0, n_draws=3)
    assert centred.value == pytest.approx(0, abs=1e-8)


# The Gaussian's mass


@pytest.mark.parametrize("n_dims", [1, 2, 3, 10])
@pytest.mark.parametrize("radius", [0.3, 1.3, 20.0])
def test_the_mass_of_a_ball_off_centre_is_a_noncentral_chi_square(n_dims, radius):
    w = np.full(n_dims, 0.7)
    found = volume(bowl(w), w, radius**2 / 2, prior_scale=0.9, n_draws=300)
    expected = ncx2.logcdf(radius**2 / 0.81, n_dims, w @ w / 0.81)
    assert abs(found.value - expected) < 3.5 * found.stderr + 1e-9
    assert found.stderr < 0.5


@pytest.mark.parametrize("radius", [0.97, 1.0, 1.03])
@pytest.mark.parametrize("n_dims", [1, 2, 50, 20_000])
def test_at_the_centre_every_ray_has_the_mass_of_the_ball(n_dims, radius):
    """A central chi-square, also where nearly all mass is in a thin shell."""
    end = radius**2 * n_dims / 2
    origin = np.zeros(n_dims)
    found = volume(bowl(origin), origin, end, prior_scale=1.0, n_draws=2, preconditioner=None)
    assert found.value == pytest.approx(np.log(gammainc(n_dims / 2, end)), rel=1e-5, abs=1e-5)


# On networks


@pytest.mark.parametrize("name", ["classes", "two classes", "labels", "regression", "counts"])
def test_a_smaller_cutoff_bounds_a_smaller_region_ray_by_ray(name):
    found = [
        local_volume(*fitted(name), cutoff=cutoff, preconditioner=None, n_draws=8)
        for cutoff in (1e-3, 1e-2, 1e-1)
    ]
    samples = np.array([each.samples for each in found])
    assert (np.diff(samples, axis=0) >= 0).all()  # equal where the prior ends before the region
    assert found[0].value < found[1].value < found[2].value < 0


def test_the_divergence_asks_for_no_labels():
    estimator, X, y = fitted("classes")
    plain = {"preconditioner": None, "n_draws": 4}
    first, second = (local_volume(estimator, X, labels, **plain) for labels in (y, y[::-1]))
    assert_array_equal(first.samples, second.samples)


def test_a_larger_prior_puts_less_mass_on_a_small_region():
    found = [local_volume(*fitted("classes"), prior_scale=scale, n_draws=8) for scale in (1, 3)]
    assert found[1].value < found[0].value


def test_few_directions_to_the_mean_say_so():
    assert not local_volume(*fitted("classes")).converged
    assert local_volume(*fitted("regression, linear")).converged


@pytest.mark.parametrize(
    "loss",
    [Multinomial(), Binary(), HalfPoisson(), HalfSquared()],
    ids=lambda loss: type(loss).__name__,
)
def test_a_divergence_is_that_of_the_distributions(loss):
    rng = np.random.default_rng(0)
    F, G = rng.normal(size=(2, 5, 3))
    found = loss.divergence(F, G)
    P, Q = loss.predict(F.copy()), loss.predict(G.copy())
    by_hand = {
        Multinomial: lambda: P * np.log(P / Q),
        Binary: lambda: P * np.log(P / Q) + (1 - P) * np.log((1 - P) / (1 - Q)),
        HalfPoisson: lambda: P * np.log(P / Q) - P + Q,
        HalfSquared: lambda: (P - Q) ** 2 / 2,
    }[type(loss)]()
    assert_allclose(found, by_hand.sum(axis=1), rtol=1e-10)
    assert_allclose(loss.divergence(F, F), 0, atol=1e-12)


def test_without_probabilities_the_cost_is_the_loss():
    X = np.random.default_rng(0).normal(size=(40, 7))
    clf = FlatSphericalPerceptronClassifier("max_margin", measures=None).fit(X, X[:, 0] > 0)
    with pytest.raises(TypeError, match="The divergence needs predictions with a likelihood"):
        local_volume(clf, X, X[:, 0] > 0)
    assert np.isfinite(local_volume(clf, X, X[:, 0] > 0, cost="loss").value)


# The directions


def test_an_ellipsoid_has_the_volume_of_the_ball():
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 3)))[0]
    ellipsoid = Ellipsoid(np.array([2.0, 3.0, 0.1]), axes, rest=0.7)
    full = np.eye(5) * 0.7 + axes @ np.diag([1.3, 2.3, -0.6]) @ axes.T
    full /= np.linalg.det(full) ** 0.2
    for seed in range(3):
        u = np.linalg.solve(full, ellipsoid.direction(seed))
        assert np.linalg.norm(u) == pytest.approx(1, rel=1e-10)


def test_curved_axes_are_found_among_many_parameters():
    """Three hundred parameters, of which 20 are curved: all of these are found, and the rest."""
    lam = np.concatenate([np.geomspace(100, 1, 20), np.zeros(280)])
    ellipsoid, n_products = curved(problem(quadratic(*lam), np.zeros(300)), 0.5, 10.0, 0)
    assert n_products == 200
    expected = np.sort((lam + 0.01) ** -0.5)
    assert_allclose(np.sort(ellipsoid.lengths)[:20], expected[:20], rtol=1e-6)
    assert ellipsoid.rest == pytest.approx(10)


@pytest.mark.parametrize("preconditioner", [[1.0], np.zeros(51), np.full(51, np.nan)])
def test_a_preconditioner_has_one_positive_number_a_parameter(preconditioner):
    with pytest.raises(ValueError, match="preconditioner must hold 51 positive numbers"):
        local_volume(*fitted("classes"), preconditioner=preconditioner)


# Learning coefficient


def chains(objective, w, **params):
    return LearningCoefficient(**params).evaluate(problem(objective, w))


@pytest.mark.parametrize(("localization", "expected"), [(0.0, 1.5), (100.0, 1.1067)])
def test_the_coefficient_of_a_regular_minimum_is_half_the_parameters(localization, expected):
    """Less what the localisation takes: ``sum nb c / (nb c + gamma) / 2``, 1000 rows."""
    c, n_beta = np.array([1.0, 2.0, 5.0]), 1000 / np.log(1000)
    closed = 0.5 * np.sum(n_beta * c / (n_beta * c + localization))
    assert closed == pytest.approx(expected, abs=5e-5)
    found = chains(
        quadratic(*c, n_rows=1000),
        np.zeros(3),
        localization=localization,
        n_draws=4000,
        n_burn=200,
    )
    # A step of size h enlarges the variance of curvature a by 1 / (1 - a h / 4).
    a = n_beta * c + localization
    discrete = 0.5 * np.sum(n_beta * c / a / (1 - a * found.protocol["step_size"] / 4))
    assert closed < discrete < 1.06 * closed
    assert abs(found.value - discrete) < 3 * found.stderr < 0.1
    assert found.protocol["n_beta"] == pytest.approx(n_beta)


def test_the_coefficient_of_a_fourth_power_is_a_quarter():
    quartic = Toy(lambda w: float(w[0] ** 4), lambda w: 4 * w**3, lambda w: np.diag(12 * w**2))
    found = chains(
        quartic, [0.0], n_beta=1000, localization=0, step_size=2e-3, n_draws=8000, n_burn=200
    )
    assert abs(found.value - 0.25) < 3 * found.stderr < 0.1


def test_directions_that_do_nothing_cost_nothing():
    found = chains(quadratic(4.0, 0.0, 0.0), np.zeros(3), n_beta=1000, localization=1, n_draws=3000)
    assert abs(found.value - 0.5) < 0.08


def test_chains_that_drift_say_so():
    """From far up a slope, and with too few steps to come down."""
    found = chains(
        quadratic(1.0), [30.0], n_beta=100, localization=0, step_size=1e-4, n_burn=0, n_draws=50
    )
    assert found.value < 0
    assert not found.converged
    assert found.table["rise"][0] == 0
    assert (np.diff(found.table["rise"]) < 0).mean() > 0.9


def test_a_chain_that_diverges_is_told_of():
    with pytest.warns(UserWarning, match="Langevin dynamics diverged at step_size=1: try"):
        found = chains(quadratic(1e3), [1.0], step_size=1.0, n_beta=1000)
    assert np.isnan(found.value)
    assert not found.converged


def test_rows_that_are_a_sample_count_for_all():
    """The temperature is that of all rows."""
    estimator, X, y = fitted("classes")
    part = LearningCoefficient(n_draws=10, n_burn=0).evaluate(sampled(estimator, X, y, 75, 0))
    whole = learning_coefficient(estimator, X, y, n_draws=10, n_burn=0)
    assert part.protocol["n_beta"] == whole.protocol["n_beta"] == 150 / np.log(150)


@pytest.mark.parametrize("name", ["our sparse classes", "our single precision"])
@pytest.mark.parametrize("measure", [LocalVolume(n_draws=17), LearningCoefficient(n_chains=3)])
def test_bits_do_not_depend_on_the_workers(measure, name):
    assert name in NETWORKS
    alone = measure.measure(*fitted(name))
    together = measure.set_params(n_jobs=2).measure(*fitted(name))
    assert alone.value == together.value
    assert_array_equal(alone.samples, together.samples)
