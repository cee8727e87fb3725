"""FlatMatrixImputer fills missing entries and keeps known ones."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from progress import Progress
from scipy import sparse
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import FlatMatrixImputer
from skflat._callbacks import HAS_CALLBACKS
from skflat.estimators.matrices._imputer import LARGEST_RHO
from skflat.solvers import ALS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def table(m=100, n=15, rank=3, share=0.3, noise=0.05, seed=0):
    """A noisy matrix of low rank, the same with entries missing, and which ones."""
    rng = np.random.default_rng(seed)
    M = rng.normal(size=(m, rank)) @ rng.normal(size=(rank, n)) / np.sqrt(rank)
    missing = rng.random(M.shape) < share
    return M, np.where(missing, np.nan, M + noise * rng.normal(size=M.shape)), missing


M, X, MISSING = table()


def imputer(**params):
    return FlatMatrixImputer(**{"n_components": 5, "random_state": 0} | params)


def rmse(filled):
    return np.sqrt(np.mean((filled - M)[MISSING] ** 2))


def test_what_is_known_is_kept_and_the_rest_is_near():
    filled = imputer().fit_transform(X)
    assert_array_equal(filled[~MISSING], X[~MISSING])
    assert rmse(filled) < 0.15
    for other in (SimpleImputer(), KNNImputer()):
        assert rmse(filled) < 0.5 * rmse(other.fit_transform(X))


def test_new_rows_are_filled():
    model = imputer().fit(X[:80])
    filled = model.transform(X[80:])
    assert np.sqrt(np.mean((filled - M[80:])[MISSING[80:]] ** 2)) < 0.25


def test_fitting_and_filling_at_once_is_the_same():
    assert_array_equal(imputer().fit_transform(X), imputer().fit(X).transform(X))


def test_units_and_origins_do_not_matter():
    """Powers of two keep the bits."""
    units = 2.0 ** np.arange(-7, 8)
    filled = imputer().fit_transform(X)
    assert_allclose(imputer().fit_transform(X * units) / units, filled, rtol=1e-10)
    origins = np.linspace(-1e4, 1e6, 15)
    assert_allclose(imputer().fit_transform(X + origins) - origins, filled, atol=1e-6)


@pytest.mark.parametrize(("dtype", "unit"), [(float, 1e200), (np.float32, 1e25), (float, 1e-200)])
def test_units_may_be_too_large_or_too_small_to_square(dtype, unit):
    filled = imputer().fit_transform((X * unit).astype(dtype))
    assert_allclose(filled / unit, imputer().fit_transform(X), atol=1e-3)


def test_the_radius_falls_with_the_noise():
    radii = [imputer().fit(table(noise=noise)[1]).rho_ for noise in (0.01, 0.5)]
    assert radii[0] < radii[1]
    assert imputer(rho=0.07).fit(X).rho_ == 0.07
    assert imputer(solver=ALS()).fit(X).rho_ == imputer().fit(X).rho_


def test_another_value_may_stand_for_missing():
    marked = np.where(MISSING, -99.0, X)
    filled = imputer(missing_values=-99).fit_transform(marked)
    assert_array_equal(filled, imputer().fit_transform(X))
    with pytest.raises(ValueError, match="Input X contains NaN"):
        imputer(missing_values=-99).fit(X)


def test_whole_numbers_will_do():
    counts = np.where(MISSING, -1, np.round(5 * M).astype(int) + 100)
    filled = imputer(missing_values=-1).fit_transform(counts)
    assert filled.dtype == float
    assert np.abs(filled - 5 * M - 100)[MISSING].mean() < 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(dtype):
    assert imputer(add_indicator=True).fit_transform(X.astype(dtype)).dtype == dtype


def test_an_indicator_tells_where_something_was_missing():
    partly = X.copy()
    partly[:, 0] = M[:, 0]
    model = imputer(add_indicator=True)
    filled = model.fit_transform(partly)
    assert filled.shape == (100, 15 + 14)
    assert_array_equal(filled[:, 15:], MISSING[:, 1:])
    assert model.get_feature_names_out()[[0, 14, 15]].tolist() == [
        "x0",
        "x14",
        "missingindicator_x1",
    ]


@pytest.mark.parametrize("keep", [False, True])
def test_empty_columns_are_left_out_or_filled_with_0(keep):
    empty = X.copy()
    empty[:, 4] = np.nan
    model = imputer(keep_empty_features=keep)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        filled = model.fit_transform(empty)
    of_features = [str(each.message) for each in told if each.category is UserWarning]
    assert keep == (not of_features)
    assert keep or "Skipping features without any observed values: [4]" in of_features[0]
    names = [f"x{j}" for j in range(15) if keep or j != 4]
    assert model.get_feature_names_out().tolist() == names
    assert filled.shape == (100, len(names))
    if keep:
        assert not filled[:, 4].any()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        again = model.transform(X)
    assert_array_equal(again[~MISSING[:, 0], 0], X[~MISSING[:, 0], 0])


def test_empty_rows_get_the_columns_offsets():
    filled = imputer().fit_transform(np.vstack([X, np.full((1, 15), np.nan)]))
    assert np.isfinite(filled).all()
    assert_allclose(filled[-1], np.nanmean(X, axis=0), atol=0.6)


def test_frames_come_out_as_frames():
    frame = pd.DataFrame(X).add_prefix("c")
    filled = imputer().set_output(transform="pandas").fit_transform(frame)
    assert list(filled.columns) == list(frame.columns)
    assert not filled.isna().any().any()


def test_it_stands_in_a_pipeline():
    y = M[:, 0] + M[:, 1]
    pipe = make_pipeline(imputer(), StandardScaler(), Ridge()).fit(X, y)
    plain = make_pipeline(SimpleImputer(), StandardScaler(), Ridge()).fit(X, y)
    assert pipe.score(X, y) > plain.score(X, y)


def test_nothing_given_is_written_to():
    given = X.copy()
    given.flags.writeable = False
    imputer().fit_transform(given)


def test_a_table_without_anything_missing_stays():
    assert_array_equal(imputer().fit_transform(M), M)


@pytest.mark.parametrize("value", [7.0, 0.1, 1e-6])
def test_a_constant_column_is_filled_with_its_constant(value):
    """The deviation of 0.1 comes out as rounding, which is no unit."""
    constant = np.column_stack([np.full(100, value), X])
    constant[::3, 0] = np.nan
    filled = imputer().fit_transform(constant)
    assert_array_equal(filled[:, 0], value)
    assert rmse(filled[:, 1:]) < 0.15


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="All entries of X are missing"):
        imputer().fit(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="Input X contains infinity"):
        imputer().fit(np.where(MISSING, np.inf, X))
    with pytest.raises(ValueError, match="could not convert string"):
        imputer().fit(np.array([["a", "b"]]))
    with pytest.raises(ValueError, match="'missing_values' parameter"):
        imputer(missing_values="?").fit(X)
    with pytest.raises(ValueError, match="'rho' parameter"):
        imputer(rho=-1).fit(X)


# --- bounds, whole numbers and categories ---


def test_filled_values_keep_the_bounds_and_known_ones_are_kept():
    low, high = np.full(15, -0.1), np.full(15, np.inf)
    high[3] = 0.2
    filled = imputer(min_value=low, max_value=high).fit_transform(X)
    free = imputer().fit_transform(X)
    assert_array_equal(filled, np.where(MISSING, np.clip(free, low, high), X))
    assert (free < -0.1)[MISSING].any()
    assert X[~MISSING].min() < -0.1
    assert imputer(min_value=0).fit_transform(X)[MISSING].min() == 0


@pytest.mark.parametrize("chosen", [[0, 4], [True, False, False, False, True, False], ["a", "e"]])
def test_whole_numbers_stay_within_what_is_known(chosen):
    whole = np.round(3 * X[:, :6])
    whole[:, 4] = whole[:, 4] > 0
    whole[MISSING[:, :6]] = np.nan
    frame = pd.DataFrame(whole, columns=list("abcdef"))
    given = frame if isinstance(chosen[0], str) else whole
    model = imputer(integer_features=chosen, rho=0.1)
    filled = np.asarray(model.fit_transform(given))
    assert_array_equal(filled[:, [0, 4]], np.round(filled[:, [0, 4]]))
    assert set(filled[:, 4]) == {0.0, 1.0}
    assert (filled[:, 1] != np.round(filled[:, 1])).any()
    bounded = model.set_params(min_value=-1.5, max_value=0.5).fit_transform(given)
    assert set(np.asarray(bounded)[MISSING[:, 0], 0]) <= {-1.0, 0.0}


@pytest.mark.parametrize(
    ("bound", "value"), [({"min_value": 98.5}, 99.0), ({"max_value": -98.5}, -99.0)]
)
def test_whole_numbers_keep_bounds_that_exclude_what_is_known(bound, value):
    whole = np.round(X[:30, :4])
    filled = imputer(integer_features=[0], rho=0.1, **bound).fit_transform(whole)
    assert set(filled[MISSING[:30, 0], 0]) == {value}


def mixed(n=200, seed=0):
    """A frame in which two columns of numbers tell the category, and with entries missing."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    numbers = (kind[:, None] == np.arange(3)) * 3.0 + 0.1 * rng.normal(size=(n, 3))
    names = np.array(["ash", "birch", "cedar"])[kind].astype(object)
    frame = pd.DataFrame(numbers, columns=list("xyz"))
    frame["tree"], frame["code"] = names, kind * 10.0
    whole = frame.copy()
    gone = rng.random(n) < 0.2
    frame.loc[gone, "tree"] = None
    frame.loc[~gone & (rng.random(n) < 0.2), "code"] = np.nan
    frame.loc[rng.random(n) < 0.1, "x"] = np.nan
    return whole, frame


