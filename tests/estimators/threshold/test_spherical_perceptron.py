"""Perceptrons with real weights."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize as scipy_minimize
from sklearn.datasets import make_blobs
from units import CANCER, IRIS, MALIGNANT, PLAIN, SMALL, SPECIES, random_table, short

from skflat import (
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.measures import (
    HessianTrace,
    LevelSetDistance,
    Weakness,
    hessian_trace,
    local_energy,
)
from skflat.models.threshold import Sphere, StabilityLoss
from skflat.objective import Objective
from skflat.solvers import SOLVERS, MaxMargin, Settings, minimize


@pytest.mark.parametrize("solver", sorted(SOLVERS.keys() - {"entropy"}))  # it has no hidden units
@short
def test_every_solver_of_the_registry_finds_a_separating_plane(solver):
    X, y = make_blobs(60, centers=2, cluster_std=0.5, random_state=0)
    rates = {"entropy_sgd": 0.3, "ngd": 0.1, "lbfgs": 0.01}
    clf = FlatSphericalPerceptronClassifier(
        solver, learning_rate_init=rates.get(solver, 0.05), random_state=0, measures=None
    ).fit(X, y)
    assert clf.n_errors_ <= 3
    assert np.linalg.norm(clf.weights_) == pytest.approx(np.sqrt(2))
    assert clf.n_grad_evals_ > 0


def test_a_fit_ends_where_the_solver_does():
    clf = FlatSphericalPerceptronClassifier("lbfgs", 0.1, gain=2.0, tol=1e-6, random_state=0)
    clf.fit(CANCER, MALIGNANT)
    X = (CANCER - CANCER.mean(axis=0)) / CANCER.std(axis=0)
    loss, targets = StabilityLoss(2.0, 0.1), MALIGNANT[:, None].astype(float)
    objective = Objective(Sphere(30, 1), loss, X, targets)
    start = np.append(X.T @ (targets - targets.mean())[:, 0], 0.0)
    w, run = minimize(
        SOLVERS["lbfgs"](), objective, objective.model.project(start), Settings(tol=1e-6)
    )
    assert_allclose(clf.weights_[0], objective.model.project(w)[:30], rtol=1e-5, atol=1e-5)
    assert clf.loss_ == pytest.approx(run.history.last_loss)
    assert np.abs(objective.loss_gradient(w)[1]).max() < 1e-5


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_largest_margin_is_that_of_a_quadratic_program(fit_intercept):
    X, y = random_table(12, 20, seed=3)
    settings = PLAIN | {"fit_intercept": fit_intercept}
    clf = FlatSphericalPerceptronClassifier(MaxMargin(C=1e6), tol=1e-8, **settings).fit(X, y)
    rows = np.column_stack([X, np.full(12, float(fit_intercept))]) * (2 * y - 1)[:, None]
    program = scipy_minimize(
        lambda w: 0.5 * w[:-1] @ w[:-1],
        np.zeros(21),
        jac=lambda w: np.append(w[:-1], 0.0),
        constraints={"type": "ineq", "fun": lambda w: rows @ w - 1, "jac": lambda w: rows},
        options={"maxiter": 500, "ftol": 1e-14},
    )
    best = 1 / np.linalg.norm(program.x[:-1])
    found = ((2 * y - 1) * clf.decision_function(X)).min() / np.sqrt(20)
    assert found == pytest.approx(best, rel=1e-4)
    assert clf.n_violated_.sum() == 0


def test_no_other_solver_has_a_larger_margin():
    X, y = random_table(40, 101)
    best = FlatSphericalPerceptronClassifier("max_margin", **PLAIN).fit(X, y)
    amp = FlatPerceptronClassifier(**PLAIN).fit(X, y)
    least = [((2 * y - 1) * clf.decision_function(X)).min() for clf in (best, amp)]
    assert least[0] > least[1] > 0


def test_real_weights_are_measured_like_the_binary_ones_that_they_equal():
    """Both with the same loss, that of the default gain."""
    X, y = random_table()
    binary = FlatPerceptronClassifier(margin=0.1, **PLAIN).fit(X, y)
    real = FlatSphericalPerceptronClassifier("max_margin", 0.1, **PLAIN).fit(X, y)
    real.weights_, real.coef_ = binary.weights_, binary.coef_
    expected = hessian_trace(binary, X, y).value
    assert hessian_trace(real, X, y).value == expected
    assert hessian_trace(real.set_params(gain=2.0), X, y).value != expected


@short
def test_measures_of_real_weights_are_the_usual_ones():
    clf = FlatSphericalPerceptronClassifier(**SMALL).fit(CANCER, MALIGNANT)
    for name, measure in (
        ("sharpness", HessianTrace),
        ("flatness", LevelSetDistance),
        ("weakness", Weakness),
    ):
        seeded = measure(random_state=clf._measure_seed)
        assert getattr(clf, f"{name}_") == seeded.measure(clf, CANCER, MALIGNANT).value


def test_the_local_energy_of_real_weights_is_its_closed_form():
    """Multiplicative noise: H(t w.x / (sigma sqrt(sum w_i^2 x_i^2))), averaged over rows."""
    from scipy.stats import norm

    X, y = random_table(60, 201)
    clf = FlatSphericalPerceptronClassifier("max_margin", **PLAIN).fit(X, y)
    found = local_energy(clf, X, y, scale=[0.5, 1.0], n_draws=1500, antithetic=False)
    w, lead = clf.weights_[0], (2 * y - 1) * clf.decision_function(X)
    spread = np.sqrt((w**2 * X**2).sum(axis=1))
    expected = [norm.sf(lead / (scale * spread)).mean() for scale in (0.5, 1.0)]
    error = 4 * found.table["error_rise_stderr"].max()
    assert_allclose(found.table["error_rise"], expected, atol=error)


@short
@pytest.mark.parametrize("seed", range(2))
def test_the_default_of_real_weights_ends_near_the_optimum(seed):
    """A method of second order, from the same start, has the loss 0.1174."""
    clf = FlatSphericalPerceptronClassifier(measures=None, random_state=seed).fit(IRIS, SPECIES)
    best = FlatSphericalPerceptronClassifier("lbfgs", tol=1e-7, measures=None, random_state=seed)
    assert clf.loss_ <= 1.01 * best.fit(IRIS, SPECIES).loss_
    assert clf.score(IRIS, SPECIES) > 0.94


def test_real_weights_start_between_the_means_of_the_classes():
    """And anywhere on the sphere if they are equal."""
    clf, model = FlatSphericalPerceptronClassifier(), Sphere(3, 2)
    clf._random_state = np.random.RandomState(0)
    X = np.array([[3.0, 0, 1], [1, 0, 1], [-1, 2, 0], [-1, 0, 0]])
    targets = np.array([[1.0, 1], [1, 0], [0, 1], [0, 0]])
    W = model.layout.views(clf._start(model, X, targets, None))["W"]
    assert_allclose(W[:, 0], np.sqrt(3) * np.array([3, -1, 1]) / np.sqrt(11))
    weight = np.array([1.0, 3, 1, 1])
    W = model.layout.views(clf._start(model, X, targets, weight))["W"]
    assert_allclose(W[:, 0], np.sqrt(3) * np.array([2.5, -1, 1]) / np.sqrt(8.25))
    drawn = model.layout.views(clf._start(model, np.ones((4, 3)), targets, None))["W"]
    assert_allclose(np.linalg.norm(drawn, axis=0), np.sqrt(3))


@short
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("seed", range(3))
def test_a_single_feature_has_the_sign_of_its_class(sign, seed):
    """No step leads from one sign to the other."""
    X = sign * CANCER[:, :1]
    clf = FlatSphericalPerceptronClassifier(measures=None, random_state=seed).fit(X, MALIGNANT)
    assert clf.score(X, MALIGNANT) > 0.8


@short
def test_there_may_be_more_classes_than_iterations():
    clf = FlatSphericalPerceptronClassifier("max_margin", max_iter=2, measures=None)
    assert clf.fit(IRIS, SPECIES).n_iter_ > 0
