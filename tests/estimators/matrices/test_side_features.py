"""FlatMatrixFactorization with features of users and items."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skflat import FlatMatrixFactorization
from skflat.solvers import ALS

SMALL = {"n_components": 2, "alpha": 0.2, "rho": 0.1, "measures": None, "random_state": 0}
M, N, COLD = 60, 40, 30  # films from COLD on have no ratings


def ratings(seed=0):
    """Pairs and values whose films' factors and offsets are nearly linear in three features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(N, 3))
    films = features @ rng.normal(size=(3, 3)) + 0.2 * rng.normal(size=(N, 3))
    users = rng.normal(size=(M, 2))
    X = np.argwhere(rng.random((M, N)) < 0.3)
    y = 3 + films[X[:, 1], 2] + (users[X[:, 0]] * films[X[:, 1], :2]).sum(axis=1)
    return features, X, y + 0.1 * rng.normal(size=len(y))


FEATURES, X, Y = ratings()
WARM = X[:, 1] < COLD
TABLE = pd.DataFrame(FEATURES * [1, 100, 0.01] + [0, 5, 1], columns=["a", "b", "c"])


def fitted(features=TABLE, X=X[WARM], y=Y[WARM], **params):
    return FlatMatrixFactorization(**SMALL | {"item_features": features} | params).fit(X, y)


def rmse(model, X, y):
    return float(np.sqrt(np.mean((model.predict(X) - y) ** 2)))


# --- what they are good for ---


def test_films_without_ratings_are_predicted_better_than_by_offsets():
    model, plain = fitted(), fitted(None)
    assert rmse(model, X[~WARM], Y[~WARM]) < 0.5 * rmse(plain, X[~WARM], Y[~WARM])
    assert rmse(model, X[WARM], Y[WARM]) < 1.1 * rmse(plain, X[WARM], Y[WARM])


def test_users_may_have_features_as_well_or_alone():
    turned = X[:, ::-1]
    model, plain = (fitted(None, turned[WARM], user_features=table) for table in (TABLE, None))
    bar = 0.5 * rmse(plain, turned[~WARM], Y[~WARM])
    assert rmse(model, turned[~WARM], Y[~WARM]) < bar
    assert model.item_coef_ is None
    assert model.user_coef_.shape == (3, 3)
    both = fitted(TABLE, user_features=pd.DataFrame({"ones and twos": np.arange(M) % 2 + 1}))
    assert both.user_coef_.shape == (1, 3)
    assert rmse(both, X[~WARM], Y[~WARM]) < bar


def test_films_without_ratings_are_recommended_and_have_similar_films():
    model = fitted()
    assert_array_equal(model.identifiers_[1], np.arange(N))
    ids, scores, _ = model.recommend([3], n=N, exclude_seen=False)
    assert set(ids[0]) == set(range(N))
    pairs = np.column_stack([np.full(N, 3), ids[0].astype(int)])
    assert_allclose(scores[0], model.predict(pairs), rtol=1e-12)
    assert model.similar_items([N - 1], n=3)[1][0, 0] > 0.5
    assert np.abs(model.transform([[3, N - 1]])[0, 3:]).min() > 0


def test_coefficients_are_in_the_unit_of_the_table():
    model = fitted()
    centred = TABLE.to_numpy() - TABLE.to_numpy().mean(axis=0)
    means = centred @ model.item_coef_
    assert_allclose(model.column_factors_[COLD:], means[COLD:, :2], rtol=1e-9)
    assert_allclose(model.column_offsets_[COLD:], means[COLD:, 2], rtol=1e-9)
    unrated = model.column_factors_[:COLD] - means[:COLD, :2]
    assert np.abs(unrated).min() > 1e-6


# --- forms of the tables ---


def as_sparse_frame(table):
    return table.astype(pd.SparseDtype(float, 0.0))


