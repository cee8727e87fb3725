"""Features, with or without a column of ones, in a well-conditioned basis."""

import numpy as np

# Directions are scaled to equal spread if their relative spread is at least this. In a narrower
# direction rounding errors, 1e-16 of the widest spread, would look like differences.
FLAT = 1e-6
# A direction in which the rows are smaller than this counts as 0. Elsewhere their size is about 1.
NOTHING = 1e-8
# A smaller feature counts as 0, because a map that uses it would overflow.
NEGLIGIBLE = 1e-290


class Scaling:
    """Features, with or without a column of ones, in a basis with equal spread in all directions.

    The readings do not depend on the basis, but rounding errors do, because features may be
    correlated, tiny or dead. A direction in which the rows do not differ is kept, because a probe
    may lie in it. If the probes are given, the basis leaves out directions in which neither probes
    nor rows extend. For 200 logits of 100 units, this is about half of the directions.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    intercept : bool, default=True
        Whether there is a column of ones.
    probes : ndarray of shape (n_probes, n_features), default=None
    """

    def __init__(self, features, intercept=True, probes=None):
        self.intercept = intercept
        # Scales are powers of two. Rescaling a feature by a power of two then changes no bit.
        largest = np.abs(features).max(axis=0, initial=0)
        negligible = largest < NEGLIGIBLE
        self.has_negligible = bool(largest[negligible].any())
        _, exponent = np.frexp(np.where(negligible, 0.0, largest))
        self.scale = np.ldexp(1.0, exponent)
        rows = self._with_ones(features)
        _, found, axes = np.linalg.svd(np.linalg.qr(rows, mode="r"))
        spread = np.zeros(len(axes))
        spread[: len(found)] = found
        spread = spread if spread.any() else spread + 1.0  # nothing but zeros
        self.basis = np.sqrt(len(rows)) * axes.T / np.maximum(spread, FLAT * spread[0])
        if probes is not None:
            used = extent(self(features)) | np.any(np.abs(self(probes)) > NOTHING, axis=0)
            self.basis = self.basis[:, used]

    def __call__(self, features):
        return self._with_ones(features) @ self.basis

    def in_features(self, U):
        """A map of the basis as one of ``[features, 1]``."""
        scale = np.append(self.scale, 1.0) if self.intercept else self.scale
        return self.basis @ U / scale[:, None]

    def _with_ones(self, features):
        n_rows, width = features.shape
        if self.has_negligible:
            features = np.where(np.abs(features) < NEGLIGIBLE, 0.0, features)
        rows = np.ones((n_rows, width + self.intercept))
        np.divide(features, self.scale, out=rows[:, :width])
        return rows


def extent(rows):
    """The directions of a `Scaling` in which the rows extend, as a mask.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, width)
        In the basis of the scaling.

    Returns
    -------
    ndarray of bool of shape (width,)
    """
    return np.linalg.norm(rows, axis=0) > NOTHING * np.sqrt(len(rows))


def reading_of(values, rows):
    """Least squares fit of a map of a `Scaling`'s rows to values. The columns are orthogonal.

    Parameters
    ----------
    values : ndarray of shape (n_rows,) or (n_rows, n_classes)
    rows : ndarray of shape (n_rows, width)
        In the basis of the scaling.

    Returns
    -------
    ndarray of shape (width,) or (width, n_classes)
    """
    U = np.zeros((rows.shape[1], *values.shape[1:]))
    held = extent(rows)  # in the other directions the rows are only rounding errors
    rows = rows[:, held]
    squares = np.square(rows).sum(axis=0)
    for _ in range(2):  # the second round is iterative refinement
        U[held] += ((rows.T @ (values - rows @ U[held])).T / squares).T
    return U
