"""Implicit feedback: preferences of all pairs, weighted by counts."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatMatrixFactorization
from skflat.measures import hessian_trace
from skflat.models.factorization import ImplicitFactorization
from skflat.objective import Batch, NotDefinedError
from skflat.solvers import ALS

SIZES, K, C = (9, 7), 3, 2.0
SMALL = {"n_components": K, "feedback": "implicit", "confidence": C, "random_state": 0}
RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(0.6, SIZES) * (RNG.random(SIZES) < 0.8)
COUNTS[0, 0] = 3
X = np.argwhere(COUNTS)
Y = COUNTS[tuple(X.T)].astype(float)
WEIGHTS, PREFERENCES = 1 + C * COUNTS, (COUNTS > 0).astype(float)


def dense_loss(factors):
    """The loss by its definition, over all pairs."""
    left, right = factors
    squares = WEIGHTS * (PREFERENCES - left @ right.T) ** 2
    return squares.sum() / (2 * WEIGHTS.sum())


def fitted(**params):
    return FlatMatrixFactorization(**SMALL | {"alpha": 0.5, "rho": 0.1, "tol": 1e-9} | params).fit(
        X, Y
    )


@pytest.fixture(scope="module")
def model():
    return fitted()


def of_rows():
    return ImplicitFactorization(SIZES, K), Batch(X, C * Y[:, None])


def test_the_loss_of_all_pairs_needs_only_those_with_counts():
    model, batch = of_rows()
    w = RNG.normal(size=model.layout.size)
    loss, (of_zero, constant) = model.preference_loss(w, batch), model.constant_losses(batch)
    assert_allclose(of_zero, model.preference_loss(0 * w, batch), rtol=1e-12)
    assert_allclose(loss, dense_loss(model.split(w)[2]), rtol=1e-12)
    mean = np.average(PREFERENCES, weights=WEIGHTS)
    assert_allclose(constant, np.average((PREFERENCES - mean) ** 2, weights=WEIGHTS) / 2)


def test_the_expected_loss_under_noise_is_that_of_sampled_noise():
    model, batch = of_rows()
    w, rho, n = 0.5 * RNG.normal(size=model.layout.size), 0.3, 20_000
    noise = rho * RNG.normal(size=(n, len(w)))
    noisy = w + noise
    left, right = noisy[:, : 9 * K].reshape(n, 9, K), noisy[:, 9 * K :].reshape(n, 7, K)
    squares = WEIGHTS * (PREFERENCES - left @ right.transpose(0, 2, 1)) ** 2
    losses = squares.sum(axis=(1, 2)) / (2 * WEIGHTS.sum())
    plain = model.preference_loss(w, batch)
    added = rho**2 * model.mean_trace(w, batch) / 2 + K * rho**4 / 2
    assert abs(plain + added - losses.mean()) < 4 * losses.std() / np.sqrt(n)
    assert added > 20 * losses.std() / np.sqrt(n)


def test_sharpness_is_the_trace_of_the_hessian(model):
    w, total, h = np.concatenate([np.ravel(F) for F in model.factors_]), 0.0, 0.5

    def loss(w):
        return dense_loss([w[: 9 * K].reshape(9, K), w[9 * K :].reshape(7, K)])

    for step in h * np.eye(len(w)):  # the loss is quadratic in each parameter
        total += (loss(w + step) - 2 * loss(w) + loss(w - step)) / h**2
    assert_allclose(model.sharpness_, total, rtol=1e-9)
    assert list(model.measurements_) == ["sharpness"]
    assert model.measure(X, Y)["sharpness"].value == model.sharpness_
    with pytest.raises(NotDefinedError, match="a mean over all pairs"):
        hessian_trace(model, X, Y)


@pytest.mark.parametrize("c", [0, 1])
def test_each_row_and_column_is_a_weighted_ridge(model, c):
    """Rows come last in a sweep, and columns have converged."""
    weights, preferences = (A if c == 0 else A.T for A in (WEIGHTS, PREFERENCES))
    own, others = model.factors_[c], model.factors_[1 - c]
    for v, p, x in zip(weights, preferences, own, strict=True):
        ridge = 0.5 + 0.1**2 * v.sum()
        A = (others.T * v) @ others + ridge * np.eye(K)
        expected = np.linalg.solve(A, others.T @ (v * p))
        assert_allclose(x, expected, rtol=1e-9 if c == 0 else 1e-3, atol=1e-4 * (c == 1))


def test_the_recorded_loss_is_the_expected_loss_with_the_penalty(model):
    squares = sum(float(np.vdot(F, F)) for F in model.factors_)
    expected = dense_loss(model.factors_) + 0.1**2 * model.sharpness_ / 2 + K * 0.1**4 / 2
    assert_allclose(model.loss_, expected + 0.5 * squares / (2 * WEIGHTS.sum()), rtol=1e-9)
    assert (np.diff(model.loss_curve_) <= 0).all()


def test_enough_conjugate_gradients_are_exact_and_few_get_there(model):
    exact = fitted(max_iter=2, tol=1.0)
    many = fitted(max_iter=2, tol=1.0, solver=ALS("cg", n_steps=2 * K))
    assert_allclose(many.row_factors_, exact.row_factors_, rtol=1e-6)
    assert_allclose(many.loss_curve_, exact.loss_curve_, rtol=1e-9)
    few = fitted(solver=ALS("cg", n_steps=1))
    assert_allclose(few.loss_, model.loss_, rtol=1e-4)


def test_without_any_penalty_the_equations_may_be_singular():
    model = fitted(n_components=8, alpha=0.0, rho=0.0)
    assert np.isfinite(model.predict(X)).all()
    assert_allclose(model.predict(X), 1, atol=1e-3)


def test_counts_add_up_and_zero_is_no_count(model):
    half = np.vstack([X, X[::-1], [[8, 0]]])
    halves = FlatMatrixFactorization(**SMALL, alpha=0.5, rho=0.1, tol=1e-9)
    counts = np.concatenate([Y / 4, 3 * Y[::-1] / 4, [0.0]])
    assert_allclose(halves.fit(half, counts).factors_[0], model.factors_[0], rtol=1e-9)
    weighted = halves.fit(X, 2 * Y, np.full(len(Y), 0.5))
    assert_allclose(weighted.factors_[0], model.factors_[0], rtol=1e-9)


def test_a_matrix_of_counts_says_the_same(model):
    for counts in (COUNTS.astype(float), sparse.csr_array(COUNTS.astype(float))):
        whole = FlatMatrixFactorization(**SMALL, alpha=0.5, rho=0.1, tol=1e-9).fit(counts)
        assert_allclose(whole.factors_[0], model.factors_[0], rtol=1e-9)
        assert_allclose(whole.transform(counts), whole.factors_[0], rtol=1e-8)
    assert whole.score(counts) == model.score(X, Y)


def test_rows_without_counts_have_factors_of_0_in_any_company():
    counts = COUNTS.astype(float)
    whole = FlatMatrixFactorization(**SMALL, keep_seen=True).fit(counts)
    for make in (np.asarray, sparse.csr_array):
        assert not whole.transform(make(np.zeros((2, SIZES[1])))).any()
        assert not whole.transform(make(np.vstack([counts[0], 0 * counts[0]])))[1].any()
    whole.partial_fit([[9, 1]], [0.0])
    whole.fold_in([[10, 1]], [0.0])
    assert not whole.row_factors_[[9, 10]].any()
    assert whole.row_factors_.shape == (SIZES[0] + 2, K)


def test_of_equal_preferences_the_score_is_0_as_that_of_equal_values():
    everything = np.argwhere(np.ones((3, 2)))
    fit = FlatMatrixFactorization(**SMALL, alpha=0.5).fit(everything, np.ones(6))
    assert fit.score(everything, np.ones(6)) == 0.0


def test_what_has_a_count_of_zero_was_not_seen():
    keeping = FlatMatrixFactorization(**SMALL, keep_seen=True)
    for given in ((COUNTS.astype(float),), (np.argwhere(COUNTS >= 0), COUNTS.ravel())):
        ids = keeping.fit(*given).recommend(n=SIZES[1]).ids
        offered = [sorted(row.compressed().tolist()) for row in ids]
        assert offered == [np.flatnonzero(row == 0).tolist() for row in COUNTS]


def test_the_score_is_r2_of_the_preferences_of_all_pairs(model):
    mean = np.average(PREFERENCES, weights=WEIGHTS)
    constant = np.average((PREFERENCES - mean) ** 2, weights=WEIGHTS) / 2
    assert_allclose(model.score(X, Y), 1 - dense_loss(model.factors_) / constant)
    strange = np.vstack([X, [[100, 2], [3, 100]]])
    counts = np.append(Y, [1.0, 1.0])
    assert model.score(strange, counts) == model.score(X, Y)
    assert model.measure(strange, counts)["sharpness"].value == model.sharpness_
    for method in (model.score, model.measure):
        with pytest.raises(ValueError, match="no pair of a row and a column that were both seen"):
            method(strange[-2:], counts[-2:])


@pytest.mark.parametrize("chunk", [5, 1 << 17])
def test_the_loss_of_an_update_is_that_of_all_pairs(chunk, monkeypatch):
    monkeypatch.setattr(ImplicitFactorization, "chunk", chunk)
    params = {"alpha": 0.5, "rho": 0.1, "keep_seen": True}
    updated = FlatMatrixFactorization(**SMALL, **params).fit(X, Y)
    updated.partial_fit([[3, 4], [3, 6]], [1.0, 2.0])
    weights, (left, right) = WEIGHTS + 0.0, updated.factors_
    weights[3, [4, 6]] += C * np.array([1.0, 2.0])
    squares = weights * ((weights > 1) - left @ right.T) ** 2
    trace = weights.sum(axis=1) @ (left**2).sum(axis=1) + weights.sum(axis=0) @ (right**2).sum(
        axis=1
    )
    expected = squares.sum() + 0.5 * (np.vdot(left, left) + np.vdot(right, right)) + 0.01 * trace
    expected = expected / (2 * weights.sum()) + K * 0.1**4 / 2
    assert_allclose(updated.loss_, expected, rtol=1e-12)


def test_updates_and_new_entities_as_with_ratings():
    keeping = {**SMALL, "alpha": 0.5, "rho": 0.1, "keep_seen": True}
    once = FlatMatrixFactorization(**keeping).partial_fit(X, Y)
    with pytest.warns(match="als did not converge"):
        fit = FlatMatrixFactorization(**keeping, max_iter=1).fit(X, Y)
    assert_array_equal(once.row_factors_, fit.row_factors_)
    few = X[:, 0] < 7
    grown = FlatMatrixFactorization(**keeping).fit(X[few], Y[few])
    before = grown.row_factors_[:7].copy()
    grown.fold_in(X[~few], Y[~few])
    assert_array_equal(grown.row_factors_[:7], before)
    for _ in range(40):
        grown.partial_fit(X, 1e-9 * Y)
    assert_allclose(grown.predict(X), fitted().predict(X), rtol=2e-2)
    assert not set(grown.recommend([8], 7).ids.compressed()) & set(X[X[:, 0] == 8, 1])


@pytest.mark.parametrize("params", [{"rho": 5.0}, {"alpha": 1e9}])
def test_a_penalty_that_leaves_nothing_is_told_of(params):
    with pytest.warns(ConvergenceWarning, match="no better than with factors of 0. Try less of"):
        fitted(**params)


def test_memory_is_not_that_of_all_pairs():
    n, rng = 2000, np.random.default_rng(0)
    pairs = rng.integers(n, size=(2000, 2))
    model = FlatMatrixFactorization(**SMALL | {"n_components": 2}, alpha=1.0, tol=0.1)
    tracemalloc.start()
    model.fit(pairs, np.ones(2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * 8 * n**2


def test_single_precision_stays_single():
    model = FlatMatrixFactorization(**SMALL).fit(X, Y.astype(np.float32))
    assert {F.dtype for F in model.factors_} == {np.dtype(np.float32)}


BAD = [
    ({}, (X, -Y), "must not be negative, got -"),
    ({}, (X, 0 * Y), "No count is positive"),
    ({}, (X, np.full(len(Y), np.inf)), "contains infinity"),
    ({}, (X, np.full(len(Y), np.nan)), "contains NaN"),
    ({}, (np.column_stack([X, X[:, 0]]), Y), "two columns of identifiers, got 3"),
    ({"solver": "adam"}, (X, Y), "needs solver='als', got 'adam'"),
    ({"early_stopping": True}, (X, Y), "needs no early stopping"),
    ({"balance": "lambda_max"}, (X, Y), "balance other than"),
    ({"confidence": 0.0}, (X, Y), "The 'confidence' parameter"),
    ({"confidence": 1e300}, (X, Y), r"confidence=1e\+300 is too large for counts with the sum"),
    (
        {"confidence": 1e30},
        (X, Y.astype(np.float32)),
        r"confidence=1e\+30 .* not finite as float32",
    ),
    ({"solver": ALS("lu")}, (X, Y), "The 'inner' parameter"),
    ({"solver": ALS("cg"), "feedback": "explicit"}, (X, Y), "is for feedback='implicit'"),
]


def test_what_is_continued_has_the_same_feedback():
    model = FlatMatrixFactorization(**SMALL, keep_seen=True, fit_offsets=False).fit(X, Y)
    with pytest.raises(ValueError, match="feedback must be equal"):
        model.set_params(feedback="explicit").partial_fit(X, Y)
    with pytest.raises(ValueError, match="feedback must be equal"):
        model.fold_in([[77, 3]], [1.0])


@pytest.mark.parametrize(("params", "given", "words"), BAD)
def test_what_is_not_defined_is_refused(params, given, words):
    with pytest.raises(ValueError, match=words):
        FlatMatrixFactorization(**SMALL | params).fit(*given)
