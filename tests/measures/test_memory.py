"""Measures need memory for the data, a few vectors of parameters, and one chunk of rows."""

import tracemalloc

import numpy as np
import pytest
from fitted import WEIGHT, fitted
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import brentq
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skflat import (
    FlatMatrixFactorization,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.displays import LandscapeDisplay
from skflat.measures import (
    BINARY_MEASURES,
    MEASURES,
    DominantSubspace,
    EffectiveRank,
    FlipEnergy,
    HessianEigenvalues,
    HessianTrace,
    LocalVolume,
    Measure,
    _memory,
    flatness_report,
)
from skflat.measures.noise._shells import counts_by_distance
from skflat.measures.outputs import _effective_rank
from skflat.measures.outputs._hidden import Features
from skflat.models.threshold import Patterns
from skflat.objective import Batch, NotDefinedError
from skflat.problems import as_problem
from skflat.symmetry import rescale

# These fits are short on purpose, and some measures say that they did not converge.
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning"
)

MEGABYTE = 1 << 20
# Arrays that no shape enlarges, and how often parameters and data may be there. ARPACK holds
# twenty vectors twice, and a density sixty.
FIXED, VECTORS, COPIES = 110 * MEGABYTE, 75, 8


def peak(function, *args, **params):
    """Most bytes that a call had asked for at a time, and what it returned."""
    tracemalloc.start()
    try:
        found = function(*args, **params)
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


def n_bytes(array):
    return array.data.nbytes + array.indices.nbytes if sparse.issparse(array) else array.nbytes


def affordable(task):
    """The bound for a problem whose rows are no more than a chunk."""
    data, width = task.objective.data, task.objective.model.width
    rows = 8 * len(data) * width
    return FIXED + VECTORS * task.w.nbytes + COPIES * (n_bytes(data.X) + data.y.nbytes) + 10 * rows


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape)


def fit(estimator, X, y):
    return as_problem(estimator.fit(X, y), X, y)


QUICK = {"max_iter": 2, "random_state": 0}


def many_parameters():
    return fit(MLPClassifier(**QUICK), noise(20, 784), np.arange(20) % 10)


def many_smooth_layers():
    net = MLPClassifier((100, 40, 40, 20), "tanh", **QUICK)
    return fit(net, noise(20, 784), np.arange(20) % 10)


def many_outputs():
    return fit(MLPRegressor(hidden_layer_sizes=(20,), **QUICK), noise(30, 10), noise(30, 3000))


def many_classes():
    return fit(MLPClassifier((20,), **QUICK), noise(150, 10), np.arange(150))


def a_wide_layer():
    return fit(MLPClassifier((8000,), **QUICK), noise(30, 5), np.arange(30) % 3)


def many_sparse_features():
    X = sparse.random_array((300, 50_000), density=1e-3, format="csr", rng=0)
    return fit(MLPClassifier((), **QUICK), X, np.arange(300) % 3)


def many_entities():
    X = np.random.default_rng(0).integers(2000, size=(5000, 2))
    model = FlatMatrixFactorization(20, measures=None, **QUICK)
    return fit(model, X, noise(5000))


def many_real_weights():
    model = FlatSphericalPerceptronClassifier(measures=None, **QUICK)
    return fit(model, noise(20, 80_001), np.arange(20) % 2)


def many_binary_weights():
    model = FlatPerceptronClassifier(solver="sbpi", measures=None, **QUICK)
    return fit(model, noise(20, 80_001), np.arange(20) % 2)


CASES = [
    many_parameters,
    many_smooth_layers,
    many_outputs,
    many_classes,
    a_wide_layer,
    many_sparse_features,
    many_entities,
    many_real_weights,
    many_binary_weights,
]
#: Parameters that leave the memory of a measure as it is and spare some of its time.
SHORTER = {
    "adaptive_sharpness": {"n_starts": 0},
    "learning_coefficient": {"n_chains": 2, "n_burn": 0, "n_draws": 2},
    "local_energy": {"scale": 0.1, "n_draws": 16},
    "local_volume": {"n_draws": 2},
    "maximal_variation": {"max_iter": 3},
    "noise_stability": {"n_draws": 16, "antithetic": False},
    "spectral_density": {"n_probes": 2},
}


# Each takes many seconds: one here, the others with the slow tests.
EACH = [c if c is many_classes else pytest.param(c, marks=pytest.mark.slow) for c in CASES]


