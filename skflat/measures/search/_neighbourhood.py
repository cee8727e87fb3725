"""The loss around a point, in coordinates in which the chosen norm is the Euclidean one."""

from numbers import Integral, Real

import numpy as np

from ..._compat import Interval, StrOptions
from ...objective import NORMS, norm_weights
from ..curvature import HessianProduct, eigenpairs

SEARCH_CONSTRAINTS = {
    "norm": [StrOptions(set(NORMS))],
    "n_starts": [Interval(Integral, 0, None, closed="left")],
    "n_refined": [Interval(Integral, 1, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
}


class Neighbourhood:
    """The change of an objective at displacements ``h = t v`` from ``w``, as a function of ``v``.

    Attributes
    ----------
    origin : float
        The loss at ``w``.
    size : float
        Rough distance of the point itself from 0, in these coordinates.
    n_evals : int
        Passes over the rows so far.
    """

    def __init__(self, problem, norm):
        self.problem, self.objective, self.w = problem, problem.objective, problem.w
        self.t = norm_weights(norm, self.w, self.objective.layout.parts)
        self.size = 1.0 if self.t is not None else float(np.linalg.norm(self.w))
        self.n_evals, self.origin = 1, problem.loss

    def change(self, v):
        """Change of the loss. If the loss overflows, it is the largest float."""
        self.n_evals += 1
        with np.errstate(over="ignore", invalid="ignore"):
            change = self.objective.loss(self._moved(v)) - self.origin
        return change if np.isfinite(change) else np.finfo(float).max

    def slope(self, v):
        """Change of the loss, and its gradient in ``v``."""
        self.n_evals += 1
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradient = self.objective.loss_gradient(self._moved(v))
        return loss - self.origin, self._scaled(gradient)

    def row_error(self, v):
        """Standard error of the change due to the sampling of rows."""
        if not self.problem.sampled:
            return 0.0
        self.n_evals += 2
        # The difference of every row, because its two losses vary together over the rows.
        change = self.objective.per_sample_loss(self._moved(v))
        return self.problem.row_error(change - self.objective.per_sample_loss(self.w))

    def mean_change(self, v, batch):
        """Change of the loss on some of the rows."""
        return self.objective.loss(self._moved(v), batch) - self.objective.loss(self.w, batch)

    def starts(self, n_random, rng, downhill=True, n_curved=1):
        """Unit directions: the gradient, both signs of the largest curvatures, and random ones."""
        _, gradient = self.slope(np.zeros_like(self.w))
        curved = [self.curved(rng)] if n_curved == 1 else self._eigenvectors(n_curved, rng)
        directions = [gradient, *curved, *(-each for each in curved)]
        directions += [-gradient] if downhill else []
        directions += [self._random(rng) for _ in range(n_random)]
        units = [unit(direction) for direction in directions]
        return [each for each in units if each is not None]

    def steepest(self, rng):
        """The unit direction of the gradient. If that is zero, a direction of large curvature."""
        direction = unit(self.slope(np.zeros_like(self.w))[1])
        return self.curved(rng) if direction is None else direction

    def curved(self, rng, n_products=6):
        """An approximate direction of largest curvature, by the power method."""
        # Six products are enough for a start; the search refines the direction.
        direction, product = self._random(rng), HessianProduct(self.problem, self.t)
        for _ in range(n_products):
            turned = unit(product(direction))
            if turned is None:
                break
            direction = turned.astype(self.w.dtype, copy=False)
        self.n_evals += 2 * product.n_products
        return direction

    def _eigenvectors(self, k, rng):
        """Approximate eigenvectors of the ``k`` largest curvatures."""
        product = HessianProduct(self.problem, self.t)
        _, vectors, _ = eigenpairs(product, k, "largest", 0.05, None, rng)
        self.n_evals += 2 * product.n_products
        return list(vectors.T.astype(self.w.dtype, copy=False))

    def _random(self, rng):
        v = rng.standard_normal(len(self.w)).astype(self.w.dtype)
        if self.t is not None:
            v[self.t == 0] = 0  # these parameters do not move
        return v / (np.linalg.norm(v) or 1.0)

    def _moved(self, v):
        return (self.w + self._scaled(v)).astype(self.w.dtype, copy=False)

    def _scaled(self, v):
        return v if self.t is None else self.t * v


def unit(vector):
    """The vector scaled to norm 1, or None if it is 0 or not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.linalg.norm(vector))
    return vector / size if np.isfinite(size) and size > 0 else None
