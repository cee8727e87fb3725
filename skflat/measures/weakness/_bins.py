"""Which bins of a continuous target some reading can still give a probe."""

from typing import NamedTuple

import numpy as np

from ...objective import Entries
from ..feasibility import attainable, within
from ._pair_draw import n_affordable_probes

N_BINS = 10
# A tolerance below this share of the target's greatest value would be smaller than rounding errors.
ROUNDING = 16 * np.finfo(float).eps


class OpenBins(NamedTuple):
    """Shares of bins that are open.

    Attributes
    ----------
    shares : ndarray of shape (n_probes,)
        Share of each probe within the budget. An undecided bin counts as closed.
    n_bins : int
        Number of bins to decide, over all probes and outputs.
    n_undecided : int
        Number of undecided bins among them.
    """

    shares: np.ndarray
    n_bins: int
    n_undecided: int


def open_bins(objective, w, features, probes, target, tolerance, budget):
    """Share of the target's quantile bins that are open at every probe, the mean over outputs.

    Parameters
    ----------
    objective : Objective
    w : ndarray of shape (n_parameters,)
    features, probes : ndarray of shape (n, n_features)
        The features to re-read, on the rows and at the probes.
    target : {'predictions', 'labels'}
        The values that a reading must reproduce on the rows.
    tolerance : float
        The largest allowed difference from these values, in standard deviations of the target.
    budget : Budget

    Returns
    -------
    OpenBins
    """
    outputs = zip(objective.scores(w).T, objective.data.y.T.astype(float), strict=True)
    loss, n_outputs = objective.loss_function, objective.data.y.shape[1]
    probes = probes[: n_affordable_probes(features.shape, len(probes), budget.left / n_outputs)]
    if not len(probes):
        return OpenBins(np.array([]), 0, 0)
    found = [
        _of_output(loss, features, probes, *each, target, tolerance, budget) for each in outputs
    ]
    shares, n_bins, n_undecided = zip(*found, strict=True)
    return OpenBins(np.mean(shares, axis=0), len(probes) * sum(n_bins), sum(n_undecided))


def _of_output(loss, features, probes, F, y, target, tolerance, budget):
    """Shares of open bins at the probes, the number of bins, and of undecided pairs."""
    width = tolerance * y.std()
    if width <= ROUNDING * np.abs(y).max():  # a constant target, from which no reading may differ
        return np.full(len(probes), 1 / N_BINS), N_BINS, 0
    centre = y if target == "labels" else loss.predict(F.copy())
    band = loss.link(centre - width), loss.link(centre + width)
    # Bands and bins are compared in scores, where a reading is affine, and not in predictions.
    edges = loss.link(_edges(y))
    inside = within(features, *band) if target == "labels" else F
    if inside is None:
        return np.zeros(len(probes)), len(edges) + 1, 0
    return _counted(edges, *attainable(features, *band, inside, probes, edges=edges, budget=budget))


def open_bins_of_entries(objective, w, entries, tolerance, budget):
    """`OpenBins` at unseen entries of a matrix."""
    y = objective.data.y[:, 0].astype(float)
    width = tolerance * y.std()
    if width <= ROUNDING * np.abs(y).max():
        return OpenBins(np.full(len(entries), 1 / N_BINS), N_BINS * len(entries), 0)
    edges, found, matrix = _edges(y), [], objective.capability(Entries)
    for entry in entries:
        features, learned, goal, rest, intercept = matrix.reading(w, entry)
        if not n_affordable_probes(features.shape, 1, budget.left):
            break
        band = learned - width, learned + width
        ends = attainable(
            features, *band, learned, goal[None], intercept, edges - rest, budget=budget
        )
        found.append(_counted(edges - rest, *ends))
    if not found:
        return OpenBins(np.array([]), 0, 0)
    shares, n_bins, n_undecided = zip(*found, strict=True)
    return OpenBins(np.concatenate(shares), sum(n_bins), sum(n_undecided))


def _edges(y):
    """Edges between the quantile bins of a target. Equal quantiles have no bin between them."""
    return np.unique(np.quantile(y, np.linspace(0, 1, N_BINS + 1)[1:-1]))


def _counted(edges, ends, decided):
    """Share of the bins that every interval meets, their number, and how many are undecided."""
    # An interval meets consecutive bins, from the bin of its lower end to the bin of its upper end.
    first, last = np.searchsorted(edges, ends).T
    n_bins, n_open = len(edges) + 1, last - first + 1
    return n_open / n_bins, n_bins, int((n_bins - n_open)[~decided].sum())
