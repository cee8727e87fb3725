"""Results are equal to the bit for all workers and backends, and a dead worker does not block."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
import pytest
from autograd.tracer import isbox
from fitted import IRIS, SHORT, SPECIES, fitted
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from skflat import FlatMatrixFactorization, FlatMLPClassifier
from skflat._parallel import run
from skflat.measures import (
    LocalEnergy,
    NoiseStability,
    SpectralDensity,
    adaptive_sharpness,
    compare,
    flatness_report,
    local_energy,
)
from skflat.models.mlp._activations import as_activation

# These fits are short on purpose; dask tells of its own deprecations.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    # joblib 1.5 tells of its own backend for dask.
    pytest.mark.filterwarnings("ignore:`apply_async` is deprecated:DeprecationWarning"),
]

PARALLEL = [
    LocalEnergy(n_draws=40),
    LocalEnergy(0.1, "isotropic", n_draws=40),
    NoiseStability(n_draws=8),
    SpectralDensity(n_probes=6, n_steps=20),
]
each_parallel = pytest.mark.parametrize("measure", PARALLEL, ids=repr)


@pytest.fixture(scope="module")
def cluster():
    """A real cluster of two worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def serial():
    yield


BACKENDS = {
    "one job": serial,
    "two processes": lambda: parallel_config(backend="loky", n_jobs=2),
    "two threads": lambda: parallel_config(backend="threading", n_jobs=2),
    "three threads": lambda: parallel_config(backend="threading", n_jobs=3),
    "dask": lambda: parallel_config(backend="dask"),
}


@cache
def digits():
    """Rows and hidden units enough that a BLAS would use several threads if it might."""
    X, y = load_digits(return_X_y=True)
    return MLPClassifier((100,), max_iter=3, random_state=0).fit(X, y), X, y


@cache
def measured_alone(measure):
    return measure.measure(*digits())


def assert_same_bits(first, second):
    assert first.value == second.value
    assert first.stderr == second.stderr
    assert_array_equal(first.samples, second.samples)
    for name in first.table:
        assert_array_equal(first.table[name], second.table[name])


def worker(_):
    return os.getpid()


def test_processes_are_processes_and_the_cluster_is_the_cluster(cluster):
    """So that the tests below compare what they say they compare."""
    for name, elsewhere in (("one job", False), ("two threads", False), ("two processes", True)):
        with BACKENDS[name]():
            assert (os.getpid() not in run(worker, [(k,) for k in range(8)])) is elsewhere
    with BACKENDS["dask"]():
        pids = set(run(worker, [(k,) for k in range(8)]))
    assert pids <= set(cluster.run(os.getpid).values())


@each_parallel
@pytest.mark.parametrize("name", ["two processes", "three threads"])
def test_bits_do_not_depend_on_the_workers(measure, name):
    with BACKENDS[name]():
        together = measure.measure(*digits())
    assert_same_bits(measured_alone(measure), together)


@pytest.mark.parametrize("measure", PARALLEL[-1:], ids=repr)
def test_bits_do_not_depend_on_dask(measure, cluster):
    with BACKENDS["dask"]():
        together = measure.measure(*digits())
    assert_same_bits(measured_alone(measure), together)


def test_bits_of_factors_do_not_depend_on_dask(cluster, monkeypatch):
    monkeypatch.setattr("skflat.models.factorization._alternation.Alternation.budget", 256)
    monkeypatch.setattr("skflat.models.factorization._alternation.Alternation.block", 512)
    X, y = np.random.default_rng(0).integers(30, size=(400, 2)), np.linspace(0, 5, 400)
    model = FlatMatrixFactorization(3, rho=0.1, max_iter=2, measures=None, random_state=0)
    alone = model.fit(X, y).factors_
    with BACKENDS["dask"]():
        together = model.fit(X, y).factors_
    assert_array_equal(alone[0], together[0])
    assert_array_equal(alone[1], together[1])


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_bits_do_not_depend_on_n_jobs(n_jobs):
    estimator, X, y = digits()
    alone = local_energy(estimator, X, y, n_draws=33)
    assert_same_bits(alone, local_energy(estimator, X, y, n_draws=33, n_jobs=n_jobs))
    alone = adaptive_sharpness(estimator, X, y, average=True)
    assert_same_bits(alone, adaptive_sharpness(estimator, X, y, average=True, n_jobs=n_jobs))


