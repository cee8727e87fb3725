"""Parallel work. Its result is bit for bit the same for any number of workers and BLAS threads.

This is the only module that uses joblib. `fingerprint` is joblib's ``hash``; it is equal for two
objects with the same content.

A caller of `run` draws all seeds before, and divides the work into tasks whose sizes do not depend
on ``n_jobs``. The last bits of matrix products depend on the number of threads. So the BLAS uses
one thread in every worker, and in this process, too.
"""

import os
import sys
import warnings
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from joblib import Parallel, delayed
from joblib import hash as fingerprint
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController, threadpool_limits

__all__ = ["fingerprint", "one_thread_for_scipy", "run", "warn_or_raise"]

#: Modules that call ``fit`` for one estimator: a fit within them is not one of several.
SINGLE = ("sklearn.base", "sklearn.pipeline", "sklearn.compose")


def run(function, tasks, n_jobs=None, then=None):
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

    Returns
    -------
    list

    Raises
    ------
    RuntimeError
        If a worker process dies.
    """
    with threadpool_limits(limits=1):
        try:
            kind = "list" if then is None else "generator"
            results = Parallel(n_jobs=n_jobs, backend=_backend(), return_as=kind)(
                delayed(_in_one_thread)(os.getpid(), function, *task) for task in tasks
            )
            return results if then is None else [then(result) for result in results]
        except Exception as error:
            if isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker":
                raise RuntimeError(
                    "A worker process died before its task was done. Often the machine was out "
                    "of memory: try fewer n_jobs, or fewer rows."
                ) from error
            raise


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
    if os.getpid() == parent:  # a thread, or no worker at all: ``run`` has set the limit already
        return function(*task)
    with threadpool_limits(limits=1):
        return function(*task)


def one_thread_for_scipy():
    """A context in which SciPy's own copy of the BLAS uses one thread, if there is such a copy.

    It is for loops that alternate between ARPACK and NumPy's matrix products. Idle threads of one
    copy keep spinning for a while, and take the cores from the other copy. Without this context,
    such loops were twice as slow.
    """
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