def test_categories_are_filled_with_the_likeliest():
    whole, frame = mixed()
    model = imputer(categorical_features=["tree", "code"]).set_output(transform="pandas")
    filled = model.fit_transform(frame)
    assert list(filled.columns) == list(frame.columns)
    for name in ("tree", "code"):
        assert_array_equal(filled[name].to_numpy(), whole[name].to_numpy())
    known = frame["x"].notna()
    assert_array_equal(filled["x"][known].astype(float), frame["x"][known])
    assert abs(filled["x"].astype(float) - whole["x"]).max() < 1
    assert [None if c is None else c.tolist() for c in model.categories_] == [
        None,
        None,
        None,
        ["ash", "birch", "cedar"],
        [0.0, 10.0, 20.0],
    ]
    assert pickle.loads(pickle.dumps(model)).transform(frame[:5]).equals(filled[:5])


def test_categories_that_are_numbers_keep_an_array_of_numbers():
    _, frame = mixed()
    table = frame.drop(columns="tree").to_numpy()
    filled = imputer(categorical_features=[3], rho=0.1).fit_transform(table)
    assert filled.dtype == float
    assert set(filled[:, 3]) == {0.0, 10.0, 20.0}
    marked = np.where(np.isnan(table), -1.0, table)
    same = imputer(categorical_features=[-1], rho=0.1, missing_values=-1.0).fit_transform(marked)
    assert_array_equal(same, filled)


