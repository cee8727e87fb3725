"""Measures against closed forms, dense twins and linear programs."""

import copy
import pickle
from functools import cache
from itertools import combinations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian
from autograd.scipy.special import logsumexp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linprog, minimize
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from toys import Bilinear, Toy, Watched, hyperbola, problem, product_of, quadratic

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import (
    MEASURES,
    HessianTrace,
    LevelSetDistance,
    Weakness,
    hessian_trace,
    level_set_distance,
    sample_rows,
    weakness,
)
from skflat.measures._attainable import attainable
from skflat.measures._completions import Completions
from skflat.measures._hessian_trace import hutchpp
from skflat.models import HalfSquared, Objective, Problem, as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FUNCTIONS = [hessian_trace, level_set_distance, weakness]
each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = (IRIS - IRIS.mean(axis=0)) / IRIS.std(axis=0)
SETOSA = SPECIES == 0
TRAITS = np.column_stack([IRIS[:, 0] > 0, IRIS[:, 1] > 0.5]).astype(int)
INPUTS, LENGTHS = IRIS[:, :2], IRIS[:, 2:]
COUNTS = np.random.default_rng(0).poisson(np.exp(0.5 * IRIS[:, 2])).astype(float)
WEIGHT = np.random.default_rng(1).uniform(0.1, 2, size=len(IRIS))

SHORT = {"max_iter": 60, "random_state": 0, "learning_rate_init": 0.02}
OURS = {**SHORT, "measures": None}
NETWORKS = {
    "classes": (MLPClassifier((6,), **SHORT), IRIS, SPECIES),
    "classes, deep": (MLPClassifier((5, 4), **SHORT), IRIS, SPECIES),
    "classes, tanh": (MLPClassifier((4, 3), "tanh", **SHORT), IRIS, SPECIES),
    "classes, logistic": (MLPClassifier((5,), "logistic", **SHORT), IRIS, SPECIES),
    "classes, linear": (MLPClassifier((), **SHORT), IRIS, SPECIES),
    "classes, identity": (MLPClassifier((4, 4), "identity", **SHORT), IRIS, SPECIES),
    "named classes": (MLPClassifier((5,), **SHORT), IRIS, np.array(["c", "a", "b"])[SPECIES]),
    "two classes": (MLPClassifier((6,), **SHORT), IRIS, SETOSA),
    "two classes, linear": (MLPClassifier((), **SHORT), IRIS, SETOSA),
    "labels": (MLPClassifier((6,), **SHORT), IRIS, TRAITS),
    "regression": (MLPRegressor(hidden_layer_sizes=(6,), **SHORT), INPUTS, LENGTHS[:, 0]),
    "two outputs": (MLPRegressor(hidden_layer_sizes=(5, 4), **SHORT), INPUTS, LENGTHS),
    "regression, linear": (MLPRegressor(hidden_layer_sizes=(), **SHORT), INPUTS, LENGTHS[:, 0]),
    "counts": (MLPRegressor("poisson", (6,), **SHORT), IRIS, COUNTS),
    "pipeline": (make_pipeline(StandardScaler(), MLPClassifier((6,), **SHORT)), IRIS, SPECIES),
    "pipeline of one": (Pipeline([("mlp", MLPClassifier((6,), **SHORT))]), IRIS, SPECIES),
    "pipeline in a pipeline": (
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), MLPClassifier((4,)))),
        IRIS,
        SPECIES,
    ),
    "our classes": (FlatMLPClassifier((6,), **OURS), IRIS, SPECIES),
    "our two classes": (FlatMLPClassifier((6,), "tanh", **OURS), IRIS, SETOSA),
    "our labels": (FlatMLPClassifier((6,), **OURS), IRIS, TRAITS),
    "our regression": (FlatMLPRegressor(hidden_layer_sizes=(6,), **OURS), INPUTS, LENGTHS),
    "our counts": (FlatMLPRegressor("poisson", (6,), "tanh", **OURS), IRIS, COUNTS),
    "our sparse classes": (
        FlatMLPClassifier((6,), **OURS),
        sparse.csr_array(np.maximum(IRIS, 0)),
        SPECIES,
    ),
    "our sparse regression": (
        FlatMLPRegressor(hidden_layer_sizes=(), **OURS),
        sparse.csr_array(np.maximum(IRIS, 0)),
        COUNTS,
    ),
    "our single precision": (FlatMLPClassifier((6,), **OURS), IRIS.astype(np.float32), SPECIES),
    "our pipeline": (
        make_pipeline(StandardScaler(), FlatMLPClassifier((6,), **OURS)),
        IRIS,
        SPECIES,
    ),
}
each_network = pytest.mark.parametrize("name", NETWORKS)
DOUBLE = [name for name in NETWORKS if name != "our single precision"]


@cache
def fitted(name):
    estimator, X, y = NETWORKS[name]
    return clone(estimator).fit(X, y), X, y


def last_step(estimator, X):
    """The network at the end of nested pipelines, and what it sees."""
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    return estimator, X.toarray() if sparse.issparse(X) else X


