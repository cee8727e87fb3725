"""The monitor of the edge of stability."""

import matplotlib

matplotlib.use("Agg")  # the pictures are looked at by no one

import numpy as np
import pytest
from fitted import IRIS, SPECIES
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from skflat import (
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPRegressor,
    StabilityMonitor,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.measures import HessianProduct
from skflat.problems import as_problem
from skflat.solvers import SWA, Chain

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="of scikit-learn below 1.9")

STEPS = {
    "plain": {"solver": "sgd", "momentum": 0.0},
    "heavy ball": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "momentum": 0.9},
    "adam": {"solver": "adam", "beta_1": 0.8},
    "sam on adam": {"solver": "sam", "beta_1": 0.9},
}
X = IRIS[:40].astype(float)
Y = X @ [1.0, 2.0, 0.0, -1.0]


def linear(**settings):
    settings = {"max_iter": 300, "batch_size": 40, "alpha": 0.0, "random_state": 0} | settings
    settings |= {"measures": None, "tol": 0.0, "n_iter_no_change": np.inf}
    return FlatMLPRegressor(hidden_layer_sizes=(), **settings)


def hessian(estimator, X, y):
    problem = as_problem(estimator, X, y)
    product = HessianProduct(problem)
    return np.array([product(unit) for unit in np.eye(len(problem.w))])


@pytest.mark.parametrize("name", ["plain", "heavy ball", "nesterov"])
@pytest.mark.parametrize(("share", "grows"), [(0.98, False), (1.02, True)])
def test_steps_grow_beyond_the_limit_and_not_below(name, share, grows):
    """Of a linear network the curvature is known and constant."""
    few = linear(**STEPS[name], max_iter=1, learning_rate_init=1e-6).fit(X, Y)
    rate = share * few.step_sizes()[1] / np.linalg.eigvalsh(hessian(few, X, Y))[-1]
    curve = linear(**STEPS[name], learning_rate_init=rate).fit(X, Y).loss_curve_
    assert (curve[-1] > 10 * curve[150]) == grows
    assert (curve[-1] < curve[150]) == (not grows)


@pytest.mark.parametrize("beta", [0.0, 0.8, 0.9])
def test_at_adams_limit_its_recursion_has_the_eigenvalue_minus_one(beta):
    """``m <- b m + (1 - b) s w``, ``w <- w - m`` with ``s`` the curvature in units of the steps."""
    clf = FlatMLPClassifier((3,), solver="adam", beta_1=beta, max_iter=2, measures=None)
    _, limit = clf.fit(IRIS, SPECIES).step_sizes()
    recursion = np.array([[beta, (1 - beta) * limit], [-beta, 1 - (1 - beta) * limit]])
    assert np.min(np.abs(np.linalg.eigvals(recursion) + 1)) < 1e-9
    assert np.max(np.abs(np.linalg.eigvals(recursion))) < 1 + 1e-9


def test_the_sizes_are_those_of_the_next_step():
    """With the momentum off, a step is the sizes times the gradient."""
    clf = FlatMLPClassifier((3,), solver="adam", beta_1=0.0, beta_2=0.999, batch_size=150)
    clf.set_params(max_iter=30, measures=None, alpha=0.0, random_state=0)
    clf.fit(IRIS, SPECIES)
    before = as_problem(clf, IRIS, SPECIES)
    gradient = before.objective.loss_gradient(before.w)[1]
    clf.partial_fit(IRIS, SPECIES)
    moved = before.w - as_problem(clf, IRIS, SPECIES).w
    # The sizes after the step, since the step uses the second moments with its own gradient.
    assert_allclose(clf.step_sizes()[0] * gradient, moved, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_the_steps_of_a_factorization_are_in_the_users_unit(unit):
    rng = np.random.default_rng(0)
    pairs = np.column_stack(np.divmod(np.arange(30), 6)).tolist()
    ratings = unit * rng.normal(size=30)
    settings = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "alpha_offsets": 0.0}
    mf = FlatMatrixFactorization(2, **settings, batch_size=30, max_iter=5, measures=None)
    mf.set_params(balance=None, random_state=0).fit(pairs, ratings)
    before = as_problem(mf, pairs, ratings)
    gradient = before.objective.loss_gradient(before.w)[1]
    mf.partial_fit(pairs, ratings)
    moved = before.w - as_problem(mf, pairs, ratings).w
    assert_allclose(mf.step_sizes()[0] * gradient, moved, rtol=1e-6, atol=1e-9 * unit)


