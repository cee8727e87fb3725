"""What all experiments share: fits that may fail, and errors of means."""

import time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._parallel import warning_filters

INTERRUPTED = "Training interrupted by user"
#: The fits need not converge. An interruption of one fit ends the whole experiment.
UNDISTURBED = (
    {"action": "ignore", "category": ConvergenceWarning},
    {"action": "error", "message": INTERRUPTED, "category": UserWarning},
)


def fit_or_none(estimator, X, y):
    """The fitted estimator with the ``seconds`` of its fit, or None if training diverged.

    A fit may use all its epochs here, so that warning is ignored. A network that is interrupted
    only warns and stays partly fitted. Here the interruption is raised again, because a partial fit
    must not enter a comparison.
    """
    with warning_filters(*UNDISTURBED):
        start = time.perf_counter()
        try:
            estimator.fit(X, y)
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
