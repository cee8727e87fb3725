"""Draws from the posterior of a factorization."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skflat.models.factorization import Factorization
from skflat.models.factorization._gibbs import GibbsSweeps, draw_prior
from skflat.objective import Batch

K = 2


def chain_of(model, X, y, weight=None, rho=0.0):
    batch = Batch(X, y[:, None], weight)
    return GibbsSweeps(model, batch, rho, seed=0), model.init(np.random.RandomState(0), batch)


def small_chain(fit_offsets=True, sizes=(6, 5), **kwargs):
    rng = np.random.default_rng(1)
    X = np.array([rng.integers(size, size=60) for size in sizes]).T
    return chain_of(Factorization(sizes, K, fit_offsets), X, rng.normal(size=60), **kwargs)


@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_draws_given_all_else_have_the_posterior_mean_and_covariance(rho):
    n_users, n_items, rng = 20_000, 3, np.random.default_rng(0)
    X = np.column_stack([np.repeat(np.arange(n_users), n_items), np.tile(range(n_items), n_users)])
    targets, weights = np.array([1.0, -0.5, 2.0]), np.array([1.0, 2.0, 0.5])
    y, weight = np.tile(targets, n_users), np.tile(weights, n_users)
    model = Factorization((n_users, n_items), K)
    chain, w = chain_of(model, X, y, weight, rho)
    intercept, offsets, factors = model.split(w)
    factors[1][:], offsets[1][:], intercept[:] = rng.normal(size=(3, K)), [0.3, -0.2, 0.1], 0.2
    chain.variance, mean = 0.4, np.array([0.5, -1.0, 0.2])
    precision = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 3.0]])
    chain.prior = mean, np.linalg.cholesky(precision)

    chain.respond(w, 0)
    drawn = np.column_stack([factors[0], offsets[0]])

    S = np.column_stack([factors[1], np.ones(3)])
    A = S.T @ (weights[:, None] * S) / chain.variance + precision
    A[:K, :K] += rho**2 * weights.sum() / chain.variance * np.eye(K)
    b = S.T @ (weights * (targets - intercept - offsets[1])) / chain.variance + precision @ mean
    covariance = np.linalg.inv(A)
    if rho == 0:  # else noise on the targets is not all of the spread
        assert_allclose(np.cov(drawn.T), covariance, atol=5 * covariance.max() / np.sqrt(n_users))
    spread = np.sqrt(np.diag(covariance) / n_users)
    assert (np.abs(drawn.mean(axis=0) - covariance @ b) < 4 * spread).all()


def test_the_prior_of_many_points_is_their_distribution():
    rng = np.random.default_rng(0)
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    points = rng.multivariate_normal(mean, covariance, size=200_000)
    drawn_mean, root = draw_prior(points, rng)
    assert_allclose(drawn_mean, mean, atol=0.02)
    assert_allclose(root @ root.T, np.linalg.inv(covariance), rtol=0.02, atol=0.01)


def test_the_prior_of_one_point_has_the_moments_of_the_normal_wishart_distribution():
    rng, point = np.random.default_rng(0), np.array([[3.0, 0.0]])
    drawn = [draw_prior(point, rng) for _ in range(4000)]
    # The scatter is 1 + 3^2 / 2 in the first direction. There are 1 + 2 degrees of freedom.
    precision = np.mean([root @ root.T for _, root in drawn], axis=0)
    assert_allclose(precision, np.diag([3 / 5.5, 3.0]), atol=0.15)
    assert_allclose(np.median([each[0] for each in drawn], axis=0), [1.5, 0.0], atol=0.1)


@pytest.mark.parametrize("fit_offsets", [True, False])
@pytest.mark.parametrize("sizes", [(6, 5), (6, 5, 4)])
def test_the_mean_of_draws_has_their_mean_scores(fit_offsets, sizes):
    chain, w = small_chain(fit_offsets, sizes)
    codes, scores = np.argwhere(np.ones(sizes)), []
    for _ in range(4):
        chain.sweep(w)
        scores.append(chain.model.scores(w, codes))
        chain.keep(w)
    mean, _ = chain.mean()
    wider = chain.model.holding(mean)
    assert wider.n_components == 4 * K
    assert_allclose(wider.scores(mean, codes), np.mean(scores, axis=0), rtol=1e-10, atol=1e-12)


def test_the_factors_kept_have_mean_0_and_one_size():
    chain, w = small_chain()
    chain.sweep(w)
    before = w.copy()
    chain.keep(w)
    assert_array_equal(w, before)  # the chain goes on from where it was
    mean, ridge = chain.mean()
    _, offsets, factors = chain.model.split(mean)
    for each in (*offsets, *factors):
        assert_allclose(each.mean(axis=0), 0, atol=1e-12)
    assert_allclose(factors[0].T @ factors[0] / 6, factors[1].T @ factors[1] / 5, atol=1e-12)
    assert_allclose(ridge, chain.variance / np.mean(factors[0] ** 2))


def test_a_chain_is_repeated_to_the_bit_and_another_seed_is_another_chain():
    (first, w), (second, v), (third, u) = small_chain(), small_chain(), small_chain()
    third.seed = 1
    for chain, point in ((first, w), (second, v), (third, u)):
        chain.sweep(point)
        chain.sweep(point)
    assert_array_equal(w, v)
    assert np.abs(w - u).max() > 0.1


def test_the_noise_is_found():
    rng = np.random.default_rng(0)
    X = np.argwhere(rng.random((150, 60)) < 0.5)
    left, right = rng.normal(size=(150, K)), rng.normal(size=(60, K))
    y = np.einsum("ik,ik->i", left[X[:, 0]], right[X[:, 1]]) + 0.5 * rng.normal(size=len(X))
    chain, w = chain_of(Factorization((150, 60), K), X, y)
    variances = []
    for _ in range(60):
        chain.sweep(w)
        variances.append(chain.variance)
    assert_allclose(np.mean(variances[30:]), 0.25, rtol=0.05)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_without_noise_keep_the_chain_finite(dtype):
    X = np.argwhere(np.ones((8, 4)))
    y = (np.arange(8)[:, None] * np.array([1.0, -1, 2, 0]) / 4).ravel().astype(dtype)
    chain, w = chain_of(Factorization((8, 4), K), X, y)
    for _ in range(60):
        loss = chain.sweep(w)
    assert np.isfinite(w).all()
    assert w.dtype == dtype
    assert loss < 0.01
