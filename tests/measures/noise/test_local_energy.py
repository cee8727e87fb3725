"""The rise of loss and error under random noise."""

import numpy as np
import pytest
from fitted import SPECIES, fitted, rescaled, sampled
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier
from toys import Toy, hyperbola, problem, quadratic

from skflat.measures import (
    EffectiveRank,
    LocalEnergy,
    NoiseStability,
    Weakness,
    hessian_trace,
    local_energy,
    noise_stability,
)
from skflat.objective import PERTURBATIONS
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

each_noise = pytest.mark.parametrize("noise", PERTURBATIONS)


# Closed forms


@pytest.mark.parametrize(("w", "antithetic"), [((1, 1), True), ((2, 0.6), False)])
def test_the_energy_on_the_hyperbola(w, antithetic):
    """On a sphere of radius r it is ``r^2 (x^2 + y^2) / 2 + r^4 / 8``, whatever the point has."""
    square, r = np.dot(w, w), np.array([0.1, 0.3])
    settings = {"n_draws": 20_000, "antithetic": antithetic}
    task = problem(hyperbola(), w)
    residual = w[0] * w[1] - 1
    sphere = LocalEnergy(r, "sphere", **settings).evaluate(task).table
    assert_within(sphere, r**2 / 2 * square + r**4 / 8)
    normal = LocalEnergy(r, "isotropic", **settings).evaluate(task).table
    assert_within(normal, r**2 * square + r**4)
    product = (residual + 1) ** 2
    relative = LocalEnergy(r, "weight", **settings).evaluate(task).table
    assert_within(relative, product * (2 * r**2 + r**4))


def assert_within(table, expected):
    """Three standard errors, and these not so large that anything would do."""
    assert (np.abs(table["rise"] - expected) < 3 * table["rise_stderr"]).all()
    assert (table["rise_stderr"] < 0.05 * expected).all()


def test_the_energy_of_a_quadratic_is_half_the_trace_times_the_variance():
    found = LocalEnergy(0.1, "isotropic", n_draws=5000).evaluate(
        problem(quadratic(4.0, 1.0), [1.0, -2.0])
    )
    assert abs(found.value - 0.1**2 * 5 / 2) < 3 * found.stderr
    assert found.samples.shape == (1, 5000)


def test_what_is_linear_cancels_in_pairs():
    slope = Toy(lambda w: 3 * w[0], lambda w: np.array([3.0, 0]), lambda w: np.zeros((2, 2)))
    found = LocalEnergy(0.5, "isotropic").evaluate(problem(slope, (1, 1)))
    assert found.value == pytest.approx(0, abs=1e-15)
    assert found.stderr == pytest.approx(0, abs=1e-15)
    alone = LocalEnergy(0.5, "isotropic", antithetic=False).evaluate(problem(slope, (1, 1)))
    assert alone.stderr == pytest.approx(1.5 / 100**0.5, rel=0.3)


@pytest.mark.parametrize(
    "name", ["classes, tanh", "classes, logistic", "classes, identity", "our counts"]
)
def test_small_noise_sees_the_trace(name):
    """Of smooth networks: the loss of a relu network has kinks, which the trace does not see."""
    estimator, X, y = fitted(name)
    found = local_energy(estimator, X, y, scale=1e-3, noise="isotropic", n_draws=2000)
    trace = hessian_trace(estimator, X, y).value
    assert abs(found.value - 1e-6 / 2 * trace) < 3 * found.stderr
    assert found.stderr < 0.05 * found.value


# Against the slow way


@each_noise
@pytest.mark.parametrize(
    "name",
    ["classes", "classes, deep", "classes, linear", "our sparse classes", "labels", "counts"],
)
def test_the_losses_are_those_at_the_perturbed_points(noise, name):
    """The curve shares products between its scales; here every point is evaluated alone."""
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    objective, w, scales = task.objective, task.w, np.array([0.01, 0.2])
    measure = LocalEnergy(scales, noise, n_draws=3, random_state=5)
    found = measure.evaluate(task)
    seed = np.random.RandomState(5).randint(2**31)
    draw = PERTURBATIONS[noise](w, objective.layout.parts).draw
    for k, child in enumerate(np.random.SeedSequence(seed).spawn(3)):
        u = draw(np.random.default_rng(child))
        for j, scale in enumerate(scales):
            both = [objective.loss(w + sign * scale * u) for sign in (1, -1)]
            rise = np.mean(both) - objective.loss(w)
            assert found.samples[j, k] == pytest.approx(rise, rel=1e-9, abs=1e-13)