TAGS = (FEATURES > 0.5).astype(float)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TABLE, (np.arange(N), FEATURES)),  # units do not matter
        (TABLE, (list(range(N))[::-1], TABLE.to_numpy()[::-1])),  # nor does the order
        (TABLE, (TABLE.index, (1e200 * FEATURES).tolist())),
        ((range(N), sparse.csr_array(TAGS)), (range(N), sparse.coo_matrix(1e-9 * TAGS))),
        ((range(N), sparse.csc_matrix(TAGS)), as_sparse_frame(pd.DataFrame(TAGS))),
        (TABLE.assign(d=7.0), TABLE.assign(d=0)),  # a constant says nothing
    ],
)
def test_equal_tables_in_several_forms(one, other):
    models = [fitted(features).predict(X) for features in (one, other)]
    assert_allclose(*models, rtol=1e-7)


@pytest.mark.parametrize("name", [lambda c: f"film {c:03}", lambda c: np.datetime64(c, "D")])
def test_identifiers_may_be_strings_or_dates(name):
    frame = pd.DataFrame({"user": X[:, 0], "film": [name(c) for c in X[:, 1].tolist()]})
    table = TABLE.set_axis([name(c) for c in range(N)])
    model = fitted(table, frame[WARM], Y[WARM])
    assert_allclose(model.predict(frame), fitted().predict(X), rtol=1e-6)


def test_an_identifier_without_features_has_features_of_0():
    described = TABLE.drop(index=[2, 39])
    model = fitted(described)
    assert 39 not in model.identifiers_[1]
    assert_array_equal(model.predict([[0, 39]]), model.predict([[0, 1000]]))
    zeros = (range(N), sparse.csr_array(np.where(np.arange(N)[:, None] == 2, 0, TAGS)))
    rest = np.flatnonzero(np.arange(N) != 2)
    scaled = (rest, sparse.csr_array(TAGS[rest]))
    # The mean squared norm is over one row more, which the ridge makes up for.
    same = fitted(zeros, alpha_features=N / (N - 1)).predict(X)
    assert_allclose(fitted(scaled, alpha_features=1.0).predict(X), same, rtol=1e-9)


# --- scikit-learn ---


def test_the_table_is_searched_like_any_parameter():
    model = FlatMatrixFactorization(**SMALL)
    cv = KFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(model, {"item_features": [None, TABLE]}, cv=cv).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    by_film = GridSearchCV(
        model, {"item_features": [None, TABLE]}, cv=[(np.flatnonzero(WARM), np.flatnonzero(~WARM))]
    ).fit(X, Y)
    assert by_film.best_params_["item_features"] is not None


def test_clones_and_pickles_and_pipelines_keep_the_table():
    model = fitted()
    expected = model.predict(X)
    assert_array_equal(clone(model).fit(X[WARM], Y[WARM]).predict(X), expected)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    piped = Pipeline([("same", FunctionTransformer()), ("model", clone(model))])
    assert_array_equal(piped.fit(X[WARM], Y[WARM]).predict(X), expected)
    assert "item_features" in repr(model)


def test_nothing_given_is_changed_and_kept():
    table = TABLE.copy()
    model = fitted(table)
    pd.testing.assert_frame_equal(table, TABLE)
    state = {name: value for name, value in vars(model).items() if name != "item_features"}
    assert not any(value is table for value in state.values())


# --- other parameters ---


@pytest.mark.parametrize(
    "params",
    [
        {"alpha": "auto", "rho": "auto"},
        {"early_stopping": True, "n_iter_no_change": 3},
        {"fit_offsets": False},
        {"balance": "frobenius"},
        {"balance": "trace"},
        {"alpha_features": 10.0},
    ],
    ids=str,
)
def test_it_goes_with_other_parameters(params):
    model, plain = fitted(**params), fitted(None, **params)
    assert rmse(model, X[~WARM], Y[~WARM]) < 0.9 * rmse(plain, X[~WARM], Y[~WARM])
    centred = TABLE.to_numpy() - TABLE.to_numpy().mean(axis=0)
    means = (centred @ model.item_coef_)[COLD:, :2]
    assert_allclose(model.column_factors_[COLD:], means, rtol=1e-6, atol=1e-9)


