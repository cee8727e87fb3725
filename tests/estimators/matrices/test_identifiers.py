"""Identifiers may be of any type with an order, one kind in each column. Others are named."""

import datetime as dt
import uuid
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skflat import FlatMatrixFactorization

SMALL = {"n_components": 2, "alpha": 0.1, "random_state": 0, "measures": None, "tol": 0.1}
DAY = dt.date(2020, 3, 28)
BERLIN = "Europe/Berlin"

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: A value for every whole number, in the same order.
KINDS = {
    "dates": lambda i: DAY + dt.timedelta(days=i),
    "dates with a time": lambda i: dt.datetime(2020, 1, 1) + dt.timedelta(hours=i),
    "dates of numpy": lambda i: np.datetime64("2020-01-01") + i,
    "dates far away": lambda i: np.datetime64("3000-01-01") + 400 * i,
    "dates of pandas": lambda i: pd.Timestamp("2020-01-01") + pd.Timedelta(i, "D"),
    "nanoseconds": lambda i: pd.Timestamp("2020-01-01").as_unit("ns") + pd.Timedelta(i, "ns"),
    "zoned dates": lambda i: pd.Timestamp("2020-10-25", tz=BERLIN) + pd.Timedelta(i, "h"),
    "zoned dates of python": lambda i: dt.datetime(2020, 1, 1, i, tzinfo=dt.UTC),
    "durations": lambda i: dt.timedelta(minutes=i),
    "durations of pandas": lambda i: pd.Timedelta(i, "ms"),
    "periods": lambda i: pd.Period("2020-01", "M") + i,
    "intervals": lambda i: pd.Interval(i, i + 1),
    "bytes": lambda i: bytes([1, i]),
    "decimals": lambda i: Decimal(i) / 10,
    "fractions": lambda i: Fraction(i, 3),
    "large numbers": lambda i: 10**30 + i,
    "hashes": lambda i: 2**64 - 100 + i,
    "pairs": lambda i: ("ab"[i // 3], i),
    "uuids": lambda i: uuid.UUID(int=i),
    "strings": lambda i: f"item {i}",
    "numbers": lambda i: 7 * i,
    "short numbers": lambda i: np.int8(40 * i - 100),
    "floating point numbers": lambda i: i / 3,
}
each_kind = pytest.mark.parametrize("kind", KINDS)

rng = np.random.default_rng(0)
X = np.column_stack([np.tile(np.arange(6), 20), rng.integers(8, size=120)])
Y = rng.normal(size=120)


def fitted(X, y=Y, **params):
    return FlatMatrixFactorization(**SMALL | params).fit(X, y)


def column(kind, codes=X[:, 0]):
    return [KINDS[kind](int(code)) for code in codes]


def rows(kind):
    return [[name, int(item)] for name, item in zip(column(kind), X[:, 1], strict=True)]


def frame(kind):
    return pd.DataFrame({"user": column(kind), "item": X[:, 1]})


PLAIN = fitted(X)


def refused(words, error=ValueError):
    return pytest.raises(error, match=words)


@each_kind
@pytest.mark.parametrize("table", [rows, frame])
def test_identifiers_of_every_kind_are_but_names(kind, table):
    model = fitted(table(kind))
    assert_array_equal(model.predict(table(kind)), PLAIN.predict(X))
    assert len(model.identifiers_[0]) == 6


def test_frames_arrays_of_objects_and_rows_say_the_same():
    """Apart from the names of columns, of which scikit-learn warns."""
    model = fitted(rows("dates"))
    for table in (frame("dates").to_numpy(), tuple(rows("dates")), np.array(rows("dates"), object)):
        assert_array_equal(model.predict(table), PLAIN.predict(X))


@each_kind
def test_what_was_never_seen_is_known_to_be_so(kind):
    model = fitted([row for row in rows(kind) if row[0] != KINDS[kind](5)], Y[X[:, 0] != 5])
    found = model.predict([[KINDS[kind](5), 3]])
    assert found == pytest.approx(model.intercept_ + model.column_offsets_[3])


@each_kind
def test_a_warm_start_takes_up_new_ones(kind):
    old = X[:, 0] > 2
    model = FlatMatrixFactorization(warm_start=True, **SMALL)
    table = rows(kind)
    model.fit([row for row, is_old in zip(table, old, strict=True) if is_old], Y[old])
    assert len(model.identifiers_[0]) == 3
    assert len(model.fit(table, Y).identifiers_[0]) == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c > 2,
        lambda c: pd.Categorical(c > 2),
        lambda c: pd.Categorical(
            pd.to_datetime("2020-01-01") + pd.to_timedelta(1 * (c > 2), unit="D")
        ),
        lambda c: np.where(c > 2, b"many", b"few"),
        lambda c: pd.array(c > 2, dtype="boolean"),
        lambda c: pd.arrays.SparseArray(1 * (c > 2)),
    ],
)
def test_columns_of_frames_may_be_of_any_dtype(make):
    table = pd.DataFrame({"user": make(X[:, 0]), "item": X[:, 1]})
    plain = np.column_stack([X[:, 0] > 2, X[:, 1]])
    assert_array_equal(fitted(table).predict(table), fitted(plain).predict(plain))


