"""Predictions of many rows, without the activations of all of them in memory at once."""

import warnings

import numpy as np
from scipy import sparse

from ...objective import CHUNK, Workspace


def predictions(model, loss, w, X, work=None):
    """What the loss predicts from the scores of the rows, of shape (n_rows, n_outputs).

    What overflows is not finite, and is for the caller to refuse or to report.
    """
    work = Workspace() if work is None else work
    size = model.chunk or CHUNK
    with np.errstate(over="ignore", invalid="ignore"):
        first = loss.predict(model.scores(w, X[:size], work))
        if X.shape[0] <= size:
            return first
        P = np.empty((X.shape[0], *first.shape[1:]), first.dtype)
        P[:size] = first  # a copy, because the next rows take the same memory
        for start in range(size, len(P), size):
            rows = slice(start, start + size)
            P[rows] = loss.predict(model.scores(w, X[rows], work))
    return P


def warn_unless_finite(P, X):
    """One warning for the predictions that are not finite, with the size of their features."""
    wrong = ~np.isfinite(P).all(axis=1)
    if wrong.any():
        rows = X[wrong]
        entries = rows.data if sparse.issparse(rows) else rows
        warnings.warn(
            f"The predictions of {wrong.sum()} of {len(P)} rows are not finite: they overflow "
            f"{P.dtype}. Their largest feature is {np.abs(entries).max(initial=0):.3g}.",
            stacklevel=4,
        )
