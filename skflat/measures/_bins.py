"""Which bins of a continuous target some reading can still give a probe."""

import numpy as np

from ._attainable import attainable, within

N_BINS = 10
# Tolerance, in the target's greatest value, that is nothing but rounding.
ROUNDING = 16 * np.finfo(float).eps


def open_bins(objective, w, features, probes, target, tolerance):
    """Share of the target's quantile bins that are open at every probe, the mean over outputs.

    Parameters
    ----------
    objective : Objective
    w : ndarray of shape (n_parameters,)
    features, probes : ndarray of shape (n, n_features)
        What is re-read, on the rows and at the probes.
    target : {'predictions', 'labels'}
        What a reading keeps to on the rows.
    tolerance : float
        How closely, in standard deviations of the target.
    """
    outputs = zip(objective.scores(w).T, objective.data.y.T.astype(float), strict=True)
    loss = objective.loss_function
    shares = [_of_output(loss, features, probes, *each, target, tolerance) for each in outputs]
    return np.mean(shares, axis=0)


def _of_output(loss, features, probes, F, y, target, tolerance):
    width = tolerance * y.std()
    if width <= ROUNDING * np.abs(y).max():  # a constant target, from which no reading may differ
        return np.full(len(probes), 1 / N_BINS)
    centre = y if target == "labels" else loss.predict(F.copy())
    band = loss.link(centre - width), loss.link(centre + width)
    inside = within(features, *band) if target == "labels" else F
    if inside is None:
        return np.zeros(len(probes))
    edges = loss.link(_edges(y))
    return _share_of_bins(edges, attainable(features, *band, inside, probes, edges=edges))


def open_bins_of_entries(objective, w, entries, tolerance):
    """Share of the bins that are open at every unseen entry of a matrix."""
    y = objective.data.y[:, 0].astype(float)
    width = tolerance * y.std()
    if width <= ROUNDING * np.abs(y).max():
        return np.full(len(entries), 1 / N_BINS)
    edges, shares = _edges(y), []
    for entry in entries:
        features, learned, goal, rest, intercept = objective.reading(w, entry)
        band = learned - width, learned + width
        ends = attainable(features, *band, learned, goal[None], intercept, edges - rest)
        shares.append(_share_of_bins(edges - rest, ends)[0])
    return np.array(shares)


def _edges(y):
    """What is between the quantile bins of a target; equal quantiles have no bin between them."""
    return np.unique(np.quantile(y, np.linspace(0, 1, N_BINS + 1)[1:-1]))


def _share_of_bins(edges, ends):
    """Share of the bins that every interval meets."""
    first, last = np.searchsorted(edges, ends).T
    return (last - first + 1) / (len(edges) + 1)
