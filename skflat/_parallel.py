"""Work in parallel, with the same bits however many workers there are, and threads of the BLAS.

The only use of joblib, whose ``hash`` tells whether two objects are the same: `fingerprint`.

Whoever calls `run` has drawn all seeds before and cut the work into tasks whose sizes do not
depend on ``n_jobs``. Matrix products depend in their last bits on the number of threads, so the
BLAS is held to one thread in every worker, and in this process as well.
"""

import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from joblib import Parallel, delayed, effective_n_jobs
from joblib import hash as fingerprint
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController, threadpool_limits

__all__ = ["fingerprint", "in_turn", "one_thread_for_scipy", "run"]


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


def in_turn(n_jobs):
    """Whether `run` would do the tasks here, one after the other."""
    return effective_n_jobs(n_jobs) == 1


def _in_one_thread(parent, function, *task):
    if os.getpid() == parent:  # a thread, or no worker at all: limited by ``run`` already
        return function(*task)
    with threadpool_limits(limits=1):
        return function(*task)


def one_thread_for_scipy():
    """A context in which SciPy's copy of the BLAS, where it has one, keeps to one thread.

    For loops in which ARPACK and NumPy's matrix products take turns: idle threads of either copy
    spin for a while and take the cores from the other one, which made such loops twice as slow.
    """
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
