"""Gradient descent on the means of stochastic weights."""

import numpy as np

from ._amp import Products, inverse_mills
from ._binary_solver import POSITIVE, BinarySolver
from ._real_threshold import RealThreshold


class MeanField(BinarySolver):
    """Independent random weights whose means maximise the probability of satisfying every row.

    With means ``m = tanh(theta)`` the field of a row is approximately normal. ``theta`` follows the
    natural gradient of the sum of the log-probabilities, on all rows at once. Newton's method moves
    a free threshold.

    An iteration costs two products with the matrix of patterns if all entries are -1 or +1, and
    four otherwise.

    Parameters
    ----------
    rate : float, default=1.0
        Step size.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import MeanField
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 60, 201)))
    >>> MeanField().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {"rate": [POSITIVE]}

    max_iter = 3000
    interval = 5
    real_threshold = together = True

    def __init__(self, rate=1.0):
        self.rate = rate

    def candidates(self, patterns, rng):
        products, n = Products(patterns), patterns.shape[1]
        offset = (np.ravel(patterns.offset) - patterns.bar).astype(products.dtype)
        theta = patterns.repeated((1e-2 * rng.standard_normal(n)).astype(products.dtype))
        threshold = RealThreshold(patterns)
        step = self.rate * np.sqrt(n) / patterns.n_rows
        while True:
            m = np.tanh(theta)
            # Central limit theorem: a row's field is normal with mean M and variance V. At the end
            # of a search V tends to 0.
            V = np.maximum(products.variances(m), np.finfo(products.dtype).eps * n)
            sd = np.sqrt(V)
            M = products.rows(m) + offset
            threshold.add_to(M)
            g = inverse_mills(-M / sd) / sd
            pull, bend = patterns.weighted(g), patterns.weighted(g * M / V)
            theta += step * (products.columns(pull) + m * products.column_squares(bend))
            threshold.move(g, g * (M / V + g))
            yield theta
