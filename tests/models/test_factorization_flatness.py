"""The flatness of matrix factorization has a closed form, and the measures agree with it.

The formulas are those of the sum of squares over all entries; the objective is the mean of half of
it, so numbers of the Hessian are multiplied by ``2 m n`` here before they are compared.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import expm
from scipy.optimize import linprog
from test_factorization_model import dense_hessian, full
from toys import descend, problem

from skflat import FlatMatrixFactorization
from skflat.measures import HessianEigenvalues, HessianTrace, LevelSetDistance, MaximalVariation
from skflat.models.factorization import Factorization
from skflat.models.factorization._capabilities import LevelSets
from skflat.objective import Entries, Geometry, HalfSquared, Objective
from skflat.solvers import ALS, SAM, SGD, Settings, TracePenalty, minimize
from skflat.symmetry import balance

SIGMA = np.array([3.0, 1.0])
SCALE = 2 * 4 * 3  # of the sum over the mean
SHARP = np.array([[1.6, 0.5], [0.0, 0.8]])


def bases(m=4, n=3, r=2, seed=0):
    rng = np.random.default_rng(seed)
    return (np.linalg.qr(rng.normal(size=(size, r)))[0] for size in (m, n))


def at(G, sigma=SIGMA, **shape):
    """A matrix with these singular values as an objective, and ``U root G``, ``V root G^-T``."""
    U, V = bases(r=len(sigma), **shape)
    X, Y = U * np.sqrt(sigma) @ G, V * np.sqrt(sigma) @ np.linalg.inv(G).T
    return full((U * sigma) @ V.T, G.shape[1]), X, Y


def flat(X, Y):
    return np.concatenate([X.ravel(), Y.ravel()])


def eigenvalue(objective, w):
    return HessianEigenvalues().evaluate(problem(objective, w))


def trace(objective, w):
    return HessianTrace().evaluate(problem(objective, w))


@pytest.mark.parametrize("G", [np.eye(2), SHARP])
def test_the_spectrum_at_a_minimum_is_that_of_the_factors(G):
    """``2 (a_i + b_j)`` of the eigenvalues of ``XX'`` and ``YY'``, and as many zeros as ``G``."""
    objective, X, Y = at(G)
    found = np.linalg.eigvalsh(dense_hessian(objective, flat(X, Y))) * SCALE
    a, b = (np.linalg.eigvalsh(F @ F.T) for F in (X, Y))
    expected = np.sort(2 * np.add.outer(a, b).ravel())
    assert_allclose(np.sort(found)[-10:], expected[-10:], atol=1e-9)
    assert_allclose(np.sort(found)[:4], 0, atol=1e-9)
    assert expected[-10] > 0.1


@pytest.mark.parametrize(
    ("G", "largest", "expected"),
    [
        (np.eye(2), 12.0, 56.0),
        (np.diag([1.0, 1.4]), 12.0, 57.841633),
        ((4 / 3) ** 0.25 * np.eye(2), 12.1243557, 55.4256258),
        (SHARP, 20.87, 77.52),
    ],
)
def test_largest_eigenvalue_and_trace_of_known_factors(G, largest, expected):
    objective, X, Y = at(G)
    top, total = eigenvalue(objective, flat(X, Y)), trace(objective, flat(X, Y))
    assert top.kind == total.kind == "exact"
    assert top.protocol["method"] == "closed form"
    assert top.value * SCALE == pytest.approx(largest, rel=5e-4 if G is SHARP else 1e-7)
    assert total.value * SCALE == pytest.approx(expected, rel=5e-4 if G is SHARP else 1e-7)
    m_n = 2 * (3 * np.sum(X**2) + 4 * np.sum(Y**2))
    assert total.value * SCALE == pytest.approx(m_n, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_balanced_factors_have_the_least_largest_eigenvalue_and_no_others_less(seed):
    rng = np.random.default_rng(seed)
    objective, X, Y = at(np.eye(2) + 0.5 * rng.normal(size=(2, 2)))
    before = eigenvalue(objective, flat(X, Y)).value * SCALE
    after = eigenvalue(objective, flat(*balance(X, Y))).value * SCALE
    assert after == pytest.approx(4 * SIGMA[0], rel=1e-12)
    assert before >= after - 1e-9


@pytest.mark.parametrize("G", [np.eye(2), np.diag([1.0, 1.4])])
@pytest.mark.parametrize(
    ("r", "variation"), [(0.1, 0.0624744897), (0.5, 1.8218112178), (1.5, 23.0326528819)]
)
def test_the_level_sets_of_spectrally_balanced_factors_are_known(G, r, variation):
    objective, X, Y = at(G)
    w = flat(X, Y)
    found = LevelSetDistance(level=variation / SCALE).evaluate(problem(objective, w))
    assert found.kind == "exact"
    assert found.value == pytest.approx(r, rel=1e-9)
    searched = MaximalVariation(radius=r, max_iter=300).evaluate(problem(objective, w))
    assert searched.value * SCALE == pytest.approx(variation, rel=1e-6)


def test_the_variation_of_trace_flat_factors_is_greater():
    objective, X, Y = at((4 / 3) ** 0.25 * np.eye(2))
    searched = MaximalVariation(radius=0.1).evaluate(problem(objective, flat(X, Y)))
    assert searched.value * SCALE == pytest.approx(0.0630850905, rel=1e-6)


def test_where_the_closed_form_does_not_hold_the_level_set_is_searched_for():
    objective, X, Y = at(SHARP)
    balanced, _, _ = at(np.eye(2))
    searched, exact = (
        LevelSetDistance(level=0.01).evaluate(problem(each, w))
        for each, w in ((objective, flat(X, Y)), (balanced, flat(*balance(X, Y))))
    )
    assert searched.kind == "upper_bound"
    assert searched.value < exact.value


def test_the_search_agrees_with_the_closed_form(monkeypatch):
    objective, X, Y = at(np.eye(2))
    exact = LevelSetDistance(level=0.05).evaluate(problem(objective, flat(X, Y)))
    monkeypatch.setattr(LevelSets, "level_distance", lambda *args: None)
    patient = LevelSetDistance(level=0.05, max_iter=200, tol=1e-10, n_refined=3)
    searched = patient.evaluate(problem(objective, flat(X, Y)))
    assert searched.kind == "upper_bound"
    assert searched.value == pytest.approx(exact.value, rel=1e-6)


@pytest.mark.parametrize("r", [1, 3])
def test_more_components_than_the_rank_change_nothing_at_balanced_minima(r):
    """``U root Q'`` for any orthonormal rows of Q."""
    sigma = np.array([3.0, 2.0, 1.0])[:r]
    U, V = bases(6, 5, r)
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(4, r)))[0]
    X, Y = U * np.sqrt(sigma) @ Q.T, V * np.sqrt(sigma) @ Q.T
    objective, w = full((U * sigma) @ V.T, 4), flat(X, Y)
    assert eigenvalue(objective, w).value * 60 == pytest.approx(12, rel=1e-12)
    assert trace(objective, w).value * 60 == pytest.approx(2 * 11 * sigma.sum(), rel=1e-12)


