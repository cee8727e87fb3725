"""The contract of all measures."""

import copy
import pickle
from itertools import combinations

import numpy as np
import pytest
from fitted import (
    COUNTS,
    FUNCTIONS,
    IRIS,
    LENGTHS,
    NETWORKS,
    OF_CLASSES,
    SETOSA,
    SHORT,
    SIGNED,
    SPECIES,
    TRAITS,
    WEIGHT,
    each_function,
    each_measure,
    fitted,
    has_classes,
    last_step,
    sampled,
)
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from toys import quadratic
from turns import in_turn

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import (
    MEASURES,
    EffectiveRank,
    GradientNoise,
    HessianEigenvalues,
    HessianTrace,
    LevelSetDistance,
    LiveUnits,
    LocalEnergy,
    LocalVolume,
    Margins,
    MaximalVariation,
    NoiseStability,
    NormalizedMargin,
    SpectralDensity,
    Weakness,
    hessian_trace,
    sample_rows,
    weakness,
)
from skflat.problems import REGRESSION, Problem

DRAWING = [
    function
    for name, function in FUNCTIONS.items()
    if "random_state" in MEASURES[name]().get_params()
]

#: Norms of the weights, which do not look at the rows.
ROWLESS = {"path_norm", "spectral_norms"}

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# All of them, on every kind of network


@pytest.mark.parametrize(("function", "name"), in_turn(3, FUNCTIONS.values(), NETWORKS))
def test_every_network_can_be_measured(function, name):
    estimator, X, y = fitted(name)
    if function in OF_CLASSES and not has_classes(estimator):
        with pytest.raises(TypeError, match="and this is a regression"):
            function(estimator, X, y)
        return
    before = pickle.dumps((estimator, X, y))
    found = function(estimator, X, y)
    assert pickle.dumps((estimator, X, y)) == before, "measuring has changed something"
    assert np.isfinite(found.value)
    assert float(found) == found.value
    assert found.value > 0 or function in SIGNED
    assert found.stderr >= 0
    assert found.kind in {"exact", "estimate", "upper_bound", "lower_bound"}
    assert found.n_evals > 0
    assert len({len(column) for column in found.table.values()}) <= 1
    assert np.isfinite(found.samples).any()
    if function is weakness:
        assert found.value <= 1
    protocol = found.protocol
    assert protocol["n_rows"] == protocol["sampled_from"] == X.shape[0]
    assert not protocol["penalty"]
    assert not protocol["weighted"]
    network, _ = last_step(estimator, X)
    sizes = [W.size + b.size for W, b in zip(network.coefs_, network.intercepts_, strict=True)]
    assert protocol["n_parameters"] == sum(sizes)


@each_function
@pytest.mark.parametrize("name", ["two classes", "our sparse classes"])
def test_a_measurement_repeats_to_the_bit(function, name):
    first, again = (function(*fitted(name)) for _ in range(2))
    assert first.value == again.value
    assert first.stderr == again.stderr
    assert_array_equal(first.samples, again.samples)
    assert first.protocol == again.protocol


@each_function
def test_measuring_with_weights_leaves_everything_as_it_was(function):
    estimator, X, y = fitted("our sparse classes")
    before = pickle.dumps((estimator, X, y, WEIGHT))
    function(estimator, X, y, WEIGHT)
    assert pickle.dumps((estimator, X, y, WEIGHT)) == before


@each_function
def test_a_measurement_is_not_changed_afterwards(function):
    found = function(*fitted("classes"))
    with pytest.raises(AttributeError):
        found.value = 0.0


@pytest.mark.parametrize("function", DRAWING, ids=lambda f: f.__name__)
def test_the_seed_of_a_measurement_may_be_a_random_state(function):
    seeds = (3, np.random.RandomState(3), np.random.RandomState(3))
    values = [function(*fitted("two classes"), random_state=seed).value for seed in seeds]
    assert values[1] == values[2]


@each_measure
def test_a_scorer_is_greater_where_it_is_flatter(measure):
    estimator, X, y = fitted("classes")
    value = measure.measure(estimator, X, y).value
    greater_is_flatter = (
        EffectiveRank,
        LevelSetDistance,
        LiveUnits,
        LocalVolume,
        Margins,
        NoiseStability,
        NormalizedMargin,
        Weakness,
    )
    expected = value if isinstance(measure, greater_is_flatter) else -value
    assert measure(estimator, X, y) == expected
    weighted = measure.measure(estimator, X, y, sample_weight=WEIGHT)
    assert measure(estimator, X, y, sample_weight=WEIGHT) == measure.sign * weighted.value
    assert weighted.protocol["weighted"]


