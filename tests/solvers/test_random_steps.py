"""RSP, SAP, NSO and normalised gradients: closed forms, and the minimum in which they end."""

from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.datasets import make_classification
from toys import Toy, Watched, descend, hyperbola, quadratic

from skflat import FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.objective import (
    PERTURBATIONS,
    HalfSquared,
    Objective,
    Workspace,
    rounded_normals,
    windowed_normals,
)
from skflat.solvers import NGD, RSP, SAM, SAP, SGD, Noise, OneSidedNoise, Run, Settings, minimize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(
    n_samples=60, n_features=5, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
POINT = np.array([2.0, 0.6])
PLAIN = {"learning_rate_init": 0.02, "momentum": 0.0, "nesterovs_momentum": False}

each_base = pytest.mark.parametrize("base", ["adam", "sgd"])
each_perturbation = pytest.mark.parametrize("rule", [RSP, SAP])


class Rows(Toy):
    """The mean of some functions, one a row; what SAP and micro-batches tell apart."""

    def __init__(self, functions, gradients):
        super().__init__(None, None, None, len(functions))
        self.functions, self.gradients = functions, gradients
        self.data.X[:, 0] = np.arange(len(functions))

    def loss_gradient(self, w, batch=None, out=None, work=None):
        rows = [int(row) for row in (self.data if batch is None else batch).X[:, 0]]
        out = np.empty_like(w) if out is None else out
        out[:] = sum(self.gradients[row](w) for row in rows) / len(rows)
        if work is not None:
            work.rows += len(rows)
        return sum(self.functions[row](w) for row in rows) / len(rows), out


class Entries(Toy):
    """``scale`` times the mean square of the entries of ``X Y' - M``, every entry a row."""

    def __init__(self, M, k, scale):
        super().__init__(None, None, None, M.size)
        self.M, self.k, self.scale = M, k, scale
        self.data.X[:, 0] = np.arange(M.size)

    def factors(self, w):
        n_left = len(self.M) * self.k
        return w[:n_left].reshape(-1, self.k), w[n_left:].reshape(-1, self.k)

    def loss_gradient(self, w, batch=None, out=None, work=None):
        batch = self.data if batch is None else batch
        out = np.empty_like(w) if out is None else out
        (left, right), (d_left, d_right) = self.factors(w), self.factors(out)
        residual = left @ right.T - self.M
        if len(batch) < self.n_rows:
            rows = batch.X[:, 0].astype(int)
            residual, found = np.zeros_like(self.M), residual.flat[rows]
            residual.flat[rows] = found
        scale = self.scale / len(batch)
        np.matmul(residual, right, out=d_left)
        np.matmul(residual.T, left, out=d_right)
        out *= 2 * scale
        if work is not None:
            work.rows += len(batch)
        return scale * float(np.vdot(residual, residual)), out


class Scripted:
    """In the place of a generator: what it draws, one after the other."""

    def __init__(self, sign=0, uniform=0.5):
        self.sign, self.uniform = sign, uniform

    def integers(self, high):
        return self.sign

    def random(self):
        return self.uniform


def scripted(noise, displacements):
    """In the place of a noise: what it draws, one after the other."""
    left = iter(displacements)

    class Drawing(PERTURBATIONS[noise]):
        def draw(self, rng, out=None):
            out[:] = next(left)

    return patch.dict(PERTURBATIONS, {noise: Drawing})


class Tail:
    """Hooks of a run that average where its last epochs end."""

    def __init__(self, n_epochs, n_tail):
        self.n_left, self.n_tail, self.total = n_epochs, n_tail, 0.0

    def begin_epoch(self):
        """Nothing happens before an epoch."""

    def end_epoch(self, w):
        self.n_left -= 1
        if self.n_left < self.n_tail:
            self.total = self.total + w / self.n_tail


def tail_mean(solver, objective, w, n_steps, **settings):
    """Where the last 30 % of some full-batch steps are on average."""
    settings = Settings(n_iter_no_change=np.inf, shuffle=False, **PLAIN | settings)
    hooks, w = Tail(n_steps, int(0.3 * n_steps)), np.array(w, float)
    run = Run(objective, settings, np.random.RandomState(0), hooks=hooks, max_epochs=n_steps)
    state = solver.init_state(objective, w, settings, np.random.default_rng(0))
    solver.solve(w, state, run)
    return hooks.total


def direction(solver, objective, w, rho=0.3, rng=0, batch=None):
    """What a rule follows at ``w``, and its workspace."""
    rng = np.random.default_rng(rng) if isinstance(rng, int) else rng
    state = solver.init_state(objective, w, Settings(rho=rho), rng)
    state.work = Workspace()
    batch = objective.batch() if batch is None else batch
    loss, found = solver.direction(objective, w, batch, state)
    return loss, found.copy(), state.work


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


def imbalance(w):
    return w[0] ** 2 - w[1] ** 2


def many_rows(n_rows=12, weighted=False, alpha=0.0, dtype=float):
    rng = np.random.default_rng(0)
    inputs, y = rng.normal(size=(n_rows, 3)).astype(dtype), rng.normal(size=(n_rows, 1))
    weight = rng.uniform(0.1, 2, size=n_rows).astype(dtype) if weighted else None
    model = MLP([3, 4, 1], "tanh")
    objective = Objective(model, HalfSquared(), inputs, y.astype(dtype), weight, alpha)
    return objective, rng.normal(size=model.layout.size).astype(dtype)


def classifier(solver, **params):
    few = {"hidden_layer_sizes": (6,), "batch_size": 16, "max_iter": 6, "measures": None}
    rho = "auto" if solver.default_rho is None else 0.1  # or it warns that nobody reads it
    fast = {"learning_rate_init": 0.02, "random_state": 0, "rho": rho}
    return FlatMLPClassifier(solver=solver, **few | fast | params)


def weights_of(clf):
    return np.concatenate([np.ravel(array) for array in (*clf.coefs_, *clf.intercepts_)])


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


def test_sap_drifts_d_times_as_fast_as_rsp():
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
        [slope(direction(SAP(centered=False), toy, w, rho, Scripted(sign=s))[1]) for s in (0, 1)]
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


# Noise


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


# Normalised gradients


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_one_normalised_step(rate):
    """``C`` becomes ``C (1 - a^2 / (x^2 + y^2))``, plain steps make it ``C (1 - 4 (eta r)^2)``."""
    w = np.array([2.0, 0.7])
    after = descend(NGD(), hyperbola(), w, 1, learning_rate_init=rate)
    assert np.linalg.norm(after - w) == pytest.approx(rate, rel=1e-14)
    assert imbalance(after) == pytest.approx(imbalance(w) * (1 - rate**2 / (w @ w)), rel=1e-14)
    plain = descend(SGD(), hyperbola(), w, 1, learning_rate_init=rate / 10)
    factor = 1 - 4 * (rate / 10 * (w[0] * w[1] - 1)) ** 2
    assert imbalance(plain) == pytest.approx(imbalance(w) * factor, rel=1e-14)


@pytest.mark.parametrize("power", [0, 1 / 3, 0.5, 1.0])
def test_steps_become_shorter_by_the_power(power):
    path = [[9.0], *(descend(NGD(power), quadratic(1.0), [9.0], n) for n in range(1, 6))]
    assert_allclose(-np.diff(np.ravel(path)), 0.02 / np.arange(1, 6) ** power, rtol=1e-12)


def test_steps_go_on_becoming_shorter_over_partial_fits():
    whole, pieces = (classifier(NGD(), max_iter=4, shuffle=False) for _ in range(2))
    whole.fit(X, Y)
    for _ in range(4):
        pieces.partial_fit(X, Y, classes=[0, 1, 2])
    assert_allclose(weights_of(whole), weights_of(pieces), rtol=1e-12)


@pytest.mark.parametrize(
    ("rate", "power", "expected"),
    [
        (1, 0.25, 4.0),
        (1, 1 / 3, 4.0),
        (1, 1 / 2, 12.09),
        (1, 1, 28.87),
        (0.5, 0.25, 4.0),
        (0.5, 1 / 3, 4.0207),
        (0.5, 1 / 2, 26.93),
        (0.5, 1, 31.26),
    ],
)
def test_only_slowly_diminishing_steps_reach_the_flattest_minimum(rate, power, expected):
    w = descend(NGD(power), hyperbola(), (4, 0.3), 20_000, learning_rate_init=rate)
    assert 2 * w @ w == pytest.approx(expected, abs=5e-5 if expected < 5 else 5e-3)
    assert hyperbola().loss(w) <= 1e-11


# Who ends where: the valley of (x y - 1)^2


def traces(solver, n_steps, n_seeds=10):
    """Over some seeds, from the minimum (4, 1/4); and the rows differentiated."""
    settings = Settings(rho=0.3, n_iter_no_change=np.inf, **PLAIN)
    runs = [
        minimize(solver, hyperbola(), np.array([4, 0.25]), settings, seed, n_steps)
        for seed in range(n_seeds)
    ]
    return np.array([2 * w @ w for w, _ in runs]), [run.work.rows for _, run in runs], runs


def test_rsp_leaves_a_sharp_minimum_for_the_flattest():
    found, rows, _ = traces(RSP(tolerance=0.5), 500)
    assert 6.3 < found.mean() < 7.0
    assert found.min() > 5.4
    assert found.max() < 7.6
    assert min(rows) > 1.99 * 500  # hardly a step was plain
    imbalances = np.sqrt((found / 2) ** 2 - 4)  # of points on the hyperbola
    assert imbalances.mean() == pytest.approx(15.9375 * np.exp(-2 * 0.02 * 0.3**2 * 500), rel=0.05)
    found, _, runs = traces(RSP(tolerance=0.5), 1000)
    assert ((found > 3.999) & (found < 4.3)).all()
    assert max(hyperbola().loss(w) for w, _ in runs) < 1e-8


def test_sap_leaves_it_faster():
    found, rows, _ = traces(SAP(tolerance=0.5, centered=False), 500)
    assert ((found > 4.085) & (found < 4.105)).all()
    assert min(rows) > 2.98 * 500
    assert traces(SAP(tolerance=0.5, centered=False), 1000, n_seeds=3)[0] == pytest.approx(
        4.00007, abs=5e-5
    )


def test_gradient_descent_stays():
    assert_array_equal(descend(SGD(), hyperbola(), (4, 0.25), 100), [4, 0.25])


# Who ends where: the trace or the largest eigenvalue


def two_valleys():
    """``F1(a, b) x^2 + F2(a, b) y^2``, each a row.

    On ``x = y = 0`` the eigenvalues that are not 0 are ``2 F1 > 2 F2``. The largest eigenvalue is
    smallest at ``a = b = 0``, the trace at (4/5, 1/7).
    """

    def first(a, b):
        return 2 * (a**2 + 6 * b**2 + 8)

    def second(a, b):
        return 2 * (4 * (1 - a) ** 2 + (1 - b) ** 2 + 1)

    return Rows(
        [
            lambda w: first(w[0], w[1]) * w[2] ** 2,
            lambda w: second(w[0], w[1]) * w[3] ** 2,
        ],
        [
            lambda w: np.array(
                [4 * w[0] * w[2] ** 2, 24 * w[1] * w[2] ** 2, 2 * first(w[0], w[1]) * w[2], 0]
            ),
            lambda w: np.array(
                [
                    -16 * (1 - w[0]) * w[3] ** 2,
                    -4 * (1 - w[1]) * w[3] ** 2,
                    0,
                    2 * second(w[0], w[1]) * w[3],
                ]
            ),
        ],
    )


TRACE_FLAT, EIGENVALUE_FLAT = (0.8, 1 / 7), (0.0, 0.0)


@pytest.mark.parametrize(
    ("solver", "n_steps", "settings", "expected"),
    [
        (SAM("sgd"), 15_000, {"rho": 0.1}, EIGENVALUE_FLAT),
        (NGD(0.0), 20_000, {"learning_rate_init": 0.05}, EIGENVALUE_FLAT),
        (SAM("sgd", m=1), 10_000, {"rho": 0.05, "learning_rate_init": 0.01}, TRACE_FLAT),
        (RSP(tolerance=5.0), 15_000, {"rho": 0.2}, TRACE_FLAT),
        (SAP(tolerance=5.0, centered=False), 10_000, {"rho": 0.15}, TRACE_FLAT),
    ],
    ids=repr,
)
def test_who_selects_the_trace_and_who_the_largest_eigenvalue(solver, n_steps, settings, expected):
    start = (0.6, 0.6, 0.1, 0.1)
    mean = tail_mean(solver, two_valleys(), start, n_steps, **settings)
    assert_allclose(mean[:2], expected, atol=0.05)


def test_full_batch_sam_cycles_between_the_valleys_walls():
    """With the radius ``eta rho lam / (2 - eta lam)`` for the eigenvalue 16."""
    w = descend(SAM("sgd"), two_valleys(), (0.01, 0.01, 0.1, 0.1), 3000, rho=0.05)
    assert abs(w[2]) == pytest.approx(0.02 * 0.05 * 16 / (2 - 0.02 * 16), rel=1e-3)


def factorization_start():
    """A rank-2 matrix with singular values 3 and 1, and a sharp minimum."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(n, 2)))[0] for n in (4, 3))
    root, G = np.sqrt([3.0, 1.0]), np.array([[1.6, 0.5], [0.0, 0.8]])
    left, right = U * root @ G, V * root @ np.linalg.inv(G).T
    return (U * root**2) @ V.T, np.concatenate([left.ravel(), right.ravel()])


def flatness_of_factors(M, w):
    """Largest eigenvalue and trace of the Hessian of the sum of squares, and two imbalances."""
    objective = Entries(M, 2, scale=12.0)
    w = descend(SGD(), objective, w, 2000)
    assert objective.loss_gradient(w)[0] < 1e-12
    left, right = objective.factors(w)
    jacobian = np.hstack(
        [np.kron(np.eye(4), right), np.vstack([np.kron(np.eye(3), row) for row in left])]
    )
    eigenvalue = 2 * np.linalg.norm(jacobian, 2) ** 2
    trace = 2 * np.sum(jacobian**2)
    return (
        eigenvalue,
        trace,
        np.linalg.norm(left.T @ left - right.T @ right),
        np.linalg.norm(3 * left.T @ left - 4 * right.T @ right),
    )


def test_the_factorization_starts_sharp():
    eigenvalue, trace, *_ = flatness_of_factors(*factorization_start())
    assert eigenvalue == pytest.approx(20.87, abs=5e-3)
    assert trace == pytest.approx(77.52, abs=5e-3)


SMALLEST_TRACE = 4 * np.sqrt(12) * 4


@pytest.mark.parametrize(
    ("solver", "scale", "n_steps", "settings"),
    [
        (RSP(tolerance=2.0), 12.0, 15_000, {"rho": 0.2}),
        (SAP(tolerance=1.0, centered=False), 1.0, 12_500, {"rho": 0.1, "learning_rate_init": 0.1}),
        (SAM("sgd", m=1), 1.0, 4000, {"rho": 0.1, "learning_rate_init": 0.2}),
    ],
    ids=repr,
)
def test_these_find_factors_with_the_smallest_trace(solver, scale, n_steps, settings):
    """Where ``n X'X = m Y'Y``."""
    M, w = factorization_start()
    start = w + 1e-3
    w = descend(solver, Entries(M, 2, scale), start, n_steps, **settings)
    eigenvalue, trace, _, imbalance = flatness_of_factors(M, w)
    assert SMALLEST_TRACE - 1e-6 < trace < SMALLEST_TRACE + 0.05
    assert imbalance < 0.9
    assert eigenvalue > 12.05


@pytest.mark.parametrize(
    ("solver", "n_steps", "settings"),
    [
        (SAM("sgd"), 10_000, {"rho": 0.1}),
        (NGD(0.25), 40_000, {"learning_rate_init": 0.3}),
    ],
    ids=repr,
)
def test_these_find_factors_with_the_smallest_largest_eigenvalue(solver, n_steps, settings):
    """Four times the largest singular value; the trace is left at more than its minimum."""
    M, w = factorization_start()
    w = descend(solver, Entries(M, 2, 12.0), w + 1e-3, n_steps, **settings)
    eigenvalue, trace, _, imbalance = flatness_of_factors(M, w)
    assert eigenvalue == pytest.approx(12, abs=0.01)
    assert trace > 56.5
    assert imbalance > 3


# What they refuse


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (RSP("rmsprop"), "base"),
        (RSP(tolerance=-1), "tolerance"),
        (RSP(n_directions=0), "n_directions"),
        (RSP(antithetic=2), "antithetic"),
        (RSP(final_plain=1.5), "final_plain"),
        (SAP("rmsprop"), "base"),
        (SAP(sample_size=0), "sample_size"),
        (SAP(centered=None), "centered"),
        (SAP(tolerance=np.nan), "tolerance"),
        (SAP(final_plain=-0.1), "final_plain"),
        (Noise("rmsprop"), "base"),
        (Noise(noise="laplace"), "noise"),
        (Noise(n_draws=0), "n_draws"),
        (Noise(two_point=None), "two_point"),
        (Noise(weight=1.0), "weight"),
        (NGD(power=-1), "power"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of {type(solver).__name__}"):
        classifier(solver).fit(X, Y)
