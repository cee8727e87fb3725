"""The flattest of all networks with the same function, against closed forms and brute force."""

import pickle
from itertools import pairwise

import autograd.numpy as anp
import numpy as np
import pytest
from fitted import IRIS, OURS, SPECIES, dense_trace, fitted
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import hessian_trace, orbit_trace
from skflat.models.mlp import ScaledEntries, balanced
from skflat.symmetry import flatten, flattening_flow, rescale

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def trace(estimator, X, y):
    return hessian_trace(estimator, X, y).value


def jumbled(estimator, seed=0):
    """The first layer times 20, and every hidden unit by a factor between 0.1 and 10."""
    rng = np.random.default_rng(seed)
    widths = [len(b) for b in estimator.intercepts_[:-1]]
    factors = [10 ** rng.uniform(-1, 1, size=width) for width in widths]
    factors[0] *= 20
    return rescale(estimator, factors)


# Balancing


def entries(seed, *widths):
    """Random entries over many orders of magnitude."""
    rng = np.random.default_rng(seed)
    source = [rng.lognormal(size=n, sigma=3) for n in widths]
    sink = [np.zeros(n) for n in widths[:-1]] + [rng.lognormal(size=widths[-1], sigma=3)]
    pairs = pairwise(widths)
    return ScaledEntries(source, sink, [rng.lognormal(size=pair, sigma=3) for pair in pairs])


@pytest.mark.parametrize("widths", [(5,), (6, 5), (3, 4, 2, 5, 3, 4, 3, 2)])
@pytest.mark.parametrize("sweeps", [0, 5, 1000], ids=["newton", "both", "cycles"])
def test_twenty_starts_end_in_one_point(widths, sweeps):
    """The sum is convex and grounded in every unit, so its minimum is one."""
    chain, rng = entries(len(widths), *widths), np.random.default_rng(0)
    starts = [[4 * rng.normal(size=n) for n in widths] for _ in range(20)]
    ends = [balanced(chain, start, sweeps) for start in starts]
    assert all(end.converged for end in ends)
    values = [chain.scaled(end.t).total() for end in ends]
    assert np.ptp(values) < 1e-14 * values[0]
    for end in ends:
        assert_allclose(np.concatenate(end.t), np.concatenate(ends[0].t), rtol=0, atol=1e-8)


def test_the_end_is_the_minimum_that_a_general_method_finds():
    chain = entries(0, 4, 3)

    def total(t):
        return np.log(chain.scaled(np.split(t, [4])).total())

    found = minimize(total, np.zeros(7), method="BFGS", options={"gtol": 1e-9})
    end = balanced(chain)
    assert total(np.concatenate(end.t)) <= found.fun + 1e-12
    assert_allclose(np.concatenate(end.t), found.x, atol=1e-4)


def test_the_sum_is_convex_in_the_logarithms():
    chain, rng = entries(1, 4, 3), np.random.default_rng(0)
    for _ in range(50):
        one, two = ([3 * rng.normal(size=n) for n in (4, 3)] for _ in range(2))
        half = [(a + b) / 2 for a, b in zip(one, two, strict=True)]
        ends = chain.scaled(one).total() + chain.scaled(two).total()
        assert chain.scaled(half).total() <= ends / 2 * (1 + 1e-14)


def test_units_are_balanced_one_by_one_however_small():
    """Relative to the whole sum the small ones would still be far off."""
    chain = entries(3, 6, 6)
    for array in (*chain.source, *chain.sink, *chain.links):
        array *= 10.0 ** np.random.default_rng(0).uniform(-12, 0, size=array.shape)
    end = balanced(chain)
    into, out = (np.concatenate(each) for each in chain.scaled(end.t).flows())
    assert np.max(np.abs(out - into) / (out + into)) <= 1e-10


# One hidden layer at interpolation, written down anew