def twin(network, X, y, weight=None):
    """A fitted network's mean loss as a function of its flat vector, and the vector.

    Written down anew, from the fitted attributes alone.
    """
    arrays = [*network.coefs_, *network.intercepts_]
    n_layers = len(network.coefs_)
    act = {
        "relu": lambda z: anp.where(z > 0, z, 0.0 * z),
        "tanh": anp.tanh,
        "logistic": lambda z: 1 / (1 + anp.exp(-z)),
        "identity": lambda z: z,
    }[network.activation]
    if network.out_activation_ in ("softmax", "logistic"):
        y = y if np.ndim(y) == 2 else np.searchsorted(network.classes_, y)
    columns = np.reshape(y, (len(y), -1)).astype(float)
    weight = np.ones(len(y)) if weight is None else weight

    def loss(w):
        parts, start = [], 0
        for array in arrays:
            parts.append(w[start : start + array.size].reshape(array.shape))
            start += array.size
        a = X
        for layer in range(n_layers):
            a = a @ parts[layer] + parts[n_layers + layer]
            a = act(a) if layer < n_layers - 1 else a
        rows = {
            "softmax": lambda: logsumexp(a, axis=1) - a[np.arange(len(y)), y.astype(int)],
            "logistic": lambda: anp.sum(anp.log(1 + anp.exp(a)) - columns * a, axis=1),
            "identity": lambda: anp.sum((a - columns) ** 2, axis=1) / 2,
            "exp": lambda: anp.sum(anp.exp(a) - columns * a, axis=1),
        }[network.out_activation_]()
        return anp.sum(rows * weight) / weight.sum()

    return loss, np.concatenate([np.ravel(array) for array in arrays]).astype(float)


def dense_trace(estimator, X, y, weight=None):
    network, X = last_step(estimator, X)
    loss, w = twin(network, X, y, weight)
    return np.trace(hessian(loss)(w))


def rescaled(network, factor, layer=0):
    """The same function: a layer's incoming weights times a factor, its outgoing ones by it."""
    network = copy.deepcopy(network)
    network.coefs_[layer] *= factor
    network.intercepts_[layer] *= factor
    network.coefs_[layer + 1] /= factor
    return network


def distance(objective, w, level, **settings):
    """The level set distance, looked for with more than the usual patience."""
    patient = {"n_refined": 9, "max_iter": 200, "tol": 1e-12, "n_starts": 5}
    return LevelSetDistance(level, **patient | settings).evaluate(problem(objective, w))


def unsettled_variation(r):
    """Most that ``(x y - 1)^2`` changes within ``r`` of (1, 1)."""
    return (2**0.5 * r + r**2 / 2) ** 2


# All three, on every kind of network


@each_network
@each_function
def test_every_network_can_be_measured(function, name):
    estimator, X, y = fitted(name)
    found = function(estimator, X, y)
    assert np.isfinite(found.value)
    assert float(found) == found.value > 0
    assert found.stderr >= 0
    assert found.converged
    assert found.n_evals > 0
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
@pytest.mark.parametrize("name", ["classes", "two classes", "our sparse classes", "pipeline"])
def test_a_measurement_repeats_to_the_bit(function, name):
    first, again = (function(*fitted(name)) for _ in range(2))
    assert first.value == again.value
    assert first.stderr == again.stderr
    assert_array_equal(first.samples, again.samples)
    assert first.protocol == again.protocol


@each_network
def test_measuring_leaves_everything_as_it_was(name):
    estimator, X, y = fitted(name)
    before = pickle.dumps((estimator, X, y))
    for function in FUNCTIONS:
        function(estimator, X, y, WEIGHT)
    assert pickle.dumps((estimator, X, y)) == before


@each_function
def test_a_measurement_is_not_changed_afterwards(function):
    found = function(*fitted("classes"))
    with pytest.raises(AttributeError):
        found.value = 0.0


@each_function
def test_the_seed_of_a_measurement_may_be_a_random_state(function):
    seeds = (3, np.random.RandomState(3), np.random.RandomState(3))
    values = [function(*fitted("two classes"), random_state=seed).value for seed in seeds]
    assert values[1] == values[2]


@pytest.mark.parametrize("measure", [HessianTrace(), LevelSetDistance(), Weakness()], ids=repr)
def test_a_scorer_is_greater_where_it_is_flatter(measure):
    estimator, X, y = fitted("classes")
    value = measure.measure(estimator, X, y).value
    expected = -value if isinstance(measure, HessianTrace) else value
    assert measure(estimator, X, y) == expected
    weighted = measure.measure(estimator, X, y, sample_weight=WEIGHT)
    assert measure(estimator, X, y, sample_weight=WEIGHT) == measure.sign * weighted.value
    assert weighted.protocol["weighted"]


def test_a_flatter_network_scores_higher():
    """A linear one whose logits are shrunk: less curved, and farther from its level set."""
    estimator, X, y = fitted("two classes, linear")
    flat = copy.deepcopy(estimator)
    flat.coefs_[0] *= 5
    flat.intercepts_[0] *= 5
    for measure in (HessianTrace(), LevelSetDistance(level=1.0)):
        assert measure(flat, X, y) > measure(estimator, X, y)


def test_measures_are_scorers_of_cross_validation():
    scoring = {"acc": "accuracy", "flat": LevelSetDistance(), "sharp": HessianTrace(10)}
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
    assert sorted(clf.measure(IRIS, SPECIES)) == sorted(MEASURES)


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
    part = Problem(toy, np.zeros(1), "regression", sampled_from=len(values))
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


def sampled(estimator, X, y, n, seed, weight=None):
    """The problem on a uniform sample of the rows."""
    rows = np.random.default_rng(seed).choice(len(X), size=n, replace=False)
    return as_problem(
        estimator, X[rows], y[rows], None if weight is None else weight[rows], sampled_from=len(X)
    )


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
    part = Problem(toy, np.zeros(1), "regression", sampled_from=10)
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


# Sharpness: the trace of the Hessian


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", DOUBLE)
def test_the_trace_is_that_of_the_dense_hessian(name, weight):
    estimator, X, y = fitted(name)
    found = hessian_trace(estimator, X, y, weight)
    assert found.value == pytest.approx(dense_trace(estimator, X, y, weight), rel=1e-9)
    assert found.kind == "exact"
    assert found.stderr == 0
    assert found.samples.sum() == pytest.approx(found.value, rel=1e-12)


