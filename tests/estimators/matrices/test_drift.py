"""FlatMatrixFactorization with times of observations."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score, train_test_split

from skflat import FlatMatrixFactorization
from skflat.solvers import ALS

SMALL = {
    "n_components": 2,
    "alpha": 1.0,
    "rho": 0.1,
    "alpha_drift": 2.0,
    "n_time_bins": 5,
    "measures": None,
    "random_state": 0,
}


def ratings(n=2500, seed=0):
    """Observations whose items' offsets grow or fall with time, in days."""
    rng = np.random.default_rng(seed)
    users, items, days = (
        rng.integers(40, size=n),
        rng.integers(30, size=n),
        rng.integers(100, size=n),
    )
    trend = rng.normal(size=30) / 25
    left, right = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    y = 3 + trend[items] * (days - 50) + (left[users] * right[items]).sum(axis=1)
    return np.column_stack([users, items, days]), y + 0.1 * rng.normal(size=n)


X, Y = ratings()
TRAIN, TEST = train_test_split(np.arange(len(Y)), random_state=0)


def fitted(X=X[TRAIN], y=Y[TRAIN], timestamps=2, **params):
    return FlatMatrixFactorization(**SMALL | {"timestamps": timestamps} | params).fit(X, y)


def rmse(model, X, y):
    return float(np.sqrt(np.mean((model.predict(X) - y) ** 2)))


def test_drifts_predict_what_drifts():
    plain = fitted(X[TRAIN][:, :2], timestamps=None)
    model = fitted()
    assert rmse(model, X[TEST], Y[TEST]) < 0.7 * rmse(plain, X[TEST][:, :2], Y[TEST])
    assert (model.user_drift_.shape, model.item_drift_.shape) == ((40, 5), (30, 5))
    assert plain.user_drift_ is plain.item_drift_ is None
    assert np.diff(model.loss_curve_).max() < 0
    days = np.corrcoef(model.item_drift_[:, -1], -model.item_drift_[:, 0])[0, 1]
    assert days > 0.8


def test_one_bin_or_a_strong_ridge_is_no_drift():
    plain = fitted(X[TRAIN][:, :2], timestamps=None)
    strong = fitted(alpha_drift=1e15)
    assert_allclose(strong.predict(X[TEST]), plain.predict(X[TEST][:, :2]), rtol=1e-9)
    assert fitted(n_time_bins=1).item_drift_.shape == (30, 1)
    constant = np.column_stack([X[TRAIN][:, :2], np.full(len(TRAIN), 7)])
    assert fitted(constant).item_drift_.shape == (30, 1)


def test_the_column_may_be_named_and_stand_anywhere_and_hold_dates():
    expected = fitted().predict(X[TEST])
    frame = pd.DataFrame(X, columns=["user", "item", "day"])
    named = fitted(frame.iloc[TRAIN], timestamps="day")
    assert_array_equal(named.predict(frame.iloc[TEST]), expected)
    first = frame[["day", "user", "item"]]
    assert_array_equal(fitted(first.iloc[TRAIN], timestamps=0).predict(first.iloc[TEST]), expected)
    assert_array_equal(fitted(timestamps=-1).predict(X[TEST]), expected)
    dates = frame.assign(day=pd.Timestamp("2020-01-01") + pd.to_timedelta(frame["day"], "D"))
    model = fitted(dates.iloc[TRAIN], timestamps="day")
    assert_array_equal(model.predict(dates.iloc[TEST]), expected)


def test_times_beyond_those_of_training_and_unknown_identifiers():
    model = fitted()
    ends = model.predict([[3, 4, -1e6], [3, 4, 0], [3, 4, 99], [3, 4, 1e6]])
    assert ends[0] == ends[1] != ends[2] == ends[3]
    assert model.predict([[99, 99, 5]]) == model.intercept_
    assert_allclose(
        model.predict([[99, 4, 99]]),
        model.intercept_ + model.column_offsets_[4] + model.item_drift_[4, -1],
    )
    # An item that was never rated in a bin has no drift there.
    rows = TRAIN[(X[TRAIN][:, 1] != 4) | (X[TRAIN][:, 2] < 50)]
    for alpha_drift in (2.0, 0.0):
        assert fitted(X[rows], Y[rows], alpha_drift=alpha_drift).item_drift_[4, -1] == 0


def test_recommendations_are_for_the_last_bin():
    model = fitted()
    ids, scores, _ = model.recommend([3, 99], n=30, exclude_seen=False)
    now = [[3, item, 99] for item in ids[0].tolist()]
    assert_allclose(scores[0], model.predict(now), rtol=1e-12)
    assert_allclose(np.diff(scores) <= 0, True)
    left = model.recommend([3], n=30, seen=X[TRAIN]).ids[0].compressed()
    assert set(left) == set(range(30)) - set(X[TRAIN][X[TRAIN][:, 0] == 3, 1])
    kept = fitted(keep_seen=True).recommend([3], n=30).ids[0].compressed()
    assert_array_equal(kept, left)
    assert model.similar_items([3], n=2)[0].shape == (1, 2)
    assert model.transform(X[:7]).shape == (7, 6)