@pytest.mark.filterwarnings("ignore:als did not converge")
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_dependent_features_with_hardly_any_penalty(convert):
    once, twice = FEATURES[:, :1], np.repeat(FEATURES[:, :1], 3, axis=1)
    tables = [(np.arange(N), convert(features)) for features in (once, twice)]
    one, other = (fitted(table, alpha_features=1e-300, max_iter=5) for table in tables)
    assert_allclose(other.predict(X), one.predict(X), rtol=1e-6)


def test_single_precision_stays_single():
    model = fitted(y=Y[WARM].astype(np.float32))
    assert {F.dtype for F in (*model.factors_, model.item_coef_)} == {np.dtype(np.float32)}
    assert_allclose(model.predict(X), fitted().predict(X), rtol=0, atol=1e-2)


@pytest.mark.filterwarnings("ignore:als did not converge")
def test_weights_count_as_repetitions():
    weight = 1.0 + (np.arange(WARM.sum()) < 100)
    rows = np.repeat(np.arange(len(weight)), weight.astype(int))
    params = SMALL | {"item_features": TABLE, "max_iter": 5}
    twice = FlatMatrixFactorization(**params).fit(X[WARM][rows], Y[WARM][rows])
    heavy = FlatMatrixFactorization(**params).fit(X[WARM], Y[WARM], weight)
    assert_allclose(heavy.predict(X), twice.predict(X), rtol=1e-6)


def test_measures_are_of_the_ratings_alone():
    model = fitted(measures=["sharpness"])
    before = model.sharpness_
    model.measure(X[WARM], Y[WARM])
    assert_allclose(model.sharpness_, before, rtol=1e-12)
    assert_array_equal(np.diff(model.loss_curve_) <= 0, True)


def test_more_kinds_and_one_kind():
    weeks = np.column_stack([X, np.arange(len(X)) % 3])
    three = fitted(X=weeks[WARM])
    plain = fitted(None, X=weeks[WARM])
    assert rmse(three, weeks[~WARM], Y[~WARM]) < 0.7 * rmse(plain, weeks[~WARM], Y[~WARM])
    one = fitted(None, X[WARM][:, 1:], user_features=TABLE)
    assert one.user_coef_.shape == (3, 1)
    offsets = fitted(None, X[WARM][:, 1:])
    assert rmse(one, X[~WARM][:, 1:], Y[~WARM]) < 0.97 * rmse(offsets, X[~WARM][:, 1:], Y[~WARM])


# --- updates ---


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_first_ratings_of_a_film_with_features(feedback):
    y = Y if feedback == "explicit" else np.ones(len(Y))
    model = fitted(y=y[WARM], feedback=feedback, keep_seen=True)
    before = pickle.loads(pickle.dumps(model))
    new = X[:, 1] == COLD
    model.fold_in(X[new], y[new])
    assert_array_equal(model.column_factors_[:COLD], before.column_factors_[:COLD])
    assert_allclose(model.column_factors_[COLD + 1 :], before.column_factors_[COLD + 1 :])
    assert_allclose(model.item_coef_, before.item_coef_, rtol=1e-6)
    assert rmse(model, X[new], y[new]) < rmse(before, X[new], y[new])
    with pytest.raises(ValueError, match="No identifier is new"):
        model.fold_in(X[new], y[new])


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_updates_learn_the_coefficients_anew(feedback):
    y = Y if feedback == "explicit" else np.ones(len(Y))
    model = fitted(y=y[WARM], feedback=feedback, keep_seen=True)
    before = rmse(model, X[~WARM], y[~WARM])
    first = X[:, 1] == COLD
    coefficients = model.item_coef_
    model.partial_fit(X[first], y[first])
    assert np.abs(model.item_coef_ - coefficients).max() > 0
    for _ in range(3):
        model.partial_fit(X[~WARM], y[~WARM])
    assert rmse(model, X[~WARM], y[~WARM]) < 0.8 * before


@pytest.mark.filterwarnings("ignore:als did not converge")
def test_a_warm_start_may_get_another_table():
    model = fitted(None, warm_start=True)
    before = rmse(model, X[~WARM], Y[~WARM])
    model.set_params(item_features=TABLE).fit(X[WARM], Y[WARM])
    assert rmse(model, X[~WARM], Y[~WARM]) < 0.5 * before
    model.set_params(item_features=None).fit(X[WARM], Y[WARM])
    assert model.item_coef_ is None


