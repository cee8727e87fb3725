"""Recommendations, similar items and similar users."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from test_factorization import matrix, table

from skflat import FlatMatrixFactorization
from skflat.estimators.matrices.recommending import _best as blocks

M, X, Y = table()
SMALL = {"n_components": 2, "random_state": 0, "measures": None, "keep_seen": True}


@pytest.fixture(scope="module")
def model():
    return FlatMatrixFactorization(**SMALL).fit(X, Y)


def with_factors(users, items, offsets=None):
    """A model with the given factors, whose identifiers are their positions."""
    full = np.argwhere(np.ones((len(users), len(items))))
    values = np.random.default_rng(0).normal(size=len(full))
    found = FlatMatrixFactorization(**SMALL | {"n_components": users.shape[1]})
    found.set_params(alpha=1.0).partial_fit(full, values)
    found.factors_, found.intercept_ = [users, items], 0.5
    found.offsets_ = [np.zeros(len(users)), np.zeros(len(items)) if offsets is None else offsets]
    return found


def in_full(model, user, banned, candidates):
    """Items by their predictions, and by identifier where these are equal."""
    scores = model.predict([[user, item] for item in candidates])
    order = [k for k in np.lexsort((candidates, -scores)) if candidates[k] not in banned]
    return candidates[order], scores[order]


def test_recommendations_are_the_sorted_predictions_of_unseen_items(model):
    users, candidates = np.array([7, 2, 29, 7]), np.arange(3, 17)
    ids, scores, known = model.recommend(users, 4, items=candidates[::-1])
    for k, user in enumerate(users):
        expected = in_full(model, user, X[X[:, 0] == user, 1], candidates)
        n = min(4, len(expected[0]))
        assert_array_equal(ids[k, :n], expected[0][:n])
        assert_array_equal(scores[k, :n], expected[1][:n])  # to the bit
        assert ids.mask[k, n:].all()
        assert np.isnan(scores[k, n:]).all()
    assert known.all()


@pytest.mark.parametrize("sizes", [(1 << 21, 1 << 13), (40, 8), (3, 3), (1000, 1)])
def test_equal_scores_are_in_order_of_identifiers_in_blocks_of_any_size(sizes, monkeypatch):
    for name, size in zip(("ENTRIES", "TILE"), sizes, strict=True):
        monkeypatch.setattr(blocks, name, size)
    rng = np.random.default_rng(0)
    # Few distinct values that single precision cannot represent, so products round.
    users, items = (rng.integers(0, 3, size=(size, 3)) / np.float32(3) for size in (23, 50))
    model = with_factors(users.astype(np.float32), items.astype(np.float32))
    ids, scores, _ = model.recommend(n=17, exclude_seen=False)
    for user in range(23):
        expected = in_full(model, user, (), np.arange(50))
        assert_array_equal(ids[user], expected[0][:17])
        assert_array_equal(scores[user], expected[1][:17])
    alone = model.recommend([11], 17, exclude_seen=False)
    assert_array_equal(alone.ids[0], ids[11])
    assert_array_equal(alone.scores[0], scores[11])


def test_memory_is_that_of_a_block(monkeypatch):
    monkeypatch.setattr(blocks, "ENTRIES", 1 << 16)
    rng = np.random.default_rng(0)
    model = with_factors(rng.normal(size=(4, 2)), rng.normal(size=(4, 2)))
    model.factors_ = [rng.normal(size=(1000, 2)), rng.normal(size=(4000, 2))]
    model.offsets_ = [np.zeros(1000), np.zeros(4000)]
    model.identifiers_ = [np.arange(1000), np.arange(4000)]
    tracemalloc.start()
    model.recommend(n=3, exclude_seen=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2 * 8 * 1000 * 4000


def test_an_unknown_user_gets_the_largest_offsets_and_is_told_of(model):
    ids, scores, known = model.recommend([99, 3], 5, exclude_seen=False)
    order = np.argsort(-model.column_offsets_, kind="stable")[:5]
    assert_array_equal(ids[0], model.identifiers_[1][order])
    assert_allclose(scores[0], model.intercept_ + model.column_offsets_[order])
    assert known.tolist() == [False, True]


def test_what_was_seen_is_kept_or_given(model):
    forgetful = FlatMatrixFactorization(**SMALL | {"keep_seen": False}).fit(X, Y)
    kept, given = model.recommend(), forgetful.recommend(seen=X[::-1])
    assert_array_equal(kept.ids, given.ids)
    assert_array_equal(kept.scores, given.scores)
    assert (kept.ids.mask == given.ids.mask).all()
    with pytest.raises(ValueError, match="fit with keep_seen=True, give pairs"):
        forgetful.recommend()
    everything = forgetful.recommend(exclude_seen=False)
    for nothing in ([], np.empty((0, 2), int), pd.DataFrame({"user": [], "item": []})):
        assert_array_equal(forgetful.recommend(seen=nothing).scores, everything.scores)
    # Unknown users and items may have been seen, too, and both ways add up.
    best = model.recommend([99, 3], 2, seen=[[99, 5], [3, 1000]])
    again = model.recommend([99, 99, 3], 2, seen=[[99, best.ids[0, 0]], [3, best.ids[1, 0]]])
    assert_array_equal(again.ids[[0, 2], 0], best.ids[:, 1])
    assert_array_equal(again.ids[0], again.ids[1])


def test_of_a_matrix_rows_and_columns_are_numbers(model):
    whole = FlatMatrixFactorization(**SMALL).fit(matrix())
    assert_array_equal(whole.recommend().ids, model.recommend().ids)


def test_identifiers_may_be_strings_and_come_in_any_container(model):
    frame = pd.DataFrame({"user": X[:, 0].astype(str), "item": X[:, 1].astype(str)})
    named = FlatMatrixFactorization(**SMALL).fit(frame, Y)
    ids = [named.recommend(each([str(3), "x"]), 6).ids for each in (list, np.array, pd.Series)]
    assert set(ids[0][0]) == set(model.recommend([3], 6).ids[0].astype(str))
    assert all((each == ids[0]).all() for each in ids)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_held_out_and_later_observations_are_seen_too():
    stopping = FlatMatrixFactorization(solver="adam", early_stopping=True, max_iter=2, **SMALL)
    assert_array_equal(stopping.fit(X, Y)._seen.codes, X[np.argsort(X[:, 0], kind="stable")])
    loaded = pickle.loads(pickle.dumps(stopping))
    assert_array_equal(loaded.recommend().ids, stopping.recommend().ids)


BAD = [
    ({"users": "ann"}, "users must be a sequence"),
    ({"users": []}, "users must be a sequence of at least one"),
    ({"users": np.ones((1, 2))}, "users must be a sequence"),
    ({"users": ["ann"]}, "Identifiers in users were numbers in fit, got 'ann'"),
    ({"users": [np.nan]}, "Input X contains NaN in users"),
    ({"users": [1, "b"]}, "uniformly strings or numbers"),
    ({"items": [1, 1000]}, "items must have been seen in fit, but 1 of 2 were not, such as 1000"),
    ({"items": []}, "items must be a sequence"),
    ({"n": 0}, "n must be a positive whole number, got 0"),
    ({"n": 2.5}, "n must be a positive whole number"),
    ({"seen": [[1]]}, "X has 1 features"),
]


@pytest.mark.parametrize(("given", "words"), BAD)
def test_bad_input_is_refused(model, given, words):
    with pytest.raises((ValueError, TypeError), match=words):
        model.recommend(**given)


def test_of_three_kinds_nothing_is_kept_or_recommended():
    three = np.column_stack([X, X[:, 0] % 3])
    with pytest.raises(ValueError, match="keep_seen is for two columns of identifiers, got 3"):
        FlatMatrixFactorization(**SMALL).fit(three, Y)
    model = FlatMatrixFactorization(**SMALL | {"keep_seen": False}).fit(three, Y)
    with pytest.raises(AttributeError, match="of two kinds"):
        model.recommend()


# --- similar ones ---


def test_similar_items_have_similar_predictions(model):
    ids, scores = model.similar_items([4, 0], 19)
    products = model.row_factors_ @ model.column_factors_.T
    units = products / np.linalg.norm(products, axis=0)
    cosines = units.T @ units
    for k, item in enumerate((4, 0)):
        assert_allclose(scores[k], cosines[item][ids[k]], atol=1e-9)
        assert sorted(ids[k]) == [each for each in range(20) if each != item]
        assert (np.diff(scores[k]) <= 0).all()


def test_similarity_does_not_depend_on_which_factors_give_the_predictions(model):
    turned, G = pickle.loads(pickle.dumps(model)), np.array([[3.0, 1.0], [-2.0, 0.5]])
    turned.factors_ = [model.row_factors_ @ G, model.column_factors_ @ np.linalg.inv(G).T]
    assert_allclose(turned.predict(X), model.predict(X))
    for name in ("similar_items", "similar_users"):
        (ids, scores), (same, also) = (getattr(each, name)([3, 8], 5) for each in (turned, model))
        assert_array_equal(ids, same)
        assert_allclose(scores, also, rtol=1e-6)


def test_equally_similar_items_are_in_order_and_no_factors_are_similar_to_nothing():
    items = np.array([[2.0, 2], [0, 0], [1, 1], [5, 5], [1, -1]])
    model = with_factors(np.array([[1.0, 0], [0, 1], [1, 1]]), items)
    ids, scores = model.similar_items([2, 1])
    assert ids[:, :2].tolist() == [[0, 3], [0, 2]]
    assert_allclose(scores[0, :2], 1)
    assert_array_equal(scores[1], 0)


def test_similarities_are_as_precise_as_the_factors():
    users, items = (np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32) for n in (9, 7))
    assert with_factors(users, items).similar_items([2, 1])[1].dtype == np.float32


@pytest.mark.parametrize("name", ["similar_items", "similar_users"])
def test_nothing_is_similar_to_what_is_unknown(model, name):
    with pytest.raises(ValueError, match="must have been seen in fit, but 1 of 2 were not"):
        getattr(model, name)([1, 77])