def test_the_trace_in_single_precision_is_that_of_the_dense_hessian():
    estimator, X, y = fitted("our single precision")
    assert hessian_trace(estimator, X, y).value == pytest.approx(
        dense_trace(estimator, X.astype(float), y), rel=1e-5
    )


@pytest.mark.parametrize("seed", range(5))
def test_an_estimated_trace_is_within_three_standard_errors(seed):
    """Three smooth hidden layers, where there is no closed form."""
    clf = MLPClassifier((4, 4, 4), "tanh", solver="lbfgs", max_iter=30, random_state=seed)
    clf.fit(IRIS, SPECIES)
    found = hessian_trace(clf, IRIS, SPECIES, n_products=18, random_state=seed)
    assert abs(found.value - dense_trace(clf, IRIS, SPECIES)) < 3 * found.stderr
    assert found.kind == "estimate"
    assert found.n_evals == 2 * 18
    assert found.stderr == pytest.approx(found.samples.std(ddof=1) / 6**0.5, rel=1e-12)
    assert found.samples.mean() == pytest.approx(found.value, rel=1e-12)


@pytest.mark.parametrize("x", [1, 2, 4, -1])
def test_the_trace_along_the_hyperbola(x):
    """``2 (x^2 + 1 / x^2)``: 4, 8.5 and 32.125."""
    found = HessianTrace().evaluate(problem(hyperbola(), (x, 1 / x)))
    assert found.value == pytest.approx(2 * (x**2 + 1 / x**2), rel=1e-12)


def test_a_closed_form_of_the_objective_is_used():
    toy = quadratic(3.0, 1.0, n_rows=2)
    toy.hessian_trace = lambda w, batch=None: np.array([[1.0, 2.0], [1.0, 4.0]])
    found = HessianTrace().evaluate(problem(toy, (0, 0)))
    assert (found.value, found.kind, found.samples.tolist()) == (4.0, "exact", [1.0, 3.0])


def test_a_new_model_is_measured():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    objective = Objective(Bilinear(3, 1), HalfSquared(), X, y)
    w = rng.normal(size=6)
    dense = np.column_stack([objective.hvp(w, column) for column in np.eye(6)])
    trace = HessianTrace().evaluate(problem(objective, w)).value
    assert trace == pytest.approx(np.trace(dense), rel=1e-10)
    far = LevelSetDistance().evaluate(problem(objective, w))
    assert 0 < far.value < np.inf
    with pytest.raises(TypeError, match="Bilinear has no last hidden layer"):
        Weakness().evaluate(problem(objective, w))


def test_hutchpp_is_exact_at_low_rank():
    B = np.random.default_rng(0).normal(size=(50, 4))
    A = B @ B.T
    for seed in range(5):
        value, probes = hutchpp(lambda v: A @ v, 50, 12, np.random.default_rng(seed))
        assert value == pytest.approx(np.trace(A), rel=1e-10)
        assert_allclose(probes, np.trace(A), rtol=1e-10)


def test_hutchpp_is_unbiased_and_as_good_as_known():
    """On the spectrum i^-2, n = 200, Hutchinson's 60 products have a standard deviation of 0.2."""
    spectrum = np.arange(1, 201.0) ** -2
    products = []

    def product(v):
        products.append(v)
        return spectrum * v

    values = np.array(
        [hutchpp(product, 200, 60, np.random.default_rng(seed))[0] for seed in range(400)]
    )
    assert len(products) == 400 * 60
    assert values.std(ddof=1) == pytest.approx(0.0021, rel=0.1)
    assert abs(values.mean() - spectrum.sum()) < 3 * values.std(ddof=1) / 20


def test_hutchpp_knows_its_error():
    """Its errors have, in units of its standard error, the variance of Student's t."""
    rng = np.random.default_rng(0)
    B = rng.normal(size=(60, 60))
    A, errors = B + B.T, []
    for seed in range(500):
        value, probes = hutchpp(lambda v: A @ v, 60, 45, np.random.default_rng(seed))
        errors.append((value - np.trace(A)) / (probes.std(ddof=1) / len(probes) ** 0.5))
    assert np.mean(np.square(errors)) == pytest.approx(14 / 12, rel=0.2)


@pytest.mark.parametrize("factor", [2.0, 8.0, 3.7])
def test_rescaling_the_layers_changes_the_trace_by_its_law(factor):
    estimator, X, y = fitted("classes")
    loss, w = twin(estimator, X, y)
    diagonal = hessian(loss)(w).diagonal()
    ends = np.cumsum([array.size for array in (*estimator.coefs_, *estimator.intercepts_)])
    W0, W1, b0, b1 = (part.sum() for part in np.split(diagonal, ends[:-1]))
    expected = (W0 + b0) / factor**2 + W1 * factor**2 + b1
    moved = rescaled(estimator, factor)
    assert_allclose(moved.predict_proba(X), estimator.predict_proba(X), rtol=1e-12)
    found = hessian_trace(moved, X, y).value
    assert found == pytest.approx(expected, rel=1e-9)
    assert abs(found / hessian_trace(estimator, X, y).value - 1) > 0.3


# Flatness: the distance of level sets


@pytest.mark.parametrize(
    ("x", "s", "expected"),
    [
        (1, 0.01, 0.0690261350),
        (1, 0.1, 0.2082707980),
        (1, 1, 0.5857864376),
        (2, 0.01, 0.0482315656),
        (2, 0.1, 0.1505163132),
        (2, 1, 0.4545710206),
        (4, 0.01, 0.0249411768),
        (4, 0.1, 0.0787916384),
        (4, 1, 0.2480981806),
    ],
)
def test_the_distance_along_the_hyperbola(x, s, expected):
    assert distance(hyperbola(), (x, 1 / x), s).value == pytest.approx(expected, rel=1e-6)
    usual = LevelSetDistance(s).evaluate(problem(hyperbola(), (x, 1 / x)))
    assert usual.value == pytest.approx(expected, rel=1e-4)
    assert usual.converged


