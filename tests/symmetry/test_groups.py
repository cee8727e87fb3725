"""Linear networks, factorizations, logistic and tanh units: what acts on each, and how far."""

from itertools import product

import numpy as np
import pytest
from fitted import OURS, fitted
from numpy.testing import assert_allclose, assert_array_equal

from skflat import FlatMatrixFactorization, FlatMLPRegressor
from skflat.measures import hessian_eigenvalues, hessian_trace, orbit_trace
from skflat.problems import as_problem, moved
from skflat.symmetry import flatten, flattening_flow, rescale, sharpen, teleport

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def trace(estimator, X, y):
    return hessian_trace(estimator, X, y).value


def turned(estimator, seed=0, size=0.7):
    """Another point of the orbit."""
    rng = np.random.default_rng(seed)

    def change(model, w):
        symmetry = model.symmetry
        return symmetry.moved(w, size * rng.normal(size=symmetry.n_coordinates()))

    return moved(estimator, change)


# Linear networks


@pytest.mark.parametrize("criterion", ["trace", "norm"])
def test_linear_networks_have_one_least_value_from_all_points_of_the_orbit(criterion):
    estimator, X, y = fitted("classes, identity")

    def value(each):
        if criterion == "trace":
            return trace(each, X, y)
        return sum(np.sum(array**2) for array in each.coefs_ + each.intercepts_)

    points = [estimator, *(turned(estimator, seed) for seed in range(4))]
    ends = [flatten(each, X, y, criterion=criterion) for each in points]
    for point, end in zip(points, ends, strict=True):
        assert_allclose(point.predict_proba(X), estimator.predict_proba(X), rtol=1e-9)
        assert_allclose(end.predict_proba(X), point.predict_proba(X), rtol=1e-9)
        assert value(end) == pytest.approx(value(ends[0]), rel=1e-7)
        assert value(end) < value(point)
    for seed in range(10):
        assert value(turned(ends[0], seed, 0.05)) > value(ends[0]) * (1 - 1e-9)


SIGMA = np.array([2.0, 1.0, 0.5])


def deep_linear():
    """Three linear layers with the product ``diag(2, 1, .5)``, at an exact fit of all inputs."""
    X, rng = np.eye(3), np.random.default_rng(0)
    reg = FlatMLPRegressor(hidden_layer_sizes=(3, 3), activation="identity", **OURS)
    reg.set_params(max_iter=1).fit(X, np.diag(SIGMA))
    G, H = (np.eye(3) + 0.3 * rng.normal(size=(3, 3)) for _ in range(2))
    reg.coefs_ = [G, np.linalg.solve(G, np.diag(SIGMA)) @ H, np.linalg.inv(H)]
    reg.intercepts_ = [np.zeros(3) for _ in range(3)]
    return reg, X, np.diag(SIGMA)


def test_balanced_linear_networks_have_the_spectrum_of_the_notes():
    """Of the weights; ours is a sixth of the sum of squares, and has intercepts besides."""
    reg, X, y = deep_linear()
    flat = flatten(reg, X, y, criterion="norm")
    assert_allclose(flat.predict(X), y, atol=1e-10)
    problem = as_problem(flat, X, y)
    times, size = problem.objective.hessian_products(problem.w), len(problem.w)
    H = np.array([times(unit) for unit in np.eye(size)])[:27, :27]
    found = np.sort(np.linalg.eigvalsh(6 * H))[::-1][:9]
    wanted = [
        2 * sum(a ** (2 * (3 - i) / 3) * b ** (2 * (i - 1) / 3) for i in (1, 2, 3))
        for a, b in product(SIGMA, SIGMA)
    ]
    assert_allclose(found, np.sort(wanted)[::-1], rtol=1e-8)
    assert found[0] == pytest.approx(6 * 2 ** (4 / 3), rel=1e-8)
    assert found.sum() == pytest.approx(67.7031394, rel=1e-8)


# Factorizations


def factorized(weights=False):
    """A fitted complete matrix of 4 x 3, its rows and its entries."""
    rng = np.random.default_rng(0)
    M = rng.normal(size=(4, 2)) @ rng.normal(size=(2, 3))
    rows = np.array(list(product(range(4), range(3))))
    model = FlatMatrixFactorization(
        2, alpha=1e-9, rho=0, fit_offsets=False, random_state=0, measures=None
    ).fit(rows, M.ravel())
    return model, rows, M


