"""Work in parallel, with the same bits however many workers there are: the only use of joblib.

Whoever calls `run` has drawn all seeds before and cut the work into tasks whose sizes do not
depend on ``n_jobs``. Matrix products depend in their last bits on the number of threads, so the
BLAS is held to one thread in every worker, and in this process as well.
"""

import os
from concurrent.futures.process import BrokenProcessPool

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits


def run(function, tasks, n_jobs=None):
    """``[function(*task) for task in tasks]``, spread over the workers of joblib's backend.

    Parameters
    ----------
    function : callable
        A function of a module, with arguments that pickle.
    tasks : iterable of tuple
    n_jobs : int, default=None
        As in joblib: None is 1 unless a ``joblib.parallel_config`` says otherwise, -1 all cores.

    Raises
    ------
    RuntimeError
        If a worker process dies.
    """
    with threadpool_limits(limits=1):
        try:
            return Parallel(n_jobs=n_jobs)(
                delayed(_in_one_thread)(os.getpid(), function, *task) for task in tasks
            )
        except Exception as error:
            if isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker":
                raise RuntimeError(
                    "A worker process died before its task was done. Often the machine was out "
                    "of memory: try fewer n_jobs, or fewer rows."
                ) from error
            raise


def _in_one_thread(parent, function, *task):
    if os.getpid() == parent:  # a thread, or no worker at all: limited by ``run`` already
        return function(*task)
    with threadpool_limits(limits=1):
        return function(*task)