@pytest.mark.parametrize("s", [1e-4, 0.01, 0.3, 1, 10])
def test_the_distance_at_the_flattest_point_has_a_closed_form(s):
    expected = (2 + 2 * s**0.5) ** 0.5 - 2**0.5
    assert distance(hyperbola(), (1, 1), s).value == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("r", [0.01, 0.1, 0.5, 1, 3])
def test_distance_and_variation_are_inverse_to_each_other(r):
    level = unsettled_variation(r)
    assert distance(hyperbola(), (1, 1), level).value == pytest.approx(r, rel=1e-8)


@pytest.mark.parametrize(
    ("x", "r", "variation"),
    [
        (2, 0.01, 4.259784548e-4),
        (2, 0.1, 0.04355086101),
        (2, 1, 5.835456943),
        (4, 0.01, 1.606758905e-3),
        (4, 0.1, 0.1612223485),
        (4, 1, 17.463506047),
    ],
)
def test_distance_and_variation_are_inverse_to_each_other_elsewhere(x, r, variation):
    assert distance(hyperbola(), (x, 1 / x), variation).value == pytest.approx(r, rel=1e-6)


@pytest.mark.parametrize("s", [0.01, 0.1, 1])
def test_isometries_keep_the_distance(s):
    values = [distance(hyperbola(), w, s).value for w in ((2, 0.5), (0.5, 2), (-2, -0.5))]
    assert_allclose(values, values[0], rtol=1e-6)


@pytest.mark.parametrize("x", [1, 2, 4])
def test_an_increasing_function_of_the_loss_keeps_its_level_sets(x):
    inner = hyperbola()
    squared = Toy(
        lambda w: inner.function(w) ** 2,
        lambda w: 2 * inner.function(w) * inner.gradient(w),
        lambda w: (
            2 * np.outer(inner.gradient(w), inner.gradient(w))
            + 2 * inner.function(w) * inner.hessian(w)
        ),
    )
    found, expected = distance(squared, (x, 1 / x), 0.01), distance(inner, (x, 1 / x), 0.1)
    assert found.value == pytest.approx(expected.value, rel=1e-6)


@pytest.mark.parametrize(("n_factors", "r", "variation"), [(3, 0.7, 3.1274), (4, 2.0, 225)])
def test_the_distance_of_deep_scalars(n_factors, r, variation):
    """The variation within ``r`` of the ones is ``((1 + r / sqrt(n))^n - 1)^2``."""
    exactly = ((1 + r / n_factors**0.5) ** n_factors - 1) ** 2
    assert exactly == pytest.approx(variation, rel=2e-5)
    found = distance(product_of(n_factors), np.ones(n_factors), exactly)
    assert found.value == pytest.approx(r, rel=1e-8)


@pytest.mark.parametrize("s", [1e-6, 0.02, 5.0])
@pytest.mark.parametrize("curvatures", [(4, 1), (1, 0, 0, 9, 2), (1, 1, 1)])
def test_the_distance_in_a_quadratic_is_along_the_largest_curvature(curvatures, s):
    found = distance(quadratic(*curvatures), np.zeros(len(curvatures)), s)
    assert found.value == pytest.approx((2 * s / max(curvatures)) ** 0.5, rel=1e-8)


def test_away_from_a_minimum_the_lower_level_set_counts_too():
    """At 3 on ``w^2 / 2`` the loss rises by 0.5 at sqrt(10) - 3 and falls by 3 at 3 - sqrt(3)."""
    up = distance(quadratic(1.0), [3.0], 0.5).value
    assert up == pytest.approx(10**0.5 - 3, rel=1e-8)
    saturated = Toy(
        lambda w: np.tanh(w[0]) + 1,
        lambda w: 1 / np.cosh(w) ** 2,
        lambda w: np.diag(-2 * np.tanh(w) / np.cosh(w) ** 2),
    )
    down = distance(saturated, [0.5], 0.6).value  # tanh(0.5) + 0.6 > 1: there is no way up
    assert down == pytest.approx(0.5 - np.arctanh(np.tanh(0.5) - 0.6), rel=1e-8)


def test_a_level_that_is_nearest_straight_down_is_found():
    """Neither uphill nor along the largest curvature: at exp(-x) = 1.9."""
    slide = Toy(
        lambda w: 2 - np.exp(-w[0]) + 0.75 * w[1] ** 2,
        lambda w: np.array([np.exp(-w[0]), 1.5 * w[1]]),
        lambda w: np.diag([-np.exp(-w[0]), 1.5]),
    )
    found = distance(slide, (0, 0), 0.9, n_starts=0)
    assert found.value == pytest.approx(np.log(1.9), rel=1e-8)


def test_the_search_turns_towards_a_level_below_too():
    """At 2 - exp(-u), u = x + y / 2 - 2 y^2, the nearest level is u = -log(1.9)."""
    step = np.log(1.9)

    def u(w):
        return w[0] + w[1] / 2 - 2 * w[1] ** 2, np.array([1, 0.5 - 4 * w[1]])

    ridge = Toy(
        lambda w: 2 - np.exp(-u(w)[0]),
        lambda w: np.exp(-u(w)[0]) * u(w)[1],
        lambda w: np.exp(-u(w)[0]) * (np.diag([0, -4.0]) - np.outer(u(w)[1], u(w)[1])),
    )
    x = np.poly1d([2, -0.5, -step])  # of the level set, as a function of y
    y = (x * x + np.poly1d([1, 0, 0])).deriv().roots
    expected = min(np.hypot(x(r.real), r.real) for r in y if abs(r.imag) < 1e-12)
    found = distance(ridge, (0, 0), 0.9, n_starts=0)
    assert found.value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("w", [(0.1, 0.2), (0.1, 0.0), (0.0, 0.0)])
