"""The entropy of the activation pattern as a bonus."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from stepping import running

from skflat import FlatMatrixFactorization, FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.objective import Batch, HiddenUnits, Multinomial, NotDefinedError, Objective
from skflat.solvers import PatternEntropy
from skflat.solvers._entropy import pattern_entropy

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def batch_of(weight=None, n_rows=3):
    return Batch(np.zeros((n_rows, 1)), np.zeros(n_rows), weight)


def by_pairs(z, weight):
    """The definition, pair by pair, for autograd."""
    total, n_pairs = 0.0, 0.0
    for i in range(len(z)):
        for k in range(len(z)):
            if i != k:
                d = anp.sum(1 - anp.tanh(z[i] / 2) * anp.tanh(z[k] / 2)) / 2
                total = total + weight[i] * weight[k] * anp.exp(-d)
                n_pairs = n_pairs + weight[i] * weight[k]
    return anp.log(n_pairs / total)


def test_of_two_rows_and_a_unit_it_is_the_chance_that_their_bits_differ():
    z = np.array([[0.4], [-1.1]])
    p, q = 1 / (1 + np.exp(-z[:, 0]))
    entropy, slopes = pattern_entropy(z, batch_of(n_rows=2))
    assert entropy == pytest.approx(p * (1 - q) + q * (1 - p), rel=1e-12)
    assert_allclose(slopes[:, 0], [p * (1 - p) * (1 - 2 * q), q * (1 - q) * (1 - 2 * p)])


def test_of_hard_bits_patterns_count_by_the_bits_in_which_they_differ():
    z = 100.0 * np.array([[1, 1, 1], [1, 1, -1], [-1, -1, -1], [1, 1, 1]])
    mean = (2 * 1 + 4 * np.exp(-1) + 4 * np.exp(-3) + 2 * np.exp(-2)) / 12
    entropy, slopes = pattern_entropy(z, batch_of(n_rows=4))
    assert entropy == pytest.approx(-np.log(mean), rel=1e-12)
    assert_allclose(slopes, 0, atol=1e-12)
    assert pattern_entropy(z[[0, 3]], batch_of(n_rows=2))[0] == pytest.approx(0, abs=1e-12)


def test_the_slopes_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    z, weight = rng.normal(size=(6, 3)), rng.integers(0, 3, size=6).astype(float)
    for given, each in ((None, np.ones(6)), (weight, weight)):
        entropy, slopes = pattern_entropy(z, batch_of(given, 6))
        assert entropy == pytest.approx(by_pairs(z, each), rel=1e-12)
        assert_allclose(slopes, grad(by_pairs)(z, each), rtol=1e-10, atol=1e-14)


def test_order_and_sign_of_the_units_do_not_matter_and_large_batches_go_in_parts(monkeypatch):
    rng = np.random.default_rng(0)
    z, weight = rng.normal(size=(10, 4)), rng.uniform(size=10)
    whole = pattern_entropy(z, batch_of(weight, 10))[0]
    assert pattern_entropy(z[:, ::-1] * [1, -1, 1, -1], batch_of(weight, 10))[0] == (
        pytest.approx(whole, rel=1e-12)
    )
    monkeypatch.setattr("skflat.solvers._entropy.CHUNK", 6)
    parts = [pattern_entropy(z[rows], batch_of(weight[rows])) for rows in np.split(range(10), [6])]
    shares = np.array([weight[:6].sum(), weight[6:].sum()]) / weight.sum()
    entropy, slopes = pattern_entropy(z, batch_of(weight, 10))
    assert entropy == pytest.approx(shares @ [value for value, _ in parts], rel=1e-12)
    expected = np.vstack([share * slope for share, (_, slope) in zip(shares, parts, strict=True)])
    assert_allclose(slopes, expected, rtol=1e-12)


def test_many_units_and_single_rows_have_finite_slopes():
    rng = np.random.default_rng(0)
    z = 1e3 * rng.normal(size=(8, 1000)).astype(np.float32)
    entropy, slopes = pattern_entropy(z, batch_of(n_rows=8))
    assert 400 < entropy < 600
    assert slopes.dtype == np.float32
    assert np.isfinite(slopes).all()
    for weight in (None, np.zeros(1)):
        assert_array_equal(pattern_entropy(z[:1], batch_of(weight, 1))[1], 0)
    assert pattern_entropy(z[:3], batch_of(np.array([0.0, 2.0, 0.0])))[0] == 0


def network(sizes, activation, convert=np.asarray):
    rng = np.random.default_rng(0)
    model = MLP(sizes, activation)
    X, y = convert(rng.normal(size=(9, sizes[0]))), rng.integers(sizes[-1], size=9)
    n_parameters = sum(int(np.prod(shape)) for shape in model.layout.shapes.values())
    return Objective(model, Multinomial(), X, y), rng.normal(size=n_parameters)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu"])
@pytest.mark.parametrize("sizes", [(3, 4, 3), (3, 5, 4, 3)])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_the_gradient_is_that_of_the_network_written_down(activation, sizes, convert):
    objective, w = network(sizes, activation, convert)
    X, traced = objective.data.X, objective.model.activation.traced
    X = X.toarray() if sparse.issparse(X) else X

    def entropy(w):
        parts, start = {}, 0
        for name, shape in objective.layout.shapes.items():
            parts[name] = w[start : start + int(np.prod(shape))].reshape(shape)
            start += int(np.prod(shape))
        a = X
        for layer in range(len(sizes) - 2):
            z = anp.dot(a, parts[f"W{layer}"]) + parts[f"b{layer}"]
            a = traced(z)
        return by_pairs(z, np.ones(9))

    value, found = objective.capability(HiddenUnits).gradient(pattern_entropy, w)
    assert value == pytest.approx(entropy(w), rel=1e-12)
    assert_allclose(found, grad(entropy)(w), rtol=1e-8, atol=1e-12)


def test_a_step_follows_the_loss_less_the_bonus_and_costs_two_gradients():
    objective, w = network((3, 5, 4, 3), "relu")
    solver = PatternEntropy()
    state = running(solver, objective, w, rho=0.3)
    loss, found = solver.direction(objective, w, objective.batch(), state)
    expected = objective.loss_gradient(w)
    bonus = objective.capability(HiddenUnits).gradient(pattern_entropy, w)[1]
    assert loss == expected[0]
    assert_allclose(found, expected[1] - 0.3 * bonus, rtol=1e-12, atol=1e-15)
    assert state.work.rows == 2 * 9


@pytest.mark.parametrize("rho", [0.0, 1e-3])
def test_units_that_are_off_on_all_rows_come_back(rho):
    """Their loss has no slope, so Adam goes by the bonus alone, however small its weight."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 2
    setting = {"learning_rate_init": 0.02, "alpha": 0.0, "measures": None, "random_state": 0}
    clf = FlatMLPClassifier((6,), solver="entropy", rho=rho, max_iter=1, warm_start=True, **setting)
    clf.fit(X, y)
    clf.intercepts_[0][:3] -= (X @ clf.coefs_[0] + clf.intercepts_[0]).max(axis=0)[:3] + 0.1
    clf.set_params(max_iter=80).fit(X, y)
    is_on = (X @ clf.coefs_[0] + clf.intercepts_[0] > 0).mean(axis=0)
    assert (is_on[:3] == 0).all() if rho == 0 else (is_on[:3] > 0.05).all()


@pytest.mark.parametrize(
    "fit",
    [
        lambda X, y: FlatMLPClassifier((), solver="entropy", measures=None).fit(X, y),
        lambda X, y: FlatMatrixFactorization(solver="entropy", measures=None).fit(X),
    ],
    ids=["linear", "factorization"],
)
def test_without_a_hidden_layer_there_is_no_pattern(fit):
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(NotDefinedError, match="PatternEntropy needs a hidden layer"):
        fit(X, np.arange(20) % 2)
