"""The predictions of a fitted factorization, in the unit of the users' targets."""

import numpy as np
from sklearn.utils import check_array

from ..._parallel import one_thread
from ...objective import Batch, LeastSquares
from ...problems import factorization
from ._counts import preferences
from ._data import Observing, known_entries


class Predicting(Observing):
    """Mixin that predicts entries, and converts rows of a matrix to factors and back."""

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
        """Predictions for codes. The code -1 stands for an unknown identifier."""
        return self._clipped(self._scorer()(codes))

    def _scorer(self):
        """A function from codes to predictions that are not clipped.

        Codes of identifiers alone stand for the last time, if there are times.
        """
        # The padded model has one more entity of each kind, with factors and offset 0. The code -1
        # selects it.
        model, w = factorization(self)
        model, w = model.padded(w)

        def score(codes):
            starts = range(0, max(1, len(codes)), model.chunk)
            codes = model.entries(codes) if codes.shape[1] == model.n_kinds else codes
            parts = (codes[start : start + model.chunk] for start in starts)
            return np.concatenate([model.scores(w, part)[:, 0] for part in parts])

        return score

    def _batch(self, codes, y, weight=None):
        """Observations as a model is fitted to them.

        Values are in units of ``scale_``. Implicit feedback is pairs with the excesses of their
        confidences.
        """
        if not self._implicit:
            return Batch(codes, y[:, None] / self.scale_, weight)
        codes, excess = preferences(codes, y, weight, float(self.confidence))
        return Batch(codes, excess[:, None])

    def _folded_in(self, X):
        """The factors of the rows of a validated matrix, with their offsets as a last column."""
        rows, columns, values = known_entries(X)
        model, w = self._in_own_unit()
        codes, y = np.column_stack([rows, columns]), values.astype(w.dtype, copy=False)
        batch = self._batch(codes, y)
        alpha = self.alpha_, float(self.alpha_offsets)
        with one_thread():
            model, w = model.folded_in(w, batch, alpha, self._noise, X.shape[0], self.n_jobs)
        _, offsets, factors = model.split(model.in_unit(w, self.scale_))
        return factors[0] if offsets is None else np.column_stack([factors[0], offsets[0]])

    def _embedded(self, codes):
        """The factors of the entities in every row, each followed by its offset."""
        factors, offsets = self.factors_, self.offsets_ or [None] * len(self.factors_)
        parts = [
            np.where((column >= 0)[:, None], F[column], 0)
            if b is None
            else np.where((column >= 0)[:, None], np.column_stack([F, b])[column], 0)
            for column, F, b in zip(codes.T[: len(factors)], factors, offsets, strict=True)
        ]
        return np.hstack(parts)

    def _completed(self, W):
        """Complete rows from their factors and offsets."""
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
        # The conversion to the users' unit and back is not exact. So the parameters that training
        # ended with are used if the attributes still belong to them.
        known = getattr(self, "_trained", None)
        if known is not None and np.array_equal(model.in_unit(known, self.scale_), w):
            return model, np.array(known)
        return model, model.in_unit(w, 1 / self.scale_)

    @property
    def _noise(self):
        """The radius of closed forms. Solvers without these use ``rho`` in other ways."""
        return self.rho_ / self._root if LeastSquares in self._solver().requires else 0.0

    @property
    def _root(self):
        """The unit of factors and of ``rho``. The unit of the targets is its square, ``scale_``."""
        return float(np.sqrt(self.scale_))
