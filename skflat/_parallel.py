"""Parallel work. Its result is bit for bit the same for any number of workers and BLAS threads.

This is the only module that uses joblib. `fingerprint` is joblib's ``hash``; it is equal for two
objects with the same content.

A caller of `run` draws all seeds before, and divides the work into tasks whose sizes do not depend
on ``n_jobs``. The last bits of matrix products depend on the number of threads. So the BLAS uses
one thread in every worker, and in this process, too.

All threads of a process share this limit, and the filters of warnings. The last thread that leaves
restores them. A context such as ``warnings.catch_warnings`` saves the present state. If two threads
overlap, the second one saves what the first one has set, and restores it at the end.
"""

import os
import platform
import sys
import warnings
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Lock

from joblib import Parallel, delayed, effective_n_jobs
from joblib import hash as fingerprint
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController, threadpool_limits

__all__ = [
    "Shared",
    "fingerprint",
    "in_turn",
    "one_thread",
    "one_thread_for_scipy",
    "run",
    "warn_or_raise",
    "warning_filters",
]

#: Modules that call ``fit`` for one estimator: a fit within them is not one of several.
SINGLE = ("sklearn.base", "sklearn.pipeline", "sklearn.compose")

#: Names of the errors that a scheduler raises for a task whose worker has died.
OF_DEAD_WORKERS = {"KilledWorker", "FutureCancelledError"}


def run(function, tasks, n_jobs=None, then=None, prefer=None):
    """``[function(*task) for task in tasks]``, distributed over the workers of joblib's backend.

    Parameters
    ----------
    function : callable
        A function of a module. It must be possible to pickle its arguments.
    tasks : iterable of tuple
        The arguments of each call.
    n_jobs : int, default=None
        Number of workers, as in joblib. None is 1 unless ``joblib.parallel_config`` sets another
        number. -1 is all cores.
    then : callable, default=None
        Applied to every result in this process, in the order of the tasks, as soon as the result is
        available. Its return value replaces the result.
    prefer : {'threads', 'processes'}, default=None
        The workers to use unless ``joblib.parallel_config`` sets a backend. Threads are for tasks
        that are short, have large arguments, and leave Python's lock for most of their time.

    Returns
    -------
    list

    Raises
    ------
    RuntimeError
        If a worker process dies.
    """
    with ONE_THREAD:
        try:
            as_they_come = then is not None and get_active_backend()[0].supports_return_generator
            kind = "generator" if as_they_come else "list"
            workers = Parallel(n_jobs=n_jobs, backend=_backend(), return_as=kind, prefer=prefer)
            results = workers(
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


def warn_or_raise(message, stacklevel):
    """In the handler of a ``KeyboardInterrupt``: warn, or hand the interrupt on.

    A fit that the user called keeps what it has. One of several fits, such as those of a grid
    search, hands the interrupt on: the search would go on with a half-trained candidate.
    """
    if _is_one_of_several():
        raise  # the interrupt that the caller handles
    warnings.warn(message, stacklevel=stacklevel + 1)


def _is_one_of_several():
    """Whether the fit under way was called by a meta-estimator or as a task of joblib."""
    frame, names = sys._getframe(), []
    while frame is not None:
        names.append(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    # Within the package joblib spreads the parts of one fit: only what called the package counts.
    outermost = max(k for k, name in enumerate(names) if name.partition(".")[0] == "skflat")
    return any(_calls_several(name) for name in names[outermost + 1 :])


def _calls_several(module):
    return module.partition(".")[0] in ("joblib", "sklearn") and not module.startswith(SINGLE)


def _in_one_thread(parent, function, *task):
    if _process() == parent:  # a thread, or no worker at all: ``run`` has set the limit already
        return function(*task)
    with ONE_THREAD:
        return function(*task)


def _process():
    """Host and number of this process: two hosts may have processes of the same number."""
    return platform.node(), os.getpid()


def one_thread():
    """A context in which the BLAS uses one thread, as in `run`.

    It is for loops that call `run` many times, or do its tasks here. Each limit costs about a
    millisecond, and a limit within another one costs nothing.
    """
    return ONE_THREAD


def one_thread_for_scipy():
    """A context in which SciPy's own copy of the BLAS uses one thread, if there is such a copy.

    It is for loops that alternate between ARPACK and NumPy's matrix products. Idle threads of one
    copy keep spinning for a while, and take the cores from the other copy. Without this context,
    such loops were twice as slow.
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
    # The repair is a subclass made here, because dask may not be installed. A copy leaves the
    # user's backend unchanged.
    repaired = object.__new__(type("RepairedDask", (DeadWorkersTell, type(active)), {}))
    repaired.__dict__.update(vars(active))
    return repaired


class DeadWorkersTell:
    """Mixin for joblib's dask backend, which otherwise waits for ever if a worker has died."""

    def submit(self, func, callback=None):
        """Submit a task. If it fails outside of its own code, it counts as ended, too."""
        future = super().submit(func, callback)
        future.add_done_callback(lambda done: callback(done) if done.exception() else None)
        return future

    def retrieve_result_callback(self, out):
        """The result of a task. If it failed outside of its own code, its error is raised."""
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
    """A context with more filters of warnings. Contexts of several threads may overlap.

    Parameters
    ----------
    filters : dict
        Arguments of ``warnings.filterwarnings``. The last filter has priority.
    """
    entry = [*filters]
    _change(_ACTIVE.append, entry)
    try:
        yield
    finally:
        _change(_remove, entry)


def _remove(entry):
    """Remove this object only: another thread may have equal filters."""
    del _ACTIVE[next(k for k, each in enumerate(_ACTIVE) if each is entry)]


def _change(action, entry):
    """Change the active entries, restore the filters from before, and apply all entries to them."""
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
