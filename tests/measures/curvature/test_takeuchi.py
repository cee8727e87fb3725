"""Takeuchi's criterion."""

import numpy as np
import pytest
from autograd import hessian, jacobian
from fitted import WEIGHT, fitted, last_step, sampled, twin
from scipy.special import expit

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import TakeuchiCriterion, takeuchi_criterion
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_of_least_squares_it_is_that_of_the_leverages():
    """``sum r_i^2 h_ii / n`` with residuals ``r`` and leverages ``h``."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    reg = FlatMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, measures=None)
    reg.fit(X, y)
    design = np.column_stack([X, np.ones(40)])
    leverage = np.diag(design @ np.linalg.inv(design.T @ design) @ design.T)
    expected = np.sum((y - reg.predict(X)) ** 2 * leverage) / 40
    found = takeuchi_criterion(reg, X, y, damping=0.0)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.kind == "exact"


def test_of_a_model_that_is_true_it_is_parameters_over_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 3))
    y = rng.random(20_000) < expit(X @ [1.0, -1.0, 0.5])
    clf = FlatMLPClassifier((), solver="lbfgs", alpha=0, measures=None).fit(X, y)
    found = takeuchi_criterion(clf, X[:4000], y[:4000], damping=0.0)
    assert 4000 * found.value == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", ["classes, tanh", "two classes"])
def test_it_is_that_of_dense_matrices(name, weight):
    estimator, X, y = fitted(name)
    network, inputs = last_step(estimator, X)
    loss, w = twin(network, inputs, y, weight)
    gradients = np.array(
        [jacobian(twin(network, inputs[k : k + 1], y[k : k + 1])[0])(w) for k in range(len(y))]
    )
    share = np.ones(len(y)) / len(y) if weight is None else weight / weight.sum()
    values, axes = np.linalg.eigh(hessian(loss)(w))
    positive = values > 1e-12
    inverse = axes[:, positive] / (values[positive] + 0.05) @ axes[:, positive].T
    expected = np.trace(gradients.T @ (gradients * share[:, None]) @ inverse) / len(y)
    found = takeuchi_criterion(estimator, X, y, weight, damping=0.05)
    assert found.value == pytest.approx(expected, rel=1e-6)
    drawn = takeuchi_criterion(estimator, X, y, weight, damping=0.05, n_probes=3, n_steps=12)
    assert drawn.kind == "estimate"
    assert abs(drawn.value - expected) <= 3 * drawn.stderr


def test_the_estimate_is_unbiased():
    estimator, X, y = fitted("classes, deep")
    exact = takeuchi_criterion(estimator, X, y, damping=0.02).value
    settings = {"damping": 0.02, "n_probes": 3, "n_steps": 20}
    values = np.array(
        [takeuchi_criterion(estimator, X, y, **settings, random_state=k).value for k in range(20)]
    )
    assert abs(values.mean() - exact) < 3 * values.std(ddof=1) / 20**0.5


@pytest.mark.parametrize("settings", [{}, {"n_probes": 4, "n_steps": 12}], ids=["exact", "drawn"])
def test_a_sample_of_the_rows_knows_its_error(settings):
    estimator, X, y = fitted("classes")
    measure = TakeuchiCriterion(damping=0.05, **settings)
    # The number of rows in the divisor is that of all rows.
    whole = TakeuchiCriterion(damping=0.05).evaluate(as_problem(estimator, X, y)).value
    found = [measure.evaluate(sampled(estimator, X, y, 100, k)) for k in range(10)]
    assert sum(abs(each.value - whole) <= 3 * each.stderr for each in found) >= 9
    assert np.mean([each.stderr for each in found]) < whole
