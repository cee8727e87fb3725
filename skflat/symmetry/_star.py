"""Star-shapedness: a centre from which straight lines lead to all solutions."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ._alignment import aligned, check_whole, rise
from ._bend import NODES, mean_along, minimized
from ._parameters import with_parameters


@dataclass(frozen=True, eq=False)
class Star:
    """The loss on straight lines from a centre to several networks.

    Attributes
    ----------
    height : float
        The greatest of the heights.
    heights : ndarray of shape (n_estimators,)
        For every network the greatest rise of the loss on the way from the centre to it, above the
        straight line between the losses of both. They are at least 0.
    learnt : bool
        Whether the centre was learnt. If not, it is the mean of the aligned networks.
    share : ndarray of shape (n_points,)
        Places on the lines, from 0 for the centre to 1 for a network.
    loss, error : ndarray of shape (n_estimators, n_points)
        The unpenalised mean loss, and the share of wrong labels or the mean absolute error.
    center : fitted estimator
    ends : tuple of fitted estimator
        The networks after balancing and matching.
    """

    height: float
    heights: np.ndarray
    learnt: bool
    share: np.ndarray = field(repr=False)
    loss: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)
    center: object = field(repr=False)
    ends: tuple = field(repr=False)

    def __float__(self):
        return float(self.height)


def star(
    estimators,
    X,
    y,
    sample_weight=None,
    *,
    match=True,
    balance="trace",
    n_steps=50,
    n_points=25,
):
    """How much the loss rises between several solutions and the centre that sees them best.

    A set of solutions is star-shaped if straight lines lead from one of them, the centre, to all
    others without a rise of the loss, even if there is a barrier between any two of these (Annesi
    and others, arXiv:2305.10623). Two centres are tried: the mean of all networks, and the point
    that minimises the mean loss on the lines to all of them, learnt from that mean. The one with
    the lower greatest height is returned.

    Before, all networks are put at the flattest points of their orbits, and their units in the
    order of those of the first, as in `barrier`.

    Parameters
    ----------
    estimators : sequence of fitted estimator
        At least two networks of the same shape, ours or scikit-learn's, or Pipelines that end in
        one and transform ``X`` alike. They are not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows on which the centre is learnt and the loss is taken.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), default=None
    match : bool, default=True
        Whether to order the units, see `match_units`.
    balance : {'trace', 'norm', 'lambda_max'} or None, default='trace'
        The criterion of `flatten` for all networks. None leaves the scales of the units.
    n_steps : int, default=50
        Most steps of L-BFGS. Each costs seven gradients of all rows for every network, or a few
        more. 0 takes the mean as the centre.
    n_points : int, default=25
        Number of points on every line, at least 2.

    Returns
    -------
    Star
        The heights are upper bounds: there may be a better centre or order of the units.

    Raises
    ------
    TypeError
        If ``estimators`` is a single one, or one of them is no fitted network.
    ValueError
        As in `barrier`, or if there are fewer than two networks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import star
    >>> X, y = load_iris(return_X_y=True)
    >>> nets = [MLPClassifier((8,), max_iter=2000, random_state=k).fit(X, y) for k in range(3)]
    >>> star(nets, X, y).height <= star(nets, X, y, n_steps=0).height
    True
    """
    if hasattr(estimators, "fit") or not isinstance(estimators, Iterable):
        raise TypeError(f"estimators must be several fitted networks, not {estimators!r}.")
    estimators = list(estimators)
    if len(estimators) < 2:
        raise ValueError(f"estimators must be at least two networks, got {len(estimators)}.")
    check_whole("n_steps", n_steps, 0)
    check_whole("n_points", n_points, 2)
    ends, problems = aligned(estimators, X, y, sample_weight, match=match, balance=balance)
    objective, points = problems[0].objective, [each.w for each in problems]
    mean = np.mean(points, axis=0, dtype=float).astype(points[0].dtype)
    centers = [mean, learnt_center(objective, points, mean, n_steps)]
    share = np.linspace(0, 1, n_points)
    lines = [lines_from(objective, center, points, share) for center in centers]
    heights = np.array([[rise(share, loss) for loss in losses] for losses, _ in lines])
    best = int(np.argmin(heights.max(axis=1)))
    return Star(
        height=float(heights[best].max()),
        heights=heights[best],
        learnt=best == 1,
        share=share,
        loss=lines[best][0],
        error=lines[best][1],
        center=with_parameters(ends[0], centers[best]),
        ends=tuple(ends),
    )


def lines_from(objective, center, points, share):
    """Loss and error on the lines to all points, each of shape (n_points, n_share)."""
    return objective.along(center, [point - center for point in points], share)


def learnt_center(objective, points, start, n_steps):
    """The point with the least mean loss on the lines to all points."""

    def mean_loss(center):
        value, gradient = 0.0, np.zeros(len(center))
        for point in points:
            ways = (
                (((1 - t) * center + t * point).astype(point.dtype, copy=False), 1 - t)
                for t in NODES
            )
            value += mean_along(objective, ways, gradient)[0]
        return value / len(points), gradient / len(points)

    return minimized(mean_loss, start, n_steps)
