"""Sharpness: the trace of the Hessian."""

from types import SimpleNamespace

import numpy as np
import pytest
from autograd import hessian
from fitted import DOUBLE, IRIS, SPECIES, WEIGHT, dense_trace, fitted, rescaled, twin
from numpy.testing import assert_allclose
from scipy.special import ndtr, stdtrit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from toys import Bilinear, hyperbola, problem, quadratic

from skflat.measures import HessianTrace, LevelSetDistance, Weakness, hessian_trace
from skflat.measures.curvature._xtrace import xtrace
from skflat.models.mlp import MLP
from skflat.objective import ExactTrace, HalfSquared, Objective
from skflat.symmetry import rescale

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
    deviation = found.samples.std(ddof=1) / 9**0.5
    assert found.stderr == pytest.approx(stdtrit(8, ndtr(3.0)) / 3 * deviation, rel=1e-12)
    assert found.samples.mean() == pytest.approx(found.value, rel=1e-12)


@pytest.mark.parametrize("x", [1, 2, 4, -1])
def test_the_trace_along_the_hyperbola(x):
    """``2 (x^2 + 1 / x^2)``: 4, 8.5 and 32.125."""
    found = HessianTrace().evaluate(problem(hyperbola(), (x, 1 / x)))
    assert found.value == pytest.approx(2 * (x**2 + 1 / x**2), rel=1e-12)


def test_a_closed_form_of_the_objective_is_used():
    toy = quadratic(3.0, 1.0, n_rows=2)
    rows = SimpleNamespace(of_rows=lambda w: np.array([[1.0, 2.0], [1.0, 4.0]]))
    toy.capability = {ExactTrace: rows}.get
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
    with pytest.raises(TypeError, match="Weakness needs a last hidden layer, and this Bilinear"):
        Weakness().evaluate(problem(objective, w))


@pytest.mark.parametrize("rank", [0, 1, 4, 8])
def test_xtrace_is_exact_at_low_rank(rank):
    B = np.random.default_rng(0).normal(size=(50, rank))
    A = B @ B.T
    for seed in range(5):
        value, estimates, _ = xtrace(lambda v: A @ v, 50, 18, np.random.default_rng(seed))
        assert value == pytest.approx(np.trace(A), rel=1e-9)
        assert_allclose(estimates, np.trace(A), rtol=1e-9)


def test_xtrace_is_unbiased_and_better_than_hutchpp():
    """On the spectrum i^-2, n = 200, with random eigenvectors and 60 products.

    Hutch++ has the deviation 0.0029 there, and Hutchinson's estimate 0.188.
    """
    spectrum = np.arange(1, 201.0) ** -2
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(200, 200)))[0]
    A, products = Q * spectrum @ Q.T, []

    def product(v):
        products.append(v)
        return A @ v

    values = np.array(
        [xtrace(product, 200, 60, np.random.default_rng(seed))[0] for seed in range(200)]
    )
    assert len(products) == 200 * 60
    deviation = values.std(ddof=1)
    assert deviation < 0.65 * 0.0029
    assert abs(values.mean() - spectrum.sum()) < 3 * deviation / 200**0.5


def test_every_estimate_of_xtrace_is_that_of_the_others_sketch():
    """Written down anew: the exact trace on the sketch of all but one, and the rest by that one."""
    rng = np.random.default_rng(0)
    B = rng.normal(size=(12, 12))
    A = B + B.T
    value, estimates, vectors = xtrace(lambda v: A @ v, 12, 6, np.random.default_rng(1))
    tests = np.random.default_rng(1).normal(size=(12, 3))
    tests *= 12**0.5 / np.linalg.norm(tests, axis=0)
    for k, test in enumerate(tests.T):
        Q = np.linalg.qr(A @ np.delete(tests, k, axis=1))[0]
        rest = test - Q @ (Q.T @ test)
        of_rest = (12 - 2) * (rest @ A @ rest) / (rest @ rest)
        assert estimates[k] == pytest.approx(np.trace(Q.T @ A @ Q) + of_rest, rel=1e-9)
    assert value == pytest.approx(estimates.mean(), rel=1e-12)
    assert sum(v @ A @ v for v in vectors) == pytest.approx(value, rel=1e-9)


