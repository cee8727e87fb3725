"""FlatMatrixFactorization as an estimator, with a matrix or with observations as input."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.preprocessing import OneHotEncoder

from skflat import FlatMatrixFactorization, FlatMLPRegressor
from skflat.measures import HessianTrace, hessian_trace, weakness
from skflat.objective import NotDefinedError
from skflat.solvers import ALS, SOLVERS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"random_state": 0, "measures": None}
# Factors have no hidden units.
STOCHASTIC = [name for name, each in SOLVERS.items() if each.stochastic and name != "entropy"]


def table(m=30, n=20, rank=2, share=0.6, noise=0.01, seed=0):
    """A matrix of low rank and its observed entries as pairs and values."""
    rng = np.random.default_rng(seed)
    M = 2 + rng.normal(size=(m, rank)) @ rng.normal(size=(rank, n))
    X = np.argwhere(rng.random(M.shape) < share)
    return M, X, M[tuple(X.T)] + noise * rng.normal(size=len(X))


M, X, Y = table()


def matrix(X=X, y=Y, shape=M.shape):
    A = np.full(shape, np.nan)
    A[tuple(X.T)] = y
    return A


def factors_of(model):
    return np.concatenate([np.ravel(F) for F in (*model.factors_, *model.offsets_)])


def refused(words):
    return pytest.raises(ValueError, match=words)


# --- two ways in ---


@pytest.mark.parametrize(("solver", "size"), [("als", 3), ("als", 30), ("adam", 3), ("adam", 300)])
def test_offsets_many_times_the_rest_do_not_drown_it(solver, size):
    """The factors start at the size of what offsets leave over."""
    far = M + size * np.arange(M.shape[1])
    rho = 0.05 if solver == "als" else "auto"
    model = FlatMatrixFactorization(
        3, solver=solver, rho=rho, alpha=0.01, alpha_offsets=0.01, **SMALL
    )
    model.fit(X, far[tuple(X.T)])
    everywhere = np.argwhere(np.ones(M.shape))
    error = model.predict(everywhere).reshape(M.shape) - far
    assert error.std() < 0.5 * M.std()


def test_entries_held_out_are_recovered():
    X_train, X_test, y_train, y_test = train_test_split(X, Y, random_state=0)
    model = FlatMatrixFactorization(2, rho=0.05, alpha=0.01, **SMALL).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.99
    assert model.score(X_test, y_test) == r2_score(y_test, model.predict(X_test))


def test_a_matrix_says_what_its_observed_entries_say():
    few = {"n_components": 3, **SMALL}
    pairs = FlatMatrixFactorization(**few).fit(X, Y)
    whole = FlatMatrixFactorization(**few).fit(matrix())
    assert_array_equal(factors_of(pairs), factors_of(whole))
    assert_array_equal(pairs.predict(X), whole.predict(X))
    assert whole.score(matrix()) == pairs.score(X, Y)
    assert (pairs.n_features_in_, whole.n_features_in_) == (2, 20)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.coo_array])
def test_what_a_sparse_matrix_does_not_store_is_missing(container):
    stored = sparse.coo_array((Y, X.T), shape=M.shape)
    few = {"n_components": 3, **SMALL}
    found = FlatMatrixFactorization(**few).fit(container(stored))
    assert_allclose(
        factors_of(found), factors_of(FlatMatrixFactorization(**few).fit(matrix())), rtol=1e-9
    )
    with_nan = stored.copy()
    with_nan.data[:7] = np.nan
    fewer = FlatMatrixFactorization(**few).fit(container(with_nan))
    expected = FlatMatrixFactorization(**few).fit(matrix(X[7:], Y[7:]))
    assert_allclose(factors_of(fewer), factors_of(expected), rtol=1e-9)


def test_a_stored_zero_is_a_zero():
    stored = sparse.csr_array((np.array([1.0, 0.0, 2.0]), np.array([0, 1, 0]), [0, 2, 3]))
    model = FlatMatrixFactorization(1, **SMALL).fit(stored)
    assert len(model.observations(stored)[1]) == 3


NAMES = {
    "numbers far apart": lambda codes: codes * 10**9 - 7,
    "floating point numbers": lambda codes: codes / 3,
    "strings": lambda codes: np.char.add("row ", np.char.zfill(codes.astype(str), 3)),
    "objects": lambda codes: np.char.zfill(codes.astype(str), 3).astype(object),
    "unsigned bytes": lambda codes: codes.astype(np.uint8),
}


@pytest.mark.parametrize("name", NAMES)
def test_identifiers_are_but_names(name):
    named = np.column_stack([NAMES[name](column) for column in X.T])
    plain, other = (FlatMatrixFactorization(3, **SMALL).fit(each, Y) for each in (X, named))
    assert_array_equal(factors_of(plain), factors_of(other))
    assert_array_equal(plain.predict(X), other.predict(named))
    assert other.identifiers_[0].tolist() == np.unique(NAMES[name](X[:, 0])).tolist()


def test_frames_with_columns_of_different_kinds_will_do():
    users = NAMES["strings"](X[:, 0])
    frame = pd.DataFrame({"user": pd.Categorical(users), "item": X[:, 1]})
    model = FlatMatrixFactorization(3, **SMALL).fit(frame, pd.Series(Y))
    plain = FlatMatrixFactorization(3, **SMALL).fit(X, Y)
    assert_array_equal(model.predict(frame), plain.predict(X))
    assert model.feature_names_in_.tolist() == ["user", "item"]
    assert model.identifiers_[1].dtype.kind == "i"
    with refused("feature names should match"):
        model.predict(frame.rename(columns={"user": "u"}))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_frames_with_identifiers_missing_are_refused(missing):
    frame = pd.DataFrame({"user": X[:, 0], "item": pd.array(X[:, 1].astype(str), dtype="string")})
    model = FlatMatrixFactorization(2, **SMALL).fit(frame, Y)
    frame.loc[3, "item"] = missing
    with refused("Input X contains NaN"):
        model.fit(frame, Y)
    with refused("Input X contains NaN"):
        model.predict(frame)


@pytest.mark.parametrize(
    ("name", "dtype"), [(np.int64, float), (object, float), (np.int32, np.float32)]
)
def test_numbers_that_floats_cannot_tell_apart_are_refused(name, dtype):
    """As in a frame with a column of integers and one of floats."""
    large = X + int(2 / np.finfo(dtype).eps)
    FlatMatrixFactorization(2, **SMALL).fit(large.astype(name), Y)
    with refused("are not exact as float"):
        FlatMatrixFactorization(2, **SMALL).fit(large.astype(dtype), Y)


def test_identifiers_never_seen_fall_back_to_the_offsets():
    model = FlatMatrixFactorization(3, **SMALL).fit(X, Y)
    mean, columns = model.intercept_, model.column_offsets_
    found = model.predict([[99, 4], [3, -1], [99, 99]])
    assert_allclose(found, [mean + columns[4], mean + model.row_offsets_[3], mean])


@pytest.mark.parametrize("n_kinds", [1, 3])
def test_one_column_gives_offsets_and_three_all_pairs(n_kinds):
    rng = np.random.default_rng(0)
    sizes = (8, 6, 4)[:n_kinds]
    codes = rng.integers(sizes, size=(300, n_kinds))
    factors = [rng.normal(size=(size, 2)) for size in sizes]
    rows = [F[c] for F, c in zip(factors, codes.T, strict=True)]
    y = codes[:, 0] / 4 + (sum(rows) ** 2 - sum(row**2 for row in rows)).sum(axis=1) / 2
    model = FlatMatrixFactorization(3, rho=0.02, alpha=0.01, random_state=0).fit(codes, y)
    assert model.score(codes, y) > 0.99
    assert len(model.factors_) == n_kinds
    assert 0 < model.weakness_ <= 1
    assert model.flatness_ > 0
    with pytest.raises(AttributeError, match=f"here are {n_kinds}"):
        _ = model.row_factors_
    with refused("for two columns of identifiers"):
        clone(model).set_params(balance="trace").fit(codes, y)


def test_of_one_column_the_offsets_are_those_of_a_ridge():
    y = Y + X[:, 0]
    model = FlatMatrixFactorization(alpha_offsets=0.7, tol=1e-14, **SMALL).fit(X[:, :1], y)
    dummies = OneHotEncoder().fit_transform(X[:, :1])
    ridge = Ridge(alpha=0.7, tol=1e-12).fit(dummies.toarray(), y)
    assert_allclose(model.predict(X[:, :1]), ridge.predict(dummies.toarray()), rtol=1e-6)


# --- two ways to ask ---


def test_transform_folds_new_rows_in():
    """The factors of a row are those of the ridge on what is observed of it."""
    model = FlatMatrixFactorization(2, rho=0.1, alpha=0.5, alpha_offsets=0.3, **SMALL)
    model.fit(matrix())
    new = np.full((3, 20), np.nan)
    new[0, :6], new[1, 3] = [1.0, 2, 0, 1, 5, 3], 4.0
    W = model.transform(new)
    assert W.shape == (3, 3)
    A = np.column_stack([model.column_factors_[:6], np.ones(6)])
    of_factors = 0.1**2 * 6 + 0.5 * model.scale_
    ridge = np.diag([of_factors, of_factors, 0.3])
    target = new[0, :6] - model.intercept_ - model.column_offsets_[:6]
    assert_allclose(W[0], np.linalg.solve(A.T @ A + ridge, A.T @ target))
    assert not W[2].any()
    assert_allclose(
        model.inverse_transform(W)[2], model.intercept_ + model.column_offsets_, rtol=1e-12
    )


def test_known_rows_are_folded_in_to_where_they_are():
    model = FlatMatrixFactorization(2, tol=1e-12, **SMALL).fit(matrix())
    W = model.transform(matrix())
    assert_allclose(W[:, :2], model.row_factors_, atol=1e-5)
    assert_allclose(model.inverse_transform(W)[tuple(X.T)], model.predict(X), atol=1e-5)


def test_without_offsets_there_is_no_column_for_them():
    model = FlatMatrixFactorization(3, fit_offsets=False, **SMALL).fit(matrix())
    W = model.transform(matrix())
    assert W.shape == (30, 3)
    assert_allclose(model.inverse_transform(W), W @ model.components_)
    assert model.offsets_ is None
    assert (model.row_offsets_, model.intercept_) == (None, 0.0)


def test_only_a_matrix_has_rows_to_complete():
    model = FlatMatrixFactorization(2, **SMALL)
    for each in (model, model.fit(X, Y)):
        assert not hasattr(each, "inverse_transform")
    assert hasattr(model.fit(matrix()), "inverse_transform")


def test_predictions_are_clipped_where_asked():
    plain, clipped = (
        FlatMatrixFactorization(2, clip=clip, **SMALL).fit(matrix()) for clip in (None, (1.0, 3.0))
    )
    everything = np.argwhere(np.ones(M.shape, bool))
    assert_array_equal(clipped.predict(everything), plain.predict(everything).clip(1, 3))
    assert plain.predict(everything).max() > 3
    assert clipped.inverse_transform(clipped.transform(matrix())).max() == 3


# --- scikit-learn's tools ---


def test_cross_validation_and_grids_hold_out_entries():
    model = FlatMatrixFactorization(2, rho=0.05, alpha=0.01, **SMALL)
    folds = KFold(5, shuffle=True, random_state=0)
    assert cross_val_score(model, X, Y, cv=folds).min() > 0.9
    search = GridSearchCV(model, {"rho": [0.05, 1.5], "n_components": [1, 2]}, cv=folds).fit(X, Y)
    assert search.best_params_ == {"rho": 0.05, "n_components": 2}


def test_ordered_observations_have_to_be_shuffled():
    model = FlatMatrixFactorization(2, rho=0.05, alpha=0.01, alpha_offsets=0.01, **SMALL)
    scores = [
        cross_val_score(model, X, Y, cv=KFold(5, shuffle=shuffle, random_state=seed)).mean()
        for shuffle, seed in ((False, None), (True, 0))
    ]
    assert scores[0] < 0.2
    assert scores[1] > 0.95


def test_weights_are_repetitions():
    weight = np.random.default_rng(0).integers(0, 3, size=len(Y))
    few = {"n_components": 2, **SMALL}
    weighted = FlatMatrixFactorization(**few).fit(X, Y, weight)
    repeated = FlatMatrixFactorization(**few).fit(np.repeat(X, weight, 0), np.repeat(Y, weight))
    assert_allclose(factors_of(weighted), factors_of(repeated), rtol=1e-7, atol=1e-9)


def test_rows_of_a_matrix_are_weighted():
    weight = np.linspace(0.1, 2, 30)
    few = {"n_components": 2, **SMALL}
    whole = FlatMatrixFactorization(**few).fit(matrix(), sample_weight=weight)
    pairs = FlatMatrixFactorization(**few).fit(X, Y, weight[X[:, 0]])
    assert_allclose(whole.predict(X), pairs.predict(X), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_values_is_kept(dtype):
    pairs = FlatMatrixFactorization(2, random_state=0).fit(X, Y.astype(dtype))
    whole = FlatMatrixFactorization(2, random_state=0).fit(matrix().astype(dtype))
    for model in (pairs, whole):
        assert all(F.dtype == dtype for F in (*model.factors_, *model.offsets_))
        assert model.predict(X).dtype == dtype
    assert whole.transform(matrix()).dtype == dtype


def test_the_order_of_the_observations_does_not_matter():
    order = np.random.default_rng(0).permutation(len(Y))
    one, other = (
        FlatMatrixFactorization(2, **SMALL).fit(X[rows], Y[rows]) for rows in (slice(None), order)
    )
    assert_allclose(one.predict(X), other.predict(X), rtol=1e-8)


def test_a_fitted_model_holds_no_data():
    big = FlatMatrixFactorization(1, max_iter=2, **SMALL)
    big.fit(np.tile(X, (50, 1)), np.tile(Y, 50))
    assert len(pickle.dumps(big)) < 15_000


@pytest.mark.parametrize("solver", ["als", "lbfgs", *STOCHASTIC])
def test_every_solver_lowers_the_loss_and_measures_follow(solver):
    rate = 0.5 if solver in ("ngd", "consensus", "diffusion") else 0.05
    model = FlatMatrixFactorization(
        2,
        solver=solver,
        alpha=0.01,
        alpha_offsets=0.01,
        max_iter=30,
        learning_rate_init=rate,
        random_state=0,
    ).fit(X, Y)
    assert model.loss_ < 0.9 * np.var(Y) / 2 or model.loss_curve_[-1] < 0.9 * model.loss_curve_[0]
    assert model.sharpness_ > 0
    assert model.flatness_ > 0
    assert 0 < model.weakness_ <= 1
    assert model.n_grad_evals_ > 0


def test_the_seed_decides():
    one, again, other = (
        FlatMatrixFactorization(3, random_state=seed, measures=None).fit(X, Y) for seed in (0, 0, 1)
    )
    assert_array_equal(factors_of(one), factors_of(again))
    assert np.abs(factors_of(one) - factors_of(other)).max() > 1e-3


# --- training ---


def test_the_expected_loss_falls_with_every_sweep():
    model = FlatMatrixFactorization(3, solver=ALS(), rho=0.2, **SMALL).fit(X, Y)
    assert (np.diff(model.loss_curve_) < 0).all()
    assert model.n_iter_ == len(model.loss_curve_)
    assert model.n_grad_evals_ == 2 * model.n_iter_
    assert model.rho_ == 0.2


def test_the_default_radius_grows_with_the_root_of_the_deviation():
    once, scaled = (FlatMatrixFactorization(2, **SMALL).fit(X, c * Y) for c in (1, 16))
    assert once.rho_ == pytest.approx(0.2 * np.std(Y) ** 0.5)
    assert scaled.rho_ == pytest.approx(4 * once.rho_)


def test_the_radius_and_the_penalty_shrink_different_things():
    """Weight noise and ``alpha`` shrink factors, ``alpha_offsets`` shrinks offsets."""
    plain, noisy, penalized, without_offsets = (
        FlatMatrixFactorization(2, rho=rho, alpha=alpha, alpha_offsets=beta, **SMALL).fit(X, Y)
        for rho, alpha, beta in ((0, 1e-6, 1e-6), (2, 1e-6, 1e-6), (0, 50, 1e-6), (0, 1e-6, 50))
    )
    for model in (noisy, penalized):
        assert np.linalg.norm(model.factors_[0]) < 0.5 * np.linalg.norm(plain.factors_[0])
        assert np.linalg.norm(model.row_offsets_) > 0.5
    assert np.linalg.norm(without_offsets.row_offsets_) < 0.25


def test_entries_held_out_stop_the_sweeps():
    _, X, Y = table(noise=1.0, share=0.7)
    few = {"n_components": 8, "rho": 0.0, "alpha": 0.1, "max_iter": 300, "n_iter_no_change": 3}
    model = FlatMatrixFactorization(early_stopping=True, **few, **SMALL).fit(X, Y)
    scores = model.validation_scores_
    assert model.n_iter_ == len(scores) < 300
    assert model.best_validation_score_ == max(scores) > scores[-1]
    assert len(model.validation_loss_curve_) == len(scores)


def test_a_warm_start_goes_on():
    model = FlatMatrixFactorization(3, rho=0.1, tol=1e-6, warm_start=True, **SMALL).fit(X, Y)
    first = model.n_iter_
    model.fit(X, Y)
    assert model.n_iter_ < first / 3
    assert len(model.loss_curve_) == first + model.n_iter_


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_takes_new_identifiers_in(early_stopping):
    old = X[:, 0] % 3 > 0
    model = FlatMatrixFactorization(
        3, rho=0.05, alpha=0.01, warm_start=True, early_stopping=early_stopping, **SMALL
    )
    model.fit(X[old], Y[old])
    assert model.fit(X, Y).score(X, Y) > 0.98
    assert model.identifiers_[0].tolist() == list(range(30))


def test_a_stream_is_learnt_in_parts():
    model = FlatMatrixFactorization(
        3,
        solver="adam",
        learning_rate_init=0.05,
        alpha=0.01,
        alpha_offsets=0.01,
        batch_size=20,
        **SMALL,
    )
    order = np.argsort(X[:, 0], kind="stable")  # every part brings rows that are new
    for _ in range(60):
        for part in np.array_split(order, 4):
            model.partial_fit(X[part], Y[part])
    assert model.identifiers_[0].tolist() == list(range(30))
    assert model.score(X, Y) > 0.95
    assert model.t_ == 60 * len(Y)


def test_a_stream_keeps_what_it_does_not_touch():
    model = FlatMatrixFactorization(3, solver="sgd", momentum=0.0, alpha=0.0, **SMALL)
    first, second = X[:, 0] < 15, X[:, 0] >= 15
    model.partial_fit(X[first], Y[first])
    before = model.row_factors_.copy()
    model.partial_fit(X[second], Y[second])
    assert_array_equal(model.row_factors_[:15], before)


def test_a_matrix_takes_new_rows_from_a_stream_but_no_new_columns():
    model = FlatMatrixFactorization(2, solver="adam", **SMALL).fit(matrix())
    model.partial_fit([[30, 3], [30, 19]], [1.0, 2.0])
    assert model.row_factors_.shape == (31, 2)
    for column in (-1, 20):
        with refused(f"of columns 0 to 19, got column {column}"):
            model.partial_fit([[0, 3], [0, column]], [1.0, 2.0])
    assert model.inverse_transform(model.transform(matrix())).shape == (30, 20)


def test_early_stopping_survives_new_identifiers_in_a_stream():
    model = FlatMatrixFactorization(
        2, solver="adam", early_stopping=True, n_iter_no_change=2, learning_rate_init=0.1, **SMALL
    )
    for part in np.array_split(np.argsort(X[:, 0], kind="stable"), 6):
        for _ in range(4):
            model.partial_fit(X[part], Y[part])
    assert model.row_factors_.shape == (30, 2)


def test_closed_forms_have_no_stream():
    for solver in ("als", "lbfgs"):
        assert not hasattr(FlatMatrixFactorization(solver=solver), "partial_fit")


# --- measures ---


def test_measures_take_the_fitted_estimator():
    model = FlatMatrixFactorization(3, random_state=0).fit(X, Y)
    assert hessian_trace(model, X, Y).value == pytest.approx(model.sharpness_, rel=1e-12)
    assert model.measure(X, Y)["flatness"].value == model.flatness_
    scores = cross_val_score(clone(model), X, Y, cv=2, scoring=HessianTrace())
    assert (scores < 0).all()
    whole = FlatMatrixFactorization(3, random_state=0).fit(matrix())
    assert hessian_trace(whole, matrix(), None).value == pytest.approx(whole.sharpness_, rel=1e-12)


def test_identifiers_never_seen_are_measured_with_factors_0():
    model = FlatMatrixFactorization(3, **SMALL).fit(X, Y)
    found = hessian_trace(model, [[99, 4], [99, 99]], [1.0, 2.0]).value
    squares = (model.column_factors_[4] ** 2).sum()
    assert found == pytest.approx(3 + squares / 2)


# --- what is refused, and what is not ---


def test_observations_that_repeat_count_each_time():
    twice = FlatMatrixFactorization(2, **SMALL).fit(
        [[0, 0], [0, 0], [1, 1], [0, 1]], [1.0, 3.0, 2.0, 2.0]
    )
    weighted = FlatMatrixFactorization(2, **SMALL).fit(
        [[0, 0], [1, 1], [0, 1]], [2.0, 2.0, 2.0], [2, 1, 1]
    )
    assert_allclose(twice.predict([[0, 0]]), weighted.predict([[0, 0]]), atol=0.5)
    assert twice.observations([[0, 0], [0, 0]], [1.0, 2.0])[0].tolist() == [[0, 0], [0, 0]]


def test_empty_rows_and_columns_have_factors_0():
    A = matrix()
    A[3], A[:, 5] = np.nan, np.nan
    model = FlatMatrixFactorization(2, random_state=0)
    with pytest.warns(UserWarning, match=r"Features without any observed values: \[5\]"):
        model.fit(A)
    assert not model.row_factors_[3].any()
    assert not model.column_factors_[5].any()
    assert_allclose(model.predict([[3, 5]]), model.intercept_)
    assert model.transform(A).shape == (30, 3)


@pytest.mark.filterwarnings("ignore:The target is constant:UserWarning")
def test_a_constant_matrix_is_its_intercept():
    model = FlatMatrixFactorization(3, random_state=0).fit(np.full((5, 4), 2.5))
    assert_allclose(model.predict([[0, 0], [4, 3]]), 2.5, atol=1e-8)
    assert model.flatness_ == np.inf


@pytest.mark.parametrize("rho", [0.0, 0.1])
def test_more_components_than_rows_and_columns_will_do(rho):
    A = np.arange(6.0).reshape(2, 3)
    model = FlatMatrixFactorization(7, rho=rho, alpha=0.0, fit_offsets=False, random_state=0).fit(A)
    found = model.inverse_transform(model.transform(A))
    assert_allclose(found, A, atol=1e-6 if rho == 0 else 0.2)


@pytest.mark.parametrize("rho", [0.0, 1e-3])
def test_components_to_spare_fit_in_single_precision_too(rho):
    """The normal equations are singular, and so is what rounding makes of them."""
    model = FlatMatrixFactorization(25, rho=rho, alpha=0.0, max_iter=40, **SMALL)
    assert model.fit(X, Y.astype(np.float32)).score(X, Y) > 0.9999


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("n_components", [1, 5])
def test_values_too_large_to_square_are_refused(n_components):
    with refused("may contain large values"):
        FlatMatrixFactorization(n_components, **SMALL).fit(X, 1e200 * Y)


@pytest.mark.filterwarnings("ignore:The target is constant:UserWarning")
def test_one_observation_will_do():
    model = FlatMatrixFactorization(2, random_state=0).fit([["a", "b"]], [3.0])
    assert_allclose(model.predict([["a", "b"], ["c", "d"]]), 3.0, atol=1e-6)


def test_data_that_make_no_sense_are_refused():
    model = FlatMatrixFactorization(2, **SMALL)
    with refused("All entries of X are missing"):
        model.fit(np.full((3, 4), np.nan))
    with refused("Input X contains infinity"):
        model.fit(np.where(np.isnan(matrix()), np.inf, matrix()))
    with refused("Input y contains NaN"):
        model.fit(X, np.full(len(X), np.nan))
    with refused("Input X contains NaN"):
        model.fit(np.where(X == 3, np.nan, X), Y)
    with refused("could not convert string"):
        model.fit(np.array([["a", "b"], ["c", "d"]]))
    with refused("inconsistent numbers of samples"):
        model.fit(X, Y[1:])
    with pytest.raises(TypeError, match="uniformly strings or numbers"):
        model.fit(np.array([["a", 1], [2, 3]], dtype=object), [1.0, 2.0])
    with refused("at least one non-zero"):
        model.fit(X, Y, np.zeros(len(Y)))
    with refused("nothing but offsets"):
        clone(model).set_params(fit_offsets=False).fit(X[:, :1], Y)
    with refused("validation set is too small"):
        clone(model).set_params(early_stopping=True).fit(X[:8], Y[:8])


def test_questions_that_make_no_sense_are_refused():
    with pytest.raises(NotFittedError):
        FlatMatrixFactorization().predict(X)
    pairs = FlatMatrixFactorization(2, **SMALL).fit(X, Y)
    with refused("X has 3 features"):
        pairs.predict(np.ones((2, 3), int))
    with refused("were numbers in fit"):
        pairs.predict([["a", "b"]])
    with refused("requires y"):
        pairs.score(X)
    whole = FlatMatrixFactorization(2, **SMALL).fit(matrix())
    with refused("X has 3 columns; an entry"):
        whole.predict(np.ones((2, 3), int))
    with refused("X has 19 features"):
        whole.transform(matrix()[:, 1:])
    with refused("X has 20 rows.*fitted on 30"):
        whole.score(matrix()[10:])
    with pytest.raises(NotDefinedError, match="features must be 'auto' for a completion"):
        weakness(pairs, X, Y, features="hidden")
    with pytest.raises(NotDefinedError, match="X_probe and target='labels' are not for compl"):
        weakness(pairs, X, Y, X_probe=X[:3])
    with refused("W has 2 columns"):
        whole.inverse_transform(np.ones((4, 2)))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_components": 0}, "'n_components' parameter"),
        ({"rho": -1.0}, "'rho' parameter"),
        ({"alpha": -1.0}, "'alpha' parameter"),
        ({"balance": "spectral"}, "'balance' parameter"),
        ({"solver": "svd"}, "'solver' parameter"),
        ({"clip": (3, 1)}, r"clip must be None or a pair \(low, high\), got \(3, 1\)"),
        ({"clip": (1, 2, 3)}, "clip must be"),
        ({"measures": ["flat"]}, "measures must be"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params, words):
    with refused(words):
        FlatMatrixFactorization(**params).fit(X, Y)


def test_a_warm_start_does_not_change_the_structure():
    model = FlatMatrixFactorization(2, warm_start=True, **SMALL).fit(X, Y)
    with refused("n_components and fit_offsets must be what they were: 2 and True, got 3"):
        model.set_params(n_components=3).fit(X, Y)


def test_networks_have_no_alternation():
    with refused("ALS needs a closed-form minimum in some parameters at a time"):
        FlatMLPRegressor(solver=ALS(), measures=None).fit(X.astype(float), Y)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_sweeps_that_did_not_suffice_are_told():
    with pytest.warns(ConvergenceWarning, match="als did not converge within max_iter=2"):
        FlatMatrixFactorization(2, max_iter=2, **SMALL).fit(X, Y)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(0, 3), st.floats(-1e6, 1e6)),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([0.0, 0.1, 5.0]),
    st.sampled_from([0.0, 1.0]),
)
def test_any_observations_give_finite_predictions(rows, rho, alpha):
    codes = np.array([row[:2] for row in rows])
    y = np.array([row[2] for row in rows])
    model = FlatMatrixFactorization(3, rho=rho, alpha=alpha, max_iter=20, **SMALL).fit(codes, y)
    assert np.isfinite(model.predict(codes)).all()


@pytest.mark.parametrize("solver", ["als", "lbfgs", "sam"])
def test_a_weight_of_2_is_an_entry_given_twice(solver):
    places, times = np.argwhere(np.ones((6, 4))), np.arange(24) % 3
    y = np.random.default_rng(0).normal(size=24)
    params = {"measures": None, "max_iter": 10, "random_state": 0, "alpha": 0.1}
    weighted, repeated = (FlatMatrixFactorization(2, solver=solver, **params) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted.fit(places, y, sample_weight=times)
        repeated.fit(places.repeat(times, axis=0), y.repeat(times))
    known = places[times > 0]
    assert_allclose(weighted.predict(known), repeated.predict(known), atol=1e-7)
