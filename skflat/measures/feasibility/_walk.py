"""An interior walk through the cone of completions, to find readings that realise given pairs."""

import numpy as np

from ._completions import n_measured

# Entries of margins, or of metrics, at a time.
CHUNK = 1 << 19
# A walk ends at this margin, relative to the map, because the metric would become singular.
NEAR = 1e-6
# Steps per pair, and columns of the map that a step changes.
N_STEPS, N_COLUMNS = 20, 4


def walk(completions, start, rows, pairs, found):
    """Look for maps that give rows certain outcomes, on walks from a map inside the cone.

    A step goes nine tenths of the way to the boundary of the cone. It changes the scores of the
    outcome and of its strongest rivals, in the direction that raises the outcome most over the
    rivals. Lengths are measured by the curvature of the logarithmic barrier (Dikin's affine
    scaling). A map just inside the boundary is recorded, because every map in the cone decides one
    pair for every row.

    Parameters
    ----------
    completions : Completions
        Its budget ends the walks.
    start : ndarray of shape (n_features + 1, n_classes)
        A map with positive margins. If they are tiny, there is no walk.
    rows : ndarray of shape (n_rows, n_features + 1)
        As of `Completions.normalized`.
    pairs : ndarray of int of shape (n_pairs, 2)
        Indices into ``rows`` and outcomes.
    found : Witnesses
        Receives the maps found. Pairs decided on the way are skipped.
    """
    margins = completions.margins(start)
    if margins.min() <= NEAR * np.linalg.norm(start):
        return
    n_together = max(1, CHUNK // max(margins.size, (N_COLUMNS * len(start)) ** 2))
    cost = step_cost(*completions.rows.shape, completions.n_classes)
    for first in range(0, len(pairs), n_together):
        chunk = found.still_closed(pairs[first : first + n_together])
        U, M = (np.repeat(array[None], len(chunk), axis=0) for array in (start, margins))
        for _ in range(N_STEPS):
            if not len(chunk) or not completions.budget.spend(len(chunk) * cost):
                break
            columns, d = _uphill(completions, U, M, rows[chunk[:, 0]], chunk[:, 1])
            gaps = completions.change_of_gaps(columns, d)
            reach = _reach(M, gaps, U, d)
            found.add(_moved(U, columns, 0.999 * reach * d))
            gaps *= 0.9 * reach
            M += gaps
            U = _moved(U, columns, 0.9 * reach * d)
            on = found.closed(chunk) & (M.min(axis=(1, 2)) > NEAR * np.linalg.norm(U, axis=(1, 2)))
            U, M, chunk = U[on], M[on], chunk[on]


def step_cost(n_rows, width, n_classes):
    """Approximate number of multiplications of a step of one walk.

    Parameters
    ----------
    n_rows, width : int
        Shape of the rows, with the column of the intercept.
    n_classes : int

    Returns
    -------
    float
    """
    n_columns = min(N_COLUMNS, n_classes)
    metric = 0.5 * n_columns**2 * n_measured(n_rows, width) * width**2
    # Small products run at a third of the speed of large ones. The ten passes over the margins are
    # limited by memory, so each entry costs as much as ten multiplications per pass.
    metric += (n_columns * width) ** 3 / 3
    return 3 * metric + n_rows * (n_columns * width + 100 * n_classes)


def _moved(U, columns, d):
    """The maps with a change, of shape (n_maps, n_features + 1, n_columns), of some columns."""
    U = U.copy()
    each = np.arange(len(U))[:, None]
    U[each, :, columns] += np.swapaxes(d, 1, 2)
    return U


def _uphill(completions, U, margins, rows, outcomes):
    """The columns to change, and the change that raises the outcomes most over their rivals."""
    each = np.arange(len(U))[:, None]
    scores = np.einsum("bd,bdk->bk", rows, U)
    lead = scores - scores[each, outcomes[:, None]]
    lead[each[:, 0], outcomes] = np.inf
    columns = np.argsort(-lead, axis=1)[:, :N_COLUMNS]  # the outcome comes first
    lead = lead[each, columns[:, 1:]]
    share = np.exp((lead - lead[:, :1]) / (0.3 * np.abs(lead[:, :1]) + 1e-200))
    weights = np.column_stack([np.ones(len(U)), -share / share.sum(axis=1, keepdims=True)])
    metric = completions.curvature(margins, columns)
    diagonal = np.arange(metric.shape[1])
    # Regularisation: the metric becomes invertible, and a step cannot be much longer than U.
    rounding = 1e-15 * np.trace(metric, axis1=1, axis2=2)
    metric[:, diagonal, diagonal] += (rounding + 1e-3 / np.mean(U**2, axis=(1, 2)))[:, None]
    gradient = weights[:, :, None] * rows[:, None, :]
    d = np.linalg.solve(metric, gradient.reshape(len(U), -1, 1)).reshape(gradient.shape)
    return columns, np.swapaxes(d, 1, 2)


def _reach(margins, change, U, d):
    """The distance along d at which a margin becomes 0, at most a thousand times the size of U."""
    longest = 1e3 * np.linalg.norm(U, axis=(1, 2)) / np.linalg.norm(d, axis=(1, 2))
    shrinkage = -np.min(change / margins, axis=(1, 2))
    return (1 / np.maximum(shrinkage, 1 / longest))[:, None, None]
