"""Perceptrons and committees as estimators, with real and with binary weights."""

import gc
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from progress import Progress
from scipy import sparse
from scipy.optimize import minimize as scipy_minimize
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_blobs
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from storage import portable
from toys import trace_gradient, trace_of_rows

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.measures import (
    BINARY_MEASURES,
    HessianTrace,
    LevelSetDistance,
    LocalEnergy,
    Weakness,
    flip_energy,
    hessian_trace,
    local_energy,
    margins,
)
from skflat.models.threshold import Cube, Sphere, StabilityLoss, best_threshold
from skflat.objective import Batch, Model, Objective
from skflat.problems import as_problem
from skflat.solvers import SOLVERS, MaxMargin, Settings, minimize
from skflat.solvers.binary import AMP, BINARY_SOLVERS, SBPI

IRIS, SPECIES = load_iris(return_X_y=True)
CANCER, MALIGNANT = load_breast_cancer(return_X_y=True)
PLAIN = {"scale": False, "fit_intercept": False, "measures": None, "random_state": 0}
SMALL = {"max_iter": 20, "random_state": 0}
LOOSE = {"margin": -2.0, "random_state": 0}  # a margin that any weights have
ESTIMATORS = {
    "binary": FlatPerceptronClassifier(solver="sbpi", **SMALL),
    "real": FlatSphericalPerceptronClassifier(**SMALL),
    "max_margin": FlatSphericalPerceptronClassifier("max_margin", **SMALL),
    "committee": FlatCommitteeClassifier(solver="replicated_sgd", **SMALL),
    "tree": FlatCommitteeClassifier(structure="tree", **SMALL),
}
each_estimator = pytest.mark.parametrize("name", ESTIMATORS)
short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def random_table(n_rows=25, n=101, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], (n_rows, n)), rng.integers(2, size=n_rows)


@short
@parametrize_with_checks(
    [
        FlatPerceptronClassifier(),
        FlatSphericalPerceptronClassifier(),
        FlatCommitteeClassifier(solver="replicated_sgd", max_iter=20, measures=None),
    ]
)
def test_the_conventions_of_scikit_learn_are_kept(estimator, check):
    check(estimator)


def of_largest_margin():
    """The checks of `MaxMargin`. Only those of equal solutions need a program solved to the end."""
    estimator = FlatSphericalPerceptronClassifier(MaxMargin(C=1.0), measures=None)
    solved = clone(estimator).set_params(tol=1e-10)
    for _, check in estimator_checks_generator(estimator):
        name = check.func.__name__
        chosen = solved if "equivalence" in name else estimator
        yield pytest.param(chosen, check, id=f"{name} {check.keywords or ''}")


@short
@pytest.mark.parametrize(("estimator", "check"), list(of_largest_margin()))
def test_the_largest_margin_keeps_them_too(estimator, check):
    check(clone(estimator))


def watched(estimator):
    """A copy of an estimator, and the set of its parameters that nobody has read yet."""
    parameters = estimator.get_params(deep=False)

    class Watched(type(estimator)):
        __init__ = type(estimator).__init__  # scikit-learn takes the parameters from it

        def __getattribute__(self, name):
            unread.discard(name)
            return super().__getattribute__(name)

    unread = set()
    copy = Watched(**parameters)
    unread |= parameters.keys()
    return copy, unread


@short
@each_estimator
def test_a_fit_reads_all_parameters(name):
    estimator, unread = watched(ESTIMATORS[name])
    with config_context(skip_parameter_validation=True):  # which would read them all
        estimator.fit(IRIS, SPECIES)
    assert unread == set()


# The sphere


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_slopes_on_the_sphere_are_those_of_autograd(fit_intercept, weighted):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 5)), (rng.random((30, 3)) > 0.5).astype(float)
    model, loss = Sphere(5, 3, fit_intercept), StabilityLoss(3.0, 0.2)
    batch = Batch(X, y, rng.random(30) if weighted else None)
    w, v = rng.standard_normal((2, model.layout.size))
    ours, theirs = np.empty_like(w), np.empty_like(w)
    value = model.loss_gradient(loss, w, batch, ours, None)
    expected = Model.loss_gradient(model, loss, w, batch, theirs, None)
    assert value == pytest.approx(expected, rel=1e-12)
    assert_allclose(ours, theirs, atol=1e-14)
    product = model.linearized(loss, w, batch, None)(v)
    assert_allclose(product, Model.linearized(model, loss, w, batch, None)(v), atol=1e-13)


