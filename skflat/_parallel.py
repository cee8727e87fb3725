"""Work in parallel, with the same bits however many workers there are, and threads of the BLAS.

The only use of joblib, whose ``hash`` tells whether two objects are the same: `fingerprint`.

Whoever calls `run` has drawn all seeds before and cut the work into tasks whose sizes do not
depend on ``n_jobs``. Matrix products depend in their last bits on the number of threads, so the
BLAS is held to one thread in every worker, and in this process as well.
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