def test_without_tables_it_is_what_it_was():
    model, plain = fitted(None), FlatMatrixFactorization(**SMALL).fit(X[WARM], Y[WARM])
    assert_array_equal(model.predict(X), plain.predict(X))
    assert model.item_coef_ is model.user_coef_ is None


# --- implicit feedback ---


@pytest.mark.parametrize("solver", ["als", "cg"])
def test_films_without_counts_have_a_place_in_the_ranking(solver):
    rng = np.random.default_rng(0)
    groups = np.arange(N) % 2
    pairs = np.argwhere(
        rng.random((M, N)) < np.where(np.arange(M)[:, None] % 2 == groups, 0.5, 0.02)
    )
    warm = pairs[:, 1] < COLD
    table = pd.DataFrame({"genre": groups, "noise": rng.normal(size=N)})
    chosen = ALS(inner="cg") if solver == "cg" else "als"
    model = fitted(table, pairs[warm], np.ones(warm.sum()), feedback="implicit", solver=chosen)
    scores = model.predict(np.argwhere(np.ones((M, N), bool))).reshape(M, N)[:, COLD:]
    own = np.arange(M)[:, None] % 2 == groups[COLD:]
    differences = np.where(own, scores, 0).sum(axis=1) - np.where(own, 0, scores).sum(axis=1)
    assert (differences > 0).mean() > 0.9
    assert np.diff(model.loss_curve_).max() < 1e-12


# --- bad input ---


@pytest.mark.parametrize(
    ("features", "error", "words"),
    [
        (FEATURES, TypeError, "item_features must be a DataFrame"),
        ("table", TypeError, "got str"),
        ((range(N), FEATURES[:-1]), ValueError, "40 identifiers, but features of 39"),
        ((np.zeros(N), FEATURES), ValueError, "identifier 0.0 more than once"),
        (TABLE.set_axis(["a"] * N), ValueError, "identifier 'a' more than once"),
        (TABLE.set_axis([str(c) for c in range(N)]), ValueError, "are strings, such as '0'"),
        (TABLE.set_axis([*range(N - 1), "a"]), TypeError, "uniformly strings or numbers"),
        (TABLE.set_axis([*range(N - 1), None]), ValueError, "NaN in item_features"),
        (TABLE.assign(b=np.nan), ValueError, "item_features must be finite"),
        (TABLE.assign(b=np.inf), ValueError, "item_features must be finite"),
        (TABLE.assign(b="drama"), ValueError, "item_features must be finite numbers"),
        (
            (range(N), FEATURES[:, 0]),
            ValueError,
            "item_features must be finite numbers: Expected 2D",
        ),
        ((5, FEATURES), ValueError, "one identifier for each row"),
        (TABLE[[]], ValueError, "item_features"),
        (TABLE.iloc[:0], ValueError, "one identifier for each row"),
    ],
    ids=str,
)
def test_bad_tables(features, error, words):
    with pytest.raises(error, match=words):
        fitted(features)


def test_a_table_of_others_is_told_of():
    with pytest.warns(match="No identifier in item_features occurs in column 1 of X"):
        model = fitted(TABLE.set_axis(range(1000, 1000 + N)))
    assert_allclose(model.predict(X[WARM]), fitted(None).predict(X[WARM]), rtol=1e-9)
    assert not model.item_coef_.any()


def test_what_it_does_not_go_with():
    for solver in ("adam", "gibbs"):
        words = f"item_features: this needs solver='als', got '{solver}'"
        with pytest.raises(ValueError, match=words):
            fitted(solver=solver)
    with pytest.raises(ValueError, match="this needs two columns"):
        fitted(X=X[WARM][:, 1:])
    with pytest.raises(ValueError, match="rows of a matrix have no identifiers"):
        FlatMatrixFactorization(**SMALL, item_features=TABLE).fit(np.eye(5))
    with pytest.raises(ValueError, match="alpha_features"):
        fitted(alpha_features=0)