def relu_numbers(seed):
    """Weights, inputs, and the two parts of every unit's trace for the loss ``(h - y)^2``."""
    rng = np.random.default_rng(seed)
    X, W, a = rng.normal(size=(6, 3)), rng.normal(size=(3, 5)), rng.normal(size=5)
    h = np.maximum(X @ W, 0)
    squares = np.sum(X**2, axis=1)
    return X, W, a, 2 / 6 * a**2 * (squares @ (h > 0)), 2 / 6 * np.sum(h**2, axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_one_hidden_layer_has_the_closed_form(seed):
    """Without intercepts: ``A_j / s^2 + B_j s^2``, so the least trace is ``sum 2 sqrt(A B)``."""
    X, W, a, A, B = relu_numbers(seed)

    def loss(w):
        h = X @ anp.reshape(w[:15], (3, 5))
        return anp.mean((anp.where(h > 0, h, 0 * h) @ w[15:] - goal) ** 2)

    goal = np.maximum(X @ W, 0) @ a
    w, step, whole = np.append(W.ravel(), a), 1e-3, 0.0
    for k in range(len(w)):  # piecewise quadratic in every weight: differences are exact
        up, down = w.copy(), w.copy()
        up[k], down[k] = w[k] + step, w[k] - step
        whole += (loss(up) - 2 * loss(w) + loss(down)) / step**2
    assert whole == pytest.approx(np.sum(A + B), rel=1e-7)
    end = balanced(ScaledEntries([A], [B], []))
    least = ScaledEntries([A], [B], []).scaled(end.t).total()
    assert least == pytest.approx(2 * np.sum(np.sqrt(A * B)), rel=1e-14)
    assert_allclose(np.exp(4 * end.t[0]), A / B, rtol=1e-12)
    by_norm = np.abs(a) / np.linalg.norm(W, axis=0)  # square of the scale that balances the norms
    assert least < np.sum(A / by_norm + B * by_norm)


# Networks


NAMES = ["classes", "classes, deep", "two classes", "labels", "two outputs", "counts", "pipeline"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("criterion", ["trace", "norm", "lambda_max"])
def test_the_function_stays(name, criterion):
    estimator, X, y = fitted(name)
    before = pickle.dumps(estimator)
    flat = flatten(estimator, X, y, criterion=criterion)
    assert type(flat) is type(estimator)
    assert pickle.dumps(estimator) == before
    predict = "predict_proba" if hasattr(estimator, "predict_proba") else "predict"
    found, wanted = (getattr(each, predict)(X) for each in (flat, estimator))
    assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_of_the_end_is_that_of_the_entries_and_lower(name):
    estimator, X, y = fitted(name)
    flat = flatten(estimator, X, y)
    assert trace(flat, X, y) == pytest.approx(dense_trace(flat, X, y), rel=1e-8)
    assert trace(flat, X, y) <= trace(estimator, X, y) * (1 + 1e-14)
    assert trace(flatten(flat, X, y), X, y) == pytest.approx(trace(flat, X, y), rel=1e-13)


def test_no_other_scales_are_flatter():
    estimator, X, y = fitted("classes, deep")
    flat, rng = flatten(estimator, X, y), np.random.default_rng(0)
    for _ in range(30):
        scales = [np.exp(0.3 * rng.normal(size=n)) for n in (5, 4)]
        assert trace(rescale(flat, scales), X, y) > trace(flat, X, y)


def test_the_norms_end_has_the_least_norm_and_conserves_nothing():
    estimator, X, y = fitted("classes, deep")
    flat = flatten(estimator, X, y, criterion="norm")
    for W, b, above in zip(flat.coefs_[:-1], flat.intercepts_[:-1], flat.coefs_[1:], strict=True):
        assert_allclose(np.sum(W**2, axis=0) + b**2, np.sum(above**2, axis=1), rtol=1e-9)


def test_weights_of_rows_count():
    estimator, X, y = fitted("classes, deep")
    weight = np.where(np.arange(len(X)) < 40, 3.0, 0.0)
    some, weighted = flatten(estimator, X[:40], y[:40]), flatten(estimator, X, y, weight)
    for one, two in zip(some.coefs_, weighted.coefs_, strict=True):
        assert_allclose(one, two, rtol=1e-9)


def test_a_leaky_relu_is_positively_homogeneous_too():
    def leaky(z):
        return anp.where(z > 0, z, 0.1 * z)

    clf = FlatMLPClassifier((5, 4, 3), leaky, **OURS).fit(IRIS, SPECIES)
    flat, again = (flatten(each, IRIS, SPECIES) for each in (clf, jumbled(clf)))
    assert_allclose(flat.predict_proba(IRIS), clf.predict_proba(IRIS), rtol=1e-12)
    assert trace(flat, IRIS, SPECIES) < trace(clf, IRIS, SPECIES)
    for one, two in zip(flat.coefs_, again.coefs_, strict=True):
        assert_allclose(one, two, rtol=1e-6, atol=1e-12)


# The largest eigenvalue


def test_the_largest_eigenvalue_falls_from_the_traces_optimum():
    estimator, X, y = fitted("two outputs")
    found = flatten(estimator, X, y, criterion="lambda_max").flattening_
    assert found["kind"] == "upper_bound"
    assert found["largest"] < found["largest_at_trace"]


# Dead units and their like


def relu_regressor(weights, intercepts):
    """A fitted network with these parameters."""
    X = np.random.default_rng(0).normal(size=(20, weights[0].shape[0]))
    sizes = tuple(len(b) for b in intercepts[:-1])
    reg = FlatMLPRegressor(hidden_layer_sizes=sizes, measures=None, max_iter=1)
    reg.fit(X, X[:, 0])
    reg.coefs_, reg.intercepts_ = weights, intercepts
    return reg, X, X[:, 0]


def with_a_dead_unit():
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=shape) for shape in ((2, 3), (3, 3), (3, 1))]
    intercepts = [rng.normal(size=n) for n in (3, 3, 1)]
    intercepts[0][1] = -100.0  # no row reaches this unit
    intercepts[1][2] = -100.0
    return relu_regressor(weights, intercepts)


