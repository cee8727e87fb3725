"""The share of all last layers that give every row its label, and the bound that it implies."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from .._measure import generator
from ..feasibility import Scaling, open_pairs

N_RUNS = 8  # independent estimates; their spread is the standard error
# Of every level half of the particles survive. They then take so many steps at random.
SURVIVE, N_MOVES = 0.5, 12
# A step goes so far at first, and its length adapts to this share of accepted steps.
FIRST_STEP, ACCEPTED = 0.5, 0.3
STALLED = 1e-12  # relative rise of a level; half of a volume in d dimensions is about 1 / d


class WeaknessBound(NamedTuple):
    """The result of `weakness_bound`.

    Attributes
    ----------
    value : float
        Bound on the error rate of a last layer drawn from the version space, in [0, 1].
    divergence : float
        ``-log(share)``, the divergence of the version space from the prior, in nats.
    stderr : float
        Standard error of the divergence.
    share : float
        Share of the last layers that give every row its label. It may underflow to 0.
    kind : {'exact', 'estimate'}
    """

    value: float
    divergence: float
    stderr: float
    share: float
    kind: str


def weakness_bound(
    features, labels, n_classes=None, *, delta=0.05, whiten_by=None, n_draws=200, random_state=0
):
    """A PAC-Bayes bound from the share of last layers that are consistent with the rows.

    The prior is a last layer with independent standard normal weights on whitened features and a
    constant. The posterior is the prior restricted to the version space, that is to the last layers
    that give every row its label strictly. Its divergence from the prior is ``-log(share)``
    (Bennett, arXiv:2605.05209: the weaker, the smaller the bound). With probability ``1 - delta``
    over ``n`` independent rows, a last layer drawn from the version space errs at a rate of at most
    ``1 - exp(-(divergence + log(2 sqrt(n) / delta)) / n)`` (Maurer, arXiv:cs/0411099).

    Parameters
    ----------
    features : array-like of shape (n_rows, n_features)
    labels : array-like of int of shape (n_rows,)
        Classes 0, 1, ...
    n_classes : int, default=None
        At least 2. None is the greatest label plus 1, or 2.
    delta : float, default=0.05
        Probability that the bound does not hold, in (0, 1).
    whiten_by : array-like of shape (n_others, n_features), default=None
        Rows whose second moments whiten the features. None takes the rows themselves.
    n_draws : int, default=200
        Particles of each of 8 runs of the estimate, at least 10.
    random_state : int, RandomState instance or None, default=0

    Returns
    -------
    WeaknessBound
        If no last layer is consistent, the bound is 1 and the divergence is infinite. If the
        version space is so thin that a run of the estimate does not get there, this is so, too,
        with the kind ``'estimate'``. More draws may get there.

    Notes
    -----
    It is a bound for features and whitening that do not depend on the rows, for example of a
    network that was trained on others, with ``whiten_by`` of others. On the rows that the network
    was trained on it is a number to compare networks by, and no bound.

    With two classes and one feature the version space is an arc of a circle, and the share is
    exact. Otherwise it is an estimate by subset simulation: half of the particles with the greatest
    least margins survive, copies of them take steps that keep the prior, and so on, until half of
    them are in the version space. A nat costs about ``140 n_draws`` passes of all rows through a
    last layer.

    The share is invariant under invertible affine maps of the features.

    Examples
    --------
    A threshold between two points on a line. Of all directions of (slope, constant), a quarter is
    consistent:

    >>> from skflat.measures import weakness_bound
    >>> found = weakness_bound([[-1.0], [1.0]], [0, 1])
    >>> round(found.share, 12), found.kind
    (0.25, 'exact')
    """
    if not (isinstance(delta, Real) and 0 < delta < 1):
        raise ValueError(f"delta must be between 0 and 1, got {delta!r}.")
    if not (isinstance(n_draws, Integral) and n_draws >= 10):
        raise ValueError(f"n_draws must be an integer >= 10, got {n_draws!r}.")
    features, labels = np.asarray(features, dtype=float), np.asarray(labels)
    whiten_by = features if whiten_by is None else np.asarray(whiten_by, dtype=float)
    pairs = open_pairs(features, labels, features[:1], n_classes)
    if whiten_by.shape[1:] != features.shape[1:] or not np.isfinite(whiten_by).all():
        raise ValueError(
            "whiten_by must be finite, with as many columns as features, got shapes "
            f"{whiten_by.shape} and {features.shape}."
        )
    if not pairs.is_open.any():
        return WeaknessBound(1.0, np.inf, 0.0, 0.0, "exact")
    rows = Scaling(whiten_by)(features)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    n_classes, kind, errors = pairs.is_open.shape[1], "exact", [0.0]
    if (n_classes, rows.shape[1]) == (2, 2):
        logs = [np.log(_arc(rows * np.where(labels == 1, 1, -1)[:, None]))]
    else:
        rngs, kind = generator(random_state).spawn(N_RUNS), "estimate"
        logs = [_log_share(rows, labels, n_classes, n_draws, rng) for rng in rngs]
        errors = logs
    if not np.isfinite(logs).all():
        return WeaknessBound(1.0, np.inf, 0.0, 0.0, kind)
    divergence, stderr = -np.mean(logs), np.std(errors) / np.sqrt(max(1, len(logs) - 1))
    exponent = (divergence + np.log(2 * np.sqrt(len(rows)) / delta)) / len(rows)
    shown = float(-np.expm1(-exponent)), float(divergence), float(stderr)
    return WeaknessBound(*shown, float(np.exp(-divergence)), kind)


def _arc(vectors):
    """Share of the directions of the plane that have a positive product with all vectors."""
    first = vectors[0]
    turned = np.array([-first[1], first[0]])
    angles = np.arctan2(vectors @ turned, vectors @ first)
    return (np.pi - np.ptp(angles)) / (2 * np.pi)


def _log_share(rows, labels, n_classes, n_draws, rng):
    """One estimate of the logarithm of the version space's share, by subset simulation.

    It is minus infinity if the levels converge before half of the particles are there.
    """
    maps = rng.normal(size=(n_draws, rows.shape[1], n_classes))
    margins, log_share, step = _least_margins(maps, rows, labels), 0.0, FIRST_STEP
    n_kept, before = int(SURVIVE * n_draws), -np.inf
    while np.count_nonzero(margins > 0) < n_kept:
        order = np.argsort(-margins)
        level = margins[order[n_kept - 1 : n_kept + 1]].mean()
        # On the way to a thin version space the steps can become too short to lead anywhere. The
        # levels would then rise for ever, by less and less.
        if level <= before * (1 - STALLED):
            return -np.inf
        before = level
        log_share += np.log(n_kept / n_draws)
        copies = np.resize(order[:n_kept], n_draws)
        maps, margins = maps[copies], margins[copies]
        for _ in range(N_MOVES):
            moved = np.sqrt(1 - step**2) * maps + step * rng.normal(size=maps.shape)
            found = _least_margins(moved, rows, labels)
            accepted = found > level
            maps[accepted], margins[accepted] = moved[accepted], found[accepted]
            step = min(0.99, step * np.exp(accepted.mean() - ACCEPTED))
    return log_share + np.log(np.mean(margins > 0))


def _least_margins(maps, rows, labels):
    """Least margin of every map of length 1, over all rows and rivals."""
    scores = rows @ maps
    own = np.take_along_axis(scores, labels[None, :, None], axis=2)[..., 0]
    np.put_along_axis(scores, labels[None, :, None], -np.inf, axis=2)
    return (own - scores.max(axis=2)).min(axis=1) / np.linalg.norm(maps, axis=(1, 2))
