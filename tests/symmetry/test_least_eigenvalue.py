"""Factors with the smallest largest eigenvalue, and measurements other than entries."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime, minimize
from toys import problem, traced

import skflat.models.factorization._least_eigenvalue as least_eigenvalue
from skflat import FlatMatrixFactorization
from skflat.measures import HessianEigenvalues, HessianTrace, hessian_eigenvalues
from skflat.symmetry import balance, balance_eigenvalue


def observed(seed, m=6, n=5, k=2, share=0.6):
    """Random factors, and the rows, columns and weights of some entries of their product."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(m, k)), rng.normal(size=(n, k)) @ rng.normal(size=(k, k))
    rows, columns = np.nonzero(rng.random((m, n)) < share)
    return X, Y, (rows, columns, rng.uniform(0.5, 2, len(rows)))


def dense(X, Y, entries):
    """Largest eigenvalue of the Gauss-Newton matrix, from its Jacobian."""
    rows, columns, weight = entries
    units = [np.eye(len(F))[each] for F, each in ((X, rows), (Y, columns))]
    J = np.hstack(
        [
            np.einsum("ea,eb->eab", unit, other[each]).reshape(len(rows), -1)
            for unit, other, each in ((units[0], Y, columns), (units[1], X, rows))
        ]
    )
    return np.linalg.norm(np.sqrt(weight)[:, None] * J, 2) ** 2


@pytest.mark.parametrize("seed", range(3))
def test_no_other_factors_have_a_smaller_eigenvalue(seed):
    X, Y, entries = observed(seed)
    left, right = balance_eigenvalue(X, Y, *entries)
    assert_allclose(left @ right.T, X @ Y.T, atol=1e-12)
    found = dense(left, right, entries)

    def at(flat):
        G = flat.reshape(2, 2)
        return dense(left @ G, np.linalg.solve(G, right.T).T, entries)

    rng = np.random.default_rng(seed)
    starts = [np.eye(2) + 0.3 * rng.normal(size=(2, 2)) for _ in range(3)]
    others = [minimize(at, G.ravel(), method="Nelder-Mead").fun for G in starts]
    assert found <= min(others) * (1 + 2e-3)
    rows, columns, weight = entries
    counts = np.bincount(rows, weight, len(X)), np.bincount(columns, weight, len(Y))
    for pair in (balance(X, Y), balance(X, Y, *counts)):
        assert found <= dense(*pair, entries) * (1 + 1e-12)


def test_a_search_for_few_eigenpairs_finds_what_the_whole_matrix_does(monkeypatch):
    X, Y, entries = observed(0, m=12, n=9)
    whole = balance_eigenvalue(X, Y, *entries)
    monkeypatch.setattr(least_eigenvalue, "DENSE", 10)
    few = balance_eigenvalue(X, Y, *entries)
    assert dense(*few, entries) == pytest.approx(dense(*whole, entries), rel=1e-4)