@pytest.mark.parametrize("G", [np.eye(2), SHARP])
def test_of_a_matrix_of_higher_rank_the_best_approximation_has_a_closed_form_too(G):
    M = np.random.default_rng(3).normal(size=(4, 4))
    u, s, vt = np.linalg.svd(M)
    X, Y = u[:, :2] * np.sqrt(s[:2]) @ G, vt[:2].T * np.sqrt(s[:2]) @ np.linalg.inv(G).T
    objective, w = full(M, 2), flat(X, Y)
    found = eigenvalue(objective, w)
    assert found.protocol["method"] == "closed form"
    dense = np.linalg.eigvalsh(dense_hessian(objective, w))[-1]
    assert found.value == pytest.approx(dense, rel=1e-9)
    if G is not SHARP:
        assert found.value * 32 == pytest.approx(4 * s[0], rel=1e-9)
        assert trace(objective, w).value * 32 == pytest.approx(2 * 8 * s[:2].sum(), rel=1e-12)


def test_where_the_residual_bends_most_it_is_the_closed_form_that_knows():
    """At 0, a stationary point, the curvature is the residual's alone."""
    M = np.random.default_rng(0).normal(size=(4, 3))
    objective, w = full(M, 2), np.zeros(14)
    found = eigenvalue(objective, w).value
    assert found == pytest.approx(np.linalg.eigvalsh(dense_hessian(objective, w))[-1], rel=1e-9)


def test_elsewhere_the_largest_eigenvalue_comes_from_lanczos():
    objective, X, Y = at(SHARP)
    w = flat(X, Y) + 0.1
    found = eigenvalue(objective, w)
    assert "method" not in found.protocol
    assert found.value == pytest.approx(np.linalg.eigvalsh(dense_hessian(objective, w))[-1])