@pytest.mark.parametrize(
    "measure",
    [
        HessianTrace(),
        HessianEigenvalues(),
        LevelSetDistance(level=1.0),
        LocalEnergy(0.1, "isotropic"),
        MaximalVariation(),
        NoiseStability(level=1.0, noise="isotropic"),
        SpectralDensity(),
        GradientNoise(),
    ],
    ids=lambda measure: type(measure).__name__,
)
def test_a_flatter_network_scores_higher(measure):
    """A linear one with greater logits, all right: less curved, farther from its level set."""
    estimator, X, y = fitted("two classes, linear")
    flat = copy.deepcopy(estimator)
    flat.coefs_[0] *= 5
    flat.intercepts_[0] *= 5
    assert measure(flat, X, y) > measure(estimator, X, y)


def test_measures_are_scorers_of_cross_validation():
    scoring = {"acc": "accuracy", "flat": LevelSetDistance(), "sharp": HessianTrace(20)}
    found = cross_validate(MLPClassifier((4,), **SHORT), IRIS, SPECIES, scoring=scoring, cv=3)
    assert (found["test_acc"] > 0.7).all()
    assert (found["test_flat"] > 0).all()
    assert (found["test_sharp"] < 0).all()


@each_function
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression().fit(IRIS, SPECIES),
        MLPClassifier(),
        FlatMLPClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(IRIS, SPECIES),
    ],
    ids=["linear", "not fitted", "ours, not fitted", "pipeline"],
)
def test_what_cannot_be_measured_is_told_what_can(function, estimator):
    can = r"Cannot measure \w+: expected a fitted FlatMLPClassifier or FlatMLPRegressor, "
    with pytest.raises(TypeError, match=can + "scikit-learn's MLPClassifier or MLPRegressor"):
        function(estimator, IRIS, SPECIES)


@each_function
def test_data_that_do_not_fit_the_network_are_refused(function):
    estimator, X, y = fitted("classes")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        function(estimator, X, y[:-1])
    with pytest.raises(ValueError, match="classes that the estimator was not fitted on"):
        function(estimator, X, np.where(y == 0, 7, y))
    with pytest.raises(ValueError, match="NaN"):
        function(estimator, np.full_like(X, np.nan), y)
    for name in ("regression", "two outputs"):
        estimator, X, _ = fitted(name)
        with pytest.raises(ValueError, match="y has 3 outputs"):
            function(estimator, X, np.ones((len(X), 3)))


@each_function
@pytest.mark.filterwarnings("ignore:(invalid value|overflow) encountered:RuntimeWarning")
def test_what_overflows_is_not_measured_and_says_so(function):
    estimator, X, y = fitted("classes")
    broken = copy.deepcopy(estimator)
    broken.coefs_ = [1e200 * W for W in broken.coefs_]
    with pytest.warns(UserWarning, match=r"The loss at the fitted parameters is (nan|inf), so"):
        found = function(broken, X, y)
    assert np.isnan(found.value)
    assert not found.converged


@each_function
@pytest.mark.parametrize(
    ("name", "y", "message"),
    [
        ("regression", np.where(np.arange(150) == 3, np.nan, LENGTHS[:, 0]), "y contains NaN"),
        ("counts", COUNTS - 10, "must not be negative for the Poisson loss, got -10"),
        ("labels", 2 * TRAITS - 1, r"y must be 0 or 1 for several labels, got values in \[-1, 1\]"),
    ],
)
def test_targets_without_a_loss_are_refused(function, name, y, message):
    estimator, X, _ = fitted(name)
    with pytest.raises(ValueError, match=message):
        function(estimator, X, y)


@each_function
def test_negative_weights_are_refused(function):
    with pytest.raises(ValueError, match="Negative values in sample_weight"):
        function(*fitted("classes"), -WEIGHT)


@each_function
@pytest.mark.parametrize("name", ["classes", "labels"])
def test_weights_that_are_all_1_are_no_weights(function, name):
    estimator, X, y = fitted(name)
    plain, weighted = function(estimator, X, y), function(estimator, X, y, np.ones(150))
    assert weighted.value == pytest.approx(plain.value, rel=1e-6)


