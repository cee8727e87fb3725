"""The loss between two solutions."""

from dataclasses import dataclass, field

import numpy as np

from ._alignment import aligned, check_whole, rise


@dataclass(frozen=True, eq=False)
class Barrier:
    """The loss along the straight line between two networks.

    Attributes
    ----------
    height : float
        The greatest rise of the loss above the straight line between the losses of both ends. It is
        0 if the loss is convex along the line, and at least 0.
    share : ndarray of shape (n_points,)
        Places on the line, from 0 for the first network to 1 for the second.
    loss, error : ndarray of shape (n_points,)
        The unpenalised mean loss, and the share of wrong labels or the mean absolute error.
    distance : float
        Euclidean distance between the parameters at both ends.
    ends : tuple of two estimators
        The networks at the ends, after balancing and matching.
    """

    height: float
    share: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    distance: float
    ends: tuple = field(repr=False)

    def __float__(self):
        return float(self.height)


def barrier(first, second, X, y, sample_weight=None, *, match=True, balance="trace", n_points=25):
    """How much the loss rises on the straight line between two fitted networks.

    Two networks may be one solution in different parameters. So both are first put at the flattest
    points of their orbits, and then the units of the second one in the order of those of the
    first. What rises then separates the functions, as far as the matching has found the best order.
    The height is an upper bound of the least over all orders (Entezari and others,
    arXiv:2110.06296; Ainsworth and others, arXiv:2209.04836).

    Parameters
    ----------
    first, second : fitted estimator
        Two networks of the same shape, ours or scikit-learn's, or Pipelines that end in one and
        transform ``X`` alike. They are not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows on which the loss is taken.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), default=None
    match : bool, default=True
        Whether to order the units, see `match_units`.
    balance : {'trace', 'norm', 'lambda_max'} or None, default='trace'
        The criterion of `flatten` for both networks. None leaves the scales of the units.
    n_points : int, default=25
        Number of points on the line, at least 2.

    Returns
    -------
    Barrier

    Raises
    ------
    TypeError
        If one of them is no fitted network.
    ValueError
        If the networks differ in shape, activation, loss or in what they see of ``X``, or a
        parameter makes no sense.

    Notes
    -----
    The first layer is computed once for all points, the others once for each.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import barrier, rescale
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> same = rescale(clf, 5.0)
    >>> scales_alone = barrier(clf, same, X, y, balance=None)
    >>> scales_alone.distance > 1, barrier(clf, same, X, y).distance < 1e-6
    (True, True)
    """
    check_whole("n_points", n_points, 2)
    ends, (here, there) = aligned(
        (first, second), X, y, sample_weight, match=match, balance=balance
    )
    way = there.w - here.w
    share = np.linspace(0, 1, n_points)
    loss, error = here.objective.along(here.w, [way], share)[:, 0]
    return Barrier(
        height=rise(share, loss),
        share=share,
        loss=loss,
        error=error,
        distance=float(np.linalg.norm(way.astype(float))),
        ends=tuple(ends),
    )