def test_a_level_that_is_nowhere_is_infinitely_far(w):
    bump = Toy(
        lambda w: 1 - np.exp(-w @ w / 2),
        lambda w: w * np.exp(-w @ w / 2),
        lambda w: (np.eye(2) - np.outer(w, w)) * np.exp(-w @ w / 2),
    )
    found = LevelSetDistance(level=2.0).evaluate(problem(bump, w))
    assert found.value == np.inf
    assert found.stderr == 0


@pytest.mark.parametrize("name", ["classes", "two outputs", "counts", "our labels"])
def test_there_is_a_point_at_the_distance_found_that_differs_by_the_level(name):
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    watched = Watched(task.objective)
    found = LevelSetDistance().evaluate(problem(watched, task.w))
    origin, level = task.objective.loss(task.w), found.protocol["level"]
    near = [w for w in watched.looked_at if np.linalg.norm(w - task.w) <= found.value * (1 + 1e-9)]
    change = max(abs(task.objective.loss(w) - origin) for w in near)
    assert level * (1 - 1e-6) <= change <= level * (1 + 1e-3)
    assert found.kind == "upper_bound"
    assert found.value == found.samples.min()


def nearest_by_programming(objective, w, level, start):
    """Distance of the upper level set, by sequential quadratic programming from one start."""
    origin = objective.loss(w)
    result = minimize(
        lambda h: (h @ h / 2, h),
        start,
        jac=True,
        method="SLSQP",
        constraints={
            "type": "eq",
            "fun": lambda h: objective.loss(w + h) - origin - level,
            "jac": lambda h: objective.loss_gradient(w + h)[1],
        },
        options={"maxiter": 200, "ftol": 1e-12},
    )
    return np.linalg.norm(result.x) if result.success else np.inf


@pytest.mark.parametrize("name", DOUBLE)
def test_the_distance_is_what_nonlinear_programming_finds(name):
    """The usual search ends within half a percent of it; a patient one with four digits."""
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    usual = LevelSetDistance().evaluate(task)
    patient = LevelSetDistance(n_refined=9, max_iter=200, tol=1e-9).evaluate(task)
    starts = np.random.default_rng(0).normal(size=(8, len(task.w)))
    starts *= usual.value / np.linalg.norm(starts, axis=1, keepdims=True)
    level = usual.protocol["level"]
    nearest = min(nearest_by_programming(task.objective, task.w, level, h) for h in starts)
    assert nearest * (1 - 1e-6) <= usual.value <= nearest * 1.005
    assert patient.value == pytest.approx(nearest, rel=1e-4)


def test_a_greater_level_is_farther():
    levels = (0.01, 0.1, 1, 10)
    values = [level_set_distance(*fitted("classes"), level=s).value for s in levels]
    assert values == sorted(values)
    assert values[0] < values[-1] / 5


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_the_level_is_a_tenth_of_the_loss_of_the_best_constant(weight):
    shares = np.bincount(SPECIES, weights=weight) / (150 if weight is None else weight.sum())
    found = level_set_distance(*fitted("classes"), weight)
    assert found.protocol["level"] == pytest.approx(-shares @ np.log(shares) / 10, rel=1e-12)
    mean = np.average(LENGTHS, axis=0, weights=weight)
    half = np.average(((LENGTHS - mean) ** 2).sum(axis=1), weights=weight) / 2
    found = level_set_distance(*fitted("two outputs"), weight)
    assert found.protocol["level"] == pytest.approx(half / 10, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "y", "weight"),
    [
        ("classes", np.zeros(150, int), None),
        ("regression", np.full(150, 2.0), None),
        ("counts", np.zeros(150), None),
        ("labels", np.ones((150, 2), int), None),
        ("two classes", SETOSA, SETOSA.astype(float)),
    ],
)
def test_where_the_target_is_constant_there_is_no_other_level(name, y, weight):
    estimator, X, _ = fitted(name)
    with pytest.warns(UserWarning, match="The target is constant"):
        found = level_set_distance(estimator, X, y, weight)
    assert found.value == np.inf
    assert found.stderr == 0


# Weakness: what is still open


def open_pairs(features, labels, probes, n_classes):
    """Which (probe, outcome) pairs are open; every witness is checked on every row."""
    completions = Completions(features, labels, n_classes)
    table = np.zeros((len(probes), n_classes), dtype=bool)
    for probe, outcome in np.ndindex(table.shape):
        U = completions.witness(probes[probe], outcome)
        if U is not None:
            assert_array_equal(completions.classify(U, features), labels)
            assert completions.classify(U, probes[probe : probe + 1]) == outcome
            table[probe, outcome] = True
    return table


def widest_reading(features, labels, n_classes):
    """The affine map with entries in [-1, 1] of the greatest least margin, by HiGHS."""
    rows = np.column_stack([features, np.ones(len(features))])
    gaps = np.eye(n_classes)[labels][:, None, :] - np.eye(n_classes)
    others = np.arange(n_classes) != labels[:, None]
    pairs = np.einsum("nck,nd->nckd", gaps[:, :, :-1], rows)[others]
    pairs = pairs.reshape(len(pairs), -1)
    n = pairs.shape[1]
    result = linprog(
        np.r_[np.zeros(n), -1],
        A_ub=np.column_stack([-pairs, np.ones(len(pairs))]),
        b_ub=np.zeros(len(pairs)),
        bounds=[(-1, 1)] * n + [(None, 1)],
        method="highs",
    )
    return -result.fun, result.x[:-1].reshape(n_classes - 1, -1).T