def test_a_column_of_categories_without_known_entries_is_empty():
    _, frame = mixed(60)
    frame["nothing"] = None
    model = imputer(categorical_features=["tree", "code", "nothing"], keep_empty_features=True)
    assert (model.fit_transform(frame)[:, 5] == 0).all()
    with pytest.warns(match="Skipping features without any observed values: .'nothing'"):
        assert model.set_params(keep_empty_features=False).fit_transform(frame).shape[1] == 5


ONE = pd.DataFrame({"a": [1.0, 2.0, np.nan, 2.5], "b": ["u", "v", None, "u"]})
REFUSED = [
    ({}, ONE, "column 'b' holds values that are no numbers .* name it in categorical_features"),
    ({"categorical_features": ["a"]}, ONE, "column 'b' holds values that are no numbers"),
    ({"categorical_features": ["c"]}, ONE, "categorical_features must be a mask of the 2 columns"),
    ({"categorical_features": [5]}, ONE, "categorical_features must be a mask"),
    ({"categorical_features": ["b"], "integer_features": ["b"]}, ONE, "or categories"),
    ({"categorical_features": ["b"], "integer_features": ["a"]}, ONE, "not whole numbers"),
    ({"min_value": 1, "max_value": 0}, X, "min_value must not exceed max_value, got 1 and 0"),
    ({"min_value": [1.0, 2.0]}, X, "min_value must be a number, or one for each of the 15"),
    ({"max_value": np.nan}, X, "max_value must be a number"),
    ({"max_value": ["a"] * 15}, X, "max_value must be a number, .*inf is no bound"),
    (
        {"integer_features": [0], "min_value": 0.2, "max_value": 0.8},
        np.round(X),
        "No whole number is between min_value=0.2 and max_value=0.8 of column 0",
    ),
    ({"categorical_features": [0]}, [["u", 1.0], [2, 3.0]], "uniformly strings or numbers"),
    ({"categorical_features": [0]}, sparse.csr_array(np.eye(3)), "dense data is required"),
    ({"categorical_features": [0]}, ["u", "v"], "Expected 2D array, got 1D array"),
    ({"categorical_features": [0]}, pd.Series(["u", "v"]), "Expected"),
    (
        {"categorical_features": ["a"]},
        ONE.assign(a=pd.Timestamp("2020-01-01"), b=0.0),
        "must be strings or numbers, but column 'a' holds datetime",
    ),
]