def test_seen_may_be_a_frame_with_times():
    frame = pd.DataFrame(X[TRAIN], columns=["user", "item", "day"])
    model = fitted(frame, timestamps="day")
    ids = model.recommend([3], n=30, seen=frame).ids
    assert_array_equal(ids, fitted().recommend([3], n=30, seen=X[TRAIN]).ids)
    with pytest.raises(ValueError, match="column 'item' were numbers in fit, got 'a'"):
        model.recommend([3], seen=frame.assign(item="a"))


def test_it_is_cloned_pickled_split_and_measured():
    model = fitted(measures=["sharpness", "flatness", "weakness"], early_stopping=True)
    assert 0 < model.weakness_ < 1
    again = fitted(measures=["sharpness"])
    sharpness = again.sharpness_
    again.measure(X[TRAIN], Y[TRAIN])
    assert_allclose(again.sharpness_, sharpness, rtol=1e-9)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert cross_val_score(clone(again).set_params(measures=None), X, Y, cv=2).min() > 0.5


@pytest.mark.filterwarnings("ignore:als did not converge")
def test_weights_count_as_repetitions():
    weight = 1.0 + (np.arange(len(TRAIN)) < 100)
    rows = np.repeat(TRAIN, weight.astype(int))
    # The same edges of the bins, whatever is repeated.
    params = SMALL | {"timestamps": 2, "n_time_bins": 1, "max_iter": 5}
    twice = FlatMatrixFactorization(**params).fit(X[rows], Y[rows])
    heavy = FlatMatrixFactorization(**params).fit(X[TRAIN], Y[TRAIN], weight)
    assert_allclose(heavy.predict(X), twice.predict(X), rtol=1e-6)


@pytest.mark.parametrize("criterion", ["trace", "lambda_max"])
def test_balanced_factors_have_the_same_predictions(criterion, monkeypatch):
    def unchanged(left, right, rows, columns, weight):  # the search takes long
        assert_array_equal(np.column_stack([rows, columns]), X[TRAIN][:, :2])
        return left, right

    monkeypatch.setattr("skflat.estimators.matrices._fit.balance_eigenvalue", unchanged)
    assert_allclose(fitted(balance=criterion).predict(X), fitted().predict(X), rtol=1e-9)


def test_it_goes_with_features_and_with_single_precision():
    features = (range(30), np.random.default_rng(0).normal(size=(30, 2)))
    model = fitted(y=Y[TRAIN].astype(np.float32), item_features=features, alpha="auto")
    assert {F.dtype for F in (*model.factors_, model.item_drift_)} == {np.dtype(np.float32)}
    assert rmse(model, X[TEST], Y[TEST]) < 1.1 * rmse(fitted(), X[TEST], Y[TEST])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"timestamps": 3}, "one of the 3 columns of X, got 3"),
        ({"timestamps": "day"}, "got 'day'"),
        ({"timestamps": 1.5}, "timestamps"),
        ({"timestamps": True}, "got True"),
        ({"solver": ALS(inner="cg")}, "is for feedback='implicit'"),
        ({"X": X[TRAIN][:, :2], "timestamps": 1}, "two columns of identifiers and one of times"),
        ({"solver": "adam"}, "needs solver='als', got 'adam'"),
        ({"feedback": "implicit", "y": np.ones(len(TRAIN))}, "needs feedback='explicit'"),
        ({"fit_offsets": False}, "needs fit_offsets=True"),
        ({"X": X[TRAIN].astype(str)}, "Times must be numbers or dates"),
        ({"X": np.where([0, 0, 1], np.nan, X[TRAIN])}, "contains NaN"),
        ({"X": np.where([0, 0, 1], np.inf, X[TRAIN])}, "infinity"),
        ({"n_time_bins": 0}, "n_time_bins"),
        ({"alpha_drift": -1}, "alpha_drift"),
    ],
    ids=str,
)
def test_bad_input(params, words):
    with pytest.raises(ValueError, match=words):
        fitted(**params)


def test_what_is_refused_later():
    model = fitted(keep_seen=True)
    with pytest.raises(ValueError, match="no partial_fit, fold_in or warm start"):
        model.partial_fit(X[:5], Y[:5])
    with pytest.raises(ValueError, match="partial_fit has no timestamps"):
        clone(model).partial_fit(X, Y)
    with pytest.raises(ValueError, match="no partial_fit, fold_in or warm start"):
        model.fold_in([[77, 1, 5]], [1.0])
    with pytest.raises(ValueError, match="no partial_fit, fold_in or warm start"):
        model.set_params(warm_start=True).fit(X, Y)
    frame = pd.DataFrame(X, columns=["user", "item", "day"]).assign(day=np.datetime64("2020-01-01"))
    with pytest.raises(ValueError, match="Times were numbers in fit"):
        model.predict(frame.to_numpy(dtype=object))
    with pytest.raises(ValueError, match="no matrix"):
        FlatMatrixFactorization(**SMALL, timestamps=2).fit(np.eye(3))
