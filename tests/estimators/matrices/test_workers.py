"""Workers of alternating least squares: equal bits for all numbers of them and all backends."""

import pickle
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal

from skflat import FlatMatrixFactorization, FlatMatrixImputer
from skflat.models.factorization import Factorization, _alternation
from skflat.objective import Batch
from skflat.solvers import ALS

rng = np.random.default_rng(0)
X = np.column_stack([rng.integers(40, size=600), rng.integers(25, size=600)])
Y = np.abs(rng.normal(size=600)) + X[:, 0] / 20
NEW = np.array([[40, 1], [40, 2], [3, 25], [3, 4]])
VARIANTS = {
    "explicit": {"rho": 0.1},
    "draws": {"solver": "gibbs"},
    "implicit": {"feedback": "implicit", "confidence": 2.0},
    "conjugate gradients": {"feedback": "implicit", "solver": ALS("cg"), "confidence": 2.0},
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
each_variant = pytest.mark.parametrize("name", VARIANTS)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Small groups and blocks, so that there are many tasks."""
    monkeypatch.setattr(_alternation, "BUDGET", 256)
    monkeypatch.setattr(_alternation.Alternation, "budget", 256)
    monkeypatch.setattr(_alternation.Alternation, "block", 512)


def results(name, n_jobs=None):
    """Factors and losses after a fit, an update, new entities, and the factors of other rows."""
    model = FlatMatrixFactorization(
        3,
        max_iter=2,
        measures=None,
        random_state=0,
        keep_seen=True,
        n_jobs=n_jobs,
        **VARIANTS[name],
    )
    found = [*model.fit(X, Y).factors_, model.loss_curve_]
    if name == "draws":  # a chain has no updates
        return [*found, model.predict(X)]
    found += [*model.partial_fit(X[:50], Y[:50]).factors_, model.loss_curve_]
    return [*found, *model.fold_in(NEW, np.ones(4)).factors_, model.predict(X)]


@cache
def alone(name):
    return results(name)


def assert_same_bits(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


@each_variant
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_bits_do_not_depend_on_the_number_of_threads(name, n_jobs):
    assert_same_bits(results(name, n_jobs), alone(name))


@pytest.mark.parametrize("name", ["explicit", "conjugate gradients"])
def test_nor_on_the_backend(name):
    with parallel_config(backend="loky", n_jobs=2):
        assert_same_bits(results(name), alone(name))


def test_three_kinds_and_rows_of_a_matrix(monkeypatch):
    rows = np.column_stack([X, X[:, 0] % 3])
    table = rng.normal(size=(60, 8))
    table[rng.random(table.shape) < 0.3] = np.nan
    found = []
    for n_jobs in (None, 2):
        params = {"random_state": 0, "n_jobs": n_jobs}
        model = FlatMatrixFactorization(3, max_iter=2, measures=None, **params).fit(rows, Y)
        imputer = FlatMatrixImputer(2, rho=0.1, max_iter=2, **params).fit(table)
        found.append([*model.factors_, *model.offsets_, imputer.transform(table[::-1])])
    assert_same_bits(*found)


def test_there_are_many_tasks(monkeypatch):
    tasks = []

    def counted(function, given, n_jobs, prefer):
        given = list(given)
        tasks.append(len(given))
        return [function(*task) for task in given]

    monkeypatch.setattr(_alternation, "run", counted)
    assert_same_bits(results("explicit", 2), alone("explicit"))
    assert min(tasks[:2]) > 3


def test_a_worker_gets_no_rows():
    model = Factorization([40, 25], 3)
    alternation = _alternation.Alternation(model, Batch(X, Y[:, None]), 1.0, 0.1)
    alternation.sweep(model.init(np.random.RandomState(0), alternation.batch))
    shipped = pickle.loads(pickle.dumps(alternation))
    assert shipped.batch is shipped.parts is shipped.groups is None
    assert len(pickle.dumps(alternation)) < Y.nbytes


def test_overflows_are_ignored_in_all_threads_if_the_caller_does():
    model = Factorization([40, 25], 3)
    alternation = _alternation.Alternation(model, Batch(X, Y[:, None]), 1.0, 0.1, n_jobs=2)
    w = np.full(model.layout.size, 1e200)
    with pytest.raises(RuntimeWarning, match="overflow"):
        alternation.respond(w.copy(), 0)
    with np.errstate(over="ignore", invalid="ignore"), suppress(np.linalg.LinAlgError):
        alternation.respond(w, 0)


def test_no_workers_are_too_few():
    with pytest.raises(ValueError, match="n_jobs == 0"):
        results("explicit", 0)


def test_files_mapped_to_memory_are_ratings(tmp_path):
    for name, array in (("X", X.astype(np.int32)), ("y", Y.astype(np.float32))):
        np.save(tmp_path / name, array)
    mapped, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("X", "y"))
    params = {"rho": 0.1, "max_iter": 2, "measures": None, "random_state": 0}
    found = FlatMatrixFactorization(3, **params).fit(mapped, y)
    expected = FlatMatrixFactorization(3, **params).fit(X, Y.astype(np.float32))
    assert found.factors_[0].dtype == np.float32
    assert_same_bits(found.factors_, expected.factors_)
