"""What a fitted factorization predicts, in the unit of the users' targets."""

import numpy as np
from sklearn.utils import check_array

from ...objective import Batch
from ...problems import factorization
from ...solvers import ALS
from ._data import Observing, known_entries


class Predicting(Observing):
    """Scores of codes, and rows of a matrix from and to their factors."""

    def _check_clip(self):
        if self.clip is None:
            return
        try:
            low, high = (float(end) for end in self.clip)
        except (TypeError, ValueError):
            low, high = np.nan, np.nan
        if not low < high:
            raise ValueError(f"clip must be None or a pair (low, high), got {self.clip!r}.")

    def _predicted(self, codes):
        """Scores of codes, of which -1 is an identifier never seen."""
        model, w = factorization(self)
        model, w = model.padded(w)
        scores = [
            model.scores(w, codes[start : start + model.chunk])[:, 0]
            for start in range(0, len(codes), model.chunk)
        ]
        return self._clipped(np.concatenate(scores))

    def _folded_in(self, X):
        """Factors, and the offset as a last column, of the rows of a validated matrix."""
        rows, columns, values = known_entries(X)
        model, w = self._in_own_unit()
        y = values.astype(w.dtype, copy=False)[:, None] / self.scale_
        batch = Batch(np.column_stack([rows, columns]), y)
        # Only of ALS is ``rho`` the noise that this closed form is about.
        noise = self.rho_ / self._root if isinstance(self._solver(), ALS) else 0.0
        alpha = self.alpha_, float(self.alpha_offsets)
        model, w = model.folded_in(w, batch, alpha, noise, X.shape[0])
        _, offsets, factors = model.split(model.in_unit(w, self.scale_))
        return factors[0] if offsets is None else np.column_stack([factors[0], offsets[0]])

    def _completed(self, W):
        """Whole rows from their factors and offsets."""
        W = check_array(W, dtype=self.factors_[0].dtype, input_name="W")
        k = self.factors_[1].shape[1]
        width = k + (self.offsets_ is not None)
        if W.shape[1] != width:
            raise ValueError(f"W has {W.shape[1]} columns, but transform returns {width}.")
        rows = W[:, :k] @ self.factors_[1].T
        if self.offsets_ is not None:
            rows += W[:, k:] + self.offsets_[1] + self.intercept_
        return rows

    def _clipped(self, values):
        return values if self.clip is None else np.clip(values, *self.clip, out=values)

    def _in_own_unit(self):
        """The fitted model, and a copy of its parameters in units of ``scale_``."""
        model, w = factorization(self)
        known = getattr(self, "_trained", None)
        if known is not None and np.array_equal(model.in_unit(known, self.scale_), w):
            return model, np.array(known)
        return model, model.in_unit(w, 1 / self.scale_)

    @property
    def _root(self):
        """The unit of factors and of ``rho``, where that of the targets is ``scale_``."""
        return float(np.sqrt(self.scale_))
