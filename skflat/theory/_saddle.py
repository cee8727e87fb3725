"""Saddle points of the order parameters, and their continuation from zero load."""

import numpy as np
from scipy.optimize import root

TOLERANCE = 1e-9  # of the residual at an accepted root
MOST_CALLS = 150  # evaluations of a residual; near a root a fifth of them is enough


class SaddlePointError(RuntimeError):
    """No saddle point was found where there should be one."""


def solve(residual, start, what):
    """Root of a small system by Powell's hybrid method, with a check of the residual.

    Raises `SaddlePointError` naming ``what`` if the residual does not vanish.
    """
    with np.errstate(all="ignore"):
        # A trial step may leave the domain and give NaN. Only the final point is checked.
        found = root(residual, start, tol=1e-11, options={"maxfev": MOST_CALLS})
        miss = np.abs(residual(found.x)).max()
    if not miss < TOLERANCE:  # NaN is a miss
        raise SaddlePointError(f"No saddle point found for {what}: residual {miss:.1e}.")
    return found.x


def follow(solve_at, x, begin, end, n_halvings=7):
    """The root at ``end``, by continuation from the root at ``begin``.

    The first step is the whole way. A step that fails is halved, at most ``n_halvings`` times.
    """
    here, step = begin, end - begin
    smallest = abs(step) / 2**n_halvings
    while here != end:
        there = end if abs(end - here) <= abs(step) else here + step
        try:
            x, here = solve_at(there, x), there
        except SaddlePointError:
            step /= 2
            if abs(step) < smallest:
                raise
    return x


class Branch:
    """A functional of order parameters, as a function of the load ``alpha``.

    Its unknowns are conjugate parameters, most of them as logarithms. They determine the overlaps,
    which are therefore always possible for vectors. The overlaps determine new conjugates, and the
    residual is the difference to the old ones.
    """

    BEGIN = 0.01  # share of the patterns at which the branch starts

    def first(self, alpha):
        """The unknowns to leading order, with the share ``BEGIN`` of the patterns."""
        raise NotImplementedError

    def at(self, x, alpha):
        """Residuals of the equations, the entropy, and further results."""
        raise NotImplementedError

    def part(self, share):
        """The functional for a share of the patterns. Most do not depend on their number."""
        return self

    def unknowns(self, alpha):
        """The unknowns, by continuation from few patterns to all of them."""

        # The leading order at small load is known. So the result does not depend on a guess.
        def solve_at(share, x):
            part, load = self.part(share), share * alpha
            return solve(lambda x: part.at(x, load)[0], x, f"alpha={load:g}")

        return follow(solve_at, self.first(alpha), self.BEGIN, 1.0)

    def entropy(self, alpha):
        return self.at(self.unknowns(alpha), alpha)[1]

    def zero(self, start):
        """The unknowns and the logarithm of the load of zero entropy, from a start near by."""

        # The load is one more unknown and the zero entropy one more equation: no nested root
        # search.
        def residual(x):
            missing, entropy, *_ = self.at(x[:-1], np.exp(x[-1]))
            return np.append(missing, entropy)

        return solve(residual, start, "a vanishing entropy")

    def zero_beyond(self, alpha):
        """As `zero`, from a load below it."""
        return self.zero(np.append(self.unknowns(alpha), np.log(alpha)))
