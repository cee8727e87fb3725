"""Laplace's approximation beside Bayesian regression in closed form, and dense Hessians."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian
from autograd.scipy.special import logsumexp
from fitted import IRIS, LENGTHS, SPECIES, TRAITS
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skflat import (
    FlatMLPClassifier,
    FlatMLPRegressor,
    LaplaceClassifier,
    LaplaceRegressor,
    laplace,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHORT = {"hidden_layer_sizes": (4,), "max_iter": 30, "measures": None, "random_state": 0}
RNG = np.random.default_rng(0)
ONES = np.column_stack([IRIS, np.ones(len(IRIS))])
TARGET = IRIS @ [1.0, -0.5, 0.2, 0.0] + 0.3 + 0.4 * RNG.normal(size=len(IRIS))


def linear(coef):
    """A network without hidden layers, at given weights; the last of them is the intercept."""
    network = FlatMLPRegressor(hidden_layer_sizes=(), max_iter=1, measures=None).fit(IRIS, TARGET)
    coef = np.reshape(coef, (len(coef), -1)).astype(float)
    network.coefs_, network.intercepts_ = [coef[:-1]], [coef[-1]]
    network.n_outputs_ = coef.shape[1]
    return network


def test_bayesian_linear_regression_is_exact():
    precision, noise = 2.5, 0.4
    A = ONES.T @ ONES / noise**2 + precision * np.eye(5)
    reg = linear(np.linalg.solve(A, ONES.T @ TARGET / noise**2))
    found = laplace(reg, IRIS, TARGET, prior_precision=precision, noise_std=noise)
    assert_allclose(found.covariance_[0], np.linalg.inv(A), rtol=1e-10)
    mean, std = found.predict(IRIS, return_std=True)
    assert_allclose(mean, reg.predict(IRIS), rtol=1e-12)
    variance = noise**2 + np.einsum("ij,jk,ik->i", ONES, np.linalg.inv(A), ONES)
    assert_allclose(std, np.sqrt(variance), rtol=1e-12)
    # Its marginal likelihood: the targets are normal with this covariance.
    C = noise**2 * np.eye(len(TARGET)) + ONES @ ONES.T / precision
    _, log_det = np.linalg.slogdet(2 * np.pi * C)
    exact = -(TARGET @ np.linalg.solve(C, TARGET) + log_det) / 2
    assert found.log_marginal_likelihood_ == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_largest_evidence_is_bayesian_ridges(weighted):
    weight = RNG.integers(1, 4, len(TARGET)) if weighted else np.ones(len(TARGET), int)
    rows = np.repeat(np.arange(len(TARGET)), weight)
    ridge = BayesianRidge(
        fit_intercept=False, alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, tol=1e-14, max_iter=5000
    ).fit(ONES[rows], TARGET[rows])
    found = laplace(linear(ridge.coef_), IRIS, TARGET, weight)
    assert found.prior_precision_ == pytest.approx(ridge.lambda_, rel=1e-6)
    assert found.noise_std_**-2 == pytest.approx(ridge.alpha_, rel=1e-6)
    mean, std = ridge.predict(ONES, return_std=True)
    ours, spread = found.predict(IRIS, return_std=True)
    assert_allclose(ours, mean, rtol=1e-10)
    assert_allclose(spread, std, rtol=1e-6)
    repeated = laplace(linear(ridge.coef_), IRIS[rows], TARGET[rows])
    assert_allclose(repeated.covariance_, found.covariance_, rtol=1e-9)


@pytest.mark.parametrize("noise_std", [None, 0.7])
def test_what_is_given_is_kept_and_the_other_one_is_best(noise_std):
    reg = linear([1.0, -0.4, 0.2, 0.1, 0.2])
    free = {"prior_precision": 0.3} if noise_std is None else {"noise_std": noise_std}
    found = laplace(reg, IRIS, TARGET, **free)

    def worse(log):
        other = "noise_std" if noise_std is None else "prior_precision"
        return -laplace(reg, IRIS, TARGET, **free, **{other: np.exp(log)}).log_marginal_likelihood_

    best = np.exp(minimize_scalar(worse, bounds=(-4, 4), method="bounded").x)
    value = found.noise_std_ if noise_std is None else found.prior_precision_
    assert value == pytest.approx(best, rel=1e-4)


def negative_log_likelihood(kind, F, y):
    if kind == "classes":
        return anp.sum(logsumexp(F, axis=1) - F[anp.arange(len(y)), y])
    if kind == "counts":
        return anp.sum(anp.exp(F) - y[:, None] * F)
    return anp.sum(anp.logaddexp(0, F) - y.reshape(F.shape) * F)


CASES = {
    "classes": (FlatMLPClassifier, SPECIES, {}),
    "two": (FlatMLPClassifier, SPECIES % 2, {"activation": "tanh"}),
    "labels": (FlatMLPClassifier, TRAITS, {}),
    "counts": (FlatMLPRegressor, SPECIES, {"loss": "poisson"}),
}


@pytest.mark.parametrize("kind", CASES)
def test_the_curvature_is_that_of_the_dense_hessian(kind):
    cls, y, params = CASES[kind]
    network = cls(**SHORT | params).fit(IRIS, y)
    found = laplace(network, IRIS, y, prior_precision=0.7)
    hidden = IRIS @ network.coefs_[0] + network.intercepts_[0]
    hidden = np.tanh(hidden) if params.get("activation") == "tanh" else hidden.clip(min=0)
    features = np.column_stack([hidden, np.ones(len(hidden))])
    head = np.vstack([network.coefs_[-1], network.intercepts_[-1]])

    def loss(W):
        return negative_log_likelihood(kind, anp.dot(features, W), y)

    H = hessian(loss)(head).transpose(1, 0, 3, 2).reshape(head.size, head.size)
    covariance = np.linalg.inv(H + 0.7 * np.eye(head.size))
    size, n_outputs = head.shape
    if kind == "classes":  # a softmax does not see what is added to all classes
        centre = np.kron(np.eye(n_outputs) - 1 / n_outputs, np.eye(size))
        covariance = centre @ covariance @ centre
    for k, block in enumerate(found.covariance_):
        here = slice(k * size, (k + 1) * size)
        assert_allclose(block, covariance[here, here], rtol=1e-8, atol=1e-12)
    _, log_det = np.linalg.slogdet(H / 0.7 + np.eye(head.size))
    constant = 0.0
    if kind == "counts":
        constant = float(loss(head)) + found.log_marginal_likelihood_
        constant += (log_det + 0.7 * np.sum(head**2)) / 2
        logs = np.log(np.where(y > 0, y, 1))
        assert constant == pytest.approx(float(np.sum(y - y * logs)), rel=1e-9)
        return
    evidence = -loss(head) - (log_det + 0.7 * np.sum(head**2)) / 2
    assert found.log_marginal_likelihood_ == pytest.approx(evidence, rel=1e-9)


@pytest.mark.parametrize("kind", CASES)
def test_the_prior_is_where_the_evidence_is_largest(kind):
    cls, y, params = CASES[kind]
    network = cls(**SHORT | params).fit(IRIS, y)
    found = laplace(network, IRIS, y)
    for factor in (0.99, 1.01):
        other = laplace(network, IRIS, y, prior_precision=factor * found.prior_precision_)
        assert other.log_marginal_likelihood_ < found.log_marginal_likelihood_


def test_a_vanishing_variance_leaves_the_network():
    for kind, (cls, y, params) in CASES.items():
        network = cls(**SHORT | params).fit(IRIS, y)
        found = laplace(network, IRIS, y, prior_precision=1e12)
        method = "predict" if kind == "counts" else "predict_proba"
        expected = getattr(network, method)(IRIS)
        assert_allclose(getattr(found, method)(IRIS), expected, rtol=1e-6)
        assert_array_equal(found.predict(IRIS).shape, network.predict(IRIS).shape)


def test_what_is_added_to_all_classes_changes_nothing():
    network = FlatMLPClassifier(**SHORT).fit(IRIS, SPECIES)
    P = laplace(network, IRIS, SPECIES, prior_precision=0.5).predict_proba(IRIS)
    network.coefs_[-1] = network.coefs_[-1] + np.arange(4.0)[:, None]
    network.intercepts_[-1] = network.intercepts_[-1] - 2.0
    moved = laplace(network, IRIS, SPECIES, prior_precision=0.5).predict_proba(IRIS)
    assert_allclose(moved, P, rtol=1e-9)


def test_labels_and_two_classes_are_predicted_as_by_the_network():
    for kind in ("two", "labels"):
        cls, y, params = CASES[kind]
        network = cls(**SHORT | params).fit(IRIS, y)
        assert_array_equal(laplace(network, IRIS, y).predict(IRIS), network.predict(IRIS))


def test_far_away_it_is_less_sure():
    network = MLPClassifier((8,), max_iter=500, random_state=0).fit(IRIS, SPECIES)
    clf = laplace(network, IRIS, SPECIES)
    ours, plain = (each.predict_proba(50 * IRIS).max(axis=1).mean() for each in (clf, network))
    assert plain > 0.99
    assert 1 - ours > 4 * (1 - plain)
    reg = laplace(
        MLPRegressor(hidden_layer_sizes=(8,), random_state=0).fit(IRIS, LENGTHS), IRIS, LENGTHS
    )
    near, far = (reg.predict(s * IRIS, return_std=True)[1] for s in (1, 50))
    assert (far > near).mean() > 0.9
    assert near.shape == LENGTHS.shape


def test_within_pipelines_and_searches():
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier(**SHORT)).fit(3 * IRIS + 1, SPECIES)
    alone = laplace(pipe[-1], pipe[:-1].transform(3 * IRIS + 1), SPECIES)
    whole = laplace(pipe, 3 * IRIS + 1, SPECIES)
    assert_allclose(whole.covariance_, alone.covariance_)
    search = GridSearchCV(pipe, {"flatmlpclassifier__alpha": [0.1, 1]}, cv=2)
    again = LaplaceClassifier(search).fit(3 * IRIS + 1, SPECIES)
    assert again.estimator_.best_params_
    assert_allclose(again.predict_proba(IRIS).sum(axis=1), 1)


def test_what_cannot_be_approximated_is_refused():
    with pytest.raises(TypeError, match="Cannot approximate BayesianRidge"):
        laplace(BayesianRidge().fit(IRIS, SPECIES), IRIS, SPECIES)
    network = FlatMLPClassifier(**SHORT).fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"noise_std is of regression only, got 0\.1"):
        laplace(network, IRIS, SPECIES, noise_std=0.1)
    with pytest.raises(ValueError, match="'prior_precision' parameter of LaplaceClassifier"):
        laplace(network, IRIS, SPECIES, prior_precision=-1.0)


def test_a_network_that_fits_exactly_is_sure():
    reg = linear([1.0, 0, 0, 0, 0])
    mean, std = laplace(reg, IRIS, IRIS[:, 0]).predict(IRIS, return_std=True)
    assert_allclose(mean, IRIS[:, 0])
    assert np.isfinite(std).all()
    assert std.max() < 1e-6
    assert np.isfinite(laplace(linear(np.zeros(5)), IRIS, TARGET).predict(IRIS, True)[1]).all()


QUICK = {"hidden_layer_sizes": (20,), "max_iter": 30, "learning_rate_init": 0.05, "measures": None}
QUICK |= {"random_state": 0, "solver": "adam"}


@parametrize_with_checks(
    [
        LaplaceClassifier(FlatMLPClassifier(**QUICK)),
        LaplaceRegressor(FlatMLPRegressor(**QUICK)),
    ]
)
def test_it_passes_the_checks(estimator, check):
    check(estimator)