@each_function
def test_the_parameters_are_in_the_protocol(function):
    name = next(key for key, each in FUNCTIONS.items() if each is function)
    found = function(*fitted("classes"))
    assert found.protocol["parameters"] == MEASURES[name]().get_params()


# What lives on some of the rows lives on all: there is a bound.
@pytest.mark.parametrize("name", [name for name in MEASURES if name != "live_units"])
def test_what_is_measured_on_a_sample_is_neither_exact_nor_a_bound(name):
    estimator, X, y = fitted("classes")
    found = MEASURES[name]().evaluate(sampled(estimator, X, y, 75, 0))
    assert found.kind == ("exact" if name in ROWLESS else "estimate")
    assert (found.stderr > 0) == (name not in ROWLESS)


def test_measurements_compare_as_objects():
    found = hessian_trace(*fitted("classes"))
    assert found == found
    assert found != hessian_trace(*fitted("classes"))
    assert len({found}) == 1


# What fit leaves behind


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (FlatMLPClassifier((6,), **SHORT), SPECIES),
        (FlatMLPClassifier((6,), **SHORT), SETOSA),
        (FlatMLPClassifier((6,), **SHORT), TRAITS),
        (FlatMLPRegressor(hidden_layer_sizes=(6,), **SHORT), LENGTHS),
        (FlatMLPRegressor("poisson", (6,), **SHORT), COUNTS),
    ],
)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_fit_measures_what_measure_measures(estimator, y, weight):
    estimator = clone(estimator).fit(IRIS, y, sample_weight=weight)
    at_fit, attributes = estimator.measurements_, vars(estimator).copy()
    again = estimator.measure(IRIS, y, sample_weight=weight)
    for name in at_fit:
        assert attributes[f"{name}_"] == at_fit[name].value == again[name].value
        assert at_fit[name].stderr == again[name].stderr
    assert hessian_trace(estimator, IRIS, y, weight).value == estimator.sharpness_


def test_fit_measures_on_a_sample_of_the_rows():
    clf = FlatMLPClassifier((6,), measure_max_samples=60, **SHORT).fit(IRIS, SPECIES)
    for found in clf.measurements_.values():
        assert found.protocol["n_rows"] == 60
        assert found.protocol["sampled_from"] == 150
        assert found.stderr > 0
    assert clf.measurements_["sharpness"].kind == "estimate"


def test_only_what_is_asked_for_is_measured():
    clf = FlatMLPClassifier((4,), measures=["sharpness"], **SHORT).fit(IRIS, SPECIES)
    assert list(clf.measurements_) == ["sharpness"]
    assert not hasattr(clf, "flatness_")
    assert not hasattr(clf, "weakness_")


def measured_attributes(estimator):
    return {"measurements_", *(f"{name}_" for name in MEASURES)} & set(vars(estimator))


def test_what_was_measured_is_forgotten_with_the_parameters():
    clf = FlatMLPClassifier((4,), **SHORT).fit(IRIS, SPECIES)
    assert len(measured_attributes(clf)) == 4
    clf.partial_fit(IRIS, SPECIES)
    assert not measured_attributes(clf)
    assert list(clf.measure(IRIS, SPECIES)) == list(clf.measures)
    assert len(measured_attributes(clf)) == 4
    assert not measured_attributes(clf.set_params(measures=None).fit(IRIS, SPECIES))
    assert sorted(clf.measure(IRIS, SPECIES)) == ["flatness", "sharpness", "weakness"]


@pytest.mark.parametrize("measures", [["bluntness"], "sharpness", ["sharpness", "width"]])
def test_unknown_measures_are_refused(measures):
    with pytest.raises(ValueError, match="measures"):
        FlatMLPClassifier(measures=measures).fit(IRIS, SPECIES)


def test_one_class_is_infinitely_flat():
    clf = FlatMLPClassifier((4,), max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match="The target is constant"):
        clf.fit(IRIS, np.zeros(150))
    assert clf.flatness_ == np.inf
    assert 0 <= clf.sharpness_ < np.inf
    assert 0 < clf.weakness_ <= 1


# Sampling of rows


