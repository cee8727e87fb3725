"""Gradient descent with the entropy of the last hidden layer's activation pattern as a bonus."""

import numpy as np

from .._compat import StrOptions
from ..objective import HiddenUnits, cache_slices
from ._gradient import Based

# Pairs of rows are taken among so many rows at a time.
CHUNK = 512


class PatternEntropy(Based):
    """Minimises ``loss - rho * entropy`` of the activation pattern of the last hidden layer.

    The pattern of a row says which units are on, that is which pre-activations are positive.
    The idea is that a network whose rows have many different patterns leaves more open (weakness:
    Bennett, arXiv:2605.05209). The solver does not maximise weakness itself. In
    ``benchmarks/entropy_and_selection.py`` it gains test accuracy on MNIST and Fashion-MNIST and
    does not change weakness.

    Let ``r = tanh(z / 2)`` for the pre-activations ``z``. It is the mean of a bit in {-1, 1} that
    is 1 with probability ``sigmoid(z)``. The expected number of bits in which two rows differ is
    ``d = (n_units - r @ r') / 2``. The entropy is ``-log(mean(exp(-d)))`` over all pairs of
    different rows of the batch, in nats. If all units are far from 0, it is the collision entropy
    (Renyi's, of order 2) of the patterns, where two patterns that differ in ``d`` bits count as
    equal with weight ``exp(-d)`` (Leinster and Cobbold, 2012). It is at least 0 and at most the
    number of units.

    ``rho`` is the weight of the bonus, in units of the loss per nat. It is no radius, and 0 is the
    base solver. Useful values are 0.001 to 0.03. ``"auto"`` is 0.01, ours. With Adam, small values
    act, too: the loss has no slope in a relu unit that is off on all rows, so Adam follows the
    bonus alone, with steps of full size, until the unit is on again.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.

    Notes
    -----
    A step costs two gradients, and ``n_rows**2 * n_units`` multiplications for the pairs of a
    batch. Batches of more than 512 rows are taken in parts, and the entropy is the mean over these.
    Weights of the rows weigh the pairs. A row given twice is not a row of weight 2, because the two
    make a pair. The losses recorded do not include the bonus.

    In ``benchmarks/entropy_and_selection.py`` (networks 784-64-8-10 that learn 250 images) test
    accuracy is higher than Adam's by 0.9 +- 0.3 points at an equal number of gradients. Weakness
    is the same.

    The entropy is invariant under permutations of the units, and under a change of sign of all
    pre-activations of a unit. It is not invariant under rescaling of the layers of a relu network,
    because larger pre-activations make sharper bits.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import PatternEntropy
    >>> FlatMLPClassifier(solver=PatternEntropy(base="sgd"), rho=0.02).solver
    PatternEntropy(base='sgd')
    """

    default_rho = 0.01
    auto_goes_by_size = False  # ``rho`` is a weight of the bonus and not a radius in the parameters
    requires = (HiddenUnits,)
    _parameter_constraints: dict = {"base": [StrOptions({"adam", "sgd"})]}

    def __init__(self, base="adam"):
        self.base = base

    def direction(self, objective, w, batch, state):
        loss, out = super().direction(objective, w, batch, state)
        slope = state.scratch("slope of the entropy", w)
        units = objective.capability(HiddenUnits)
        units.gradient(pattern_entropy, w, batch, slope, state.work)
        slope *= -state.settings.rho
        for block in cache_slices(out):
            out[block] += slope[block]
        return loss, out


def pattern_entropy(z, batch):
    """The entropy of `PatternEntropy`, and its slopes in the pre-activations.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_units)
    batch : Batch
        Its weights weigh the rows.

    Returns
    -------
    entropy : float
        In nats; 0 for a single row.
    slopes : ndarray of shape (n_rows, n_units)
    """
    weight = np.ones(len(z), z.dtype) if batch.weight is None else batch.weight.astype(z.dtype)
    slopes, total = np.zeros_like(z), weight.sum()
    entropy = 0.0
    for first in range(0, len(z), CHUNK):
        rows = slice(first, first + CHUNK)
        share = weight[rows].sum() / total if total > 0 else 0.0
        value, slope = _of_pairs(z[rows], weight[rows])
        entropy += share * value
        slopes[rows] = share * slope
    return float(entropy), slopes


def _of_pairs(z, weight):
    """Entropy and slopes of some rows, over all of their pairs."""
    weights = np.outer(weight, weight)
    np.fill_diagonal(weights, 0)
    n_pairs = weights.sum()
    if n_pairs == 0:  # a single row
        return 0.0, np.zeros_like(z)
    r = np.tanh(z / 2)
    minus_d = (r @ r.T - z.shape[1]) / 2
    nearest = minus_d[weights > 0].max()  # or all pairs of a wide layer might underflow
    pairs = np.exp(minus_d - nearest, where=weights > 0, out=np.zeros_like(weights)) * weights
    total = pairs.sum()
    pairs /= total
    return np.log(n_pairs / total) - nearest, (pairs @ r) * (r * r - 1) / 2
