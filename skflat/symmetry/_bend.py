"""The loss between two solutions along a learnt bend."""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from ._alignment import aligned, check_whole, rise
from ._barrier import Barrier
from ._parameters import with_parameters

#: Places at which the expected loss along a way is taken: nodes and weights of Gauss and Legendre.
NODES, WEIGHTS = (each / 2 for each in np.polynomial.legendre.leggauss(7))
NODES = NODES + 0.5


@dataclass(frozen=True, eq=False)
class Bend(Barrier):
    """The loss along a learnt bend between two networks.

    Attributes
    ----------
    height : float
        The greatest rise of the loss above the straight line between the losses of both ends.
    share : ndarray of shape (n_points,)
        Places on the bend, from 0 for the first network to 1 for the second.
    loss, error : ndarray of shape (n_points,)
        The unpenalised mean loss, and the share of wrong labels or the mean absolute error.
    distance : float
        Euclidean distance between the parameters at both ends.
    ends : tuple of two estimators
        The networks at the ends, after balancing and matching.
    straight : float
        The height of the straight line between the same ends.
    middle : fitted estimator
        The control point, which the bend does not reach: half of the bend's middle is it, and a
        quarter each of the ends.
    """

    straight: float
    middle: object = field(repr=False)


def bend(
    first,
    second,
    X,
    y,
    sample_weight=None,
    *,
    match=True,
    balance="trace",
    n_steps=50,
    n_points=25,
):
    """How much the loss rises on a learnt bend between two fitted networks.

    Two solutions with a barrier on the straight line may lie in one bent valley. With the networks
    ``u`` and ``v`` at the ends and a control point ``c`` the bend is the parabola ``(1 - t)^2 u + 2
    t (1 - t) c + t^2 v`` (a Bezier curve). The control point minimises the mean loss along it, for
    ``t`` uniform in [0, 1] (Garipov and others, arXiv:1802.10026). It begins in the middle of the
    straight line. If the learnt bend is higher at its peak, the line is returned.

    Before, both networks are put at the flattest points of their orbits, and the units of the
    second in the order of those of the first, as in `barrier`.

    Parameters
    ----------
    first, second : fitted estimator
        Two networks of the same shape, ours or scikit-learn's, or Pipelines that end in one and
        transform ``X`` alike. They are not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows on which the bend is learnt and the loss is taken.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), default=None
    match : bool, default=True
        Whether to order the units, see `match_units`.
    balance : {'trace', 'norm', 'lambda_max'} or None, default='trace'
        The criterion of `flatten` for both networks. None leaves the scales of the units.
    n_steps : int, default=50
        Most steps of L-BFGS, at least 0. Each costs seven gradients of all rows, or a few more.
    n_points : int, default=25
        Number of points on the bend, at least 2.

    Returns
    -------
    Bend
        The ends are exactly the aligned networks. The height is an upper bound of the least over
        all bends.

    Raises
    ------
    TypeError
        If one of them is no fitted network.
    ValueError
        As in `barrier`, or if ``n_steps`` is no integer of at least 0.

    Notes
    -----
    The mean along the bend is a Gauss-Legendre sum of seven places, so nothing is drawn at random.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import bend
    >>> X, y = load_iris(return_X_y=True)
    >>> one, two = (
    ...     MLPClassifier((8,), max_iter=2000, random_state=seed).fit(X, y) for seed in range(2)
    ... )
    >>> found = bend(one, two, X, y)
    >>> found.height < found.straight
    True
    """
    check_whole("n_steps", n_steps, 0)
    check_whole("n_points", n_points, 2)
    ends, (here, there) = aligned(
        (first, second), X, y, sample_weight, match=match, balance=balance
    )
    objective, u, v = here.objective, here.w, there.w
    share = np.linspace(0, 1, n_points)
    line = objective.along(u, [v - u], share)[:, 0]
    control = learnt_control(objective, u, v, n_steps)
    curve = np.transpose([_at(objective, parabola(u, control, v, t)) for t in share])
    if rise(share, curve[0]) > rise(share, line[0]):  # a lower mean may hide a higher peak
        control, curve = (u + v) / 2, line
    loss, error = curve
    return Bend(
        height=rise(share, loss),
        share=share,
        loss=loss,
        error=error,
        distance=float(np.linalg.norm((v - u).astype(float))),
        ends=tuple(ends),
        straight=rise(share, line[0]),
        middle=with_parameters(ends[0], control),
    )


def parabola(u, control, v, t):
    """The point at ``t`` of the curve from ``u`` to ``v``."""
    point = (1 - t) ** 2 * u + 2 * t * (1 - t) * control + t**2 * v
    return point.astype(u.dtype, copy=False)


def learnt_control(objective, u, v, n_steps):
    """The control point of the parabola of least mean loss."""

    def mean_loss(control):
        ways = ((parabola(u, control, v, t), 2 * t * (1 - t)) for t in NODES)
        return mean_along(objective, ways, np.zeros(len(control)))

    return minimized(mean_loss, (u + v) / 2, n_steps)


def mean_along(objective, ways, gradient):
    """Mean loss at the `NODES` of a way, and its gradient in what moves the way, added up.

    Parameters
    ----------
    objective : Objective
    ways : iterable of (ndarray of shape (n_parameters,), float)
        The point at every node, and its derivative in what moves the way.
    gradient : ndarray of float64 of shape (n_parameters,)
        The gradient is added to it.
    """
    value = 0.0
    for (point, slope), weight in zip(ways, WEIGHTS, strict=True):
        loss, here = objective.loss_gradient(point)
        value += weight * loss
        gradient += weight * slope * here
    return value, gradient


def minimized(function, start, n_steps):
    """Where L-BFGS ends on a function with its gradient, in the dtype of the start."""
    if n_steps == 0:
        return start
    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(
            function, start.astype(float), method="L-BFGS-B", jac=True, options={"maxiter": n_steps}
        )
    return found.x.astype(start.dtype, copy=False)


def _at(objective, w):
    """Loss and error at a point."""
    return objective.along(w, [np.zeros_like(w)], [0.0])[:, 0, 0]