@pytest.mark.parametrize(("params", "table", "words"), REFUSED)
def test_bad_columns_are_refused(params, table, words):
    with pytest.raises((ValueError, TypeError), match=words):
        imputer(**params).fit(table)


def test_unknown_categories_are_refused():
    model = imputer(categorical_features=["b"]).fit(ONE)
    with pytest.raises(TypeError, match=r"column 'b' holds \['w'\]"):
        model.transform(ONE.assign(b=[["w"]] * 4))
    with pytest.raises(ValueError, match=r"Found unknown categories \['w'\] in column 'b'"):
        model.transform(ONE.assign(b="w"))
    with pytest.raises(ValueError, match="X has 1 features"):
        model.set_params(categorical_features=[1]).fit([[1.0, "u"], [2.0, "v"]]).transform([["u"]])


@pytest.mark.skipif(not HAS_CALLBACKS, reason="callbacks came with scikit-learn 1.9")
def test_callbacks_see_every_factorization_and_may_end_the_choice():
    whole, stopped = Progress(), Progress(stop_after=1, name="factorization")
    imputer().set_callbacks(whole).fit(X)
    assert whole.ended.count("factorization") > 2
    assert whole.ended[-1] == "fit"
    first = imputer().set_callbacks(stopped).fit(X)
    assert stopped.ended == ["factorization", "factorization", "fit"]
    assert first.rho_ == LARGEST_RHO


@pytest.mark.parametrize(("alpha", "zero"), [("alpha", "factors_"), ("alpha_offsets", "offsets_")])
def test_a_penalty_beyond_single_precision_leaves_nothing_of_what_it_penalises(alpha, zero):
    fitted = imputer(**{alpha: 1e300}, max_iter=3).fit(X.astype(np.float32))
    for array in getattr(fitted.factorization_, zero):
        assert_allclose(array, 0, atol=1e-15)
    filled = fitted.transform(X.astype(np.float32))
    assert filled.dtype == np.float32
    assert np.isfinite(filled).all()
