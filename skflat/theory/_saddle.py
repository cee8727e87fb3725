"""Saddle points of the order parameters, and branches of them that begin without patterns."""

import numpy as np
from scipy.optimize import root

TOLERANCE = 1e-9
MOST_CALLS = 150  # of a residual; where there is a root near by a fifth of it will do


class SaddlePointError(RuntimeError):
    """No saddle point was found where there should be one."""


def solve(residual, start, what):
    """Root of a small system (Powell's hybrid of Newton and gradient steps), checked.

    Raises `SaddlePointError` naming ``what`` if the residual does not vanish.
    """
    with np.errstate(all="ignore"):
        # A trial step may leave the domain; what counts is where the last one ends.
        found = root(residual, start, tol=1e-11, options={"maxfev": MOST_CALLS})
        miss = np.abs(residual(found.x)).max()
    if not miss < TOLERANCE:  # NaN is a miss
        raise SaddlePointError(f"No saddle point found for {what}: residual {miss:.1e}.")
    return found.x


def follow(solve_at, x, begin, end, n_halvings=7):
    """The root at ``end``, followed from the one at ``begin``, in steps as large as will do."""
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

    Its unknowns are conjugate parameters, most of them as logarithms. The overlaps follow from
    them, and so are always such as vectors can have; from the overlaps follows what the conjugates
    ought to be.
    """

    BEGIN = 0.01  # share of the patterns at which the branch is entered

    def first(self, alpha):
        """The unknowns to leading order, with the share ``BEGIN`` of the patterns."""
        raise NotImplementedError

    def at(self, x, alpha):
        """What the equations miss by, the entropy, and what else is of interest."""
        raise NotImplementedError

    def part(self, share):
        """The functional for a share of the patterns, where it depends on their number at all."""
        return self

    def unknowns(self, alpha):
        """Followed from few patterns to all of them."""

        def solve_at(share, x):
            part, load = self.part(share), share * alpha
            return solve(lambda x: part.at(x, load)[0], x, f"alpha={load:g}")

        return follow(solve_at, self.first(alpha), self.BEGIN, 1.0)

    def entropy(self, alpha):
        return self.at(self.unknowns(alpha), alpha)[1]

    def zero(self, start):
        """The unknowns and the logarithm of the load where the entropy is 0, from such near by."""

        def residual(x):
            missing, entropy, *_ = self.at(x[:-1], np.exp(x[-1]))
            return np.append(missing, entropy)

        return solve(residual, start, "a vanishing entropy")

    def zero_beyond(self, alpha):
        """The same, from a load below it."""
        return self.zero(np.append(self.unknowns(alpha), np.log(alpha)))
