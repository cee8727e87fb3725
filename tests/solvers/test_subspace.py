"""Steps in the dominant subspace and outside it."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from toys import Toy, descend, quadratic

from skflat import FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, Objective
from skflat.problems import as_problem
from skflat.solvers import SGD, SOLVERS, Settings, Subspace, minimize
from skflat.solvers._subspace import top_eigenvectors

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Noisy(Toy):
    """``(1000 x^2 + y^2) / 2``: two rows add ``100 x y`` and ``-100 x y`` to it."""

    def __init__(self):
        lam = np.array([1000.0, 1.0])
        super().__init__(lambda w: w @ (lam * w) / 2, lambda w: lam * w, lambda w: np.diag(lam), 2)
        self.data.X[:, 0] = [100, -100]

    def loss_gradient(self, w, batch=None, out=None, work=None):
        loss, out = super().loss_gradient(w, batch, out, work)
        mixed = (self.data if batch is None else batch).X[:, 0].mean()
        out += mixed * w[::-1]
        return loss + mixed * w[0] * w[1], out


def trained(solver, n_steps):
    settings = {"learning_rate_init": 1e-3, "batch_size": 1, "shuffle": True}
    return descend(solver, Noisy(), (0.1, 1.0), n_steps // 2, **settings)


def test_the_dominant_part_alone_does_not_train():
    """It leaves the flat coordinate where it is, and the bulk leaves the steep one, to the bit."""
    dominant = trained(Subspace("dominant", k=1, every=100), 3000)
    assert dominant[1] == 1.0
    bulk = trained(Subspace("bulk", k=1, every=100), 3000)
    assert bulk[0] == 0.1
    assert abs(bulk[1]) < 0.5
    objective = quadratic(1000.0, 1.0)
    plain = descend(SGD(), objective, (0.1, 1.0), 3000, learning_rate_init=1e-3)
    assert plain[1] == pytest.approx((1 - 1e-3) ** 3000, rel=1e-9)
    assert plain[1] == pytest.approx(0.0497, abs=5e-5)
    assert objective.loss(dominant) >= 0.5


@pytest.mark.parametrize("base", ["sgd", "adam"])
def test_the_two_parts_of_a_step_are_the_step_of_the_base(base):
    objective, w, settings = small(), point(), Settings(learning_rate_init=0.1)
    steps = [
        minimize(solver, objective, w, settings, max_epochs=1)[0] - w
        for solver in (Subspace("dominant", base, k=2), Subspace("bulk", base, k=2))
    ]
    whole = minimize(SOLVERS[base](), objective, w, settings, max_epochs=1)[0] - w
    assert_allclose(steps[0] + steps[1], whole, rtol=1e-10, atol=1e-14)
    assert abs(steps[0] @ steps[1]) < 1e-12
    assert np.linalg.norm(steps[0]) > 1e-3
    assert np.linalg.norm(steps[1]) > 1e-3
    H = np.column_stack([objective.hvp(w, unit) for unit in np.eye(len(w))])
    top = np.linalg.eigh(H)[1][:, -2:]
    assert_allclose(top @ (top.T @ whole), steps[0], rtol=1e-8, atol=1e-12)


def small():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    return Objective(MLP([3, 4, 2], "tanh"), HalfSquared(), X, y)


def point():
    return np.random.default_rng(1).normal(size=small().layout.size)


@pytest.mark.parametrize("k", [1, 3])
def test_lanczos_finds_the_eigenvectors_of_a_large_matrix(k):
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(60, 60)))[0]
    A = Q * np.arange(60.0) ** 2 @ Q.T
    found = top_eigenvectors(lambda v: A @ v, k, rng.normal(size=60), np.float64, 1e-8)
    assert_allclose(np.abs(found.T @ Q[:, : -k - 1 : -1]), np.eye(k), atol=1e-6)


def test_a_matrix_that_is_zero_or_not_finite_has_no_dominant_part():
    for value in (0.0, np.nan):
        for size in (5, 60):
            found = top_eigenvectors(lambda v, c=value: c * v, 2, np.ones(size), np.float64, 1e-3)
            assert_array_equal(found, np.zeros((size, 2)))


def test_eigenvectors_are_renewed_every_so_many_steps():
    """A product counts two gradients of all rows."""
    objective, w = small(), point()
    rows = []
    for every in (1, 2, 100):
        settings = Settings(batch_size=5, learning_rate_init=1e-3)
        _, run = minimize(Subspace(every=every), objective, w, settings, max_epochs=1)
        rows.append(run.work.rows)
    n = len(w)
    assert rows == [20 + times * n * 2 * 20 for times in (4, 2, 1)]


def test_training_goes_on_from_a_pickle_and_in_single_precision():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(3, size=60)
    clf = FlatMLPClassifier((10,), solver=Subspace(every=4), batch_size=20, random_state=0)
    clf.partial_fit(X, y, classes=[0, 1, 2])
    again = pickle.loads(pickle.dumps(clf)).partial_fit(X, y)
    assert_array_equal(again.coefs_[0], clf.partial_fit(X, y).coefs_[0])
    assert again.coefs_[0].dtype == again._solver_state.memory.vectors.dtype == np.float32
    assert again.loss_ < clf.loss_curve_[0]


def test_by_default_there_is_an_eigenvector_for_every_output():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.integers(3, size=60)
    few = {"hidden_layer_sizes": (3,), "batch_size": 20, "max_iter": 3, "measures": None}
    clf = FlatMLPClassifier(solver=Subspace(), random_state=0, **few).fit(X, y)
    assert clf._solver_state.memory.vectors.shape == (as_problem(clf, X, y).w.size, 3)
    three = FlatMLPClassifier(solver=Subspace(k=3), random_state=0, **few).fit(X, y)
    assert_array_equal(clf.coefs_[0], three.coefs_[0])


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (Subspace("all"), "part"),
        (Subspace(base="rmsprop"), "base"),
        (Subspace(k=0), "k"),
        (Subspace(every=0), "every"),
        (Subspace(tol=-1.0), "tol"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of Subspace"):
        FlatMLPClassifier(solver=solver).fit(np.eye(4), [0, 1, 0, 1])
