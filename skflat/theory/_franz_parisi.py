"""Local entropy around typical solutions of a margin: the potential of Franz and Parisi."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ._checks import check_real, check_reals
from ._machines import standardized
from ._normal import crowded_grid, hazard, log_2cosh, log_tail, normal_grid
from ._saddle import follow, solve
from ._storage import max_margin, typical_solutions

GRID = normal_grid(8, 81)
# A finer grid: at a large margin the fields of the reference are large, and tanh(field) is steep.
REFERENCE = normal_grid(8, 241)
MARGINS = (-1.0, 3.0)
EDGE = 1e-6  # relative distance from the top of the curve, if the saddle is degenerate there
BREAK_UP = (0.002, 0.02)  # distances between which the curve first stops rising
NEAR_THRESHOLD = (0.72, 0.74)  # bracket of the root, for Brent's method


@dataclass(frozen=True)
class LocalEntropyCurve:
    """The number of solutions around a reference solution, over the distance.

    Attributes
    ----------
    distance : ndarray
        Share of weights that differ from the reference.
    entropy : ndarray
        Log-number of solutions at that distance, per weight. If it is negative, there are none.
    slope : ndarray
        Derivative of the entropy by the distance.
    """

    distance: np.ndarray
    entropy: np.ndarray
    slope: np.ndarray


def franz_parisi(alpha, distance, reference_margin=0.0, margin=0.0):
    """Local entropy: the number of solutions around a typical solution of some margin.

    The reference is drawn from all binary weights that store the patterns with margin
    ``reference_margin``. The entropy counts the weights that store them with ``margin``, at each
    distance. Dense regions form around solutions of high margin (arXiv:2107.01163). The method is
    the Franz-Parisi potential, replica symmetric for reference and solutions.

    Parameters
    ----------
    alpha : float
        Patterns per weight, at most `capacity` of ``reference_margin``.
    distance : float or array-like
        Share of weights that differ from the reference, in (0, 0.5).
    reference_margin : float, default=0.0
        Margin of the reference, in [``margin``, 3]. `max_margin` gives the largest possible one.
    margin : float, default=0.0
        Margin of the solutions that are counted, in [-1, 3].

    Returns
    -------
    local : LocalEntropyCurve
        Distances, entropies and slopes, in the shape of ``distance``. They are accurate to 1e-7 and
        take 20 ms for each distance.

    Raises
    ------
    SaddlePointError
        If the solution of the equations at the typical distance cannot be continued to a distance.
        This happens very close to isolated references, for example at ``distance < 0.007`` for
        ``alpha = 0.8``.

    Examples
    --------
    A typical solution is isolated. A solution of large margin has neighbours at every distance:

    >>> from skflat.theory import franz_parisi
    >>> franz_parisi(0.7, [0.01, 0.1]).entropy.round(4)
    array([-0.0275,  0.0641])
    >>> franz_parisi(0.7, [0.01, 0.1], reference_margin=0.13).entropy.round(4)
    array([0.0195, 0.0886])
    """
    margin = check_real("margin", margin, *MARGINS)
    reference_margin = check_real("reference_margin", reference_margin, margin, MARGINS[1])
    d = check_reals("distance", distance, 0, 0.5)
    entropy, slope = _FranzParisi(alpha, reference_margin, margin).curve(d.ravel())
    return LocalEntropyCurve(d, entropy.reshape(d.shape), slope.reshape(d.shape))


@functools.cache
def flat_minima_threshold():
    """Load up to which the local entropy around solutions of largest margin rises with distance.

    Above this load, the curve of `franz_parisi` with ``reference_margin=max_margin(alpha)`` falls
    between two small distances: even around these solutions the dense region begins to break up.
    The criterion follows arXiv:2107.01163. The number is computed, not quoted.

    Returns
    -------
    alpha : float
        Accurate to 1e-5, in 3 s.

    Examples
    --------
    >>> from skflat.theory import flat_minima_threshold
    >>> round(flat_minima_threshold(), 3)
    0.729
    """

    def least_slope(alpha):
        potential = _FranzParisi(alpha, max_margin(alpha), 0.0)
        found = minimize_scalar(
            lambda d: potential.curve([d])[1][0],
            bounds=BREAK_UP,
            method="bounded",
            options={"xatol": 1e-4},
        )
        return found.fun

    return brentq(least_slope, *NEAR_THRESHOLD, xtol=2e-6)


class _FranzParisi:
    """Solutions of margin ``margin`` at overlap ``p`` with a typical solution of margin ``kt``.

    The unknowns are ``qh - th^2 / qht``, ``th`` and ``ph``. They determine three overlaps: ``q`` of
    two of the solutions, ``t`` with other references and ``p`` with the own reference. The overlaps
    determine new conjugates.
    """

    def __init__(self, alpha, kt, margin):
        self.alpha, self.kt, self.margin = alpha, kt, margin
        reference = typical_solutions(alpha, kt)
        self.qt, self.qht = reference.overlap, reference.conjugate

    def curve(self, distances):
        """Entropy and slope, computed from the typical distance inwards and outwards."""
        x_top, d_top = self._top
        entropy, slope = np.empty((2, len(distances)))
        order = np.argsort(distances)
        inwards = [i for i in order[::-1] if distances[i] <= d_top]
        outwards = [i for i in order if distances[i] > d_top]
        for way in (inwards, outwards):
            x, here = x_top, np.log(d_top)
            for i in way:
                # Continuation in the logarithm: steps become smaller as the distance does.
                x, here = follow(self._solve, x, here, np.log(distances[i])), np.log(distances[i])
                _, _, entropy[i], slope[i] = self._at(x)
        return entropy, slope

    @functools.cached_property
    def _top(self):
        """The maximum of the curve, at the typical distance: ``ph = th`` and ``p = t``."""
        qh = typical_solutions(self.alpha, self.margin).conjugate

        def unknowns(th):
            return np.array([qh - th**2 / self.qht, th, th])

        if self.kt == self.margin:
            x = unknowns(qh * (1 - EDGE))
        else:
            th = brentq(lambda th: self._at(unknowns(th))[0][1], EDGE, np.sqrt(qh * self.qht))
            x = unknowns(th)
        return x, (1 - self._at(x)[1]) / 2

    def _solve(self, log_distance, x):
        distance = np.exp(log_distance)

        def residual(x):
            missing, p, *_ = self._at(x)
            return np.append(missing, p - (1 - 2 * distance))

        return solve(residual, x, f"solutions at distance {distance:g}")

    def _at(self, x):
        """Residuals of the equations for ``qh`` and ``th``; overlap, entropy and slope."""
        # ``free`` is the part of the conjugate that is not due to the reference; it is not
        # negative.
        free, th, ph = x
        qh = free + th**2 / self.qht
        log_sum, q, t, p = self._weights(max(free, 0.0), th, ph)
        energy, pull, pull_reference, pull_own = self._stabilities(q, t, p)
        missing = np.array([self.alpha * pull - qh, self.alpha * pull_reference - th])
        entropy = log_sum - qh * (1 - q) / 2 + t * th - p * ph + self.alpha * energy
        return missing, p, entropy, 2 * (ph - self.alpha * pull_own)

    def _weights(self, free, th, ph):
        """The mean of ``ln 2cosh`` of the fields, and ``q``, ``t``, ``p``.

        By symmetry the reference weight can be set to +1. Its field then has the density
        ``exp(field) / (2 cosh(field))`` times twice the normal one.
        """
        (x, dx), (z, dz) = REFERENCE, GRID
        reference = np.sqrt(self.qht) * x
        weights = 2 * dx / (1 + np.exp(-2 * reference))
        fields = np.sqrt(free) * z + (th / self.qht * reference + ph - th)[:, None]
        w = np.tanh(fields)
        mean = w @ dz
        return (
            weights @ (log_2cosh(fields) @ dz),
            weights @ (w**2 @ dz),
            weights @ (mean * np.tanh(reference)),
            weights @ mean,
        )

    def _stabilities(self, q, t, p):
        """The energetic term and its slopes. For ``alpha = 1`` they should be ``qh`` and ``th``.

        The stability of the reference is ``sqrt(qt) x + sqrt(1 - qt) xi`` with ``xi > eta``. The
        field ``s`` that the solutions share has the correlation ``c`` with ``xi``.
        """
        x, dx = GRID
        eta = standardized(self.kt, self.qt, x)
        spread = np.sqrt(q - t**2 / self.qt)
        c = (p - t) / np.sqrt(1 - self.qt) / spread
        width = np.sqrt(1 - c**2)

        def pulled(s):
            """``ln H`` and ``G / H`` if the common field is ``s``."""
            mean = (t / np.sqrt(self.qt) * x)[:, None] + spread * s
            lacking = (self.margin - mean) / np.sqrt(1 - q)
            return log_tail(lacking), hazard(lacking) / np.sqrt(1 - q)

        # As p goes to 1, the weight of s becomes a step at ``c eta``. The nodes are dense there.
        s, ds = crowded_grid(c * eta, width)
        log_share = log_tail((eta[:, None] - c * s) / width) - log_tail(eta)[:, None]
        weights = dx[:, None] * ds * np.exp(log_share - s**2 / 2)
        log_H, pull = pulled(s)
        # The boundary term: the derivative in p comes from references exactly at their margin.
        just = pulled(c * eta[:, None] + width * x)[1] @ dx
        edge = hazard(eta) / np.sqrt(1 - self.qt)
        return (
            np.sum(weights * log_H),
            np.sum(weights * pull**2),
            edge @ np.sum(weights * pull, axis=1),
            dx @ (edge * just),
        )
