"""Features with a column of ones, or without, in a basis that suits arithmetic."""

import numpy as np

# Spread of the rows in a direction, relative to the widest, up to which it is evened out. In a
# narrower one rounding, 1e-16 of the widest, would pass for a difference.
FLAT = 1e-6
# Values up to which a feature is as good as 0: a map that made it count would overflow.
NEGLIGIBLE = 1e-290


class Scaling:
    """Features with a column of ones, or without, in a basis in which the rows spread evenly.

    What a reading can realise does not depend on the basis, but rounding does: features may be
    correlated, tiny or dead. A direction in which the rows do not differ is kept, because a
    probe may lie in it.
    """

    def __init__(self, features, intercept=True):
        self.intercept = intercept
        # A power of two, so that features rescaled by one give the same bits.
        largest = np.abs(features).max(axis=0, initial=0)
        _, exponent = np.frexp(np.where(largest > NEGLIGIBLE, largest, 0.0))
        self.scale = np.ldexp(1.0, exponent)
        rows = self._with_ones(features)
        _, found, axes = np.linalg.svd(np.linalg.qr(rows, mode="r"))
        spread = np.zeros(len(axes))
        spread[: len(found)] = found
        widest = spread[0] if spread[0] > NEGLIGIBLE else 1.0  # 1 for nothing but zeros
        self.basis = np.sqrt(len(rows)) * axes.T / np.maximum(spread, FLAT * widest)

    def __call__(self, features):
        return self._with_ones(features) @ self.basis

    def in_features(self, U):
        """A map of the basis as one of ``[features, 1]``."""
        return self.basis @ U / np.append(self.scale, 1.0)[:, None]

    def _with_ones(self, features):
        n_rows, width = features.shape
        rows = np.ones((n_rows, width + self.intercept))
        np.divide(features, self.scale, out=rows[:, :width])
        return rows
