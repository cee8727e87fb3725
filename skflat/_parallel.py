"""Work in parallel, with the same bits however many workers there are, and threads of the BLAS.

The only use of joblib, whose ``hash`` tells whether two objects are the same: `fingerprint`.

Whoever calls `run` has drawn all seeds before and cut the work into tasks whose sizes do not
depend on ``n_jobs``. Matrix products depend in their last bits on the number of threads, so the
BLAS is held to one thread in every worker, and in this process as well.

What all threads of a process share (that limit, and the filters of warnings) is put back by the
last thread that leaves. Contexts such as ``warnings.catch_warnings`` save the present state: of two
threads that overlap, the second one would save what the first one has set, and that would stay.
"""

import os
import platform
import warnings
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Lock

from joblib import Parallel, delayed, effective_n_jobs
from joblib import hash as fingerprint
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController, threadpool_limits

__all__ = ["Shared", "fingerprint", "in_turn", "one_thread_for_scipy", "run", "warning_filters"]

#: What a scheduler raises for a task whose worker has died, by name.
OF_DEAD_WORKERS = {"KilledWorker", "FutureCancelledError"}


def run(function, tasks, n_jobs=None, then=None):
    """``[function(*task) for task in tasks]``, spread over the workers of joblib's backend.

    Parameters
    ----------
    function : callable
        A function of a module, with arguments that pickle.
    tasks : iterable of tuple
    n_jobs : int, default=None
        As in joblib: None is 1 unless a ``joblib.parallel_config`` says otherwise, -1 all cores.
    then : callable, default=None
        Applied to every result, here and in the order of the tasks, as soon as it is there. What
        it returns takes the place of the result.

    Raises
    ------
    RuntimeError
        If a worker process dies.
    """
    with ONE_THREAD:
        try:
            as_they_come = then is not None and get_active_backend()[0].supports_return_generator
            kind = "generator" if as_they_come else "list"
            results = Parallel(n_jobs=n_jobs, backend=_backend(), return_as=kind)(
                delayed(_in_one_thread)(_process(), function, *task) for task in tasks
            )
            return results if then is None else [then(result) for result in results]
        except Exception as error:
            if isinstance(error, BrokenProcessPool) or type(error).__name__ in OF_DEAD_WORKERS:
                raise RuntimeError(
                    "A worker process died before its task was done. Often the machine was out "
                    "of memory: try fewer n_jobs, or fewer rows."
                ) from error
            raise


def in_turn(n_jobs):
    """Whether `run` would do the tasks here, one after the other."""
    return effective_n_jobs(n_jobs) == 1


def _in_one_thread(parent, function, *task):
    if _process() == parent:  # a thread, or no worker at all: limited by ``run`` already
        return function(*task)
    with ONE_THREAD:
        return function(*task)


def _process():
    """Host and number of this process: two hosts may have processes of the same number."""
    return platform.node(), os.getpid()


def one_thread_for_scipy():
    """A context in which SciPy's copy of the BLAS, where it has one, keeps to one thread.

    For loops in which ARPACK and NumPy's matrix products take turns: idle threads of either copy
    spin for a while and take the cores from the other one, which made such loops twice as slow.
    """
    return ONE_THREAD_FOR_SCIPY


def _limit_scipy():
    blas = ThreadpoolController()
    copies = [each for each in blas.lib_controllers if "scipy.libs" in each.filepath]
    return blas.select(filepath=[each.filepath for each in copies]).limit(limits=1)


def _backend():
    """None for joblib's active backend, or a repaired copy of it if that is dask's."""
    active, _ = get_active_backend()
    if not type(active).__name__.startswith("Dask"):
        return None
    repaired = object.__new__(type("RepairedDask", (DeadWorkersTell, type(active)), {}))
    repaired.__dict__.update(vars(active))
    return repaired


class DeadWorkersTell:
    """Mixed into joblib's dask backend, which waits for ever for a task whose worker has died."""

    def submit(self, func, callback=None):
        """As the backend does; a task that fails outside of its own code counts as ended too."""
        future = super().submit(func, callback)
        future.add_done_callback(lambda done: callback(done) if done.exception() else None)
        return future

    def retrieve_result_callback(self, out):
        """The result, or the error of a task that failed outside of its own code."""
        return out.result() if isinstance(out, Future) else super().retrieve_result_callback(out)


class Shared:
    """A context that the first thread enters and the last one leaves.

    Parameters
    ----------
    make : callable
        Makes the context.
    """

    def __init__(self, make):
        self._make, self._lock, self._depth = make, Lock(), 0

    def __enter__(self):
        with self._lock:
            if self._depth == 0:
                self._context = self._make()
                self._context.__enter__()
            self._depth += 1

    def __exit__(self, *error):
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._context.__exit__(None, None, None)


_LOCK, _ACTIVE, _SAVED = Lock(), [], []


@contextmanager
def warning_filters(*filters):
    """Filters of warnings for a while, also where several threads overlap.

    Parameters
    ----------
    filters : dict
        What ``warnings.filterwarnings`` takes; the last one comes first.
    """
    entry = [*filters]
    _change(_ACTIVE.append, entry)
    try:
        yield
    finally:
        _change(_remove, entry)


def _remove(entry):
    """By identity: equal filters of another thread stay."""
    del _ACTIVE[next(k for k, each in enumerate(_ACTIVE) if each is entry)]


def _change(action, entry):
    """Change who filters, and set the filters of all of them anew on what was there before."""
    with _LOCK:
        if _SAVED:
            _SAVED.pop().__exit__(None, None, None)
        action(entry)
        if _ACTIVE:
            _SAVED.append(warnings.catch_warnings())
            _SAVED[0].__enter__()
        for each in _ACTIVE:
            for one in each:
                warnings.filterwarnings(**one)


#: A context in which the BLAS keeps to one thread.
ONE_THREAD = Shared(lambda: threadpool_limits(limits=1))
ONE_THREAD_FOR_SCIPY = Shared(_limit_scipy)