def test_the_error_is_the_share_of_wrong_labels():
    estimator, X, y = fitted("classes")
    task = as_problem(estimator, X, y)
    w, zero = task.w, np.zeros_like(task.w)
    (loss, error) = task.objective.along(w, [zero], [1.0])[:, 0, 0]
    assert error == pytest.approx(1 - estimator.score(X, y), abs=1e-15)
    assert loss == task.objective.loss(w)
    found = LocalEnergy((0.1, 3.0), n_draws=50).evaluate(task)
    at_most = 1 - error
    assert 0 <= found.table["error_rise"][0] < found.table["error_rise"][1] <= at_most
    reg, X, y = fitted("two outputs")
    task = as_problem(reg, X, y)
    error = task.objective.along(task.w, [np.zeros_like(task.w)], [0.0])[1, 0, 0]
    assert error == pytest.approx(np.abs(reg.predict(X) - y).mean(), rel=1e-12)


def test_rows_in_chunks_are_rows(monkeypatch):
    estimator, X, y = fitted("classes")
    whole = local_energy(estimator, X, y, n_draws=5)
    monkeypatch.setattr("skflat.objective._objective.CHUNK", 17)
    pieces = local_energy(estimator, X, y, n_draws=5)
    assert_allclose(pieces.samples, whole.samples, rtol=1e-10)
    assert_allclose(pieces.table["error_rise"], whole.table["error_rise"], rtol=1e-10)


# The perturbations


@each_noise
def test_draws_have_the_size_they_promise(noise):
    rng = np.random.default_rng(0)
    w = np.concatenate([rng.normal(size=3000), 5 * rng.normal(size=1000), np.zeros(10)])
    blocks = [slice(0, 3000), slice(3000, 4000), slice(4000, 4010)]
    draws = np.array([PERTURBATIONS[noise](w, blocks).draw(rng) for _ in range(200)])
    lengths = [np.linalg.norm(draws[:, block], axis=1) for block in blocks]
    if noise == "sphere":
        assert_allclose(np.linalg.norm(draws, axis=1), 1, rtol=1e-12)
    elif noise == "isotropic":
        assert draws.std() == pytest.approx(1, rel=0.01)
    else:
        norms = [np.linalg.norm(w[block]) for block in blocks]
        assert_allclose([each.mean() for each in lengths], norms, rtol=0.01)
        assert_array_equal(draws[:, blocks[2]], 0)
    if noise == "weight":
        shares = draws[:, :4000] / w[:4000]
        assert shares.std() == pytest.approx(1, rel=0.01)
    assert abs(draws.mean()) < 0.05 * draws.std()


@each_noise
def test_draws_keep_the_dtype(noise):
    w = np.ones(8, dtype=np.float32)
    draw = PERTURBATIONS[noise](w, [slice(0, 8)]).draw(np.random.default_rng(0))
    assert draw.dtype == np.float32


def test_multiplicative_noise_moves_a_rescaled_network_to_the_same_functions():
    """Draw by draw, and to the bit where the factor is a power of two."""
    estimator, X, y = fitted("classes")
    settings = {"noise": "weight", "n_draws": 10}
    energy = local_energy(estimator, X, y, **settings).samples
    assert_array_equal(local_energy(rescaled(estimator, 16.0), X, y, **settings).samples, energy)
    moved = local_energy(rescaled(estimator, 10.0), X, y, **settings).samples
    assert_allclose(moved, energy, rtol=1e-9)


# Standard errors


def test_the_standard_error_is_that_of_the_mean_over_the_draws():
    estimator, X, y = fitted("classes")
    found = [
        LocalEnergy(0.5, n_draws=20, random_state=s).measure(estimator, X, y) for s in range(100)
    ]
    means = np.array([each.value for each in found])
    stderr = np.array([each.stderr for each in found])
    assert np.mean(stderr**2) == pytest.approx(means.var(ddof=1), rel=0.4)