def pairs_by_linear_programs(features, labels, probes, n_classes):
    """The same table by linear programs over all rows.

    What one finds decides a pair at every probe, if its margin there is clear too.
    """
    scale = np.abs(np.vstack([features, probes])).max(axis=0)
    scale[scale == 0] = 1
    features, probes = features / scale, probes / scale
    table = np.zeros((len(probes), n_classes), dtype=bool)
    for probe, outcome in np.ndindex(table.shape):
        if table[probe, outcome]:
            continue
        rows = np.vstack([features, probes[probe]])
        margin, U = widest_reading(rows, np.append(labels, outcome), n_classes)
        if margin > 1e-7:
            scores = np.column_stack([probes @ U[:-1] + U[-1], np.zeros(len(probes))])
            second, first = np.sort(scores, axis=1)[:, -2:].T
            clear = first - second > 1e-7
            table[clear, scores[clear].argmax(axis=1)] = True
    return table


def centred(logits):
    return (logits - logits.mean(axis=1, keepdims=True))[:, :-1]


@cache
def digits_network(seed, n_rows=250, n_probes=20, n_hidden=8):
    """Logits and hidden layer of a small network, on its training rows and on others."""
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(X))
    train, other = X[rows[:n_rows]] / 16, X[rows[-n_probes:]] / 16
    clf = MLPClassifier((n_hidden,), learning_rate_init=0.003, max_iter=300, random_state=seed)
    objective = as_problem(clf.fit(train, y[rows[:n_rows]]), train, y[rows[:n_rows]]).objective
    w = as_problem(clf, train, y[rows[:n_rows]]).w
    scores, hidden = ((f(w), f(w, other)) for f in (objective.scores, objective.features))
    return scores, hidden, scores[0].argmax(axis=1)


def test_two_points_on_a_line_leave_open_what_lies_between():
    features, labels = np.array([[-1.0], [1.0]]), np.array([0, 1])
    found = open_pairs(features, labels, np.array([[0.0], [2.0], [-3.0]]), 2)
    assert_array_equal(found, [[True, True], [False, True], [True, False]])


def test_three_classes_on_a_line():
    """The middle one cannot come back beyond its neighbours, the first not after the second."""
    features, labels = np.array([[-1.0], [0.0], [1.0]]), np.array([0, 1, 2])
    found = open_pairs(features, labels, np.array([[-0.5], [2.0], [0.0]]), 3)
    assert_array_equal(found, [[True, True, False], [False, False, True], [False, True, False]])


def test_conflicting_labels_leave_nothing_open():
    features, labels = np.array([[-1.0], [1.0], [1.0]]), np.array([0, 1, 0])
    assert not open_pairs(features, labels, np.array([[0.0], [2.0]]), 2).any()


def test_a_probe_on_the_hull_of_a_class_is_closed():
    """Two points of one class with the probe between them; exactly on their segment."""
    features, labels = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]) / 3, np.array([0, 0, 1])
    found = open_pairs(features, labels, np.array([[0.7, 0.0], [0.7, -1e-3], [0.7, 1e-3]]) / 3, 2)
    assert_array_equal(found, [[True, False], [True, False], [True, True]])


def test_training_rows_are_open_for_their_own_label_alone():
    (logits, _), _, labels = digits_network(0)
    found = open_pairs(centred(logits), labels, centred(logits)[:5], 10)
    assert_array_equal(found, np.eye(10, dtype=bool)[labels[:5]])


@pytest.mark.parametrize("seed", range(3))
def test_what_is_open_is_what_linear_programs_say(seed):
    (logits, at_probes), _, labels = digits_network(seed)
    features, probes = centred(logits), centred(at_probes)[:12]
    found = open_pairs(features, labels, probes, 10)
    assert_array_equal(found, pairs_by_linear_programs(features, labels, probes, 10))
    assert found[np.arange(12), at_probes[:12].argmax(axis=1)].all()
    assert 0.1 < found.mean() < 1


def test_features_that_vary_in_few_directions_are_decided_too():
    """Ten logits of a network with three hidden units."""
    (logits, at_probes), (hidden, hidden_at), labels = digits_network(0, n_hidden=3)
    features, probes = centred(logits), centred(at_probes)
    directions = np.linalg.matrix_rank(features - features.mean(axis=0))
    assert directions == np.linalg.matrix_rank(hidden - hidden.mean(axis=0)) < 4
    found = open_pairs(features, labels, probes, 10)
    assert_array_equal(found, open_pairs(hidden, labels, hidden_at, 10))
    by_programs = pairs_by_linear_programs(hidden, labels, hidden_at[:6], 10)
    assert_array_equal(found[:6], by_programs)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_what_is_open_among_points_of_a_grid_is_what_linear_programs_say(n_classes):
    """Where many probes lie on points, edges and corners of the classes."""
    rng = np.random.default_rng(n_classes)
    for _ in range(12):
        features, probes = (rng.integers(-2, 3, size=(n, 2)).astype(float) for n in (15, 5))
        U = rng.normal(size=(3, n_classes))
        labels = (features @ U[:2] + U[2]).argmax(axis=1)
        found = open_pairs(features, labels, probes, n_classes)
        expected = pairs_by_linear_programs(features, labels, probes, n_classes)
        assert_array_equal(found, expected)