@pytest.mark.parametrize("case", EACH)
def test_no_measure_asks_for_more_than_shapes_allow(case):
    task = case()
    known = dict(MEASURES)
    known |= BINARY_MEASURES if hasattr(task.objective.model, "machines") else {}
    del known["weakness"]  # which has a budget, and tests of its own
    for name, measure in known.items():
        taken = measure(**SHORTER.get(name, {}))
        try:
            asked, _ = peak(taken.evaluate, task)
        except NotDefinedError:
            continue
        assert asked <= affordable(task), name


@pytest.mark.parametrize(
    "measure", [LocalVolume(n_draws=2), DominantSubspace(), HessianEigenvalues()], ids=repr
)
def test_a_million_parameters_are_no_more_than_some_vectors(measure):
    task = fit(MLPClassifier((1250,), **QUICK), noise(5, 784), np.arange(5))
    asked, _ = peak(measure.evaluate, task)
    assert asked <= FIXED + 60 * task.w.nbytes


@pytest.mark.slow
def test_a_report_of_a_default_network_on_images_is_whole():
    X, y = noise(30, 784), np.arange(30) % 10
    net = MLPClassifier(**QUICK).fit(X, y)
    asked, report = peak(flatness_report, net, X, y)
    assert asked <= FIXED + VECTORS * 8 * 79_510
    assert report.not_measured == {}
    assert np.isfinite(report.local_volume.value)


def test_pictures_and_rescalings_are_some_vectors():
    X, y = noise(5, 784), np.arange(5)
    net = MLPClassifier((500,), **QUICK).fit(X, y)
    size = 8 * (785 * 500 + 501 * 5)
    asked, _ = peak(LandscapeDisplay.from_estimator, net, X, y, n_directions=2, n_points=3)
    assert asked <= 10 * MEGABYTE + 10 * size
    asked, _ = peak(LandscapeDisplay.from_estimator, net, X, y, directions="eigen", n_points=3)
    assert asked <= 10 * MEGABYTE + 60 * size
    asked, _ = peak(rescale, net, 2.0)
    assert asked <= MEGABYTE + 10 * size


def test_hessian_products_on_many_rows_keep_a_chunk_of_activations():
    task = fit(MLPClassifier((500,), **QUICK), noise(20_000, 5), np.arange(20_000) % 3)
    asked, _ = peak(lambda: task.objective.hvp(task.w, np.ones_like(task.w)))
    assert asked <= 12 * 8 * 4096 * 503


# What is done instead


def few_numbers(monkeypatch, n, file=_memory):
    monkeypatch.setattr(file, "MAX_NUMBERS", n)


@pytest.mark.parametrize(("n_numbers", "n_axes"), [(1 << 22, 100), (1500, 10), (10, 1)])
def test_a_volume_says_along_how_many_axes_its_directions_are_stretched(
    monkeypatch, n_numbers, n_axes
):
    few_numbers(monkeypatch, n_numbers)
    X, y = noise(40, 10), np.arange(40) % 2
    task = fit(MLPClassifier((12,), **QUICK), X, y)
    found = LocalVolume(n_draws=3).evaluate(task)
    assert len(task.w) == 145
    assert found.protocol["axes"] == n_axes
    assert found.n_evals > 4 * n_axes
    assert LocalVolume(preconditioner=None, n_draws=3).evaluate(task).protocol["axes"] == 0
    own = LocalVolume(preconditioner=np.ones(145), n_draws=3).evaluate(task)
    assert own.protocol["axes"] == 145


def test_an_eigenvector_for_every_class_is_taken_as_far_as_they_fit(monkeypatch):
    task = fit(MLPClassifier((5,), **QUICK), noise(60, 4), np.arange(60) % 20)
    assert DominantSubspace().evaluate(task).protocol["k"] == 20
    few_numbers(monkeypatch, 30 * len(task.w))
    assert DominantSubspace().evaluate(task).protocol["k"] == 15
    few_numbers(monkeypatch, 1)
    assert DominantSubspace().evaluate(task).protocol["k"] == 10
    assert DominantSubspace(k=18).evaluate(task).protocol["k"] == 18