def test_factorizations_end_at_the_closed_forms():
    model, rows, M = factorized()
    start = turned(model)
    nuclear, largest = np.linalg.norm(M, "nuc"), np.linalg.norm(M, 2)
    flat = flatten(start, rows, M.ravel())
    assert_allclose(flat.predict(rows), model.predict(rows), rtol=1e-10)
    # Ours is the mean of half the square: the sum of squares divided by 2 m n.
    assert trace(flat, rows, M.ravel()) == pytest.approx(4 * 12**0.5 * nuclear / 24, rel=1e-6)
    balanced = flatten(start, rows, M.ravel(), criterion="lambda_max")
    found = hessian_eigenvalues(balanced, rows, M.ravel()).value
    assert found == pytest.approx(4 * largest / 24, rel=1e-5)
    values = [orbit_trace(each, rows, M.ravel()).value for each in (model, start)]
    assert values[0] == pytest.approx(values[1], rel=1e-8)
    way = [trace(each, rows, M.ravel()) for each in flattening_flow(start, rows, M.ravel())]
    assert (np.diff(way) <= 1e-12).all()


# Logistic and tanh units


def test_logistic_units_are_flipped_where_that_lowers_the_trace():
    """Against all 32 patterns of flips."""
    estimator, X, y = fitted("classes, logistic")
    flat = flatten(estimator, X, y)
    assert_allclose(flat.predict_proba(X), estimator.predict_proba(X), rtol=1e-12)
    values = [
        trace(moved(estimator, lambda model, w, f=f: model.symmetry.moved(w, np.array(f))), X, y)
        for f in product((0.0, 1.0), repeat=5)
    ]
    assert trace(flat, X, y) == pytest.approx(min(values), rel=1e-12)
    assert orbit_trace(estimator, X, y).value == trace(flat, X, y)
    with pytest.raises(ValueError, match="criterion must be one of"):
        flatten(estimator, X, y, criterion="norm")


def test_tanh_units_have_isometries_alone():
    estimator, X, y = fitted("classes, tanh")
    flat = flatten(estimator, X, y)
    for one, two in zip(flat.coefs_, estimator.coefs_, strict=True):
        assert_array_equal(one, two)
    with pytest.raises(ValueError, match="signs of hidden units"):
        sharpen(estimator, X, y)


# Up, and anywhere


@pytest.mark.parametrize("name", ["classes, deep", "classes, identity", "two outputs"])
@pytest.mark.parametrize("factor", [1.0, 3.0, 1e4])
def test_sharpen_makes_it_exactly_so_many_times_as_sharp(name, factor):
    estimator, X, y = fitted(name)
    sharp = sharpen(estimator, X, y, factor=factor)
    assert trace(sharp, X, y) == pytest.approx(factor * trace(estimator, X, y), rel=1e-6)
    predict = "predict_proba" if hasattr(estimator, "predict_proba") else "predict"
    found, wanted = (getattr(each, predict)(X) for each in (sharp, estimator))
    assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("factor", [0.5, np.nan])
def test_sharpen_does_not_flatten(factor):
    estimator, X, y = fitted("classes")
    with pytest.raises(ValueError, match=f"factor must be at least 1, got {factor}"):
        sharpen(estimator, X, y, factor=factor)


def test_teleport_finds_what_flatten_knows():
    estimator, X, y = fitted("classes")
    estimator = rescale(estimator, [[3, 1, 0.5, 4, 1, 1]])
    found = teleport(estimator, lambda each: trace(each, X, y), max_evals=300)
    assert trace(found, X, y) == pytest.approx(trace(flatten(estimator, X, y), X, y), rel=1e-4)
    flips = teleport(fitted("classes, logistic")[0], lambda each: trace(each, X, y), max_evals=300)
    assert trace(flips, X, y) == pytest.approx(
        trace(flatten(fitted("classes, logistic")[0], X, y), X, y), rel=1e-12
    )


def test_teleport_keeps_to_its_budget():
    calls = []
    teleport(fitted("classes")[0], lambda each: calls.append(0) or 0.0, max_evals=7)
    assert len(calls) == 7
    with pytest.raises(ValueError, match="criterion must be callable, got 'trace'"):
        teleport(fitted("classes")[0], "trace")


def test_what_a_fit_has_not_seen_cannot_be_moved():
    model, rows, M = factorized()
    with pytest.raises(ValueError, match="that the fit has not seen"):
        flatten(model, np.vstack([rows, [[9, 9]]]), np.append(M.ravel(), 1.0))