def test_the_length_of_the_weights_does_not_matter():
    rng = np.random.default_rng(0)
    model, X = Sphere(5, 2), rng.standard_normal((7, 5))
    w = rng.standard_normal(model.layout.size)
    assert_allclose(model.scores(3 * w, X), model.scores(w, X))
    projected = model.project(w)
    assert_allclose(model.scores(projected, X), model.scores(w, X))
    assert_allclose(np.linalg.norm(model.layout.views(projected)["W"], axis=0), np.sqrt(5))


def test_a_step_along_the_weights_changes_nothing():
    """The gradient is orthogonal to the point, and the Hessian turns the point into -gradient."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 5)), (rng.random((30, 1)) > 0.5).astype(float)
    objective = Objective(Sphere(5, 1), StabilityLoss(2.0), X, y)
    w = rng.standard_normal(6)
    _, gradient = objective.loss_gradient(w)
    assert gradient @ w == pytest.approx(0, abs=1e-14)
    assert_allclose(objective.hvp(w, w), -gradient, atol=1e-14)


@pytest.mark.parametrize("margin", [-0.3, 0.0, 0.4])
@pytest.mark.parametrize("share", [[0.3], [0.0], [1.0], [0.2, 0.5, 0.3]])
def test_the_best_constant_is_that_of_a_search(margin, share):
    loss, n = StabilityLoss(3.0, margin), 10
    y = np.array([[float(row < round(p * n)) for p in share] for row in range(n)])
    grid = np.linspace(-30, 30, 60_001)
    costs = [
        np.mean(
            [loss.per_sample(grid[:, None], np.full((len(grid), 1), t)) for t in column], axis=0
        )
        for column in y.T
    ]
    expected = sum(cost.min() for cost in costs)
    assert loss.constant_loss(Batch(None, y)) == pytest.approx(expected, abs=1e-6)


def test_the_best_constant_of_a_steep_loss_is_at_the_margin():
    """The more frequent class costs nothing there, the other one twice the margin."""
    y = (np.arange(10) < 3).astype(float)[:, None]
    assert StabilityLoss(1e4, 2.0).constant_loss(Batch(None, y)) == pytest.approx(1.2, abs=1e-3)


def test_a_margin_that_is_reached_exactly_is_reached():
    """``7 / sqrt(n) * sqrt(n)`` is more than 7 for some ``n``."""
    n = next(n for n in range(9, 999, 2) if 7 / np.sqrt(n) * np.sqrt(n) > 7)
    X = np.ones((2, n))
    X[:, : (n - 7) // 2] = -1
    clf = FlatPerceptronClassifier(margin=7 / np.sqrt(n), **PLAIN).fit(X * [[1], [-1]], [1, 0])
    clf.weights_ = np.ones((1, n))
    assert_array_equal(clf._violated(X * [[1], [-1]], np.array([[1.0], [0.0]])), [0])


def test_as_the_gain_grows_the_loss_is_what_a_score_lacks():
    F, y = np.array([[0.2], [0.7], [-1.0]]), np.ones((3, 1))
    assert_allclose(StabilityLoss(1e6, 0.5).per_sample(F, y), [0.3, 0, 1.5], atol=1e-5)


def test_errors_and_margins_of_several_classes_are_those_of_the_greatest_score():
    F = np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 4.0]])
    y = np.array([[1.0, 0, 0], [0, 1, 0]])
    loss = StabilityLoss()
    assert_array_equal(loss.errors(F, y), [False, True])
    assert_array_equal(loss.margins(F, y), [1, -3])


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_trace_on_the_sphere_is_that_of_the_hessian(fit_intercept):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((9, 4)), (rng.random((9, 2)) > 0.5).astype(float)
    objective = Objective(
        Sphere(4, 2, fit_intercept), StabilityLoss(3.0, 0.2), X, y, rng.uniform(0.2, 1, 9)
    )
    w = rng.standard_normal(objective.model.layout.size)
    units = np.eye(len(w))

    def trace(w):
        return sum(unit @ objective.hvp(w, unit) for unit in units)

    rows = trace_of_rows(objective, w)
    assert objective.data.mean(rows[:, 0]) == pytest.approx(trace(w), rel=1e-12)
    slope = [(trace(w + 1e-5 * unit) - trace(w - 1e-5 * unit)) / 2e-5 for unit in units]
    assert_allclose(trace_gradient(objective, w), slope, atol=1e-7)


# Real weights


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


# Binary weights


def test_random_patterns_are_stored_as_they_are():
    X, y = random_table(50, 101)
    clf = FlatPerceptronClassifier(**PLAIN).fit(X, y)
    assert_array_equal(np.abs(clf.coef_), 1)
    assert_array_equal(clf.intercept_, 0)
    assert_array_equal(clf.predict(X), y)
    assert (clf.n_errors_, clf.n_violated_.tolist()) == (0, [0])


def test_the_solver_sees_the_rows_with_their_labels_absorbed():
    """Exchanging the classes changes no weight of the search, but the sign of all."""
    X, y = random_table(50, 101)
    here, there = (FlatPerceptronClassifier(**PLAIN).fit(X, labels) for labels in (y, 1 - y))
    t = (2 * y - 1)[:, None]
    assert_array_equal(here.n_errors_, there.n_errors_)
    mirrored = FlatPerceptronClassifier(**PLAIN).fit(t * X, np.append(np.ones(49), 0)[: len(y)])
    assert mirrored.n_errors_ == 0


def test_a_margin_is_reached():
    X, y = random_table(25, 101)
    clf = FlatPerceptronClassifier(margin=0.3, **PLAIN).fit(X, y)
    assert ((2 * y - 1) * clf.decision_function(X)).min() / np.sqrt(101) >= 0.3


@pytest.mark.parametrize("name", ["binary", "committee"])
def test_what_has_no_solution_ends_with_a_warning_and_an_honest_count(name):
    X, y = random_table(40, 15)
    estimator = clone(ESTIMATORS[name]).set_params(scale=False, max_iter=7, measures=None)
    X, y = np.concatenate([X, X]), np.concatenate([y, 1 - y])
    with pytest.warns(UserWarning, match="ended after 7 iterations without a solution: of 80 rows"):
        clf = estimator.fit(X, y)
    assert clf.n_errors_ == np.count_nonzero(clf.predict(X) != y) >= 40
    assert clf.n_violated_[0] >= 40


def test_a_model_is_a_bit_a_feature_and_a_threshold():
    clf = FlatPerceptronClassifier(solver="mean_field", **LOOSE).fit(CANCER, MALIGNANT)
    assert set(np.unique(clf.weights_)) == {-1, 1}
    assert_allclose(clf.coef_, clf.weights_ / CANCER.std(axis=0))
    decision = ((CANCER - clf.mean_) / clf.scale_) @ clf.weights_[0] + clf.thresholds_[0]
    assert_allclose(clf.decision_function(CANCER), decision)


@short
def test_one_bit_a_feature_is_nearly_as_good_as_real_weights():
    clf = FlatPerceptronClassifier(measures=None, random_state=0)
    assert cross_val_score(clf, CANCER, MALIGNANT).mean() > 0.93


@pytest.mark.parametrize("bar", [0.0, 0.5])
def test_the_threshold_violates_as_few_rows_as_any(bar):
    rng = np.random.default_rng(1)
    for n in (1, 2, 9, 30):
        fields, positive = rng.standard_normal(n).round(1), rng.random(n) > 0.4
        t = np.where(positive, 1, -1)
        found = best_threshold(fields, positive, bar)
        tried = np.append(np.linspace(-5, 5, 4001) + 1e-5, found)
        violated = (t[:, None] * (fields[:, None] + tried) < bar).sum(axis=0)
        assert violated[-1] == violated.min()


def test_the_threshold_is_in_the_middle_of_its_interval():
    fields, positive = np.array([-3.0, -1.0, 2.0, 5.0]), np.array([False, False, True, True])
    assert best_threshold(fields, positive) == -0.5


@pytest.mark.parametrize(("power", "dtype"), [(700, float), (-700, float), (90, np.float32)])
def test_the_unit_of_the_features_does_not_matter_however_large(power, dtype):
    X, fitted = IRIS.astype(dtype), []
    for unit in (dtype(1), dtype(2.0**power)):
        clf = FlatPerceptronClassifier(measures=None, **LOOSE).fit(X * unit, SPECIES)
        fitted.append([clf.weights_, clf.thresholds_, clf.scale_ / unit, clf.predict(X * unit)])
    for one, other in zip(*fitted, strict=True):
        assert_array_equal(one, other)


@short
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("seed", range(3))
def test_a_single_feature_has_the_sign_of_its_class(sign, seed):
    """No step leads from one sign to the other."""
    X = sign * CANCER[:, :1]
    clf = FlatSphericalPerceptronClassifier(measures=None, random_state=seed).fit(X, MALIGNANT)
    assert clf.score(X, MALIGNANT) > 0.8


@short
def test_constant_features_do_no_harm():
    X = np.column_stack([CANCER[:, :5], np.full(len(CANCER), 1e8), np.zeros(len(CANCER))])
    clf = FlatPerceptronClassifier(**SMALL).fit(X, MALIGNANT)
    assert_array_equal(clf.scale_[5:], 1)
    moved = X + np.array([0] * 5 + [7, 7])
    assert_array_equal(clone(clf).fit(moved, MALIGNANT).predict(moved), clf.predict(X))


@short
@each_estimator
def test_three_classes_are_three_problems(name):
    clf = clone(ESTIMATORS[name]).fit(IRIS, np.array(["c", "a", "b"])[SPECIES])
    scores = clf.decision_function(IRIS)
    assert scores.shape == (150, 3)
    assert_array_equal(clf.predict(IRIS), clf.classes_[scores.argmax(axis=1)])
    assert len(clf.weights_) == len(clf.n_violated_) == 3


@short
@pytest.mark.parametrize("name", ["binary", "committee"])
def test_any_number_of_workers_gives_the_same_bits(name):
    one, two = (
        clone(ESTIMATORS[name]).set_params(n_jobs=n_jobs).fit(IRIS, SPECIES) for n_jobs in (1, 2)
    )
    assert_array_equal(one.weights_, two.weights_)
    assert one.sharpness_ == two.sharpness_


@short
@each_estimator
def test_single_precision_stays(name):
    clf = clone(ESTIMATORS[name]).fit(CANCER.astype(np.float32), MALIGNANT)
    for attribute in ("weights_", "thresholds_", "mean_", "scale_"):
        assert getattr(clf, attribute).dtype == np.float32, attribute
    assert clf.decision_function(CANCER).dtype == np.float32


@short
@each_estimator
def test_the_three_numbers_are_there(name):
    clf = clone(ESTIMATORS[name]).fit(CANCER, MALIGNANT)
    assert np.isfinite([clf.sharpness_, clf.flatness_]).all()
    assert 0 <= clf.weakness_ <= 1
    assert set(clf.measurements_) == {"sharpness", "flatness", "weakness"}
    again = clf.measurements_["sharpness"].value
    assert clf.measure(CANCER, MALIGNANT)["sharpness"].value == again


def test_measures_of_binary_weights_are_those_of_flips():
    X, y = random_table(9, 21)
    clf = FlatPerceptronClassifier(**PLAIN | {"measures": list(BINARY_MEASURES)}).fit(X, y)
    assert clf.sharpness_ == flip_energy(clf, X, y).value
    assert clf.local_entropy_ > 0
    with pytest.raises(ValueError, match="measures must be None or a sequence of names among"):
        clf.set_params(measures=["local_entropies"]).fit(X, y)


def test_measures_of_real_weights_see_a_point_of_the_sphere():
    X, y = random_table()
    clf = FlatPerceptronClassifier(**PLAIN).fit(X, y)
    problem = as_problem(clf, X, y)
    assert isinstance(problem.objective.model, Cube)
    assert_array_equal(problem.w, clf.weights_[0])
    assert LocalEnergy(n_draws=5).measure(clf, X, y).value > 0
    found = margins(clf, X, y, normalization=None).samples
    assert_allclose(found, (2 * y - 1) * clf.decision_function(X) / np.sqrt(101))


class Impatient(SBPI):
    """A user interrupts the second problem after three iterations."""

    together = False

    def candidates(self, patterns, rng):
        STARTED.append(0)
        for w in super().candidates(patterns, rng):
            yield w
            STARTED[-1] += 1
            if len(STARTED) == 2 and STARTED[-1] == 3:
                raise KeyboardInterrupt


STARTED = []


@short
@pytest.mark.filterwarnings("ignore:Training interrupted by user")
def test_an_interruption_ends_the_search_for_all_classes():
    STARTED.clear()
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 5)), rng.integers(4, size=60)
    clf = FlatPerceptronClassifier(solver=Impatient(), max_iter=9, measures=None, random_state=0)
    assert clf.fit(X, y).n_iter_ == 9
    assert STARTED == [8, 3, 0, 0]
    assert clf.weights_.shape == (4, 5)


# Committees


def test_a_committee_decides_by_majority():
    X, y = random_table(60, 101)
    clf = FlatCommitteeClassifier(3, solver="replicated_sgd", **PLAIN).fit(X, y)
    assert clf.n_errors_ == 0
    votes = np.sign(X @ clf.weights_[0].T)
    assert_array_equal(clf.predict(X), votes.sum(axis=1) > 0)
    assert_allclose(clf.decision_function(X), votes.mean(axis=1))


def test_units_of_a_tree_see_features_of_their_own():
    X, y = random_table(40, 100)
    clf = FlatCommitteeClassifier(3, "tree", **PLAIN).fit(X, y)
    padded = np.pad(X, ((0, 0), (0, 2))).reshape(40, 3, 34)
    votes = np.sign(np.einsum("rki,ki->rk", padded, clf.weights_[0])).sum(axis=1)
    assert clf.weights_.shape == (1, 3, 34)
    assert_array_equal(clf.predict(X), votes > 0)


def test_a_committee_of_one_unit_is_a_perceptron():
    X, y = random_table(40, 101)
    one = FlatCommitteeClassifier(1, **PLAIN).fit(X, y)
    perceptron = FlatPerceptronClassifier(solver="focusing_bp", **PLAIN).fit(X, y)
    assert_array_equal(one.weights_[0], perceptron.weights_)


def test_committees_store_more_than_perceptrons_can():
    """Three tree units at 1.2 patterns a weight of each, half as many as there are weights."""
    X, y = random_table(240, 603)
    clf = FlatCommitteeClassifier(3, "tree", "replicated_sgd", **PLAIN).fit(X, y)
    assert clf.n_errors_ == 0


# Bad input


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (FlatPerceptronClassifier("sam"), r"'solver' .* Got 'sam' instead"),
        (FlatPerceptronClassifier(MaxMargin()), r"'solver' .* Got MaxMargin\(\) instead"),
        (FlatSphericalPerceptronClassifier("amp"), r"'solver' .* Got 'amp' instead"),
        (FlatSphericalPerceptronClassifier(AMP()), r"'solver' .* Got AMP\(\) instead"),
        (FlatSphericalPerceptronClassifier("flat"), r"'solver' .* Got 'flat' instead"),
        (FlatSphericalPerceptronClassifier(max_iter="auto"), "'max_iter'"),
        (FlatPerceptronClassifier(max_iter=0.5), "'max_iter'"),
        (FlatCommitteeClassifier(solver="sam"), r"'solver' .* Got 'sam' instead"),
        (FlatCommitteeClassifier(solver=MaxMargin()), r"'solver' .* Got MaxMargin\(\) instead"),
        (FlatPerceptronClassifier(margin=np.inf), "margin"),
        (FlatPerceptronClassifier(solver=SBPI(probability=2.0)), "probability"),
        (FlatPerceptronClassifier(solver="max_sum"), "scale=False and fit_intercept=False"),
        (FlatPerceptronClassifier(max_iter=0), "max_iter"),
        (FlatSphericalPerceptronClassifier(gain=0), "gain"),
        (FlatCommitteeClassifier(4), "n_units must be odd"),
        (FlatCommitteeClassifier(structure="ring"), "structure"),
        (FlatCommitteeClassifier(solver=AMP()), "not of committees"),
    ],
)
def test_bad_parameters_are_named(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(CANCER, MALIGNANT)


@each_estimator
def test_one_class_is_too_few(name):
    with pytest.raises(ValueError, match="at least 2 classes"):
        clone(ESTIMATORS[name]).fit(IRIS, np.ones(150))


@short
@each_estimator
def test_other_data_than_seen_are_refused(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(CANCER, MALIGNANT)
    with pytest.raises(ValueError, match=r"2 features, but .* is expecting 30"):
        Weakness().measure(clf, CANCER[:, :2], MALIGNANT)
    with pytest.raises(ValueError, match="classes that the estimator was not fitted on"):
        Weakness().measure(clf, CANCER, MALIGNANT + 1)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        Weakness().measure(clf, CANCER, MALIGNANT, -np.ones(len(CANCER)))


# In scikit-learn's tools


@short
@each_estimator
def test_a_copy_predicts_the_same(name):
    clf = clone(ESTIMATORS[name]).fit(CANCER, MALIGNANT)
    twin = pickle.loads(pickle.dumps(clf))
    assert_array_equal(twin.decision_function(CANCER), clf.decision_function(CANCER))
    assert twin.flatness_ == clf.flatness_


@short
@pytest.mark.parametrize("name", ["binary", "committee", "tree"])
@pytest.mark.parametrize("dtype", [np.float32, float])
def test_a_weight_takes_one_bit_on_disk(name, dtype):
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(CANCER.astype(dtype), MALIGNANT)
    state, size = clf.__getstate__(), clf.weights_.size
    assert state["weights_"]["bits"].nbytes == clf.packed().nbytes == -(-size // 8)
    assert not state.keys() & {"coef_", "intercept_"}
    bits = np.unpackbits(clf.packed(), count=size)
    assert_array_equal(2.0 * bits - 1, clf.weights_.ravel())
    twin = pickle.loads(pickle.dumps(clf))
    for attribute, value in vars(clf).items():
        if isinstance(value, np.ndarray):
            assert_array_equal(getattr(twin, attribute), value, strict=True)


@short
def test_a_model_on_disk_is_little_more_than_its_scale():
    """The scale of a feature takes 128 times as many bits as its weight."""
    clf = clone(ESTIMATORS["binary"]).set_params(measures=None)
    wide, small = (np.tile(CANCER, (1, k)) for k in (20, 1))
    sizes = [len(pickle.dumps(clf.fit(X, MALIGNANT))) for X in (wide, small)]
    n_more = wide.shape[1] - small.shape[1]
    assert sizes[0] - sizes[1] == pytest.approx(n_more * (2 * 8 + 1 / 8), rel=0.02)


@short
@each_estimator
def test_nothing_refers_to_the_training_data(name):
    X = CANCER.copy()
    seen, clf = weakref.ref(X), clone(ESTIMATORS[name]).fit(X, MALIGNANT)
    kept = X.copy()
    assert_array_equal(X, kept)
    del X
    gc.collect()
    assert seen() is None
    assert len(pickle.dumps(clf)) < CANCER.nbytes / 4


@short
@each_estimator
def test_fitting_writes_to_nothing_it_is_given(name):
    X, y = CANCER.copy(), MALIGNANT.copy()
    X.flags.writeable = y.flags.writeable = False
    clone(ESTIMATORS[name]).fit(X, y).predict(X)
    assert_array_equal(X, CANCER)


@short
def test_a_grid_reaches_into_a_binary_solver():
    grid = {"flatperceptronclassifier__solver__threshold": [0.0, 0.3]}
    pipe = make_pipeline(
        StandardScaler(), FlatPerceptronClassifier(solver=SBPI(), scale=False, **SMALL)
    )
    search = GridSearchCV(pipe, grid, cv=2).fit(CANCER, MALIGNANT)
    assert search.best_score_ > 0.9
    assert len(set(search.cv_results_["mean_test_score"])) == 2


@short
def test_names_of_columns_are_kept():
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    clf = FlatPerceptronClassifier(**SMALL).fit(frame, SPECIES)
    assert clf.feature_names_in_.tolist() == list("abcd")
    assert_array_equal(
        clf.predict(frame), FlatPerceptronClassifier(**SMALL).fit(IRIS, SPECIES).predict(IRIS)
    )


def test_progress_is_printed(capsys):
    X, y = portable(51, 20, 1), np.arange(20) % 2
    FlatPerceptronClassifier(solver="sbpi", verbose=True, **PLAIN).fit(X, y)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("Iteration 1, violated rows = ")
    assert printed[-1].endswith("violated rows = 0")


def test_every_binary_solver_can_be_named():
    X, y = random_table()
    for name in BINARY_SOLVERS:
        assert FlatPerceptronClassifier(solver=name, **PLAIN).fit(X, y).n_errors_ == 0


# Weights, sparse data, probabilities, progress


@short
@pytest.mark.parametrize("name", [name for name in BINARY_SOLVERS if name != "max_sum"])
def test_the_heavier_of_contradicting_rows_wins(name):
    """Each row is there twice, with both labels."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 21))
    y = X @ rng.choice([-1, 1], 21) > 0
    twice, labels, heavy = np.tile(X, (2, 1)), np.append(y, ~y), np.repeat([30.0, 1.0], 40)
    clf = FlatPerceptronClassifier(solver=name, max_iter=200, measures=None, random_state=0)
    for weight, right in ((heavy, y), (heavy[::-1], ~y)):
        assert clf.fit(twice, labels, sample_weight=1e-3 * weight).score(X, right) >= 0.9


