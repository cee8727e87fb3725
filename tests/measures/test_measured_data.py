"""Measures accept X as ``predict`` does and y as ``fit`` does. Other data raise an error."""

import re
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from fitted import COUNTS, IRIS, SETOSA, SPECIES, TRAITS
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skflat import (
    FlatCommitteeClassifier,
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPRegressor,
    FlatnessMonitor,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.displays import LandscapeDisplay, LocalEnergyDisplay
from skflat.measures import (
    HessianTrace,
    Weakness,
    compare,
    flatness_report,
    hessian_trace,
    level_set_distance,
    live_units,
    local_energy,
    normalized_margin,
    sample_rows,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FRAME = pd.DataFrame(IRIS, columns=["a", "b", "c", "d"])
ENTITIES = pd.DataFrame(
    np.random.default_rng(0).integers(10, size=(150, 2)), columns=["user", "item"]
)
SHORT = {"max_iter": 3, "random_state": 0}
OURS = SHORT | {"measures": None}
BINARY = FlatPerceptronClassifier(solver="sbpi", **OURS)
WIDTHS = {"hidden_layer_sizes": (4,)}
CASES = {
    "classes": (FlatMLPClassifier(**WIDTHS, **OURS), SPECIES),
    "two classes": (FlatMLPClassifier(**WIDTHS, **OURS), SETOSA),
    "names": (FlatMLPClassifier(**WIDTHS, **OURS), np.array(["u", "v", "w"])[SPECIES]),
    "labels": (FlatMLPClassifier(**WIDTHS, **OURS), TRAITS),
    "numbers": (FlatMLPRegressor(**WIDTHS, **OURS), IRIS[:, 0]),
    "pairs of numbers": (FlatMLPRegressor(**WIDTHS, **OURS), IRIS[:, :2]),
    "counts": (FlatMLPRegressor("poisson", **WIDTHS, **OURS), COUNTS),
    "scikit-learn's classes": (MLPClassifier((4,), **SHORT), SPECIES),
    "scikit-learn's two classes": (MLPClassifier((4,), **SHORT), SETOSA),
    "scikit-learn's labels": (MLPClassifier((4,), **SHORT), TRAITS),
    "scikit-learn's numbers": (MLPRegressor(**WIDTHS, **SHORT), IRIS[:, 0]),
    "scikit-learn's pairs": (MLPRegressor(**WIDTHS, **SHORT), IRIS[:, :2]),
    "pipeline": (make_pipeline(StandardScaler(), FlatMLPClassifier(**WIDTHS, **OURS)), SPECIES),
    "pipeline of frames": (
        make_pipeline(FunctionTransformer(), MLPClassifier((4,), **SHORT)),
        SPECIES,
    ),
    "binary weights": (BINARY, SETOSA),
    "binary weights, classes": (BINARY, SPECIES),
    "real weights": (FlatSphericalPerceptronClassifier(**OURS), SPECIES),
    "committee": (FlatCommitteeClassifier(solver="replicated_sgd", **OURS), SPECIES),
    "observations": (FlatMatrixFactorization(2, **OURS), IRIS[:, 0]),
}
each_case = pytest.mark.parametrize("case", CASES)


@cache
def fitted_on(case, named=True):
    """A fitted estimator, X and y; X is a frame where the columns are named."""
    estimator, y = CASES[case]
    X = ENTITIES if case == "observations" else FRAME
    X = X if named else X.to_numpy()
    return clone(estimator).fit(X, y), X, y


def energy(*data, **params):
    """A local energy of few draws, because these tests are about the data."""
    return local_energy(*data, scale=0.1, n_draws=4, **params)


def report(estimator, X, y):
    return flatness_report(estimator, X, y, measures=["margins"], max_samples=None)


def comparison(estimator, X, y):
    return compare([estimator, estimator], X, y, measures=["margins"])


WAYS = {
    "function": energy,
    "exact function": live_units,
    "search": level_set_distance,
    "scorer": HessianTrace(),
    "method": HessianTrace().measure,
    "report": report,
    "comparison": comparison,
    "landscape": LandscapeDisplay.from_estimator,
    "display": LocalEnergyDisplay.from_estimator,
    "decisions": Weakness().decisions,
}
each_way = pytest.mark.parametrize("way", WAYS)


def outcome(function, *args):
    """The error of a call, as its type and message, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(*args)
    except Exception as error:
        return type(error), str(error)
    return None


def warned(function, *args):
    """What a call warned of the names of columns."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        function(*args)
    return {str(each.message) for each in said if "feature names" in str(each.message)}


# X


def with_entry(X, value):
    X = X.astype(type(value))
    X.iloc[3, 1] = value
    return X


BAD = {
    "reversed": lambda X: X[X.columns[::-1]],
    "renamed": lambda X: X.rename(columns={X.columns[0]: "else"}),
    "narrow": lambda X: X.iloc[:, :1],
    "narrow array": lambda X: X.to_numpy()[:, :1],
    "wide": lambda X: X.assign(more=1.0),
    "a row": lambda X: X.to_numpy()[0],
    "a column": lambda X: X.to_numpy()[:, 0],
    "a number": lambda X: 3.0,
    "blocks": lambda X: X.to_numpy()[:, :, None],
    "complex": lambda X: X.to_numpy() + 1j,
    "NaN": lambda X: with_entry(X, np.nan),
}
WORSE = {
    "infinite": lambda X: with_entry(X, np.inf),
    "strings": lambda X: X.astype(str) + "?",
    "numbers as strings": lambda X: X.to_numpy().astype(str),
    "empty": lambda X: X.iloc[:0],
    "none": lambda X: None,
}


WRONG = [(case, bad) for case in CASES for bad in BAD | WORSE]


# Identifiers may be anything that is not missing.
@pytest.mark.parametrize(
    ("case", "bad"), [pair for pair in WRONG if pair[0] != "observations" or pair[1] in BAD]
)
def test_what_predict_refuses_is_refused_in_the_same_words(case, bad):
    estimator, X, y = fitted_on(case)
    wrong = (BAD | WORSE)[bad](X)
    refused = outcome(estimator.predict, wrong)
    assert refused is not None or bad == "numbers as strings"
    assert outcome(energy, estimator, wrong, y) == refused


@pytest.mark.parametrize("case", ["classes", "numbers", "labels", "scikit-learn's classes"])
def test_dates_are_no_inputs_of_a_network(case):
    estimator, X, y = fitted_on(case, named=False)
    with pytest.raises(TypeError):
        energy(estimator, np.full(X.shape, np.datetime64("2020-01-01")), y)


@each_way
@pytest.mark.parametrize("bad", ["reversed", "renamed", "narrow array", "complex", "NaN"])
def test_every_way_to_measure_refuses_it(way, bad):
    estimator, X, y = fitted_on("classes")
    wrong = BAD[bad](X)
    assert outcome(WAYS[way], estimator, wrong, y) == outcome(estimator.predict, wrong)


@each_case
def test_the_estimators_own_method_refuses_it(case):
    estimator, X, y = fitted_on(case)
    if hasattr(estimator, "measure"):
        assert outcome(estimator.measure, BAD["reversed"](X), y)[0] is ValueError


@pytest.mark.parametrize("case", ["binary weights", "real weights", "committee"])
def test_sparse_inputs_are_measured_as_predict_takes_them(case):
    estimator, X, y = fitted_on(case, named=False)
    thin = sparse.csr_array(X)
    assert_array_equal(estimator.predict(thin), estimator.predict(X))
    assert live_units(estimator, thin, y).value == live_units(estimator, X, y).value


def test_of_a_matrix_the_columns_have_names_too():
    M = FRAME.iloc[:20]
    model = FlatMatrixFactorization(2, **OURS).fit(M)
    wrong = BAD["reversed"](M)
    assert outcome(hessian_trace, model, wrong, None) == outcome(model.transform, wrong)
    assert hessian_trace(model, M, None).value > 0


@each_case
@pytest.mark.parametrize("named", [True, False])
def test_missing_names_and_names_from_nowhere_are_told_as_by_predict(case, named):
    estimator, X, y = fitted_on(case, named)
    other = X.to_numpy() if named else pd.DataFrame(X, columns=list("abcd")[: X.shape[1]])
    told = warned(estimator.predict, other)
    assert len(told) == 1
    assert warned(energy, estimator, other, y) == told
    assert warned(energy, estimator, X, y) == set()


@each_case
def test_frames_in_order_are_measured_like_arrays(case):
    estimator, X, y = fitted_on(case)
    plain, array, _ = fitted_on(case, named=False)
    measure = live_units if case == "committee" else energy
    assert measure(estimator, X, y).value == measure(plain, array, y).value


def test_a_search_passes_names_on():
    score = cross_val_score(CASES["classes"][0], FRAME, SPECIES, scoring=HessianTrace(), cv=2)
    assert (score < 0).all()


@pytest.mark.parametrize("case", ["classes", "numbers", "real weights", "observations"])
def test_a_fit_measures_its_own_rows_without_a_word_about_names(case):
    estimator, X, y = fitted_on(case)
    taken = clone(estimator).set_params(measures=["sharpness"])
    assert warned(taken.fit, X, y) == set()
    assert warned(taken.measure, X, y) == set()
    if HAS_CALLBACKS:
        monitor = FlatnessMonitor(["sharpness"])
        assert warned(clone(estimator).set_callbacks(monitor).fit, X, y) == set()
        assert len(monitor.table()["sharpness"]) > 0


# y

SINGLE = [case for case, (_, y) in CASES.items() if y.ndim == 1]
OF_CLASSES = [case for case in SINGLE if not np.issubdtype(CASES[case][1].dtype, np.floating)]
OF_NUMBERS = [case for case in CASES if np.issubdtype(CASES[case][1].dtype, np.floating)]
SEVERAL = [case for case in CASES if case not in SINGLE]
MEASURED = {"exact": live_units, "noise": energy, "curvature": hessian_trace}


def measured(case, y):
    """What measures of the data with other targets end in; all of them in the same."""
    estimator, X, _ = fitted_on(case)
    measures = {"noise": energy} if case == "observations" else MEASURED
    outcomes = [outcome(each, estimator, X, y) for each in measures.values()]
    assert len(set(outcomes)) == 1
    if hasattr(estimator, "measure") and case != "observations":
        assert outcome(estimator.measure, X, y) == outcomes[0]
    return outcomes[0]


def assert_refused(found, *words):
    """A ValueError whose message has these words in this order."""
    assert found is not None
    kind, message = found
    assert kind is ValueError
    assert re.search("(?s)" + ".*".join(map(re.escape, words)), message), message


@pytest.mark.parametrize("case", SINGLE)
@pytest.mark.parametrize("width", [2, 3])
def test_targets_of_several_columns_are_refused_where_there_was_one(case, width):
    y = np.column_stack([CASES[case][1]] * width)
    words = ("y should be a 1d array",) if case == "observations" else ("y has", "(n_samples,)")
    assert_refused(measured(case, y), *words, f"shape (150, {width})")
    blocks = CASES[case][1][:, None, None]
    assert_refused(measured(case, blocks), "" if case == "observations" else "(150, 1, 1)")


@pytest.mark.parametrize("case", SEVERAL)
def test_targets_of_another_number_of_columns_are_refused(case):
    y = CASES[case][1]
    for wrong in (y[:, 0], y[:, :1], np.column_stack([y, y])):
        n = 1 if wrong.ndim == 1 else wrong.shape[1]
        words = f"y has {n} outputs", "was fitted with 2", "(n_samples, 2)", str(wrong.shape)
        assert_refused(measured(case, wrong), *words)


@pytest.mark.parametrize("case", SINGLE)
def test_a_column_is_raveled_with_a_warning(case):
    estimator, X, y = fitted_on(case)
    measure = live_units if case == "committee" else energy
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        found = measure(estimator, X, y[:, None])
    assert found.value == measure(estimator, X, y).value
    with pytest.warns(DataConversionWarning):
        frame = measure(estimator, X, pd.DataFrame({"y": y}))
    assert frame.value == found.value


@each_case
def test_targets_of_another_length_are_refused(case):
    y = CASES[case][1]
    assert_refused(measured(case, y[:-1]), "inconsistent numbers of samples: [150, 149]")
    estimator, X, _ = fitted_on(case)
    with pytest.raises(ValueError, match=r"samples: \[150, 0\]|0 sample"):
        energy(estimator, X, y[:0])


@each_case
def test_targets_that_are_missing_are_refused(case):
    words = ["requires y to be passed", "None"]
    assert_refused(measured(case, None), *words)


@each_case
def test_targets_that_are_not_numbers_are_refused(case):
    y = CASES[case][1].astype(float) if case != "names" else np.zeros(150)
    gap = y.copy()
    gap[3] = np.nan
    assert_refused(measured(case, gap), "Input y contains NaN")
    gap[3] = np.inf
    assert_refused(measured(case, gap), "Input y contains infinity")
    if case != "observations":
        column = pd.DataFrame(y).astype("Float64")
        column.iloc[3, 0] = pd.NA
        column = column[0] if y.ndim == 1 else column
        assert_refused(measured(case, column), "Input y contains NaN")


@pytest.mark.parametrize("case", OF_CLASSES)
@pytest.mark.parametrize(
    "stranger", [7, "x", "1", None, 0.5, b"u", np.datetime64("2020-01-01", "D")], ids=repr
)
def test_classes_that_were_not_fitted_are_named(case, stranger):
    some = CASES[case][1].astype(object)
    some[3] = stranger
    whole = np.full(150, stranger)
    for wrong in (some, whole):
        found = measured(case, wrong)
        words = "y has classes that the estimator was not fitted on: ", "Its classes are"
        assert_refused(found, *words)
        label = wrong.tolist()[3]
        assert repr(label) in found[1]
    assert str(CASES[case][1][0]) in found[1]


@pytest.mark.parametrize("case", OF_CLASSES)
def test_labels_mean_the_same_in_every_container(case):
    estimator, X, y = fitted_on(case)
    expected = normalized_margin(estimator, X, y).value
    for same in (y.tolist(), y.astype(object), pd.Series(y, index=range(150, 300))):
        assert normalized_margin(estimator, X, same).value == expected
    if case != "names":
        assert normalized_margin(estimator, X, y.astype(float)).value == expected
    assert normalized_margin(estimator, X, pd.Series(y, dtype="category")).value == expected


@pytest.mark.parametrize("case", OF_NUMBERS)
def test_targets_without_a_value_are_refused(case):
    y = CASES[case][1]
    words = ("",) if case == "observations" else ("y should hold numbers", "'x'")
    assert_refused(measured(case, np.full(y.shape, "x")), *words)
    assert_refused(measured(case, np.full(y.shape, "x", dtype=object)), *words)
    assert_refused(measured(case, y + 1j), "Complex data not supported")
    if case != "observations":
        dates = np.full(y.shape, np.datetime64("2020-01-01"))
        assert_refused(measured(case, dates), "y should hold numbers")


def test_targets_that_the_loss_is_not_defined_for_are_refused():
    assert_refused(measured("counts", COUNTS - 10), "must not be negative", "got -10")
    for wrong in (TRAITS - 0.5, 2 * TRAITS):
        assert_refused(measured("labels", wrong), "y must be 0 or 1 for several labels")


def test_several_labels_may_be_sparse():
    estimator, X, y = fitted_on("labels")
    found = energy(estimator, X, sparse.csr_array(y))
    assert found.value == energy(estimator, X, y).value


def test_numbers_beyond_single_precision_are_refused_by_name():
    net = FlatMLPRegressor(**WIDTHS, **OURS).fit(IRIS.astype(np.float32), IRIS[:, 0])
    with pytest.raises(ValueError, match="Input y contains infinity or a value too large"):
        hessian_trace(net, IRIS, np.full(150, 1e300))


def test_a_sample_of_a_column_is_that_of_its_entries():
    X, y, _ = sample_rows(IRIS, SPECIES[:, None], None, 60, 0)
    same, flat, _ = sample_rows(IRIS, SPECIES, None, 60, 0)
    assert_array_equal(X, same)
    assert_array_equal(y[:, 0], flat)
    mixed = SPECIES.astype(object)
    mixed[0] = "x"
    with pytest.raises(ValueError, match="was not fitted on: 'x'"):
        flatness_report(fitted_on("classes")[0], FRAME, mixed, max_samples=149)
