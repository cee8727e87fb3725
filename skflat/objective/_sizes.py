"""How large features and targets are, and how far a displacement of the weights reaches by that."""

import numpy as np
from scipy import sparse

#: Features up to this size, and targets down to that, count as of size 1: a part of standardised
#: rows is not standardised to the digit, and where there are heavy tails not nearly.
LARGE, SMALL = 2.0, 0.5


def feature_sizes(batch):
    """Root mean square of every feature, by the weights of the rows."""
    X, weight = batch.X, batch.weight
    weight = np.ones(len(batch)) if weight is None else weight.astype(float)
    with np.errstate(over="ignore"):
        if sparse.issparse(X):
            sums = weight @ X.astype(float).power(2)
        else:
            sums = np.einsum("i,ij,ij->j", weight, X, X, dtype=float)
        return np.sqrt(sums / batch.total_weight)


def target_deviations(batch):
    """Standard deviation of every column of targets, by the weights of the rows.

    Of a constant column it is 0, and not what rounding leaves.
    """
    y, weight = batch.y.astype(float), batch.weight
    first = y[0 if weight is None else np.argmax(weight > 0)]
    with np.errstate(over="ignore"):
        y = y - first
        y -= np.average(y, axis=0, weights=weight)
        deviations = np.sqrt(np.average(y**2, axis=0, weights=weight))
    rounding = 10 * np.finfo(batch.y.dtype).eps * np.abs(first)
    return np.where(deviations > rounding, deviations, 0.0)


def unit_radius(size, deviation):
    """The radius in the weights that is here what 1 is where features and targets have size 1.

    The outputs of a layer move by the radius times the size of its inputs, and the curvature of
    the loss grows with the square of that size. Divided by the square, a radius changes the
    gradient by no more than it would with features of size 1. The outputs for a small target must
    be moved by less than it varies. The square is taken of that too, since a climb as long as the
    first power allows was found to slow training down, of both.

    Parameters
    ----------
    size : float
        Of the largest feature, so that no weight moves too far.
    deviation : float
        Of the target that varies most; 0 if none varies.
    """
    by_target = min(1.0, deviation / SMALL) if deviation > 0 else 1.0
    by_features = LARGE / size if size > LARGE else 1.0
    return float(by_target * by_features) ** 2
