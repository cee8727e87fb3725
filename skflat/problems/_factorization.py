"""From a fitted factorization to the problem it solved."""

import numpy as np

from ..models.factorization import DriftingFactorization, Factorization, ImplicitFactorization
from ..objective import HalfSquared, NotDefinedError, Objective
from ._tasks import COMPLETION


def factorization_problem(estimator, X, y, sample_weight):
    """Objective, point and task of a fitted factorization on some observations."""
    if is_implicit(estimator):
        raise NotDefinedError(
            "With feedback='implicit' the loss is a mean over all pairs, which has no sample of "
            "rows: only sharpness_ is defined, and fit and measure compute it."
        )
    model, w = factorization(estimator)
    codes, y, sample_weight = estimator.observations(X, y, sample_weight)
    if codes.min(initial=0) < 0:  # entities that the fit has not seen get factors 0
        model, w = model.padded(w)
        codes = np.where(codes < 0, np.array(model.sizes) - 1, codes)
    y = y.astype(w.dtype, copy=False)[:, None]
    return Objective(model, HalfSquared(), codes, y, sample_weight), w, COMPLETION


def factorization(estimator):
    """The model of fitted ``factors_`` and ``offsets_``, and their flat vector.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    model : Factorization
    w : ndarray of shape (n_parameters,)
    """
    factors, offsets = estimator.factors_, estimator.offsets_
    sizes, make = [len(F) for F in factors], Factorization
    if is_implicit(estimator):
        make = ImplicitFactorization
    if getattr(estimator, "user_drift_", None) is not None:
        make, drifts = DriftingFactorization, [estimator.user_drift_, estimator.item_drift_]
        offsets = [*offsets, *map(np.ravel, drifts)]
        sizes += [drift.size for drift in drifts]
    model = make(sizes, factors[0].shape[1], fit_offsets=offsets is not None)
    return model, model.join(estimator.intercept_, offsets, factors)


def is_implicit(estimator):
    """Whether it was fitted to preferences rather than to values.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    bool
    """
    return getattr(estimator, "_implicit", False)


def factorized(model, w):
    """The fitted attributes of a factorization, from its flat vector."""
    intercept, offsets, factors = model.split(w)
    return {
        "intercept_": 0.0 if intercept is None else intercept[0],
        "offsets_": offsets,
        "factors_": factors,
    }