@short
@pytest.mark.parametrize("solver", ["focusing_bp", "replicated_sgd"])
def test_a_committee_hears_the_heavier_rows(solver):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 21)), np.arange(20) % 2
    twice, labels, heavy = np.tile(X, (2, 1)), np.append(y, 1 - y), np.repeat([30.0, 1.0], 20)
    clf = FlatCommitteeClassifier(3, solver=solver, max_iter=100, measures=None, random_state=0)
    assert clf.fit(twice, labels, sample_weight=heavy).score(X, y) >= 0.9


@pytest.mark.parametrize("bar", [0.0, 0.3])
def test_the_weighted_threshold_is_that_of_repeated_rows(bar):
    rng = np.random.default_rng(2)
    fields, positive, times = rng.standard_normal(30), rng.random(30) > 0.4, rng.integers(1, 4, 30)
    repeated = best_threshold(fields.repeat(times), positive.repeat(times), bar)
    assert best_threshold(fields, positive, bar, times) == repeated


@pytest.mark.parametrize("sample_weight", [None, np.arange(569) % 3])
@each_estimator
@short
def test_class_weights_multiply_those_of_rows(name, sample_weight):
    one = clone(ESTIMATORS[name]).set_params(class_weight={0: 3, 1: 1}, measures=None)
    other = clone(ESTIMATORS[name]).set_params(measures=None)
    weight = 1 if sample_weight is None else sample_weight
    one.fit(CANCER, MALIGNANT, sample_weight)
    other.fit(CANCER, MALIGNANT, np.where(MALIGNANT, 1, 3) * weight)
    assert_array_equal(one.weights_, other.weights_)
    assert one.temperature_ == other.temperature_


