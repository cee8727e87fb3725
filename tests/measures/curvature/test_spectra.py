"""Eigenvalues of the Hessian, its spectral density, and the gradient's share of its subspace."""

from dataclasses import replace

import numpy as np
import pytest
from autograd import hessian
from fitted import DOUBLE, IRIS, SPECIES, WEIGHT, fitted, last_step, sampled, twin
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from toys import factorization, hyperbola, problem, product_of, quadratic

from skflat import FlatMLPClassifier
from skflat.measures import (
    DominantSubspace,
    HessianEigenvalues,
    HessianTrace,
    SoftRank,
    SpectralDensity,
    dominant_subspace,
    hessian_eigenvalues,
    soft_rank,
    spectral_density,
)
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def dense_eigenvalues(name, weight=None):
    """From the largest down."""
    estimator, X, y = fitted(name)
    network, X = last_step(estimator, X)
    loss, w = twin(network, X, y, weight)
    return np.linalg.eigvalsh(hessian(loss)(w))[::-1]


# The extreme eigenvalues


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", DOUBLE)
def test_the_eigenvalues_are_those_of_the_dense_hessian(name, weight):
    estimator, X, y = fitted(name)
    dense = dense_eigenvalues(name, weight)
    found = hessian_eigenvalues(estimator, X, y, weight, k=3)
    assert_allclose(found.table["eigenvalue"], dense[:3], rtol=1e-6)
    assert found.value == found.table["eigenvalue"][0]
    assert (found.table["residual"] <= 2e-6 * dense[0]).all()
    lowest = hessian_eigenvalues(estimator, X, y, weight, k=2, which="smallest")
    assert_allclose(lowest.table["eigenvalue"], dense[-2:], atol=1e-6 * dense[0])
    assert lowest.value == lowest.table["eigenvalue"][-1]
    ends = hessian_eigenvalues(estimator, X, y, weight, k=3, which="both")
    assert_allclose(ends.table["eigenvalue"], dense[[0, 1, -1]], atol=1e-6 * dense[0])
    assert ends.value == ends.table["eigenvalue"][0]
    assert found.converged
    assert found.kind == "exact"
    assert found.stderr == 0


def test_the_eigenvalues_in_single_precision():
    estimator, X, y = fitted("our single precision")
    loss, w = twin(estimator, X.astype(float), y)
    dense = np.linalg.eigvalsh(hessian(loss)(w))
    found = hessian_eigenvalues(estimator, X, y, k=2)
    assert_allclose(found.table["eigenvalue"], dense[:-3:-1], rtol=1e-5)


@pytest.mark.parametrize(("x", "largest"), [(1, 4), (2, 8.5), (0.5, 8.5), (4, 32.125), (-1, 4)])
def test_the_eigenvalues_along_the_hyperbola(x, largest):
    found = HessianEigenvalues(k=2).evaluate(problem(hyperbola(), (x, 1 / x)))
    assert_allclose(found.table["eigenvalue"], [largest, 0], atol=1e-9)


def test_the_eigenvalues_of_deep_scalars():
    """``2 sum_i 1 / w_i^2``."""
    for w, largest in (((1, 1, 1), 6), ((2, 0.5, 1), 10.5)):
        found = HessianEigenvalues().evaluate(problem(product_of(3), w))
        assert found.value == pytest.approx(largest, rel=1e-12)