@pytest.mark.parametrize("weight", [None, WEIGHT[:20]], ids=["plain", "weighted"])
@pytest.mark.parametrize("normalize", [False, True])
def test_of_few_rows_the_effective_rank_is_that_of_their_inner_products(
    monkeypatch, weight, normalize
):
    net, X, y = fitted("classes, identity")
    net = MLPClassifier((40,), **QUICK).fit(X, y)
    task = as_problem(net, X[:20], y[:20], weight)
    wide = EffectiveRank(normalize=normalize).evaluate(task)
    few_numbers(monkeypatch, 300)  # seven rows of a chunk
    few_numbers(monkeypatch, 300, _effective_rank)
    narrow = EffectiveRank(normalize=normalize).evaluate(task)
    assert narrow.value == pytest.approx(wide.value, rel=1e-7)
    assert_allclose(narrow.samples, wide.samples, atol=1e-7 * wide.samples[0])


def test_inner_products_of_rows_are_whole_whatever_the_chunks(monkeypatch):
    a = noise(11, 5)
    batch = Batch(a, np.zeros(11))
    whole = Features(lambda X: X, 5, batch).gram()
    few_numbers(monkeypatch, 20)
    assert_allclose(Features(lambda X: X, 5, batch).gram(), whole, atol=1e-14)
    centred = (a - a.mean(axis=0)) / np.sqrt(11)
    assert_allclose(whole, centred @ centred.T, atol=1e-14)


@pytest.mark.parametrize("n_numbers", [1, 100, 1 << 22])
def test_neighbours_are_counted_whatever_the_chunks(monkeypatch, n_numbers):
    rng = np.random.default_rng(0)
    patterns = Patterns(rng.choice([-1.0, 1.0], (1, 9, 11)), offset=0.1 * rng.normal(size=(1, 9)))
    w = rng.choice([-1.0, 1.0], 11)
    signs = 1 - 2.0 * ((np.arange(2**11)[:, None] >> np.arange(11)) & 1)
    fields = signs @ patterns.matrix.T + patterns.offset
    flips = np.count_nonzero(signs != w, axis=1)[(fields > 0).all(axis=1)]
    few_numbers(monkeypatch, n_numbers)
    assert_array_equal(counts_by_distance(patterns, w), np.bincount(flips, minlength=12))


# What is told


class Failing(Measure):
    """A measure to which something happens."""

    def __init__(self, error=None):
        self.error = error

    def _evaluate(self, problem):
        raise self.error


def failure_of(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return error


FAILURES = {
    "memory": (failure_of(np.empty, 1 << 58), "MemoryError: Unable to allocate"),
    "memory, without a word": (MemoryError(), "MemoryError"),
    "linear algebra": (
        failure_of(np.linalg.cholesky, -np.eye(2)),
        "LinAlgError: Matrix is not positive definite",
    ),
    "a root": (failure_of(brentq, np.cosh, 0, 1), "ValueError: f(a) and f(b) must have"),
    "overflow": (OverflowError("too large"), "OverflowError: too large"),
    "floating point": (FloatingPointError("invalid value"), "FloatingPointError: invalid value"),
    "a worker": (RuntimeError("A worker process died"), "RuntimeError: A worker process died"),
    "not defined": (NotDefinedError("There is none."), "There is none."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_report_goes_on_without_what_failed_and_says_why(name):
    error, reason = FAILURES[name]
    chosen = {"first": HessianTrace(), "failed": Failing(error), "last": HessianTrace()}
    report = flatness_report(*fitted("classes"), measures=chosen)
    assert list(report.to_frame().index) == ["first", "last"]
    assert report.not_measured["failed"].startswith(reason)
    assert report.not_measured["failed"] in str(report)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AttributeError("a mistake")], ids=repr)
def test_a_report_swallows_neither_an_interruption_nor_a_mistake(error):
    with pytest.raises(type(error)):
        flatness_report(*fitted("classes"), measures={"failed": Failing(error)})


def test_a_matrix_that_cannot_be_small_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(_memory, "MAX_MATRIX", 15)
    report = flatness_report(*fitted("classes"), measures=["effective_rank", "sharpness"])
    assert report.not_measured == {
        "effective_rank": "MemoryError: The effective rank of 6 features on 150 rows needs a "
        "matrix of 6 x 6 numbers, 0.0 GB: measure on fewer rows."
    }


def test_flips_are_not_defined_for_networks():
    report = flatness_report(*fitted("classes"), measures={"flips": FlipEnergy()})
    assert "weights in {-1, +1}" in report.not_measured["flips"]