@pytest.mark.parametrize("n_rows", [20, 60, 120])
def test_what_is_open_for_two_classes_is_what_linear_programs_say(n_rows):
    _, (hidden, at_probes), labels = digits_network(1)
    odd = labels[:n_rows] % 2
    found = open_pairs(hidden[:n_rows], odd, at_probes, 2)
    expected = pairs_by_linear_programs(hidden[:n_rows], odd, at_probes, 2)
    assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", range(3))
def test_logits_and_hidden_layer_leave_the_same_open_where_their_rank_is_the_same(seed):
    (logits, logits_at), (hidden, hidden_at), labels = digits_network(seed)
    ranks = [
        np.linalg.matrix_rank(rows - rows.mean(axis=0))
        for rows in (hidden, np.vstack([hidden, hidden_at]), centred(logits))
    ]
    assert ranks[0] == ranks[1] == ranks[2] >= 6
    found = open_pairs(hidden, labels, hidden_at, 10)
    assert_array_equal(found, open_pairs(centred(logits), labels, centred(logits_at), 10))


def test_affine_maps_of_the_features_leave_the_same_open():
    _, (hidden, at_probes), labels = digits_network(0)
    rng = np.random.default_rng(0)
    A, t = rng.normal(size=(8, 8)), rng.normal(size=8)
    permuted, scales = rng.permutation(8), 2.0 ** rng.integers(-9, 9, size=8)
    expected = open_pairs(hidden, labels, at_probes, 10)
    nearly_flat = A @ np.diag(np.geomspace(1, 1e-5, 8)) @ A.T
    for change in (
        lambda F: F @ A + t,
        lambda F: F[:, permuted],
        lambda F: F * scales,
        lambda F: F @ nearly_flat,
    ):
        assert_array_equal(open_pairs(change(hidden), labels, change(at_probes), 10), expected)


def test_fewer_rows_and_more_features_leave_more_open():
    (logits, logits_at), _, labels = digits_network(0)
    features, probes = centred(logits), centred(logits_at)
    tables = [open_pairs(features[:n], labels[:n], probes, 10) for n in (250, 120, 50)]
    for fewer, more in ((tables[0], tables[1]), (tables[1], tables[2])):
        assert (fewer <= more).all()
    assert tables[0].sum() < tables[2].sum()
    extra = np.random.default_rng(0).normal(size=(270, 2))
    wider = open_pairs(
        np.column_stack([features, extra[:250]]),
        labels,
        np.column_stack([probes, extra[250:]]),
        10,
    )
    assert (tables[0] <= wider).all()
    assert tables[0].sum() < wider.sum()


def test_a_unit_that_only_a_probe_wakes_leaves_everything_open_there():
    features, labels = np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    found = open_pairs(features, labels, np.array([[2.0, 0.0], [2.0, 0.1]]), 2)
    assert_array_equal(found, [[False, True], [True, True]])
    line, probes = np.array([-1.0, 1.0]), np.array([[2.0, 0.1], [2.0, 0.0]])
    found = attainable(features, line - 0.1, line + 0.1, line, probes)
    assert_allclose(found, [(-np.inf, np.inf), (1.8, 2.2)])


def test_a_line_within_a_tolerance_spreads_beyond_its_ends():
    """Through 0 and 1 within 0.1 each, a line can be anywhere within 0.3 at 2."""
    features, values = np.array([[0.0], [0.5], [1.0]]), np.array([0.0, 0.5, 1.0])
    probes, spread = np.array([[2.0], [0.5], [-3.0]]), np.array([[0.3], [0.1], [0.7]])
    found = attainable(features, values - 0.1, values + 0.1, values, probes)
    assert_allclose(found, probes + spread * [-1, 1], rtol=1e-9)


