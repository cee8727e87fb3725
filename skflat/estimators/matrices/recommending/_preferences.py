"""Implicit feedback: what a fit to preferences needs, and what is measured."""

import numpy as np

from ....measures import Measurement
from ....solvers import ALS


def check_implicit(estimator, n_kinds):
    """Refuse what is not defined for implicit feedback.

    Parameters
    ----------
    estimator : FlatMatrixFactorization
    n_kinds : int
    """
    asked = {
        f"two columns of identifiers, got {n_kinds}": n_kinds == 2,
        f"solver='als', got {estimator.solver!r}": isinstance(estimator._solver(), ALS),
        "no early stopping": not estimator.early_stopping,
        "balance other than 'lambda_max'": estimator.balance != "lambda_max",
    }
    for what, is_true in asked.items():
        if not is_true:
            raise ValueError(f"feedback='implicit' needs {what}.")


def preference_rho(solver, objective):
    """The value of ``rho="auto"``: as for values, from the deviation of the preferences.

    Parameters
    ----------
    solver : Solver
    objective : Objective

    Returns
    -------
    float
    """
    model, data = objective.model, objective.data
    _, constant = model.preference_loss(np.zeros(model.layout.size), data)
    return float(solver.default_rho * np.sqrt(np.sqrt(2 * constant)))


def preference_sharpness(model, w, batch):
    """The trace of the Hessian of the mean loss over all pairs, a `Measurement`.

    Parameters
    ----------
    model : ImplicitFactorization
    w : ndarray of shape (n_parameters,)
    batch : Batch

    Returns
    -------
    Measurement
    """
    value = model.mean_trace(w, batch)
    protocol = {
        "loss": "HalfSquared",
        "scale": "mean over all pairs, weighted by confidence",
        "penalty": False,
        "n_rows": len(batch),
        "n_parameters": len(w),
        "samples": "the value",
    }
    return Measurement(value, 0.0, "exact", 1, True, np.array([value]), protocol)
