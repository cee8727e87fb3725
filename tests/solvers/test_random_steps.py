"""RSP and SAP: their directions on average and by draw, and when they perturb."""

import numpy as np
import pytest
from drawing import (
    POINT,
    Scripted,
    direction,
    each_form,
    each_perturbation,
    imbalance,
    many_rows,
    scripted,
)
from numpy.testing import assert_allclose, assert_array_equal
from stepping import X, Y, classifier, each_base, weights_of
from toys import Toy, Watched, descend, hyperbola, quadratic

from skflat.solvers import RSP, SAP, Noise, Settings, minimize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def around_the_circle(n):
    angles = 2 * np.pi * np.arange(n) / n
    return np.transpose([np.cos(angles), np.sin(angles)])


def mean_direction(kind, w, rho):
    """The exact mean of a rule's direction on ``(x y - 1)^2``, by its whole distribution."""
    if kind == "rsp":  # the gradient has degree 3, so eight points are the whole circle
        with scripted("sphere", around_the_circle(8)):
            return direction(RSP(n_directions=8), hyperbola(), w, rho)[1]
    if kind == "sap":
        both = [
            direction(SAP(centered=False), hyperbola(), w, rho, Scripted(sign=sign))[1]
            for sign in (0, 1)
        ]
        return np.mean(both, axis=0)
    signs = [(1, 1), (1, -1)]  # with their opposites the second moments of the normal
    with scripted("isotropic", signs):
        return direction(Noise(n_draws=2), hyperbola(), w, rho)[1]


# Expected directions


@pytest.mark.parametrize(("kind", "factor"), [("rsp", 1), ("sap", 2)])
@pytest.mark.parametrize("rho", [0.01, 0.3, 1.0])
def test_the_expected_drift_along_the_hyperbola(kind, factor, rho):
    """``rho^2 (x^2 - y^2) / s`` and, d times as much, twice that, for every radius."""
    size = np.linalg.norm(POINT)
    along = POINT * [1, -1] @ mean_direction(kind, POINT, rho) / size
    assert along == pytest.approx(factor * rho**2 * imbalance(POINT) / size, rel=1e-9)
    if rho == 0.3:
        assert along == pytest.approx(0.156892 * factor, abs=6e-7)


@pytest.mark.parametrize(("kind", "rate"), [("rsp", 2), ("sap", 4), ("noise", 4)])
def test_the_drift_of_the_imbalance(kind, rate):
    """By the factor ``1 - rate eta rho^2`` a step, near the valley and up to ``eta^2``."""
    w, eta, rho = np.array([3.0, (1 + 1e-7) / 3]), 1e-7, 0.1
    after = w - eta * mean_direction(kind, w, rho)
    relative = (imbalance(after) - imbalance(w)) / imbalance(w)
    assert relative == pytest.approx(-rate * eta * rho**2, rel=1e-5)


@each_form
def test_sap_drifts_d_times_as_fast_as_rsp(centered):
    """On ``(y.z - 1)^2 / 2`` with ten parameters, by exact formulas and their standard errors."""

    def gradient(w):
        return (w[:5] @ w[5:] - 1) * np.r_[w[5:], w[:5]]

    def slope(found):  # of (|y|^2 - |z|^2) / 2, which the gradient is orthogonal to
        return np.r_[w[:5], -w[5:]] @ found

    toy = Toy(lambda w: (w[:5] @ w[5:] - 1) ** 2 / 2, gradient, None)
    w, rho, n_draws = np.random.default_rng(1).normal(size=10), 0.05, 40_000
    w[5:] += (1 + 1e-9 - w[:5] @ w[5:]) * w[:5] / (w[:5] @ w[:5])
    squares = np.array([w[:5] @ w[:5], w[5:] @ w[5:]])
    difference = squares[0] - squares[1]
    sap = np.mean(
        [slope(direction(SAP(centered=centered), toy, w, rho, Scripted(sign=s))[1]) for s in (0, 1)]
    )
    assert sap == pytest.approx(rho**2 * difference, rel=1e-5)
    rsp = slope(direction(RSP(n_directions=n_draws, antithetic=True), toy, w, rho)[1])
    variance = 2 * (10 * (squares @ squares) - difference**2) / (10**2 * 12)
    stderr = rho**2 * np.sqrt(variance / n_draws)
    assert rsp == pytest.approx(rho**2 * difference / 10, abs=3 * stderr)
    assert sap / rsp == pytest.approx(10, rel=0.1)


@each_perturbation
@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_added_is_orthogonal_to_the_gradient(rule, weighted):
    objective, w = many_rows(weighted=weighted)
    g = objective.loss_gradient(w)[1]
    for seed in range(20):
        loss, found, _ = direction(rule(), objective, w, rng=seed)
        assert loss == objective.loss_gradient(w)[0]
        assert np.abs((found - g) @ g) < 1e-12
        assert np.linalg.norm(found - g) > 1e-3