def test_the_least_trace_is_a_multiple_of_the_nuclear_norm():
    objective, X, Y = at(SHARP)
    balanced = balance(X, Y, np.full(4, 3.0), np.full(3, 4.0))
    assert trace(objective, flat(*balanced)).value * SCALE == pytest.approx(4 * np.sqrt(12) * 4)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_flat_near_by_is_flat_everywhere(seed):
    """Along geodesics through the equivalent factors the largest eigenvalue is convex."""
    objective, X, Y = at(SHARP)
    S = np.random.default_rng(seed).normal(size=(2, 2))
    S = S + S.T

    def largest(t):
        return objective.capability(Geometry).largest_curvature(
            flat(X @ expm(t * S), Y @ expm(-t * S))
        )

    values = np.array([largest(t) for t in np.linspace(-0.5, 0.5, 21)])
    assert (values[:-2] + values[2:] - 2 * values[1:-1] > -1e-12).all()
    assert np.ptp(values) > 1e-3


def test_of_symmetric_factorizations_all_minima_are_equally_flat():
    """``|XX' - M|^2``: the same entities on both sides, so it is the sum over ``X = Y``."""
    rng = np.random.default_rng(0)
    d, k = 4, 2
    U = np.linalg.qr(rng.normal(size=(d, k)))[0]
    sigma = np.array([2.0, 0.5])
    M = (U * sigma) @ U.T
    objective = full(M, k)
    for _ in range(3):
        Q = np.linalg.qr(rng.normal(size=(k, k)))[0]
        X = U * np.sqrt(sigma) @ Q
        both = np.vstack([np.eye(d * k), np.eye(d * k)])  # one displacement of both factors
        H = both.T @ dense_hessian(objective, flat(X, X)) @ both * 2 * d * d
        assert np.linalg.eigvalsh(H)[-1] == pytest.approx(8 * sigma[0], rel=1e-9)
        assert np.trace(H) == pytest.approx(4 * (d + 1) * sigma.sum(), rel=1e-9)


# Which minimum a solver picks


def imbalances(objective, w):
    _, _, (X, Y) = objective.model.split(w)
    gram = X.T @ X, Y.T @ Y
    return np.linalg.norm(gram[0] - gram[1]), np.linalg.norm(3 * gram[0] - 4 * gram[1])


def settled(objective, w):
    """Plain descent onto the minimum near by, for the formulas that hold there."""
    return descend(SGD(), objective, w, 1000, learning_rate_init=0.02 * SCALE)


def test_least_squares_under_noise_picks_the_least_trace():
    objective, X, Y = at(SHARP)
    w, _ = minimize(ALS(), objective, flat(X, Y), Settings(rho=0.1, tol=1e-15, max_iter=5000))
    w = settled(objective, w)
    assert trace(objective, w).value * SCALE == pytest.approx(55.4256, abs=0.01)
    assert imbalances(objective, w)[1] < 0.2


def test_descent_on_the_trace_picks_it_too():
    objective, X, Y = at(SHARP)
    few = {"rho": 0.1, "learning_rate_init": 0.5}
    w = settled(objective, descend(TracePenalty("sgd"), objective, flat(X, Y), 2000, **few))
    assert trace(objective, w).value * SCALE == pytest.approx(55.4256, abs=0.01)
    assert imbalances(objective, w)[1] < 0.2


def test_sharpness_aware_descent_picks_the_least_largest_eigenvalue():
    objective, X, Y = at(SHARP)
    start = flat(X, Y) + 1e-3
    w = descend(SAM("sgd"), objective, start, 4000, rho=0.1, learning_rate_init=0.02 * SCALE)
    w = settled(objective, w)
    assert eigenvalue(objective, w).value * SCALE == pytest.approx(12, abs=0.02)
    assert trace(objective, w).value * SCALE > 56.5
    assert imbalances(objective, w)[1] > 3


# The estimator


def fitted(M, **params):
    small = {"rho": 0.0, "alpha": 0.0, "fit_offsets": False, "random_state": 0, "tol": 1e-12}
    return FlatMatrixFactorization(M.shape[1] - 1, **small | params).fit(M)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_balanced_factors_of_an_exact_fit_are_measured_in_closed_form():
    U, V = bases(6, 4, 2)
    M = (U * SIGMA) @ V.T
    sharp, flattest, least_trace = (
        fitted(M, balance=target) for target in (None, "frobenius", "trace")
    )
    assert [m.measurements_["flatness"].kind for m in (sharp, flattest)] == [
        "upper_bound",
        "exact",
    ]
    level = np.var(M) / 20
    expected = np.sqrt(2 * 3 + 2 * np.sqrt(48 * level)) - np.sqrt(2 * 3)
    assert flattest.flatness_ == pytest.approx(expected, rel=1e-7)
    assert sharp.flatness_ < flattest.flatness_
    assert flattest.sharpness_ * 48 == pytest.approx(2 * 10 * 4, rel=1e-6)
    assert least_trace.sharpness_ * 48 == pytest.approx(4 * np.sqrt(24) * 4, rel=1e-6)
    assert np.abs(flattest.conserved_).max() < 1e-12
    assert np.abs(sharp.conserved_).max() > 1e-3
    for model in (flattest, least_trace):
        same = model.row_factors_ @ model.components_
        assert_allclose(same, sharp.row_factors_ @ sharp.components_, atol=1e-12)