def test_the_same_day_has_many_spellings():
    model = fitted(rows("dates"))
    spellings = [
        DAY,
        dt.datetime(2020, 3, 28),
        np.datetime64("2020-03-28"),
        np.datetime64("2020-03-28T00:00:00.000000000"),
        pd.Timestamp("2020-03-28"),
    ]
    found = model.predict([[day, 3] for day in spellings])
    assert_array_equal(found, PLAIN.predict([[0, 3]] * 5))
    assert_array_equal(model.predict(np.array([[spellings[2], 3]], object)), found[:1])
    assert_array_equal(
        fitted(np.column_stack([column("dates of numpy")] * 2)).predict(
            np.array([["2020-01-01", "2020-01-02"]], "M8[ns]")
        ),
        fitted(X[:, [0, 0]]).predict([[0, 1]]),
    )


def test_nanoseconds_tell_apart_and_are_told_apart():
    model = fitted(rows("dates with a time"))
    late = pd.Timestamp("2020-01-01").as_unit("ns") + pd.Timedelta(1, "ns")
    assert model.predict([[late, 3]]) == pytest.approx(model.intercept_ + model.column_offsets_[3])
    both = fitted([[late, 3], [late.floor("us"), 3], [dt.datetime(2020, 1, 1), 4]], [1.0, 2.0, 3.0])
    assert len(both.identifiers_[0]) == 2
    with refused("do not fit into datetime64"):
        fitted([[late, 3], [KINDS["dates far away"](0), 3]], [1.0, 2.0])
    far = fitted(rows("dates far away"))
    with refused("do not fit into datetime64"):
        far.set_params(warm_start=True).fit([[late, 3]], [1.0])
    assert far.predict([[late, 3]]) == pytest.approx(far.intercept_ + far.column_offsets_[3])


def test_an_instant_is_the_same_in_every_zone():
    """Also in the hour that comes twice when summer ends."""
    model = fitted(rows("zoned dates"))
    assert len(model.identifiers_[0]) == 6
    elsewhere = [[day.tz_convert("Asia/Tokyo"), 3] for day in column("zoned dates", range(6))]
    assert_array_equal(model.predict(elsewhere), PLAIN.predict([[i, 3] for i in range(6)]))


def test_whole_numbers_of_all_dtypes_are_compared_exactly():
    large = 2**63
    model = fitted(np.column_stack([X[:, 0].astype(np.uint64) + large, X[:, 1]]).astype(np.uint64))
    unseen = model.intercept_ + model.column_offsets_[3]
    assert model.predict(np.array([[large, 3]], np.uint64)) != pytest.approx(unseen)
    assert model.predict(np.array([[-large, 3]])) == pytest.approx(unseen)
    mixed = [[2**64 - 1, 3], [-(2**63), 3], [2**63, 4], [0.5, 4], [2**53 + 1, 3], [2**53, 3]]
    assert len(fitted(mixed, np.arange(6.0)).identifiers_[0]) == 6
    sparse_ids = fitted(np.column_stack([X[:, 0] - 3 + 2**60, X[:, 1]]))
    assert len(sparse_ids.identifiers_[0]) == 6
    assert sparse_ids.predict(np.array([[2**60 - 3, 3]], np.uint64)) == PLAIN.predict([[0, 3]])


def test_numbers_that_no_dtype_holds_together_stay_apart():
    """Signed and unsigned ones, and large ones beside fractions."""
    for known, new in ((-1, 2**64 - 1), (2**60 + 1, 0.5), (2**64 - 1, -1), (0.5, 2**60 + 1)):
        model = FlatMatrixFactorization(warm_start=True, **SMALL)
        model.fit([[known, 3]], [1.0]).fit([[new, 3]], [2.0])
        assert model.identifiers_[0].tolist() == sorted([known, new])
        assert model.predict([[known, 3], [new, 3]]) == pytest.approx(
            model.predict(np.array([[known, 3], [new, 3]], object))
        )


# --- what is missing ---