def test_dead_units_end_with_balanced_norms():
    reg, X, y = with_a_dead_unit()
    ends = [flatten(each, X, y) for each in (reg, jumbled(reg))]
    for flat in ends:
        assert_allclose(flat.predict(X), reg.predict(X), rtol=1e-12)
        for layer, unit in ((0, 1), (1, 2)):
            W, b, above = flat.coefs_[layer], flat.intercepts_[layer], flat.coefs_[layer + 1]
            into = np.sum(W[:, unit] ** 2) + b[unit] ** 2
            assert into == pytest.approx(np.sum(above[unit] ** 2), rel=1e-8)
    for one, two in zip(ends[0].coefs_, ends[1].coefs_, strict=True):
        assert_allclose(one, two, rtol=1e-6)


def test_a_unit_of_which_nothing_reaches_the_loss_is_left_and_told():
    reg, X, y = with_a_dead_unit()
    reg.intercepts_[0][1] = 1.0
    reg.coefs_[1][0] = 0.0
    reg.coefs_[1][:, 2] = 0.0
    with pytest.warns(UserWarning, match="1 hidden units have no flattest scale"):
        flat = flatten(reg, X, y)
    assert_array_equal(flat.coefs_[0][:, 0], reg.coefs_[0][:, 0])
    assert flat.flattening_["unattained"] == 1
    assert trace(flat, X, y) <= trace(reg, X, y)
    assert not orbit_trace(reg, X, y).converged


# A larger network, ours and scikit-learn's


def large():
    X, y = make_classification(
        600, 784, n_informative=40, n_classes=10, n_clusters_per_class=1, random_state=0
    )
    return X, y