@short
@each_estimator
def test_sparse_rows_are_rows(name):
    X = np.maximum(CANCER - np.median(CANCER, axis=0), 0)
    dense, rows = clone(ESTIMATORS[name]).fit(X, MALIGNANT), sparse.csr_array(X)
    clf = clone(ESTIMATORS[name]).fit(rows, MALIGNANT)
    assert_array_equal(clf.weights_, dense.weights_)
    assert (clf.flatness_, clf.weakness_) == (dense.flatness_, dense.weakness_)
    assert_allclose(clf.decision_function(rows), dense.decision_function(X), rtol=1e-9, atol=1e-9)
    assert margins(clf, rows, MALIGNANT).value == margins(dense, X, MALIGNANT).value


@short
@each_estimator
@pytest.mark.parametrize("data", [(CANCER, MALIGNANT), (IRIS, SPECIES)])
def test_probabilities_are_calibrated(name, data):
    """Fitted to all scores by one number, they are more likely than those of any other number."""
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(*data)
    P = clf.predict_proba(data[0])
    assert_allclose(P.sum(axis=1), 1)
    assert_array_equal(clf.classes_[P.argmax(axis=1)], clf.predict(data[0]))
    assert_allclose(np.log(P), clf.predict_log_proba(data[0]), atol=1e-12)
    smooth = 0.99 * np.eye(P.shape[1])[data[1]] + 0.01 / P.shape[1]
    losses = [-(smooth * np.log(clf.predict_proba(data[0]))).sum()]
    best = clf.temperature_
    for factor in (0.98, 1.02):
        clf.temperature_ = factor * best
        losses.append(-(smooth * clf.predict_log_proba(data[0])).sum())
    assert losses[0] == min(losses)