@needs_callbacks
def test_observations_may_be_lists():
    monitor = StabilityMonitor(share=40.0)
    mf = FlatMatrixFactorization(1, solver="sgd", max_iter=3, measures=None, random_state=0)
    mf.set_callbacks(monitor).fit([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 4.0])
    assert monitor.table()["epoch"].tolist() == [1, 2, 3]


def test_where_there_are_no_steps():
    with pytest.raises(NotFittedError):
        FlatMLPClassifier().step_sizes()
    for name, solver in (("LBFGS", "lbfgs"), ("NGD", "ngd")):
        clf = FlatMLPClassifier((3,), solver=solver, max_iter=5, measures=None).fit(IRIS, SPECIES)
        with pytest.raises(TypeError, match=f"{name} has no step sizes"):
            clf.step_sizes()


@pytest.mark.parametrize("solver", [SWA("adam", start=0.5), Chain("adam"), Chain(SWA("adam"))])
def test_a_stage_has_the_step_sizes_of_its_optimizer(solver):
    """Before the second stage begins."""
    settings = {"measures": None, "max_iter": 40, "random_state": 0}
    staged, plain = (FlatMLPClassifier((3,), solver=each, **settings) for each in (solver, "adam"))
    for clf in (staged, plain):
        clf.partial_fit(IRIS, SPECIES, classes=np.unique(SPECIES))
    assert_allclose(staged.step_sizes()[0], plain.step_sizes()[0])
    assert staged.step_sizes()[1] == plain.step_sizes()[1]


@needs_callbacks
@pytest.mark.parametrize("name", STEPS)
def test_a_record_is_the_largest_eigenvalue_in_units_of_the_steps(name):
    """The last record, beside the dense matrix at the end of that epoch."""
    settings = {"max_iter": 40, "measures": None, "random_state": 0, **STEPS[name]}
    clf = FlatMLPClassifier((4,), "tanh", **settings)
    monitor = StabilityMonitor(share=40.0, max_samples=150)  # enough for every epoch
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    table = monitor.table()
    assert table["epoch"].tolist() == list(range(1, 41))
    sizes, limit = clf.step_sizes()
    roots = np.sqrt(sizes)
    dense = roots[:, None] * hessian(clf, IRIS, SPECIES) * roots
    largest = np.linalg.eigvalsh((dense + dense.T) / 2)[-1]
    assert table["sharpness"][-1] <= largest * (1 + 1e-9)
    assert table["sharpness"][-1] == pytest.approx(largest, rel=1e-2)
    assert largest - table["sharpness"][-1] <= table["residual"][-1]
    assert (table["limit"] == limit).all()


@needs_callbacks
def test_it_costs_at_most_its_share_and_changes_nothing(monkeypatch):
    rows = []
    plain = HessianProduct.__call__

    def counted(self, v):
        rows.append(2 * self.objective.n_rows)
        return plain(self, v)

    monkeypatch.setattr(HessianProduct, "__call__", counted)
    clf = FlatMLPClassifier((4,), solver="adam", max_iter=100, measures=None, random_state=0)
    alone = FlatMLPClassifier(**clf.get_params()).fit(IRIS, SPECIES)
    monitor = StabilityMonitor(max_samples=30)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    assert 0.05 < sum(rows) / (clf.n_grad_evals_ * len(IRIS)) <= 0.1
    assert len(monitor.table()["epoch"]) > 3
    assert_array_equal(clf.coefs_[0], alone.coefs_[0])


@needs_callbacks
def test_full_batch_descent_goes_to_the_edge_and_is_drawn():
    clf = FlatMLPRegressor(hidden_layer_sizes=(20,), activation="tanh", **STEPS["plain"])
    clf.set_params(learning_rate_init=0.2, batch_size=40, max_iter=800, measures=None)
    clf.set_params(random_state=0, alpha=0.0, tol=0.0, n_iter_no_change=np.inf)
    monitor = StabilityMonitor(share=1.0, max_samples=40)
    clf.set_callbacks(monitor).fit(X, np.sin(Y))
    curve = monitor.table()["sharpness"]
    assert curve[0] < 1.6
    assert np.abs(curve[-50:] - 2).max() < 0.5
    assert curve[-50:].mean() == pytest.approx(2, abs=0.15)
    ax = monitor.plot()
    assert ax.lines[-1].get_ydata()[0] == 2.0
    assert len(ax.lines) == 2


@pytest.mark.parametrize("settings", [{"share": 0.0}, {"share": True}, {"max_samples": 0}])
def test_parameters_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="must be"):
        StabilityMonitor(**settings)