@pytest.mark.parametrize("cls", [MLPClassifier, FlatMLPClassifier])
def test_rescaling_is_undone(cls):
    X, y = large()
    settings = {"measures": None, "solver": "adam"} if cls is FlatMLPClassifier else {}
    clf = cls((64, 64), max_iter=15, random_state=0, **settings).fit(X, y)
    moved = jumbled(clf)
    flat, again = flatten(clf, X, y), flatten(moved, X, y)
    assert_allclose(flat.predict_proba(X), clf.predict_proba(X), rtol=1e-12)
    assert_allclose(again.predict_proba(X), moved.predict_proba(X), rtol=1e-12)
    values = [trace(each, X, y) for each in (clf, flat, again)]
    assert values[1] <= values[0]
    assert values[2] == pytest.approx(values[1], rel=1e-8)
    arrays = [each.coefs_ + each.intercepts_ for each in (flat, again)]
    for one, two in zip(*arrays, strict=True):
        assert_allclose(one, two, rtol=1e-6)
    found = [orbit_trace(each, X, y).value for each in (clf, moved)]
    assert_allclose(found, values[1], rtol=1e-8)


def test_single_precision_stays_single():
    estimator, X, y = fitted("our single precision")
    flat = flatten(estimator, X, y)
    assert {array.dtype for array in flat.coefs_ + flat.intercepts_} == {np.dtype(np.float32)}
    assert_allclose(flat.predict_proba(X), estimator.predict_proba(X), rtol=1e-4)


@pytest.mark.parametrize("method", ["oneshot", "flow"])
def test_without_hidden_layers_there_is_nothing_to_move(method):
    estimator, X, y = fitted("classes, linear")
    flat = flatten(estimator, X, y, method=method)
    assert_array_equal(flat.coefs_[0], estimator.coefs_[0])


def test_sparse_inputs_give_the_same_point():
    estimator, X, y = fitted("our sparse classes")
    flat, dense = flatten(estimator, X, y), flatten(estimator, X.toarray(), y)
    assert_allclose(flat.coefs_[0], dense.coefs_[0], rtol=1e-9)


def test_what_double_precision_cannot_hold_is_refused():
    estimator, X, y = fitted("two outputs")
    with pytest.raises(ValueError, match=r"The trace of the Hessian is (inf|nan), so no scales"):
        flatten(estimator, X * 1e160, y)


# The flow


@pytest.mark.parametrize("criterion", ["trace", "norm"])
@pytest.mark.parametrize("name", ["classes, deep", "classes, identity"])
def test_the_flow_falls_all_the_way_to_the_same_point(name, criterion):
    estimator, X, y = fitted(name)
    way = list(flattening_flow(estimator, X, y, criterion=criterion, n_steps=30))

    def value(each):
        if criterion == "trace":
            return trace(each, X, y)
        return sum(np.sum(array**2) for array in each.coefs_ + each.intercepts_)

    values = [value(each) for each in way]
    assert (np.diff(values) <= 1e-12 * values[0]).all()
    assert_allclose(way[-1].predict_proba(X), estimator.predict_proba(X), rtol=1e-11)
    if name == "classes, deep":
        ends = [
            flatten(estimator, X, y, criterion=criterion, method=each)
            for each in ("flow", "oneshot")
        ]
        assert value(ends[0]) == pytest.approx(value(ends[1]), rel=1e-10)


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"criterion": "rank"}, "criterion must be one of .*, got 'rank'"),
        ({"method": "jump"}, "method must be one of .*, got 'jump'"),
        (
            {"criterion": "lambda_max", "method": "flow"},
            "A flow needs a criterion of .*, got 'lambda_max'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    estimator, X, y = fitted("classes")
    with pytest.raises(ValueError, match=message):
        flatten(estimator, X, y, **settings)


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match="Cannot measure LogisticRegression"):
        flatten(LogisticRegression().fit(IRIS, SPECIES), IRIS, SPECIES)
