"""Balancing keeps the product, and its result has the least norm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skflat.symmetry import balance, balancing_flow, conserved

each_seed = pytest.mark.parametrize("seed", range(3))


def factors(seed, m=7, n=5, k=3, rank=None):
    """A random pair, of less than full rank if asked for."""
    rng = np.random.default_rng(seed)
    if rank is None:
        return rng.normal(size=(m, k)), rng.normal(size=(n, k)) @ rng.normal(size=(k, k))
    left, right = rng.normal(size=(m, rank)), rng.normal(size=(n, rank))
    return left @ rng.normal(size=(rank, k)), right @ rng.normal(size=(rank, k))


@each_seed
@pytest.mark.parametrize("rank", [None, 1, 2])
def test_balanced_factors_have_the_same_product_and_equal_gram_matrices(seed, rank):
    X, Y = factors(seed, rank=rank)
    left, right = balance(X, Y)
    assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-12)
    assert np.linalg.norm(conserved(left, right)) < 1e-12
    assert left.shape == X.shape
    assert right.shape == Y.shape


@each_seed
def test_balanced_factors_have_the_least_sum_of_squares(seed):
    """Twice the nuclear norm of the product."""
    X, Y = factors(seed)
    left, right = balance(X, Y)
    nuclear = np.linalg.svd(X @ Y.T, compute_uv=False).sum()
    assert np.sum(left**2) + np.sum(right**2) == pytest.approx(2 * nuclear, rel=1e-12)


@each_seed
@pytest.mark.parametrize("rank", [None, 2])
def test_weights_balance_what_they_weigh(seed, rank):
    X, Y = factors(seed, rank=rank)
    rng = np.random.default_rng(seed)
    p, q = rng.uniform(0.5, 3, size=len(X)), rng.uniform(0.5, 3, size=len(Y))
    left, right = balance(X, Y, p, q)
    assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-12)
    assert_allclose(left.T * p @ left, right.T * q @ right, atol=1e-12)
    weighted = np.sqrt(p)[:, None] * (X @ Y.T) * np.sqrt(q)
    least = 2 * np.linalg.svd(weighted, compute_uv=False).sum()
    assert p @ (left**2).sum(axis=1) + q @ (right**2).sum(axis=1) == pytest.approx(least, rel=1e-12)


def test_with_the_numbers_of_columns_and_rows_the_trace_is_least():
    X, Y = factors(0, m=4, n=3, k=2)
    left, right = balance(X, Y, np.full(4, 3.0), np.full(3, 4.0))
    assert_allclose(3 * left.T @ left, 4 * right.T @ right, atol=1e-12)
    nuclear = np.linalg.svd(X @ Y.T, compute_uv=False).sum()
    trace = 2 * (3 * np.sum(left**2) + 4 * np.sum(right**2))
    assert trace == pytest.approx(4 * np.sqrt(12) * nuclear, rel=1e-12)


def test_what_weighs_nothing_follows():
    X, Y = factors(1)
    p, q = np.ones(len(X)), np.ones(len(Y))
    p[2] = q[0] = 0
    left, right = balance(X, Y, p, q)
    assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-12)
    assert_allclose(left.T * p @ left, right.T * q @ right, atol=1e-12)


def test_more_components_than_rows_and_columns_will_do():
    X, Y = factors(0, m=2, n=3, k=6)
    left, right = balance(X, Y)
    assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-12)
    assert not left[:, 2:].any()


def test_zeros_stay_zeros():
    left, right = balance(np.zeros((3, 2)), np.ones((4, 2)))
    assert not left.any()
    assert not right.any()


def test_balancing_keeps_single_precision_and_the_factors_given():
    X, Y = (F.astype(np.float32) for F in factors(0))
    kept = X.copy(), Y.copy()
    left, right = balance(X, Y, np.ones(len(X), np.float32))
    assert left.dtype == right.dtype == np.float32
    assert_array_equal(X, kept[0])
    assert_array_equal(Y, kept[1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(-8, 8), st.integers(1, 5))
def test_however_unequal_the_factors_the_product_stays(seed, exponent, k):
    X, Y = factors(seed, k=k)
    X, Y = X * 10**exponent, Y / 10**exponent
    left, right = balance(X, Y)
    assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-11 * np.abs(X @ Y.T).max())
    assert np.linalg.norm(conserved(left, right)) < 1e-11 * np.sum(left**2)


# The flow


def sharp_factors():
    """Singular values 3 and 1, not balanced: largest eigenvalue 20.87."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(n, 2)))[0] for n in (4, 3))
    root, G = np.sqrt([3.0, 1.0]), np.array([[1.6, 0.5], [0.0, 0.8]])
    return U * root @ G, V * root @ np.linalg.inv(G).T


def largest_eigenvalue(X, Y):
    return 2 * (np.linalg.norm(X, 2) ** 2 + np.linalg.norm(Y, 2) ** 2)


def test_the_flow_flattens_monotonically_to_the_balanced_factors():
    X, Y = sharp_factors()
    path = [(X, Y), *balancing_flow(X, Y, n_steps=2000)]
    eigenvalues = [largest_eigenvalue(*pair) for pair in path]
    norms = [np.sum(X**2) + np.sum(Y**2) for X, Y in path]
    assert eigenvalues[0] == pytest.approx(20.87, abs=5e-3)
    for values, end in ((eigenvalues, 12.0), (norms, 8.0)):
        assert (np.diff(values) < 1e-12).all()
        assert values[-1] == pytest.approx(end, rel=1e-10)
    for left, right in path[::100]:
        assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-12)
    assert np.linalg.norm(conserved(*path[-1])) < 1e-10


def test_the_scaled_flow_leads_to_the_least_trace():
    X, Y = sharp_factors()
    *_, (left, right) = balancing_flow(X, Y, n_steps=2000, row_scale=3.0, column_scale=4.0)
    assert_allclose(left @ right.T, X @ Y.T, rtol=0, atol=1e-12)
    trace = 2 * (3 * np.sum(left**2) + 4 * np.sum(right**2))
    assert trace == pytest.approx(16 * np.sqrt(12), rel=1e-10)


def test_the_flow_and_the_single_step_differ_by_a_rotation():
    X, Y = sharp_factors()
    *_, (left, right) = balancing_flow(X, Y, n_steps=2000)
    once = balance(X, Y)
    assert_allclose(left @ left.T, once[0] @ once[0].T, atol=1e-9)
    assert_allclose(right @ right.T, once[1] @ once[1].T, atol=1e-9)


def test_gradient_descent_keeps_what_is_conserved_up_to_its_step():
    X, Y = sharp_factors()
    M = np.random.default_rng(1).normal(size=(4, 3))
    before, drift = conserved(X, Y), []
    for step, n_steps in ((1e-3, 300), (5e-4, 600)):
        left, right = X.copy(), Y.copy()
        for _ in range(n_steps):
            E = 2 * (left @ right.T - M)
            left, right = left - step * E @ right, right - step * E.T @ left
        drift.append(np.linalg.norm(conserved(left, right) - before))
    assert drift[0] < 0.02 * np.linalg.norm(before)
    assert drift[1] / drift[0] == pytest.approx(0.5, abs=0.1)