def grid_of_rows(name):
    """Few features with few values, so that many rows are equal; an estimator, and weights."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((60, 4)))
    clf = clone(ESTIMATORS[name]).set_params(measures=None)
    return clf, X, (X.sum(axis=1) + rng.standard_normal(60) > 0).astype(int), rng.integers(0, 4, 60)


@short
@pytest.mark.parametrize("name", ["binary", "committee", "tree"])
def test_a_row_of_weight_2_is_a_row_given_twice(name):
    """To the bit, in any order, also among equal rows; only the ratios matter."""
    clf, X, y, times = grid_of_rows(name)
    repeated = clone(clf).fit(X.repeat(times, axis=0), y.repeat(times))
    order = np.random.default_rng(1).permutation(60)
    weighted = clf.fit(X[order], y[order], sample_weight=0.25 * times[order])
    assert_array_equal(weighted.weights_, repeated.weights_)
    assert_array_equal(weighted.thresholds_, repeated.thresholds_)
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)


@short
@pytest.mark.parametrize("name", ["binary", "committee"])
def test_weights_that_are_all_equal_are_none(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(CANCER, MALIGNANT)
    equal = clone(clf).fit(CANCER, MALIGNANT, np.full(569, 0.3))
    assert_array_equal(equal.weights_, clf.weights_)


@pytest.mark.parametrize("name", ["binary", "committee"])
@short
def test_errors_and_violated_rows_are_those_of_the_rows_given(name):
    clf, X, y, _ = grid_of_rows(name)
    clf.fit(X, y)
    assert clf.n_errors_ == np.count_nonzero(clf.predict(X) != y)
    assert clf.n_violated_.tolist() == [clf.n_errors_]


@short
@each_estimator
def test_ensembles_take_them(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None)
    boosted = AdaBoostClassifier(clf, n_estimators=2, random_state=0).fit(CANCER, MALIGNANT)
    assert boosted.score(CANCER, MALIGNANT) > 0.85
    vote = VotingClassifier([("a", clf), ("b", clf)], voting="soft").fit(CANCER, MALIGNANT)
    assert_array_equal(vote.predict(CANCER), clf.fit(CANCER, MALIGNANT).predict(CANCER))


@each_estimator
def test_nan_is_refused_where_all_is_assumed_finite(name):
    X = CANCER.copy()
    X[3, 2] = np.nan
    with config_context(assume_finite=True), pytest.raises(ValueError, match="X contains NaN"):
        clone(ESTIMATORS[name]).fit(X, MALIGNANT)


@short
@pytest.mark.skipif(not HAS_CALLBACKS, reason="callbacks came with scikit-learn 1.9")
@pytest.mark.parametrize("name", ["binary", "committee"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_problems_and_iterations(name, n_jobs):
    progress = Progress()
    clf = clone(ESTIMATORS[name]).set_params(measures=None, n_jobs=n_jobs)
    clf.set_callbacks(progress).fit(IRIS, SPECIES)
    assert progress.ended.count("problem") == 3
    assert progress.ended[-1] == "fit"
    assert ("iteration" in progress.ended) == (n_jobs == 1)
    assert pickle.loads(pickle.dumps(clf.set_callbacks())).n_errors_ == clf.n_errors_


@short
@pytest.mark.skipif(not HAS_CALLBACKS, reason="callbacks came with scikit-learn 1.9")
def test_a_callback_stops_a_search():
    clf = FlatPerceptronClassifier("sbpi", max_iter=50, measures=None, random_state=0)
    assert clf.set_callbacks(Progress(stop_after=4)).fit(CANCER, MALIGNANT).n_iter_ == 4


@short
def test_there_may_be_more_classes_than_iterations():
    clf = FlatSphericalPerceptronClassifier("max_margin", max_iter=2, measures=None)
    assert clf.fit(IRIS, SPECIES).n_iter_ > 0


def test_max_sum_learns_one_weight():
    """Every row has one vote, because no other weight could take its place."""
    clf = FlatPerceptronClassifier(
        "max_sum", fit_intercept=False, scale=False, max_iter=20, measures=None, random_state=0
    )
    x, y = np.array([1.0, -1, 1, 1, -1])[:, None], [0, 1, 0, 0, 1]
    assert clf.fit(x, y).n_errors_ == 0
    assert clf.coef_.tolist() == [[-1.0]]