@pytest.mark.parametrize(
    "missing", [None, np.nan, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")]
)
@pytest.mark.parametrize("kind", ["dates", "zoned dates", "strings", "pairs", "numbers"])
def test_missing_identifiers_are_refused_by_column(missing, kind):
    table = rows(kind)
    model = fitted(table)
    table[7][0] = missing
    for call in (lambda: fitted(table), lambda: model.predict(np.array(table, dtype=object))):
        with refused("Input X contains NaN in column 0"):
            call()
    with refused("Input X contains NaN in column 'user'"):
        fitted(pd.DataFrame(table, columns=["user", "item"]))


def test_dates_of_numpy_that_are_missing_are_refused():
    days = np.array([["2020-01-01", "NaT"], ["2020-01-02", "2020-01-01"]], "M8[D]")
    with refused("Input X contains NaN in column 1"):
        fitted(days, [1.0, 2.0])


# --- what is to blame ---


@pytest.mark.parametrize("query", [[[1, "a"]], np.array([[1, "a"]]), np.array([[1, "a"]], object)])
@pytest.mark.parametrize("of_matrix", [False, True])
def test_the_string_is_to_blame_and_not_the_number_beside_it(query, of_matrix):
    model = fitted(np.arange(6.0).reshape(2, 3), None) if of_matrix else PLAIN
    with refused("Identifiers in column 1 were numbers in fit, got 'a'"):
        model.predict(query)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("numbers", "7", "column 0 were numbers in fit, got '7'"),
        ("strings", 7, "column 0 were strings in fit, got 7"),
        ("dates", 7, "column 0 were dates in fit, got 7"),
        ("dates", "2020-03-28", "column 0 were dates in fit, got '2020-03-28'"),
        (
            "dates",
            pd.Timestamp(DAY, tz="UTC"),
            "column 0 were dates in fit, got .*UTC|timezone.utc",
        ),
        ("zoned dates", DAY, "column 0 were dates with a time zone in fit, got"),
        ("durations", 7, "column 0 were durations in fit, got 7"),
        ("bytes", "7", "column 0 were bytes in fit, got '7'"),
        ("pairs", "a", "column 0 were of type tuple in fit, got 'a'"),
        ("decimals", "a", "column 0 were numbers in fit, got 'a'"),
    ],
)
def test_another_kind_than_in_fit_is_refused_with_the_value(kind, value, words):
    model = fitted(rows(kind))
    with refused(words):
        model.predict([[value, 2]])
    with refused(words):
        model.set_params(warm_start=True).fit([[value, 2]], [1.0])


def test_decimals_and_whole_numbers_are_both_numbers():
    model = fitted(rows("numbers"))
    assert_array_equal(model.predict([[Decimal(7), 2]]), PLAIN.predict([[1, 2]]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "a"),
        (DAY, "a"),
        (DAY, 1),
        (b"a", "a"),
        ((1, 2), "a"),
        (dt.datetime(2020, 1, 1), 1.0),
        (dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        (pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-01-01")),
    ],
)
def test_two_kinds_in_one_column_are_both_named(one, other):
    with refused("uniformly strings or numbers", TypeError) as caught:
        fitted([[one, 2], [other, 3]], [1.0, 2.0])
    assert repr(one) in str(caught.value)
    assert repr(other) in str(caught.value)
    assert "column 0" in str(caught.value)


@pytest.mark.parametrize(
    "values", [[frozenset("a"), frozenset("b")], [("a", 1), (1, "a")], [1j, 2j]]
)
def test_what_has_no_order_is_refused(values):
    with refused("must have an order|uniformly", TypeError):
        fitted([[value, 2] for value in values], [1.0, 2.0])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[1, "a"], [2]], "inhomogeneous"),
        (pd.DataFrame({"user": [1, 2], "t": [np.inf, 1.0]}), "infinity in column 't'"),
        (pd.DataFrame({"user": [1, 2], "t": [2.0**60, 1.0]}), "not exact as float64"),
        (pd.DataFrame(index=[0, 1]), "0 feature"),
        (pd.DataFrame({"user": pd.to_datetime([]), "item": []}), "0 sample"),
        ([1, "a"], "Expected 2D array"),
    ],
)
def test_tables_that_are_none_get_the_usual_words(table, words):
    with refused(words):
        fitted(table, [1.0, 2.0])


def test_frames_are_still_told_by_their_names():
    model = fitted(frame("dates"))
    assert model.feature_names_in_.tolist() == ["user", "item"]
    with refused("feature names should match"):
        model.predict(frame("dates")[["item", "user"]])
    with refused("X has 3 features"):
        fitted(rows("dates")).predict([[DAY, 1, 2]])
    with refused("inconsistent numbers of samples"):
        fitted(frame("dates"), Y[1:])