def test_a_sample_keeps_the_shares_of_the_classes_and_the_order():
    X = np.arange(300)[:, None]
    y = np.repeat([0, 1, 2], [200, 80, 20])
    rows, classes, weight = sample_rows(X, y, X[:, 0], 75, 0)
    assert np.bincount(classes).tolist() == [50, 20, 5]
    assert_array_equal(rows[:, 0], np.sort(rows[:, 0]))
    assert_array_equal(rows[:, 0], weight)
    assert_array_equal(y[rows[:, 0]], classes)
    assert sample_rows(X, y, None, 300, 0) == (X, y, None)


@pytest.mark.parametrize(
    "y", [np.linspace(0, 1, 99), np.eye(99, 3), np.arange(99) // 98, np.arange(99) // 3]
)
def test_where_there_are_no_shares_the_sample_is_uniform(y):
    rows, chosen, _ = sample_rows(np.arange(99)[:, None], y, None, 20, 0)
    assert len(np.unique(rows)) == len(chosen) == 20


def sample_of(values, rows, weight=None):
    """A sampled problem's mean of some values, and the standard error it gives that mean."""
    toy = quadratic(1.0, n_rows=len(rows))
    toy.data.weight = None if weight is None else weight[rows]
    part = Problem(toy, np.zeros(1), REGRESSION, sampled_from=len(values))
    return toy.data.mean(values[rows]), part.row_error(values[rows])


def test_the_standard_error_of_a_mean_of_rows_is_right_on_average_over_all_samples():
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    for n in (2, 3, 6):
        found = [sample_of(values, np.array(rows)) for rows in combinations(range(7), n)]
        means, errors = np.array(found).T
        assert np.mean(errors**2) == pytest.approx(means.var(), rel=1e-12)
    assert sample_of(values, np.arange(7)) == (values.mean(), 0)


def test_the_standard_error_knows_that_heavy_rows_count_more():
    rng = np.random.default_rng(0)
    values = rng.normal(size=2000)
    weight = np.exp(values)
    samples = [rng.choice(2000, size=500, replace=False) for _ in range(1000)]
    means, errors = np.array([sample_of(values, rows, weight) for rows in samples]).T
    square = np.mean((means - np.average(values, weights=weight)) ** 2)
    assert np.mean(errors**2) == pytest.approx(square, rel=0.15)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", ["classes", "two outputs", "classes, tanh"])
def test_the_standard_error_of_a_sampled_trace_is_its_error(name, weight):
    """Its mean square over many samples is the mean square of the errors."""
    estimator, X, y = fitted(name)
    whole = hessian_trace(estimator, X, y, weight)
    assert whole.stderr == 0
    found = [
        HessianTrace().evaluate(sampled(estimator, X, y, 75, seed, weight)) for seed in range(600)
    ]
    errors = np.array([part.value - whole.value for part in found])
    stderr = np.array([part.stderr for part in found])
    assert np.mean(stderr**2) == pytest.approx(np.mean(errors**2), rel=0.2)
    assert 0.9 < np.mean(np.abs(errors) < 2 * stderr) < 0.99
    assert {part.kind for part in found} == {"estimate"}


def test_the_standard_error_of_a_distance_follows_that_of_the_curvature():
    """The distance sqrt(2 s / c) changes by d / 2c for every unit of the mean curvature c."""
    c = np.array([1.0, 2.0, 4.0, 9.0])
    toy = quadratic(c.mean(), n_rows=4)
    toy.per_sample_loss = lambda w, batch=None, work=None: c * w[0] ** 2 / 2
    part = Problem(toy, np.zeros(1), REGRESSION, sampled_from=10)
    found = LevelSetDistance(level=0.02).evaluate(part)
    assert found.value == pytest.approx(0.1, rel=1e-8)
    assert found.stderr == pytest.approx(0.1 / 8 * part.row_error(c), rel=1e-6)
    assert part.row_error(c) == pytest.approx((0.6 * c.var(ddof=1) / 4) ** 0.5, rel=1e-12)


@pytest.mark.parametrize("name", ["classes", "regression"])
def test_the_standard_error_of_a_sampled_distance_covers_it(name):
    estimator, X, y = fitted(name)
    measure = LevelSetDistance(level=0.1, n_refined=5, max_iter=50, tol=1e-6)
    whole = measure.measure(estimator, X, y)
    assert whole.stderr == 0
    found = [measure.evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(40)]
    errors = np.array([(part.value - whole.value) / part.stderr for part in found])
    assert np.abs(errors).max() < 4
    assert 0.5 < np.mean(errors**2) < 1.6
