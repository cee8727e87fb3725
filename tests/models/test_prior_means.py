"""Factorizations with side features, compared with dense versions of the same objective."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import approx_fprime

from skflat.models.factorization import Factorization, ImplicitFactorization, SideFeatures
from skflat.models.factorization._features import Ridge
from skflat.objective import Batch, HalfSquared, Objective

ALPHA, TAU, RHO = (0.7, 1.3), 0.4, 0.2
SIZES, K = (7, 6), 2
RNG = np.random.default_rng(0)
TABLES = [RNG.normal(size=(7, 3)), RNG.normal(size=(6, 2))]
each_model = pytest.mark.parametrize("implicit", [False, True])


def batch(implicit=False, cold=(), n=30, seed=1):
    rng = np.random.default_rng(seed)
    X = np.argwhere(np.ones(SIZES, bool))
    X = rng.permutation(X)[:n]
    X = X[~np.isin(X[:, 1], cold)]
    y = rng.normal(size=(len(X), 1))
    return Batch(X, np.abs(y) if implicit else y, None if implicit else rng.uniform(0.5, 2, len(X)))


def model_of(implicit=False, tables=TABLES, **params):
    make = ImplicitFactorization if implicit else Factorization
    return make(SIZES, K, features=SideFeatures(tables, TAU, **params))


def swept(model, data, n_sweeps, seed=0, **params):
    alternation = model.alternates(model, data, ALPHA, RHO, **params)
    w = model.init(np.random.RandomState(seed), data)
    return alternation, w, [alternation.sweep(w) for _ in range(n_sweeps)]


def penalty_by_hand(model, w, coefficients, observed):
    """The penalty at the top of `_features.py`, entity by entity."""
    _, offsets, factors = model.split(w)
    total = 0.0
    for c, (table, W) in enumerate(zip(TABLES, coefficients, strict=True)):
        for code in observed[c]:
            total += ALPHA[0] * np.sum((factors[c][code] - W[:, :K].T @ table[code]) ** 2)
            if offsets is not None:
                total += ALPHA[1] * (offsets[c][code] - W[:, K] @ table[code]) ** 2
        total += TAU * (ALPHA[0] * np.sum(W[:, :K] ** 2) + ALPHA[1] * np.sum(W[:, K:] ** 2))
    return total


def loss_by_hand(model, w, data, implicit):
    """The mean loss without penalty, and the increase by noise, from all entries."""
    if not implicit:
        loss = Objective(model, HalfSquared(), data.X, data.y, data.weight).loss(w)
        return loss + model.noise_loss(w, RHO, data), data.total_weight
    excess = np.zeros(SIZES)
    excess[tuple(data.X.T)] = data.y[:, 0]
    X, Y = model.split(w)[2]
    squares, W = ((excess > 0) - X @ Y.T) ** 2, 1 + excess
    norms = (X**2).sum(axis=1)[:, None] + (Y**2).sum(axis=1)
    return np.sum(W * (squares + RHO**2 * norms + K * RHO**4)) / (2 * W.sum()), W.sum()


@each_model
def test_a_sweep_returns_the_expected_loss_with_the_penalty_of_the_distances(implicit):
    model, data = model_of(implicit), batch(implicit)
    alternation, w, losses = swept(model, data, 3)
    loss, total = loss_by_hand(model, w, data, implicit)
    found = [alternation.prior_means.coefficients[c] for c in (0, 1)]
    observed = [np.unique(data.X[:, c]) for c in (0, 1)]
    penalty = penalty_by_hand(model, w, found, observed)
    assert_allclose(losses[-1], loss + penalty / (2 * total), rtol=1e-12)


@each_model
def test_no_sweep_raises_it_and_the_end_is_a_stationary_point(implicit):
    model, data = model_of(implicit), batch(implicit)
    alternation, w, losses = swept(model, data, 200)
    assert np.diff(losses).max() < 1e-14
    n_coefficients = [(table.shape[1], K + model.fit_offsets) for table in TABLES]
    sizes = [p * m for p, m in n_coefficients]

    def objective(v):
        parts = np.split(v[len(w) :], np.cumsum(sizes)[:1])
        found = [part.reshape(shape) for part, shape in zip(parts, n_coefficients, strict=True)]
        loss, total = loss_by_hand(model, v[: len(w)], data, implicit)
        observed = [np.unique(data.X[:, c]) for c in (0, 1)]
        return loss + penalty_by_hand(model, v[: len(w)], found, observed) / (2 * total)

    v = np.concatenate([w, *(np.ravel(alternation.prior_means.coefficients[c]) for c in (0, 1))])
    start = np.concatenate([model.init(np.random.RandomState(0), data), v[len(w) :]])
    slopes = [np.abs(approx_fprime(each, objective, 1e-7)).max() for each in (start, v)]
    assert slopes[1] < 1e-4 * slopes[0]


def test_its_expected_loss_is_the_mean_of_losses_under_noise():
    model, data = model_of(), batch()
    alternation, w, losses = swept(model, data, 3)
    observed = [np.unique(data.X[:, c]) for c in (0, 1)]
    found = [alternation.prior_means.coefficients[c] for c in (0, 1)]
    plain = Objective(model, HalfSquared(), data.X, data.y, data.weight)
    rng, drawn = np.random.default_rng(0), []
    for noise in RHO * rng.standard_normal((1000, len(w))):
        penalty = penalty_by_hand(model, w + noise, found, observed)
        drawn.append(plain.loss(w + noise) + penalty / (2 * data.total_weight))
    constant = RHO**2 * sum(len(each) for each in observed) * (ALPHA[0] * K + ALPHA[1])
    expected = losses[-1] + constant / (2 * data.total_weight)
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - expected) < 4 * error


@each_model
@pytest.mark.parametrize("n_steps", [None, 50])
def test_features_of_zeros_change_nothing(implicit, n_steps):
    params = {"n_steps": n_steps} if implicit and n_steps else {}
    zeros = [np.zeros((7, 3)), None]
    data, make = batch(implicit), ImplicitFactorization if implicit else Factorization
    _, w, losses = swept(model_of(implicit, zeros), data, 5, **params)
    _, plain, expected = swept(make(SIZES, K), data, 5, **params)
    assert_allclose(w, plain, rtol=1e-12, atol=1e-14)
    assert_allclose(losses, expected, rtol=1e-12)


def test_conjugate_gradients_draw_to_the_same_means():
    model, data = model_of(True), batch(True)
    _, exact, losses = swept(model, data, 20)
    _, w, found = swept(model, data, 20, n_steps=10)
    assert_allclose(w, exact, rtol=1e-6, atol=1e-9)
    assert_allclose(found, losses, rtol=1e-9)


def test_what_has_no_observations_gets_its_prior_mean():
    model, data = model_of(), batch(cold=[2, 5])
    alternation, w, _ = swept(model, data, 4)
    _, offsets, factors = model.split(w)
    means = TABLES[1] @ alternation.prior_means.coefficients[1]
    assert_allclose(factors[1][[2, 5]], means[[2, 5], :K], rtol=1e-12)
    assert_allclose(offsets[1][[2, 5]], means[[2, 5], K], rtol=1e-12)
    assert np.abs(factors[1][[2, 5]]).min() > 0
    # Nothing else depends on them.
    others = [TABLES[0], np.where(np.isin(np.arange(6), [2, 5])[:, None], 9.0, TABLES[1])]
    _, there, _ = swept(model_of(tables=others), data, 4)
    assert_allclose(model.split(there)[2][0], factors[0], rtol=1e-12)


# --- the ridge regression ---


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shape", [(30, 7), (7, 30)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_both_normal_equations_and_conjugate_gradients_agree(convert, shape, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    Z, B = rng.normal(size=shape).astype(dtype), rng.normal(size=(shape[0], 3)).astype(dtype)
    expected = np.linalg.solve(Z.T @ Z + TAU * np.eye(shape[1]), Z.T @ B)
    found = Ridge(convert(Z), TAU).solve(B)
    assert found.dtype == dtype
    assert_allclose(found, expected, rtol=0, atol=1e3 * np.finfo(dtype).eps)
    monkeypatch.setattr("skflat.models.factorization._features.LARGEST_DIRECT", 0)
    iterated = Ridge(convert(Z), TAU).solve(B)
    assert iterated.dtype == dtype
    assert_allclose(iterated, expected, rtol=0, atol=2e-4)
    again = Ridge(convert(Z), TAU).solve(B, start=iterated)
    assert_allclose(again, expected, rtol=0, atol=2e-4)


def test_without_rows_all_coefficients_are_0():
    assert_array_equal(Ridge(np.zeros((0, 3)), TAU).solve(np.zeros((0, 2))), np.zeros((3, 2)))
