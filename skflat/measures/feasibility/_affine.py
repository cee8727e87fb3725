"""Features with a column of ones, or without, in a basis that suits arithmetic."""

import numpy as np

# Spread of the rows in a direction, relative to the widest, up to which it is evened out. In a
# narrower one rounding, 1e-16 of the widest, would pass for a difference.
FLAT = 1e-6
# Size of the rows in a direction, theirs being about 1 elsewhere, that is 0 but for rounding.
NOTHING = 1e-8
# Values up to which a feature is as good as 0: a map that made it count would overflow.
NEGLIGIBLE = 1e-290


class Scaling:
    """Features with a column of ones, or without, in a basis in which the rows spread evenly.

    What a reading can realise does not depend on the basis, but rounding does: features may be
    correlated, tiny or dead. A direction in which the rows do not differ is kept, because a
    probe may lie in it. Given the probes, the basis leaves out the directions in which neither
    these nor the rows extend: of 200 logits of 100 units there are more than of the others.
    """

    def __init__(self, features, intercept=True, probes=None):
        self.intercept = intercept
        # A power of two, so that features rescaled by one give the same bits.
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
    """In which directions of a `Scaling` the rows extend."""
    return np.linalg.norm(rows, axis=0) > NOTHING * np.sqrt(len(rows))


def reading_of(values, rows):
    """The map of a `Scaling`'s rows, the columns being orthogonal, that comes nearest to values."""
    U = np.zeros((rows.shape[1], *values.shape[1:]))
    held = extent(rows)  # in the other directions the rows are rounding
    rows = rows[:, held]
    squares = np.square(rows).sum(axis=0)
    for _ in range(2):  # the second time takes away what rounding left
        U[held] += ((rows.T @ (values - rows @ U[held])).T / squares).T
    return U