def test_the_slope_is_that_of_the_norm():
    X, Y, (rows, columns, weight) = observed(1)
    entries = least_eigenvalue._GaussNewton(rows, columns, weight, len(X), len(Y))
    flat = np.array([1.1, 0.2, -0.1, 0.8])
    found = least_eigenvalue._norm_at(flat, entries, X, Y, 32)[1]
    by_hand = approx_fprime(flat, lambda G: least_eigenvalue._norm_at(G, entries, X, Y, 32)[0])
    assert_allclose(found, by_hand, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weight", [None, 2.0])
def test_of_a_whole_matrix_it_is_the_closed_form(weight):
    X, Y, _ = observed(0)
    rows, columns = np.indices((len(X), len(Y))).reshape(2, -1)
    order = np.random.default_rng(0).permutation(len(rows))
    weight = None if weight is None else np.full(len(rows), weight)
    for found in (
        balance_eigenvalue(X, Y),
        balance_eigenvalue(X, Y, rows[order], columns[order], weight),
    ):
        for one, other in zip(found, balance(X, Y), strict=True):
            assert_array_equal(one, other)
    assert balance_eigenvalue(X, Y)[0] is not X


def test_columns_beyond_the_rank_stay_zero():
    X, Y, entries = observed(0)
    wide = [np.hstack([F, np.zeros((len(F), 2))]) for F in (X, Y)]
    left, right = balance_eigenvalue(*wide, *entries)
    assert_allclose(left @ right.T, X @ Y.T, atol=1e-12)
    assert np.linalg.matrix_rank(left) == 2
    zero = balance_eigenvalue(0 * X, 0 * Y, *entries)
    assert not zero[0].any()


def test_rows_need_columns():
    X, Y, (rows, _, weight) = observed(0)
    with pytest.raises(ValueError, match="rows and columns must be given together"):
        balance_eigenvalue(X, Y, rows)
    with pytest.raises(ValueError, match="rows and columns must be given together"):
        balance_eigenvalue(X, Y, weight=weight)


@pytest.mark.parametrize("fit_offsets", [False, True])
def test_the_estimator_returns_them(fit_offsets):
    rng = np.random.default_rng(0)
    M = rng.normal(size=(8, 2)) @ rng.normal(size=(2, 6))
    X = np.argwhere(rng.random(M.shape) < 0.7)
    y = M[tuple(X.T)]
    settings = {"rho": 0.0, "alpha": 1e-6, "fit_offsets": fit_offsets, "random_state": 0}
    fits = {
        name: FlatMatrixFactorization(2, balance=name, measures=None, **settings).fit(X, y)
        for name in ("lambda_max", "frobenius", "trace")
    }
    predicted = [fit.predict(X) for fit in fits.values()]
    assert_allclose(predicted, predicted[:1] * 3, rtol=1e-8, atol=1e-8)
    entries = (*X.T, np.ones(len(X)))
    largest = {name: dense(*fit.factors_, entries) for name, fit in fits.items()}
    assert largest["lambda_max"] <= min(largest.values()) * (1 + 1e-9)
    if not fit_offsets:
        measured = {name: hessian_eigenvalues(fit, X, y).value for name, fit in fits.items()}
        assert measured["lambda_max"] <= min(measured.values()) * (1 + 1e-2)


# Linear measurements ``<A_i, X Y'>``, of which entries are the special case of unit matrices


def sensing(A, M, k):
    """``sum_i <A_i, X Y' - M>^2`` as an objective."""
    m, n = M.shape

    def loss(w):
        difference = w[: m * k].reshape(m, k) @ w[m * k :].reshape(n, k).T - M
        return ((A.reshape(len(A), -1) @ difference.reshape(-1)) ** 2).sum()

    return traced(loss)


def measured(seed, n_measurements=40, m=4, n=3, k=2):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n_measurements, m, n)) / np.sqrt(n_measurements)
    return A, rng.normal(size=(m, k)), rng.normal(size=(n, k))


def flat(X, Y):
    return np.concatenate([X.ravel(), Y.ravel()])


def measured_trace(A, X, Y):
    """``2 sum_i (|A_i Y|^2 + |A_i' X|^2)``, the trace of the Hessian at an exact fit."""
    return 2 * (np.sum((A @ Y) ** 2) + np.sum((A.transpose(0, 2, 1) @ X) ** 2))


def test_of_orthonormal_measurements_everything_is_as_of_all_entries():
    _, X, Y = measured(0)
    A = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))[0].reshape(12, 4, 3)
    toy, entries = sensing(A, X @ Y.T, 2), sensing(np.eye(12).reshape(12, 4, 3), X @ Y.T, 2)
    w = flat(*balance(X, Y))
    for measure in (HessianEigenvalues(), HessianTrace()):
        one, other = (measure.evaluate(problem(each, w)).value for each in (toy, entries))
        assert one == pytest.approx(other, rel=1e-9)
    sigma = np.linalg.norm(X @ Y.T, 2)
    assert HessianEigenvalues().evaluate(problem(toy, w)).value == pytest.approx(
        4 * sigma, rel=1e-9
    )


def test_the_least_trace_under_linear_measurements_is_a_balance_in_other_coordinates():
    """Where ``X' P X = Y' Q Y`` with ``P = sum A_i A_i'`` and ``Q = sum A_i' A_i``."""
    A, X, Y = measured(0)
    P, Q = np.einsum("iab,icb->ac", A, A), np.einsum("iab,iac->bc", A, A)
    roots = [np.linalg.cholesky(each) for each in (P, Q)]
    turned = balance(*(root.T @ F for root, F in zip(roots, (X, Y), strict=True)))
    left, right = (np.linalg.solve(root.T, F) for root, F in zip(roots, turned, strict=True))
    assert_allclose(left @ right.T, X @ Y.T, atol=1e-12)
    assert_allclose(left.T @ P @ left, right.T @ Q @ right, atol=1e-12)
    least = measured_trace(A, left, right)
    toy = sensing(A, X @ Y.T, 2)
    found = HessianTrace().evaluate(problem(toy, flat(left, right))).value
    assert found == pytest.approx(least, rel=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(30):
        G = np.eye(2) + 0.5 * rng.normal(size=(2, 2))
        assert measured_trace(A, left @ G, np.linalg.solve(G, right.T).T) >= least * (1 - 1e-12)
    nuclear = np.linalg.svd(roots[0].T @ X @ Y.T @ roots[1], compute_uv=False).sum()
    assert least == pytest.approx(4 * nuclear, rel=1e-10)