def test_bounds_on_one_side_hold_one_side():
    features, low = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    none = np.full(2, np.inf)
    middle = np.array([[0.5]])
    assert_allclose(attainable(features, low, none, low + 1, middle), [(0.5, np.inf)], rtol=1e-6)
    assert_allclose(attainable(features, -none, low, low - 1, middle), [(-np.inf, 0.5)], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_attainable_values_are_those_of_linear_programs_over_all_rows(seed):
    (_, _), (hidden, at_probes), _ = digits_network(seed)
    rng = np.random.default_rng(seed)
    values = hidden @ rng.normal(size=8)
    width = 0.3 * values.std()
    rows = np.column_stack([hidden, np.ones(len(hidden))])
    constraints = {
        "A_ub": np.vstack([rows, -rows]),
        "b_ub": np.concatenate([values + width, width - values]),
        "bounds": (None, None),
    }
    found = attainable(hidden, values - width, values + width, values, at_probes)
    for ends, probe in zip(found, at_probes, strict=True):
        goal = np.append(probe, 1)
        expected = [sign * linprog(sign * goal, **constraints).fun for sign in (1, -1)]
        assert_allclose(ends, expected, rtol=1e-5, atol=1e-5 * values.std())


@pytest.mark.parametrize("factor", [2.0**-10, 0.5, 2.0, 2.0**10])
@pytest.mark.parametrize("name", ["classes", "two classes", "labels", "regression", "counts"])
def test_rescaling_the_layers_does_not_change_the_weakness(name, factor):
    """By a power of two, so that every bit of the features stays."""
    estimator, X, y = fitted(name)
    found, expected = weakness(rescaled(estimator, factor), X, y), weakness(estimator, X, y)
    assert_array_equal(found.samples, expected.samples)
    trace = hessian_trace(rescaled(estimator, factor), X, y).value
    assert abs(trace / hessian_trace(estimator, X, y).value - 1) > 0.1


def test_of_three_classes_and_more_the_weakness_is_that_of_the_function():
    """A unit without outgoing weights changes the hidden layer, and nothing else."""
    estimator, X, y = fitted("classes")
    wider = copy.deepcopy(estimator)
    rng = np.random.default_rng(0)
    wider.coefs_ = [
        np.column_stack([estimator.coefs_[0], rng.normal(size=4)]),
        np.vstack([estimator.coefs_[1], np.zeros(3)]),
    ]
    wider.intercepts_ = [np.append(estimator.intercepts_[0], 1.0), estimator.intercepts_[1]]
    assert_array_equal(weakness(wider, X, y).samples, weakness(estimator, X, y).samples)
    permuted = copy.deepcopy(estimator)
    order = [3, 1, 0, 5, 4, 2]
    permuted.coefs_ = [estimator.coefs_[0][:, order], estimator.coefs_[1][order]]
    permuted.intercepts_ = [estimator.intercepts_[0][order], estimator.intercepts_[1]]
    assert_array_equal(weakness(permuted, X, y).samples, weakness(estimator, X, y).samples)


@pytest.mark.parametrize(
    ("name", "features"),
    [("classes", "logits"), ("two classes", "hidden"), ("labels", "hidden"), ("counts", "hidden")],
)
def test_weakness_says_what_it_reads(name, features):
    assert weakness(*fitted(name)).protocol["features"] == features


def test_weakness_counts_the_pairs_that_are_open():
    estimator, X, y = fitted("classes")
    probes = np.random.default_rng(0).normal(size=(12, 4))
    task = as_problem(estimator, X, y)
    logits, at_probes = (task.objective.scores(task.w, inputs) for inputs in (X, probes))
    table = open_pairs(centred(logits), logits.argmax(axis=1), centred(at_probes), 3)
    found = weakness(estimator, X, y, X_probe=probes)
    assert_array_equal(found.samples, table.mean(axis=1))
    assert found.value == pytest.approx(table.mean(), rel=1e-12)
    assert found.stderr == pytest.approx(table.mean(axis=1).std(ddof=1) / 12**0.5)


def test_weakness_of_classes_counts_on_the_hidden_layer_where_asked():
    estimator, X, y = fitted("classes")
    probes = np.random.default_rng(0).normal(size=(12, 4))
    task = as_problem(estimator, X, y)
    hidden, at_probes = (task.objective.features(task.w, inputs) for inputs in (X, probes))
    table = open_pairs(hidden, task.objective.scores(task.w).argmax(axis=1), at_probes, 3)
    found = weakness(estimator, X, y, X_probe=probes, features="hidden")
    assert_array_equal(found.samples, table.mean(axis=1))
    assert found.protocol["features"] == "hidden"


@pytest.mark.parametrize(("name", "features"), [("two classes", "logits"), ("classes", "pixels")])
def test_features_that_are_not_there_cannot_be_read(name, features):
    with pytest.raises(ValueError, match=f"features must be .* got '{features}'"):
        weakness(*fitted(name), features=features)


def test_inputs_of_the_wrong_width_cannot_be_measured():
    estimator, X, y = fitted("classes")
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
        hessian_trace(estimator, X[:, :3], y)


def test_weakness_of_two_classes_counts_on_the_hidden_layer():
    estimator, X, y = fitted("two classes")
    probes = np.random.default_rng(0).normal(size=(12, 4))
    task = as_problem(estimator, X, y)
    hidden, at_probes = (task.objective.features(task.w, inputs) for inputs in (X, probes))
    table = open_pairs(hidden, estimator.predict(X).astype(int), at_probes, 2)
    assert_array_equal(weakness(estimator, X, y, X_probe=probes).samples, table.mean(axis=1))


def test_weakness_of_regression_counts_the_bins_that_can_be_reached():
    """The line y = x on [0, 1], whose bins are its tenths.

    Within ``e`` of it, a line is within ``e`` at 0.5, ``3 e`` at -1 and ``999 e`` at 500.
    """
    X = np.linspace(0, 1, 101)[:, None]
    line = MLPRegressor(hidden_layer_sizes=(), max_iter=1).fit(X, X[:, 0])
    line.coefs_, line.intercepts_ = [np.ones((1, 1))], [np.zeros(1)]
    probes = np.array([[0.45], [0.5], [-1.0], [500.0]])
    share = weakness(line, X, X[:, 0], X_probe=probes, tolerance=0.01).samples
    assert_allclose(share, [0.1, 0.2, 0.1, 0.1])
    loose = weakness(line, X, X[:, 0], X_probe=probes, tolerance=1.0).samples
    assert_allclose(loose, [0.7, 0.6, 0.1, 0.1])
    free = weakness(line, X, X[:, 0], X_probe=probes, tolerance=4.0).samples
    assert_allclose(free, 1)


def test_the_targets_do_not_change_the_weakness_of_classes():
    """It is about the learned function, not about whether that is right."""
    estimator, X, y = fitted("classes")
    shuffled = np.random.default_rng(0).permutation(y)
    assert_array_equal(weakness(estimator, X, y).samples, weakness(estimator, X, shuffled).samples)


def test_weakness_draws_as_many_probes_as_asked():
    estimator, X, y = fitted("classes")
    assert len(weakness(estimator, X, y, n_probes=17).samples) == 17
    few, many = (weakness(estimator, X, y, n_probes=n) for n in (20, 500))
    assert abs(few.value - many.value) < 3 * np.hypot(few.stderr, many.stderr)
    assert many.stderr < few.stderr


def test_at_least_what_the_network_says_is_open():
    for name, floor in (("classes", 1 / 3), ("two classes", 1 / 2), ("regression", 1 / 10)):
        assert weakness(*fitted(name), n_probes=30).samples.min() >= floor - 1e-12