@pytest.mark.parametrize("n_directions", [1, 3])
@pytest.mark.parametrize("antithetic", [False, True])
def test_rsp_projects_the_mean_of_the_gradients_around(n_directions, antithetic):
    objective, w = many_rows()
    watched = Watched(objective)
    solver = RSP(n_directions=n_directions, antithetic=antithetic)
    _, found, work = direction(solver, watched, w, rho=0.4)
    points, g = np.array(watched.climbed_to[1:]), objective.loss_gradient(w)[1]
    assert len(points) == n_directions * (1 + antithetic)
    assert work.rows == 12 * (1 + len(points))
    assert_allclose(np.linalg.norm(points - w, axis=1), 0.4, rtol=1e-12)
    if antithetic:
        assert_allclose(points[::2] + points[1::2], np.tile(2 * w, (n_directions, 1)), rtol=1e-12)
    v = np.mean([objective.loss_gradient(point)[1] for point in points], axis=0)
    assert_allclose(found, g + v - (v @ g) / (g @ g) * g, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("sample_size", [1, 5, 12, 100])
def test_sap_climbs_on_a_sample_of_the_batch(sample_size):
    objective, w = many_rows()
    watched, size = Watched(objective), min(sample_size, 12)
    _, found, work = direction(
        SAP(sample_size=sample_size, centered=False), watched, w, rho=0.4, rng=3
    )
    assert work.rows == watched.rows == 12 + 2 * size
    step, g = watched.climbed_to[2] - w, objective.loss_gradient(w)[1]
    assert np.linalg.norm(step) == pytest.approx(0.4, rel=1e-12)
    starts = np.arange(12 // size) if 12 % size == 0 else None
    if starts is not None:  # every so many rows
        rows = [start + np.arange(0, 12, 12 // size) for start in starts]
        samples = [objective.batch(chosen) for chosen in rows]
        climbs = [objective.loss_gradient(w, sample)[1] for sample in samples]
        along = [abs(climb @ step) / np.linalg.norm(climb) / 0.4 for climb in climbs]
        sample = samples[int(np.argmax(along))]
        assert max(along) == pytest.approx(1, rel=1e-12)
        v = objective.loss_gradient(w + step, sample)[1]
        assert_allclose(found, g + v - (v @ g) / (g @ g) * g, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("sample_size", [1, 4])
def test_the_samples_of_sap_are_the_batch_on_average(weighted, sample_size):
    """Weights and penalty included: the drawn uniform number is integrated over."""
    objective, w = many_rows(weighted=weighted, alpha=0.8)
    seen = []

    class Sampled(Watched):
        def loss_gradient(self, w, batch=None, out=None, work=None):
            loss, found = self.objective.loss_gradient(w, batch, out, work)
            seen.append((loss, found.copy()))
            return loss, found

    n_points, losses, gradients = 1200, [], []
    for i in range(n_points):
        direction(
            SAP(sample_size=sample_size, centered=False),
            Sampled(objective),
            w,
            rng=Scripted(uniform=(i + 0.5) / n_points),
        )
        losses.append(seen[-2][0])
        gradients.append(seen[-2][1])
    loss, g = objective.loss_gradient(w)
    tolerance = 2e-2 if weighted else 1e-12  # the bounds of a row's share fall between points
    assert np.mean(losses) == pytest.approx(loss, rel=tolerance)
    assert_allclose(np.mean(gradients, axis=0), g, atol=tolerance)


@pytest.mark.parametrize("weighted", [False, True])
def test_centering_changes_the_noise_of_sap_and_not_its_mean(weighted):
    """Every row and sign is looked at, as often as its weight says."""
    objective, w = many_rows(weighted=weighted)
    uniforms = (np.arange(12) + 0.5) / 12
    if weighted:
        ends = np.cumsum(objective.data.weight)
        uniforms = (ends - objective.data.weight / 2) / ends[-1]
    share = np.full(12, 1 / 12) if not weighted else objective.data.weight / ends[-1]
    found = {
        centered: np.array(
            [
                direction(SAP(centered=centered), objective, w, 0.01, Scripted(sign, u))[1]
                for sign in (0, 1)
                for u in uniforms
            ]
        )
        for centered in (False, True)
    }
    means = [np.r_[share, share] / 2 @ found[centered] for centered in (False, True)]
    assert_allclose(*means, atol=1e-13)
    assert found[True].std(axis=0).max() < 0.1 * found[False].std(axis=0).max()


def test_centering_leaves_a_row_without_a_gradient_alone():
    w = np.array([2.0, 0.5])
    found = [direction(SAP(centered=centered), hyperbola(), w)[1] for centered in (False, True)]
    assert_array_equal(*found)


@each_perturbation
def test_a_batch_that_weighs_nothing_is_a_plain_step(rule):
    objective, w = many_rows(weighted=True)
    objective.data.weight[:] = 0
    assert_array_equal(direction(rule(), objective, w)[1], 0)


# When they perturb


def test_without_a_gradient_rsp_takes_all_it_finds():
    w = np.array([2.0, 0.5])
    watched = Watched(hyperbola())
    _, found, _ = direction(RSP(), watched, w)
    assert_array_equal(found, hyperbola().gradient(watched.climbed_to[1]))
    assert np.abs(found).max() > 0.01


def test_without_a_gradient_sap_finds_its_direction_nearby():
    w = np.array([2.0, 0.5])
    watched = Watched(hyperbola())
    _, found, work = direction(SAP(centered=False), watched, w)
    nearby, top = watched.climbed_to[2:]
    assert work.rows == 1 + 3
    assert np.linalg.norm(nearby - w) == pytest.approx(0.3 / 100, rel=1e-10)
    assert np.linalg.norm(top - w) == pytest.approx(0.3, rel=1e-12)
    across = np.array([0.5, 2.0]) / np.hypot(0.5, 2.0)
    assert abs((top - w) @ across) == pytest.approx(0.3, rel=1e-4)
    assert_array_equal(found, hyperbola().gradient(top))


@each_perturbation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-15, 1e-21, 1e-25, 1e-160, 1e-200])
def test_a_gradient_too_small_to_tell_its_direction_does_no_harm(rule, scale, dtype):
    toy = quadratic(4.0, 1.0)
    w = (np.array([1.0, -2.0]) * scale).astype(dtype)
    _, found, _ = direction(rule(), toy, w, rho=0.1)
    assert found.dtype == dtype
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 1


@each_base
@each_perturbation
def test_no_tolerance_is_the_base_to_the_bit(rule, base):
    solver = rule(base, tolerance=0)
    ends = [classifier(s).fit(X, Y) for s in (solver, solver.delegate())]
    assert_array_equal(*[weights_of(end) for end in ends])
    assert ends[0].n_grad_evals_ == ends[1].n_grad_evals_
    stays = descend(solver, hyperbola(), (2, 0.5), 5, rho=0.3)
    assert_array_equal(stays, [2, 0.5])


@each_perturbation
def test_the_tolerance_bounds_the_gradient(rule):
    g = np.linalg.norm(hyperbola().gradient(POINT))
    for tolerance, n_gradients in ((0.99 * g, 1), (1.01 * g, 2 if rule is RSP else 3)):
        _, found, work = direction(rule(tolerance=tolerance), hyperbola(), POINT)
        assert work.rows == n_gradients
        assert (found == hyperbola().gradient(POINT)).all() == (n_gradients == 1)


@each_perturbation
def test_the_last_epochs_may_be_plain(rule):
    toy = quadratic(2.0, 1.0)
    rows = []
    for final_plain in (0.0, 0.3, 1.0):
        settings = Settings(rho=0.1, max_iter=10, n_iter_no_change=np.inf)
        _, run = minimize(rule(final_plain=final_plain), toy, np.ones(2), settings)
        rows.append(run.work.rows)
    extra = 1 if rule is RSP else 2
    assert rows == [10 + 10 * extra, 10 + 7 * extra, 10]


@each_perturbation
def test_partial_fits_beyond_max_iter_go_on_perturbing(rule):
    clf = classifier(rule(), max_iter=2)
    for _ in range(4):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
    # 60 rows in 4 batches; every batch of 16 costs two rows more in SAP
    assert clf.n_grad_evals_ == pytest.approx(4 * (2 if rule is RSP else 1 + 4 * 2 / 60))


def test_final_plain_steps_end_on_the_minimum():
    toy = quadratic(4.0, 1.0)
    noisy, settled = (
        np.linalg.norm(descend(RSP(final_plain=share), toy, (1, 1), 2000, rho=0.5, max_iter=2000))
        for share in (0.0, 0.5)
    )
    assert settled < 1e-6 < 1e-3 < noisy


def test_antithetic_pairs_cancel_on_a_quadratic():
    toy, w = quadratic(4.0, 1.0), np.array([1.0, -2.0])
    found = direction(RSP(antithetic=True), toy, w)[1]
    assert_allclose(found, toy.gradient(w), rtol=1e-12)
    assert np.abs(direction(RSP(), toy, w)[1] - toy.gradient(w)).max() > 0.01


# What they refuse


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (RSP("rmsprop"), "base"),
        (RSP(tolerance=-1), "tolerance"),
        (RSP(n_directions=0), "n_directions"),
        (RSP(antithetic=2), "antithetic"),
        (RSP(final_plain=1.5), "final_plain"),
        (RSP(orthogonal="loss"), "orthogonal"),
        (SAP(plain_rate=0), "plain_rate"),
        (SAP("rmsprop"), "base"),
        (SAP(sample_size=0), "sample_size"),
        (SAP(centered=None), "centered"),
        (SAP(tolerance=np.nan), "tolerance"),
        (SAP(final_plain=-0.1), "final_plain"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of {type(solver).__name__}"):
        classifier(solver).fit(X, Y)
