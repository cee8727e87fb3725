"""The sizes of features and targets, and the unit of radius that follows from them."""

import numpy as np
from scipy import sparse

#: Features up to LARGE and targets down to SMALL count as of size 1. A subset of standardised rows
#: is not exactly standardised, and with heavy tails it can be far from it.
LARGE, SMALL = 2.0, 0.5


def feature_sizes(batch):
    """Root mean square of every feature, by the weights of the rows.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    ndarray of shape (n_features,)
    """
    batch = _weighing(batch)
    X, weight = batch.X, batch.weight
    weight = np.ones(len(batch)) if weight is None else weight.astype(float)
    with np.errstate(over="ignore"):
        # ``einsum`` accumulates in double precision without a squared copy of a dense X.
        if sparse.issparse(X):
            sums = weight @ X.astype(float).power(2)
        else:
            sums = np.einsum("i,ij,ij->j", weight, X, X, dtype=float)
        return np.sqrt(sums / batch.total_weight)


def target_deviations(batch):
    """Standard deviation of every column of targets, by the weights of the rows.

    It is exactly 0 for a constant column.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    ndarray of shape (n_outputs,)
    """
    # Subtracting the first target before the mean avoids cancellation for targets far from 0.
    batch = _weighing(batch)
    y, weight = batch.y.astype(float), batch.weight
    first = y[0]
    with np.errstate(over="ignore"):
        y = y - first
        y -= np.average(y, axis=0, weights=weight)
        deviations = np.sqrt(np.average(y**2, axis=0, weights=weight))
    # A spread this small comes from rounding of a constant column.
    rounding = 10 * np.finfo(batch.y.dtype).eps * np.abs(first)
    return np.where(deviations > rounding, deviations, 0.0)


def _weighing(batch):
    """The rows that weigh something. The square of a row that does not may be infinite."""
    if batch.weight is None or batch.weight.all() or not batch.weight.any():
        return batch
    return batch.part(batch.weight > 0)


def unit_radius(size, deviation):
    """The radius that corresponds to 1 for features and targets of size 1.

    The outputs of a layer change by the radius times the size of its inputs, and the curvature of
    the loss grows with the square of that size. If the radius is divided by the square, it changes
    the gradient by no more than with features of size 1. For a small target, the change of the
    outputs must be smaller than the target's variation. This factor is squared, too: with the first
    power of either factor, the ascent was found to slow down training.

    Parameters
    ----------
    size : float
        Root mean square of the largest feature. The largest one decides, so no weight moves too
        far.
    deviation : float
        Standard deviation of the target that varies most. It is 0 if none varies.

    Returns
    -------
    float
        A number in (0, 1].
    """
    by_target = min(1.0, deviation / SMALL) if deviation > 0 else 1.0
    by_features = LARGE / size if size > LARGE else 1.0
    return float(by_target * by_features) ** 2


def radius_of_data(loss, batch):
    """The same from the rows: their features, and their targets if scores have that unit.

    Parameters
    ----------
    loss : Loss
    batch : Batch

    Returns
    -------
    float
    """
    deviation = target_deviations(batch).max() if loss.in_units_of_target else 1.0
    return unit_radius(feature_sizes(batch).max(), deviation)
