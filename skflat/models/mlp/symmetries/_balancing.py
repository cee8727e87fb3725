"""Matrix balancing: the least sum of ``E_ij s_i^2 / s_j^2`` over positive scales ``s``.

With ``t = log s`` every term is the exponential of a linear function, so the sum is convex. Its
Hessian is ``4 (diag(in + out) - M - M')`` with ``M`` the scaled entries between units: four times
the Laplacian of a graph, grounded wherever a unit has entries from or to what is not scaled. So
the minimum is unique where every unit hangs on such a ground, and any minimum is global.

This is the classical balancing of a matrix (Osborne, 1960): at the minimum the entries into every
unit have the same sum as those out of it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_factor, cho_solve

SWEEPS, NEWTON_STEPS, HALVINGS = 30, 60, 40
TOLERANCE = 1e-10


@dataclass
class ScaledEntries:
    """The entries between layers of units that are scaled, and to and from what is not.

    Attributes
    ----------
    source : list of ndarray of shape (n_units,)
        For every layer: entries into each unit from what is not scaled.
    sink : list of ndarray of shape (n_units,)
        Entries out of each unit to what is not scaled.
    links : list of ndarray of shape (n_units, n_units_of_next_layer)
        Entries between neighbouring layers.
    """

    source: list
    sink: list
    links: list

    def start(self):
        """All scales 1, as their logarithms."""
        return [np.zeros(len(source)) for source in self.source]

    def scaled(self, t):
        """The chain at these logarithms of scales."""
        up, down = [np.exp(2 * each) for each in t], [np.exp(-2 * each) for each in t]
        return ScaledEntries(
            [a * b for a, b in zip(self.source, down, strict=True)],
            [a * b for a, b in zip(self.sink, up, strict=True)],
            [u[:, None] * E * d for u, E, d in zip(up, self.links, down[1:], strict=False)],
        )

    def flows(self):
        """Sums of the entries into and out of every unit, two lists by layer."""
        into, out = [each.copy() for each in self.source], [each.copy() for each in self.sink]
        for layer, E in enumerate(self.links):
            out[layer] += E.sum(axis=1)
            into[layer + 1] += E.sum(axis=0)
        return into, out

    def total(self):
        """The sum of all entries."""
        return float(sum(each.sum() for each in (*self.source, *self.sink, *self.links)))

    def part(self, free, t):
        """The chain of some of the units, all others held at ``t``.

        Parameters
        ----------
        free : list of ndarray of bool
        t : list of ndarray
        """
        source, sink, links = [], [], []
        for layer, chosen in enumerate(free):
            held_below = np.exp(2 * t[layer - 1][~free[layer - 1]]) if layer else None
            into, out = self.source[layer][chosen].copy(), self.sink[layer][chosen].copy()
            if layer:
                into += held_below @ self.links[layer - 1][np.ix_(~free[layer - 1], chosen)]
                links.append(self.links[layer - 1][np.ix_(free[layer - 1], chosen)])
            if layer < len(self.links):
                held_above = np.exp(-2 * t[layer + 1][~free[layer + 1]])
                out += self.links[layer][np.ix_(chosen, ~free[layer + 1])] @ held_above
            source.append(into)
            sink.append(out)
        return ScaledEntries(source, sink, links)


@dataclass
class Balanced:
    """Where balancing ended.

    Attributes
    ----------
    t : list of ndarray
        Logarithms of the scales. Those of units that are not to be balanced are 0.
    n_one_sided : int
        Units with entries into or out of them, but not both. The sum falls for ever as their
        scale goes to 0 or to infinity, so they are left as they are.
    imbalance : float
        The largest ``|out - in| / (out + in)`` of a balanced unit.
    n_sweeps, n_newton : int
        Cycles over the layers, and steps of Newton's method.
    """

    t: list
    n_one_sided: int
    imbalance: float
    n_sweeps: int
    n_newton: int

    @property
    def converged(self):
        """Whether every balanced unit is balanced."""
        return self.imbalance <= TOLERANCE


def balanced(chain, start=None, sweeps=SWEEPS):
    """The scales of the least sum: closed form in cycles, then Newton's method.

    Units without entries into them, or without entries out of them, keep their scale: the sum has
    no minimum over it, or does not depend on it.

    Parameters
    ----------
    chain : ScaledEntries
    start : list of ndarray, default=None
        Logarithms of the scales to begin with; all 0 by default.
    sweeps : int, default=30
        Most cycles before Newton's method takes over.

    Returns
    -------
    Balanced
    """
    flows = list(zip(*chain.flows(), strict=True))
    free = [(into > 0) & (out > 0) for into, out in flows]
    one_sided = sum(int(np.sum((into > 0) != (out > 0))) for into, out in flows)
    whole = chain.start()
    inner = chain.part(free, whole)
    t = inner.start() if start is None else [s[f] for s, f in zip(start, free, strict=True)]
    t, n_sweeps = osborne(inner, t, sweeps)
    t, n_newton = newton(inner, t)
    for place, chosen, found in zip(whole, free, t, strict=True):
        place[chosen] = found
    return Balanced(whole, one_sided, imbalance(inner.scaled(t)), n_sweeps, n_newton)


def imbalance(chain):
    """The largest ``|out - in| / (out + in)`` of all units."""
    into, out = (np.concatenate(each) if each else np.zeros(0) for each in chain.flows())
    return float(np.max(np.abs(out - into) / (out + into), initial=0.0))


def osborne(chain, t, most):
    """Cycles over the layers: the units of one do not touch each other, ``s^4 = in / out``."""
    t = [each.copy() for each in t]
    for sweep in range(most):
        if imbalance(chain.scaled(t)) <= TOLERANCE:
            return t, sweep
        for layer in range(len(t)):
            into, out = chain.source[layer].copy(), chain.sink[layer].copy()
            if layer:
                into += np.exp(2 * t[layer - 1]) @ chain.links[layer - 1]
            if layer < len(chain.links):
                out += chain.links[layer] @ np.exp(-2 * t[layer + 1])
            t[layer] = (np.log(into) - np.log(out)) / 4
    return t, most


def newton(chain, t):
    """Newton's method in the logarithms, which needs few steps where cycling is slow."""
    here = chain.scaled(t)
    for n_steps in range(NEWTON_STEPS):
        size = imbalance(here)
        if size <= TOLERANCE:
            return t, n_steps
        step, value = newton_step(here), here.total()
        for halving in range(HALVINGS):
            tried = [a + 0.5**halving * b for a, b in zip(t, step, strict=True)]
            there = chain.scaled(tried)
            # Close to the minimum rounding hides that the sum falls, but not that balance grows.
            if there.total() < value or imbalance(there) < size:
                break
        else:
            return t, n_steps
        t, here = tried, there
    return t, NEWTON_STEPS


