"""Updates by alternating least squares: `partial_fit` and `fold_in`."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from test_factorization import factors_of, matrix, table

from skflat import FlatMatrixFactorization
from skflat.measures import hessian_trace

M, X, Y = table()
SMALL = {"n_components": 2, "random_state": 0, "measures": None, "alpha": 0.5, "rho": 0.1}
KEEPING = SMALL | {"keep_seen": True}


def error(model, X, y):
    return float(np.sqrt(np.mean((model.predict(X) - y) ** 2)))


def ratings(seed=0, m=150, n=80, size=6000):
    rng = np.random.default_rng(seed)
    codes = rng.integers([m, n], size=(size, 2))
    left, right = rng.normal(size=(m, 3)), rng.normal(size=(n, 3))
    noise = 0.5 * rng.normal(size=size)
    offsets = rng.normal(size=m)[codes[:, 0]]
    return codes, 3 + offsets + (left[codes[:, 0]] * right[codes[:, 1]]).sum(axis=1) + noise


@pytest.mark.parametrize("n_before", [0, 2500])
def test_many_small_updates_end_where_a_fit_of_all_ends(n_before):
    codes, y = ratings()
    train, test = slice(5000), slice(5000, None)
    params = KEEPING | {"n_components": 3, "alpha": 2.0}
    whole = FlatMatrixFactorization(**params).fit(codes[train], y[train])
    updated = FlatMatrixFactorization(**params)
    first, begin = n_before or 100, updated.fit if n_before else updated.partial_fit
    begin(codes[:first], y[:first])
    # The first call sets the unit of the penalty. The penalty itself is to be the same.
    updated.set_params(alpha=2.0 * whole.scale_ / updated.scale_)
    for part in np.array_split(np.arange(first, 5000), 50):
        updated.partial_fit(codes[part], y[part])
    assert error(updated, codes[test], y[test]) < 1.01 * error(whole, codes[test], y[test])
    assert error(updated, codes[train], y[train]) < 1.01 * error(whole, codes[train], y[train])


def moved(before, model, c):
    """The entities of a kind that are new or have other factors than before."""
    were = dict(zip(before.identifiers_[c].tolist(), before.factors_[c], strict=True))
    are = zip(model.identifiers_[c].tolist(), model.factors_[c], strict=True)
    return [name for name, F in are if name not in were or (were[name] != F).any()]


def test_an_update_solves_for_what_it_touches_and_for_nothing_else():
    model = FlatMatrixFactorization(**KEEPING, fit_offsets=False).fit(X, Y)
    before = pickle.loads(pickle.dumps(model))
    new = np.array([[3, 4], [3, 40], [50, 4]])
    model.partial_fit(new, [1.0, 2.0, 3.0])
    users = model.identifiers_[0]
    assert [moved(before, model, c) for c in (0, 1)] == [[3, 50], [4, 40]]
    # The rows are optimal for the final columns: a ridge over all of the user's observations.
    S = model.column_factors_[np.r_[X[X[:, 0] == 3, 1], 4, len(model.identifiers_[1]) - 1]]
    t = np.r_[Y[X[:, 0] == 3], 1.0, 2.0]
    ridge = model.alpha_ * model.scale_ + 0.1**2 * len(t)
    expected = np.linalg.solve(S.T @ S + ridge * np.eye(2), S.T @ t)
    assert_allclose(model.row_factors_[np.searchsorted(users, 3)], expected, rtol=1e-8)


def test_one_update_with_everything_is_one_sweep():
    first = FlatMatrixFactorization(**KEEPING).partial_fit(X, Y)
    with pytest.warns(match="als did not converge"):
        fitted = FlatMatrixFactorization(**KEEPING, max_iter=1).fit(X, Y)
    assert_array_equal(factors_of(first), factors_of(fitted))
    assert (first.n_iter_, first.n_grad_evals_, len(first.loss_curve_)) == (1, 2.0, 1)
    first.partial_fit(X[:3], Y[:3])
    touched = sum(np.isin(X[:, c], X[:3, c]).sum() + 3 for c in (0, 1))
    assert_allclose(first.n_grad_evals_, 2 + touched / (len(X) + 3))


@pytest.mark.filterwarnings("ignore:als did not converge")
def test_weights_count_as_repetitions():
    codes, y = np.vstack([X[:100], X[:20]]), np.append(Y[:100], Y[:20])
    twice = FlatMatrixFactorization(**KEEPING).fit(X, Y).partial_fit(codes, y)
    weight = np.where(np.arange(100) < 20, 2.0, 1.0)
    heavy = FlatMatrixFactorization(**KEEPING).fit(X, Y).partial_fit(X[:100], Y[:100], weight)
    assert_allclose(factors_of(heavy), factors_of(twice), rtol=1e-9)


def test_it_needs_the_observations_of_all_calls():
    forgetful = FlatMatrixFactorization(**SMALL).fit(X, Y)
    assert not hasattr(forgetful, "partial_fit")
    with pytest.raises(ValueError, match="calls before were not kept"):
        forgetful.set_params(keep_seen=True).partial_fit(X, Y)
    stopping = FlatMatrixFactorization(**KEEPING, early_stopping=True)
    with pytest.raises(ValueError, match="no early stopping"):
        stopping.partial_fit(X, Y)


def test_single_precision_stays_single():
    y = Y.astype(np.float32)
    model = FlatMatrixFactorization(**KEEPING).fit(X, y).partial_fit([[77, 3]], [1.0])
    assert {F.dtype for F in model.factors_} == {np.dtype(np.float32)}
    assert model._seen.values.dtype == np.float32


# --- folding in ---


def split_off(new_users, new_items):
    """Observations of known pairs, and the others."""
    new = np.isin(X[:, 0], new_users) | np.isin(X[:, 1], new_items)
    return (X[~new], Y[~new]), (X[new], Y[new])


@pytest.mark.parametrize("solver", ["als", "adam"])
@pytest.mark.parametrize(("users", "items"), [([3, 8], []), ([], [0, 7]), ([0, 29], [5])])
def test_new_entities_fit_their_observations_and_the_rest_stays(solver, users, items):
    known, new = split_off(users, items)
    model = FlatMatrixFactorization(**SMALL, solver=solver, learning_rate_init=0.05)
    model.set_params(rho=0.05 if solver == "als" else "auto", alpha=0.01).fit(*known)
    before = pickle.loads(pickle.dumps(model))
    assert model.fold_in(*new) is model
    assert [len(each) for each in model.identifiers_] == [30, 20]
    assert_array_equal(model.predict(known[0]), before.predict(known[0]))
    if solver == "als":
        assert model.score(*new) > 0.98
    assert model.score(*new) > before.score(*new)


def test_a_user_folded_in_is_the_row_transformed():
    model = FlatMatrixFactorization(**SMALL).fit(matrix())
    row = np.where(np.arange(20) % 2, M[4], np.nan)
    codes = np.column_stack([np.full(10, 30), np.arange(1, 20, 2)])
    W = model.transform(row[None])
    model.fold_in(codes, M[4, 1::2])
    assert_allclose(np.append(model.row_factors_[30], model.row_offsets_[30]), W[0], rtol=1e-12)
    with pytest.raises(ValueError, match="of columns 0 to 19, got column 20"):
        model.fold_in([[31, 20]], [1.0])


def test_what_is_folded_in_is_seen_and_used_by_updates():
    known, new = split_off([3], [5])
    model = FlatMatrixFactorization(**KEEPING).fit(*known).fold_in(*new)
    assert not np.isin(X[X[:, 0] == 3, 1], model.recommend([3], 20).ids.compressed()).any()
    for _ in range(30):
        model.partial_fit(X[:1], Y[:1])
    assert len(model._seen.items) == len(X) + 30


def test_measurements_are_of_the_parameters_measured():
    model = FlatMatrixFactorization(**SMALL | {"measures": ["sharpness"]}).fit(X, Y)
    model.fold_in([[77, 3]], [1.0])
    assert not hasattr(model, "sharpness_")
    assert hessian_trace(model, X, Y).value > 0


BAD = [
    ((X[:5], Y[:5]), "No identifier is new"),
    (([[77, 3]], [np.nan]), "contains NaN"),
    (([[77, 3]], [np.inf]), "contains infinity"),
    (([[77, 3]], None), "requires y"),
    (([["u", 3]], [1.0]), "were numbers in fit, got 'u'"),
    (([[77, 3]], [1.0], [-1.0]), "Negative"),
    (([[77, 3, 1]], [1.0]), "X has 3 features"),
]


@pytest.mark.parametrize(("given", "words"), BAD)
def test_bad_observations_leave_the_estimator_as_it_was(given, words):
    model = FlatMatrixFactorization(**KEEPING).fit(X, Y)
    before = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match=words):
        model.fold_in(*given)
    assert_array_equal(factors_of(model), factors_of(before))
    assert_array_equal(model._seen.items, before._seen.items)
    with pytest.raises(NotFittedError):
        clone(model).fold_in(X, Y)