@pytest.mark.slow
def test_the_standard_error_of_the_trace_covers_it():
    """Of 200 networks with three hidden layers, at random points, 0.98 or more within three."""
    rng, inside = np.random.default_rng(0), 0
    X, model = rng.normal(size=(12, 2)), MLP((2, 5, 5, 5, 2), "tanh")
    objective = Objective(model, HalfSquared(), X, rng.normal(size=(12, 2)))
    for seed in range(200):
        w = rng.normal(size=model.layout.size)
        dense = np.trace(_dense(objective, w))
        found = HessianTrace(n_products=30, random_state=seed).evaluate(problem(objective, w))
        inside += abs(found.value - dense) <= 3 * found.stderr
    assert 0.98 <= inside / 200 <= 1


def _dense(objective, w):
    product = objective.hessian_products(w)
    return np.array([product(unit) for unit in np.eye(len(w))])


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


def test_the_trace_of_a_relu_network_that_interpolates():
    """``sum_j (A_j + B_j)``: what unit j's incoming and its outgoing weights add.

    With half the squared error, ``A_j = a_j^2 mean(|x|^2 + 1)`` over the rows that unit j is active
    on, and ``B_j = mean(h_j^2)``; the outgoing intercept adds 1.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, 3))
    net = MLPRegressor(hidden_layer_sizes=(5,), max_iter=1, random_state=0).fit(X, X[:, 0])
    net.coefs_ = [rng.normal(size=(3, 5)), rng.normal(size=(5, 1))]
    net.intercepts_ = [rng.normal(size=5), rng.normal(size=1)]
    y = net.predict(X)
    hidden = np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0)
    inputs = np.sum(X**2, axis=1) + 1
    incoming = net.coefs_[1][:, 0] ** 2 * np.mean((hidden > 0) * inputs[:, None], axis=0)
    outgoing = np.mean(hidden**2, axis=0)
    found = hessian_trace(net, X, y)
    assert found.value == pytest.approx(np.sum(incoming + outgoing) + 1, rel=1e-12)
    assert_allclose(found.samples, [incoming.sum(), outgoing.sum() + 1], rtol=1e-12)
    assert found.value == pytest.approx(dense_trace(net, X, y), rel=1e-9)


def test_the_least_trace_on_the_orbit_of_a_relu_unit():
    """``A / c^2 + B c^2`` has its minimum ``2 sqrt(A B)`` at ``c^4 = A / B``.

    Units whose incoming and outgoing weights have equal norms are sharper, as ``c`` depends on the
    data and not on the weights alone.
    """
    rng = np.random.default_rng(1)
    X = rng.normal(size=(6, 3))
    net = MLPRegressor(hidden_layer_sizes=(5,), max_iter=1, random_state=0).fit(X, X[:, 0])
    net.coefs_ = [rng.normal(size=(3, 5)), rng.normal(size=(5, 1))]
    net.intercepts_ = [rng.normal(size=5), rng.normal(size=1)]
    y = net.predict(X)
    hidden = np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0)
    inputs = np.sum(X**2, axis=1) + 1
    A = net.coefs_[1][:, 0] ** 2 * np.mean((hidden > 0) * inputs[:, None], axis=0)
    B = np.mean(hidden**2, axis=0)
    live = B > 0
    flattest = np.where(live, (A / np.where(live, B, 1)) ** 0.25, 1.0)
    incoming = np.sqrt(np.sum(net.coefs_[0] ** 2, axis=0) + net.intercepts_[0] ** 2)
    balanced = np.sqrt(np.abs(net.coefs_[1][:, 0]) / incoming)
    raw, least, norm = (
        hessian_trace(rescale(net, [factors]), X, y).value
        for factors in (np.ones(5), flattest, balanced)
    )
    assert least == pytest.approx(2 * np.sqrt(A * B).sum() + 1, rel=1e-12)
    assert least < norm
    assert least < raw
    for factor in (0.9, 1.1):
        assert hessian_trace(rescale(net, [flattest * factor]), X, y).value > least


@pytest.mark.parametrize(("x", "expected"), [(2, 3.6380), (1, 0)])
def test_how_fast_the_mean_eigenvalue_falls_along_the_minimisers(x, expected):
    """``2 |x^2 - y^2| / |(x, y)|`` along the hyperbola, with ``y = 1 / x``."""

    def mean_eigenvalue(s):
        return HessianTrace().evaluate(problem(hyperbola(), (s, 1 / s))).value / 2

    step = 1e-5
    along = np.hypot(1, 1 / x**2)  # length of the curve for a unit of x
    slope = (mean_eigenvalue(x + step) - mean_eigenvalue(x - step)) / (2 * step * along)
    assert abs(slope) == pytest.approx(2 * abs(x**2 - x**-2) / np.hypot(x, 1 / x), abs=1e-7)
    assert abs(slope) == pytest.approx(expected, abs=1e-3)