def newton_step(chain):
    """Minus the inverse Hessian times the gradient, at scale 1.

    Only neighbouring layers touch, so the Hessian has blocks on three diagonals. They are
    eliminated layer by layer, after division of every row and column by the root of the diagonal:
    however different the units are, nothing is lost to rounding.
    """
    into, out = chain.flows()
    root = [np.sqrt(a + b) for a, b in zip(into, out, strict=True)]
    right = [(a - b) / r / 2 for a, b, r in zip(into, out, root, strict=True)]
    off = [-E / r[:, None] / s for E, (r, s) in zip(chain.links, pairwise(root), strict=True)]
    factors, right = _eliminated(off, right)
    for layer in range(len(right) - 1, -1, -1):
        if layer < len(off):
            right[layer] = right[layer] - off[layer] @ right[layer + 1]
        right[layer] = cho_solve(factors[layer], right[layer])
    return [a / r for a, r in zip(right, root, strict=True)]


def _eliminated(off, right):
    """Factors of the diagonal blocks after elimination of the layers below, and right sides."""
    factors = [cho_factor(np.eye(len(right[0])))]
    for layer, E in enumerate(off):
        block = np.eye(E.shape[1]) - E.T @ cho_solve(factors[layer], E)
        right[layer + 1] = right[layer + 1] - E.T @ cho_solve(factors[layer], right[layer])
        factors.append(cho_factor(block))
    return factors, right