def observations(seed=0, n=120, noise=0.1):
    rng = np.random.default_rng(seed)
    M = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 12))
    X = np.argwhere(rng.random(M.shape) < n / M.size)
    return X, M[tuple(X.T)] + noise * rng.normal(size=len(X))


def test_the_trace_counts_observations():
    X, y = observations()
    model = FlatMatrixFactorization(3, random_state=0).fit(X, y)
    rows, columns = (
        np.bincount(codes, minlength=n) for codes, n in zip(X.T, (20, 12), strict=True)
    )
    squares = rows @ (model.row_factors_**2).sum(axis=1)
    squares += columns @ (model.column_factors_**2).sum(axis=1)
    assert model.measurements_["sharpness"].kind == "exact"
    assert model.sharpness_ == pytest.approx(3 + squares / len(y), rel=1e-12)


@pytest.mark.parametrize("fit_offsets", [False, True])
def test_open_values_of_unseen_entries_are_those_of_linear_programs(fit_offsets):
    X, y = observations()
    model = FlatMatrixFactorization(3, fit_offsets=fit_offsets, random_state=0, alpha=0.1)
    model.fit(X, y)
    found = model.measurements_["weakness"]
    codes, values, _ = model.observations(X, y)
    rng = np.random.default_rng(np.random.RandomState(model._measure_seed).randint(2**31))
    objective = Objective(Factorization((20, 12), 3), HalfSquared(), codes, values[:, None])
    entries = objective.capability(Entries).unseen(10, rng)
    fitted_values = model.predict(X)
    edges = np.quantile(y, np.linspace(0, 1, 11)[1:-1])
    width, shares = 0.1 * y.std(), []
    for i, j in entries:
        rows = codes[:, 1] == j
        A, goal = model.row_factors_[codes[rows, 0]], model.row_factors_[i]
        base, rest = np.zeros(rows.sum()), 0.0
        if fit_offsets:
            A, goal = np.column_stack([A, np.ones(len(A))]), np.append(goal, 1)
            base = model.intercept_ + model.row_offsets_[codes[rows, 0]]
            rest = model.intercept_ + model.row_offsets_[i]
        middle = fitted_values[rows] - base
        A, b = np.vstack([A, -A]), np.concatenate([middle + width, width - middle])
        ends = []
        for sign in (1, -1):
            program = linprog(sign * goal, A_ub=A, b_ub=b, bounds=(None, None))
            ends.append(rest + sign * (program.fun if program.status == 0 else -np.inf))
        first, last = np.searchsorted(edges, ends)
        shares.append((last - first + 1) / 10)
    assert_allclose(found.samples, shares)
    assert 0.1 < found.value < 1


def test_weakness_is_the_same_for_all_factors_with_the_same_product():
    X, y = observations()
    few = {"alpha": 0.1, "random_state": 0, "fit_offsets": False}
    values = [
        FlatMatrixFactorization(3, balance=target, **few).fit(X, y).weakness_
        for target in (None, "frobenius", "trace")
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-12)
    assert values[0] == pytest.approx(values[2], abs=1e-12)


def test_more_components_leave_more_open():
    X, y = observations()
    weaker = [
        FlatMatrixFactorization(k, alpha=0.1, random_state=0).fit(X, y).weakness_ for k in (1, 6)
    ]
    assert weaker[0] < weaker[1]


def test_a_sample_is_an_estimate():
    X, y = observations()
    model = FlatMatrixFactorization(3, measure_max_samples=50, random_state=0).fit(X, y)
    kinds = {name: each.kind for name, each in model.measurements_.items()}
    assert kinds == {"sharpness": "exact", "flatness": "estimate", "weakness": "estimate"}
    assert model.measurements_["flatness"].protocol["n_rows"] == 50
    assert model.measurements_["sharpness"].protocol["n_rows"] == len(y)