def singular(m, n, sigma):
    """Orthonormal U and V, and ``M = U diag(sigma) V'``."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(size, len(sigma))))[0] for size in (m, n))
    return U, V, U @ np.diag(sigma) @ V.T


@pytest.mark.parametrize(
    ("stretch", "largest", "trace"),
    [((1, 1), 12, 56), ((1, 1.4), 12, 57.841633), (None, 12.1243557, 55.4256258)],
    ids=["balanced", "second column stretched", "flattest by the trace"],
)
def test_the_spectrum_of_a_factorization(stretch, largest, trace):
    """Ten eigenvalues are positive, ``k (m + n - k)``, and four are 0, ``k^2``."""
    U, V, M = singular(4, 3, (3, 1))
    stretch = np.full(2, (3 / 4) ** -0.25) if stretch is None else np.array(stretch)
    root = np.sqrt([3, 1])
    w = np.concatenate([np.ravel(U * root * stretch), np.ravel(V * root / stretch)])
    task = problem(factorization(M, 2), w)
    found = HessianEigenvalues(k=14).evaluate(task).table["eigenvalue"]
    assert found[0] == pytest.approx(largest, rel=1e-8)
    assert (found > 1e-9).sum() == 10
    assert_allclose(found[10:], 0, atol=1e-9)
    assert HessianTrace(n_products=42).evaluate(task).value == pytest.approx(trace, rel=1e-7)


def test_what_does_not_converge_says_so():
    task = problem(quadratic(*np.linspace(1, 2, 500)), np.zeros(500))
    with pytest.warns(ConvergenceWarning, match="Only 0 of 2 eigenvalues .* max_iter=1, or tol"):
        found = HessianEigenvalues(k=2, max_iter=1).evaluate(task)
    assert not found.converged
    assert found.kind == "estimate"
    assert np.isnan(found.value)
    assert len(found.table["eigenvalue"]) == 0


def test_the_standard_error_of_a_sampled_eigenvalue_is_its_error():
    estimator, X, y = fitted("classes")
    whole = hessian_eigenvalues(estimator, X, y)
    found = [
        HessianEigenvalues().evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(100)
    ]
    errors = np.array([part.value - whole.value for part in found])
    assert np.mean([part.stderr**2 for part in found]) == pytest.approx(np.mean(errors**2), rel=0.4)
    assert {part.kind for part in found} == {"estimate"}


def test_ritz_values_bound_the_eigenvalues_from_within():
    task = problem(quadratic(*np.linspace(1, 2, 500) ** 8), np.zeros(500))
    for which, kind in (("largest", "lower_bound"), ("smallest", "upper_bound")):
        measure = HessianEigenvalues(k=3, which=which, max_iter=2)
        with pytest.warns(ConvergenceWarning, match="of 3 eigenvalues"):
            found = measure.evaluate(task)
        assert found.kind == (kind if len(found.samples) else "estimate")


def test_the_hessian_of_a_plane_is_zero():
    plane = quadratic(*np.zeros(100))
    found = HessianEigenvalues(k=3).evaluate(problem(plane, np.ones(100)))
    assert found.table["eigenvalue"].tolist() == [0, 0, 0]


# All eigenvalues


@pytest.mark.parametrize("seed", range(3))
def test_the_density_is_that_of_all_eigenvalues(seed):
    estimator, X, y = fitted("classes")
    dense = dense_eigenvalues("classes")
    found = spectral_density(estimator, X, y, n_probes=20, random_state=seed)
    grid, width = found.table["eigenvalue"], found.protocol["width"]
    true = norm.pdf(grid[:, None], dense, width).mean(axis=1)
    error = np.abs(found.table["density"] - true)
    assert (error <= 3 * found.table["density_stderr"] + 1e-3 * true.max()).mean() > 0.97
    assert abs(found.value - dense.mean()) < 3 * found.stderr
    assert grid[0] < dense[-1] < dense[0] < grid[-1]
    step = grid[1] - grid[0]
    assert found.table["density"].sum() * step == pytest.approx(1, abs=1e-6)


def test_the_density_where_the_krylov_space_is_exhausted_early():
    """Two different eigenvalues, so two Lanczos steps tell all about a probe."""
    task = problem(quadratic(*[3.0] * 10, *[1.0] * 30), np.zeros(40))
    found = SpectralDensity(n_probes=5, width=0.05).evaluate(task)
    grid, density = found.table["eigenvalue"], found.table["density"]
    assert density[grid < 2].sum() * (grid[1] - grid[0]) == pytest.approx(0.75, abs=1e-6)
    assert found.value == pytest.approx(1.5, rel=1e-12)
    assert found.stderr == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("settings", [{"n_points": 20}, {"width": 1e-4}])
def test_the_density_integrates_to_one_on_a_coarse_grid_too(settings):
    table = spectral_density(*fitted("classes"), **settings).table
    step = table["eigenvalue"][1] - table["eigenvalue"][0]
    assert table["density"].sum() * step == pytest.approx(1, abs=1e-5)


def test_probes_of_single_precision_agree_with_double():
    estimator, X, y = fitted("our single precision")
    double = FlatMLPClassifier(measures=None).set_params(**estimator.get_params())
    double.__dict__.update(vars(estimator))
    double.coefs_ = [W.astype(float) for W in estimator.coefs_]
    double.intercepts_ = [b.astype(float) for b in estimator.intercepts_]
    values = [
        spectral_density(each, inputs, y, n_steps=10).value
        for each, inputs in ((estimator, X), (double, X.astype(float)))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


# The gradient's share in the dominant subspace


def test_the_share_of_a_gradient_in_the_sharp_direction():
    """``(1000 x^2 + y^2) / 2``: the gradient is ``(1000 x, y)``."""
    task = problem(quadratic(1000.0, 1.0), (0.1, 1.0))
    found = DominantSubspace(k=1).evaluate(task)
    assert found.value == pytest.approx(100 / np.hypot(100, 1), rel=1e-12)
    whole = DominantSubspace(k=2).evaluate(task)
    assert_allclose(whole.table["share"], [found.value, 1], rtol=1e-12)
    flat = DominantSubspace(k=1).evaluate(problem(quadratic(1000.0, 1.0), (0.0, 1.0)))
    assert flat.value == pytest.approx(0, abs=1e-12)


def test_the_share_is_that_of_the_dense_eigenvectors():
    for name, k in (("classes", 3), ("two classes", 2), ("two outputs", 2)):
        estimator, X, y = fitted(name)
        loss, w = twin(*last_step(estimator, X), y)
        gradient = as_problem(estimator, X, y).objective.loss_gradient(w)[1]
        vectors = np.linalg.eigh(hessian(loss)(w))[1][:, ::-1][:, :k]
        share = np.linalg.norm(vectors.T @ gradient) / np.linalg.norm(gradient)
        found = dominant_subspace(estimator, X, y)
        assert found.protocol["k"] == k
        assert found.value == pytest.approx(share, rel=1e-4)


def test_without_a_gradient_there_is_no_share():
    with pytest.warns(UserWarning, match="The gradient is 0"):
        found = DominantSubspace(k=1).evaluate(problem(quadratic(2.0, 1.0), (0.0, 0.0)))
    assert np.isnan(found.value)


def test_more_eigenvalues_than_parameters_are_all_of_them():
    found = HessianEigenvalues(k=100).evaluate(problem(quadratic(2.0, 1.0), (0.0, 0.0)))
    assert found.table["eigenvalue"].tolist() == [2, 1]
    assert hessian_eigenvalues(*fitted("classes"), k=100).table["eigenvalue"].shape == (51,)


def test_the_rows_and_the_seed_are_in_the_protocol():
    found = hessian_eigenvalues(*fitted("classes"), random_state=7)
    assert found.protocol["seed"] == 7
    assert found.protocol["n_rows"] == len(IRIS) == len(SPECIES)


# The soft rank


def test_the_soft_rank_is_that_of_all_eigenvalues():
    estimator, X, y = fitted("classes, tanh")
    values = dense_eigenvalues("classes, tanh")
    positive = values[values > 0]
    found = soft_rank(estimator, X, y)
    assert found.value == pytest.approx(np.sum(positive / (positive + 1 / 150)), rel=1e-6)
    assert found.kind == "exact"
    assert soft_rank(estimator, X, y, damping=1e-12).value <= len(positive)
    quadratic_rank = SoftRank(damping=1.0).evaluate(problem(quadratic(3.0, 1.0, -2.0), (0, 0, 0)))
    assert quadratic_rank.value == pytest.approx(3 / 4 + 1 / 2, rel=1e-12)


def test_the_estimated_soft_rank_is_unbiased():
    estimator, X, y = fitted("classes, deep")
    exact, settings = soft_rank(estimator, X, y).value, {"n_probes": 4, "n_steps": 15}
    found = [soft_rank(estimator, X, y, **settings, random_state=k) for k in range(20)]
    assert {each.kind for each in found} == {"estimate"}
    values = np.array([each.value for each in found])
    assert abs(values.mean() - exact) < 3 * values.std(ddof=1) / 20**0.5
    assert found[0].samples.mean() == pytest.approx(found[0].value, rel=1e-12)
    assert soft_rank(estimator, X, y, **settings, n_jobs=2).value == found[0].value


@pytest.mark.parametrize("settings", [{}, {"n_probes": 4, "n_steps": 12}], ids=["exact", "drawn"])
def test_the_row_error_of_the_soft_rank_is_that_of_its_first_order_change(settings):
    """Beside differences: the value for the Hessian of all rows and a little of a group's."""
    estimator, X, y = fitted("classes, deep")
    part, whole = sampled(estimator, X, y, 60, 0), as_problem(estimator, X, y)
    rank = SoftRank(damping=0.02, **settings)
    found = rank.evaluate(part)
    alone = rank.evaluate(replace(part, sampled_from=60))
    assert found.stderr > alone.stderr
    assert abs(found.value - rank.evaluate(whole).value) < 4 * found.stderr + 0.5