@pytest.mark.parametrize("layout", ["F", "strided"])
def test_bits_do_not_depend_on_the_workers_whatever_the_layout_of_the_rows(layout):
    estimator, X, y = digits()
    X = {
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
    }[layout]
    alone = local_energy(estimator, X, y, n_draws=20)
    assert_same_bits(alone, local_energy(estimator, X, y, n_draws=20, n_jobs=2))


@pytest.mark.parametrize("name", ["our sparse classes", "our single precision", "pipeline"])
def test_bits_do_not_depend_on_the_workers_for_any_kind_of_rows(name):
    estimator, X, y = fitted(name)
    alone = local_energy(estimator, X, y, n_draws=20)
    assert_same_bits(alone, local_energy(estimator, X, y, n_draws=20, n_jobs=2))


def softplus(z):
    import autograd.numpy as anp

    return anp.log(1 + anp.exp(z))


@pytest.mark.parametrize("name", ["two processes", "two threads", "three threads"])
def test_activations_of_ones_own_can_be_measured_in_parallel(name):
    """Autograd keeps its place on the tape in one global: threads must take turns."""
    clf = FlatMLPClassifier((6,), softplus, measures=None, **SHORT).fit(IRIS, SPECIES)
    measures = [SpectralDensity(n_probes=6, n_steps=10), LocalEnergy(n_draws=40)]
    alone = [measure.measure(clf, IRIS, SPECIES) for measure in measures]
    with BACKENDS[name]():
        together = [measure.measure(clf, IRIS, SPECIES) for measure in measures]
    for first, second in zip(alone, together, strict=True):
        assert_same_bits(first, second)


def test_threads_take_turns_with_autograd():
    """It keeps the depth of nested traces in one global."""
    inside, most = [], []

    def lingering(z):
        if isbox(z):
            inside.append(z)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()
        return z * z

    activation = as_activation(lingering)
    with ThreadPoolExecutor(4) as pool:
        for derivative in (activation.derivative, activation.second_derivative):
            list(pool.map(partial(derivative, a=None), [np.ones(2)] * 8))
    assert len(most) >= 16
    assert max(most) == 1


def test_a_report_is_the_same_in_parallel():
    estimator, X, y = fitted("classes")
    alone = flatness_report(estimator, X, y)
    together = flatness_report(estimator, X, y, n_jobs=2)
    assert str(alone) == str(together)
    for name in alone:
        if name != "not_measured":
            assert_same_bits(alone[name], together[name])


def test_a_comparison_is_the_same_on_a_cluster(cluster):
    nets = [fitted(name)[0] for name in ("classes", "our classes")]
    measures = ["sharpness", "flatness", "local_energy"]
    alone = compare(nets, IRIS, SPECIES, measures=measures)
    with BACKENDS["dask"]():
        together = compare(nets, IRIS, SPECIES, measures=measures)
    for name in alone:
        for key in measures:
            assert_same_bits(alone[name][key], together[name][key])


def test_a_report_says_what_each_measure_says_alone():
    estimator, X, y = digits()
    report = flatness_report(estimator, X, y, measures={"mine": LocalEnergy(0.2, n_draws=20)})
    assert_same_bits(report.mine, LocalEnergy(0.2, n_draws=20).measure(estimator, X, y))


# Workers that die


def die(parent):
    assert os.getpid() != parent, "not in a worker"
    os.kill(os.getpid(), signal.SIGKILL)


def fail(_):
    raise KeyError("of the task's own")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_that_dies_is_an_error_that_says_so():
    with pytest.raises(RuntimeError, match="A worker process died before its task was done"):
        run(die, [(os.getpid(),)] * 4, n_jobs=2)
    assert run(abs, [(-1,), (2,)], n_jobs=2) == [1, 2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.filterwarnings("ignore")  # dask's workers complain while they go down
def test_a_worker_of_a_cluster_that_dies_is_an_error_that_says_so():
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        parallel_config(backend="dask"),
        pytest.raises(RuntimeError, match="A worker process died before its task was done"),
    ):
        run(die, [(os.getpid(),)] * 2)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_the_task_is_passed_on(n_jobs):
    with pytest.raises(KeyError, match="of the task's own"):
        run(fail, [(0,), (1,)], n_jobs=n_jobs)


def test_the_parameters_of_a_measure_are_left_alone():
    measure = LocalEnergy(n_draws=10, n_jobs=2)
    kept = clone(measure).get_params()
    measure.measure(*fitted("classes"))
    assert measure.get_params() == kept
