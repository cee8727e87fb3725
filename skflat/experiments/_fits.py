"""What all experiments share: fits that may fail, seeds, and errors of means."""

import time

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._parallel import warning_filters

INTERRUPTED = "Training interrupted by user"
#: The fits need not converge. An interruption of one fit ends the whole experiment.
UNDISTURBED = (
    {"action": "ignore", "category": ConvergenceWarning},
    {"action": "error", "message": INTERRUPTED, "category": UserWarning},
)


def fit_or_none(estimator, X, y):
    """The fitted estimator with the ``seconds`` of its fit, or None if training diverged."""
    return trained_or_none(estimator, lambda: estimator.fit(X, y))


def trained_or_none(estimator, train):
    """The estimator with the ``seconds`` that its training took, or None if training diverged.

    A fit may use all its epochs here, so that warning is ignored. A network that is interrupted
    only warns and stays partly fitted. Here the interruption is raised again, because a partial fit
    must not enter a comparison.

    Parameters
    ----------
    estimator : estimator
    train : callable
        Trains the estimator in place.
    """
    with warning_filters(*UNDISTURBED):
        start = time.perf_counter()
        try:
            train()
            estimator.seconds = time.perf_counter() - start
            return estimator
        except UserWarning as warning:
            if INTERRUPTED in str(warning):
                raise KeyboardInterrupt from warning
            raise
        except ValueError as error:
            if "non-finite parameter weights" in str(error):
                return None
            raise


def seeded(estimator, seed):
    """Give every ``random_state`` within the estimator a seed of its own.

    These seeds differ from ``seed`` itself, with which a caller may have drawn the data.
    """
    names = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
    rng = check_random_state(seed)
    # In sorted order, because the order of ``get_params`` is not guaranteed.
    drawn = {name: rng.randint(np.iinfo(np.int32).max) for name in sorted(names)}
    return estimator.set_params(**drawn)


def standard_error(values):
    """Standard error of the mean. It is NaN for a single value.

    Parameters
    ----------
    values : array-like of shape (n,)

    Returns
    -------
    float
    """
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