def test_the_standard_error_knows_of_the_sampling_of_rows():
    """With the same draws, what differs between two samples is the rows alone."""
    estimator, X, y = fitted("classes")
    measure = LocalEnergy(0.3, n_draws=50)
    whole = measure.measure(estimator, X, y)
    own = whole.stderr
    found = [measure.evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(100)]
    square = np.mean([(part.value - whole.value) ** 2 for part in found])
    added = np.mean([part.stderr**2 for part in found]) - own**2
    assert added == pytest.approx(square, rel=0.5)


# Noise stability


@pytest.mark.parametrize("level", [0.01, 0.5])
def test_the_noise_that_a_quadratic_bears(level):
    """``scale^2 tr(H) / 2 = level``."""
    task = problem(quadratic(4.0, 1.0), [0.0, 0.0])
    found = NoiseStability(level, "isotropic", n_draws=2000).evaluate(task)
    assert found.value == pytest.approx((2 * level / 5) ** 0.5, abs=3 * found.stderr)
    assert found.stderr < 0.03 * found.value


@each_noise
def test_noise_of_that_scale_raises_the_loss_by_the_level(noise):
    estimator, X, y = fitted("classes")
    found = noise_stability(estimator, X, y, noise=noise)
    level = found.protocol["level"]
    assert level == pytest.approx(np.log(3) / 10, rel=1e-12)
    energy = local_energy(estimator, X, y, scale=found.value, noise=noise, n_draws=30)
    assert energy.value == pytest.approx(level, rel=2e-3)
    assert 0 < found.stderr < found.value


def test_a_loss_that_never_rises_bears_any_noise():
    bump = Toy(
        lambda w: 1 - np.exp(-w @ w / 2),
        lambda w: w * np.exp(-w @ w / 2),
        lambda w: (np.eye(2) - np.outer(w, w)) * np.exp(-w @ w / 2),
    )
    with pytest.warns(UserWarning, match="the stability is infinite, as far as it was tried"):
        found = NoiseStability(2.0, "isotropic").evaluate(problem(bump, (1, 0)))
    assert found.value == np.inf
    assert found.stderr == 0


def test_where_the_target_is_constant_no_noise_is_too_small():
    estimator, X, _ = fitted("classes")
    with pytest.warns(UserWarning, match="The target is constant"):
        found = noise_stability(estimator, X, np.zeros(150, int))
    assert np.isnan(found.value)


def test_a_level_below_the_finest_scale_is_looked_for_there():
    found = noise_stability(*fitted("classes"), level=1e-13)
    assert 0 < found.value < 1e-4


@pytest.mark.parametrize("scale", [0, -0.1, (0.2, 0.1), (), np.nan])
def test_scales_must_increase_and_be_positive(scale):
    with pytest.raises(ValueError, match=r"scale must be a number > 0 or several that increase"):
        local_energy(*fitted("classes"), scale=scale)


@pytest.mark.parametrize("function", [local_energy, noise_stability])
@pytest.mark.parametrize(("name", "value"), [("noise", "brown"), ("n_draws", 1), ("antithetic", 2)])
def test_parameters_out_of_range_are_named(function, name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter .* {value!r} instead"):
        function(*fitted("classes"), **{name: value})


def test_a_network_far_from_the_data_may_have_an_infinite_energy():
    """An overflow is reported as what it is, and nothing warns on the way."""
    estimator, X, y = fitted("counts")
    found = local_energy(estimator, X, y, scale=(0.1, 1e4), n_draws=20)
    assert found.value == np.inf
    assert np.isfinite(found.table["rise"][0])
    clf = MLPClassifier((3,), max_iter=5, random_state=0).fit(X, SPECIES)
    assert np.isfinite(local_energy(clf, X, SPECIES, scale=1e4, n_draws=5).value)


def test_flips_too_rare_for_the_draws_have_an_error():
    estimator, X, y = fitted("classes")
    table = local_energy(estimator, X, y, scale=1e-9, n_draws=10).table
    assert table["error_rise"][0] == 0
    assert table["error_rise_stderr"][0] == pytest.approx(1 / (10 * len(y)))


def test_what_the_size_of_a_sample_biases_is_named():
    estimator, X, y = fitted("classes")
    for measure, direction in ((EffectiveRank(), "smaller"), (Weakness(), "larger")):
        whole, part = (measure.evaluate(sampled(estimator, X, y, n, 0)) for n in (len(y), 75))
        assert part.protocol["bias"].startswith(direction)
        assert "bias" not in whole.protocol
