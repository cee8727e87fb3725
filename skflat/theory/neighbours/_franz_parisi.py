"""Local entropy around typical solutions of a margin: the potential of Franz and Parisi."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from .._checks import check_option, check_real, check_reals
from .._machines import MACHINES
from .._saddle import SaddlePointError, follow, solve
from .._storage import max_margin, typical_solutions
from ._reference_patterns import StoredPatterns
from ._reference_weights import BinaryShell, SphericalShell

SHELLS = {
    "binary": BinaryShell,
    "spherical": SphericalShell,
    "sign_committee": BinaryShell,
    "relu_committee": BinaryShell,
}
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
        Share of weights that differ from the reference. For real weights it is
        ``(1 - overlap) / 2``, the squared Euclidean distance over ``4 N``.
    entropy : ndarray
        Log-number of solutions at that distance, per weight. If it is negative, there are none. For
        real weights it is the logarithm of their share of the whole sphere.
    slope : ndarray
        Derivative of the entropy by the distance.
    density : ndarray
        Log-share of all weights at that distance that are solutions, per weight: the entropy less
        that of the whole shell. It is at most 0, and near 0 where the reference is flat.
    instability : ndarray
        Below 1 the replica-symmetric saddle points of reference and solutions are stable against
        small changes of single overlaps (the condition of de Almeida and Thouless). Above 1 the
        other numbers are approximations.
    """

    distance: np.ndarray
    entropy: np.ndarray
    slope: np.ndarray
    density: np.ndarray
    instability: np.ndarray

    @property
    def is_stable(self):
        """Where the saddle points are stable: `instability` is at most 1."""
        return self.instability <= 1


def franz_parisi(alpha, distance, reference_margin=0.0, margin=0.0, *, machine="binary"):
    """Local entropy: the number of solutions around a typical solution of some margin.

    The reference is drawn from all weights that store the patterns with margin
    ``reference_margin``. The entropy counts the weights that store them with ``margin``, at each
    distance. Dense regions form around solutions of high margin (arXiv:2107.01163; real weights:
    arXiv:2304.13871). The method is the Franz-Parisi potential, replica symmetric for reference and
    solutions. With ``qt`` the overlap of references it is the extremum over ``q`` and ``t`` of

    ``S(q, t) + alpha E_x E_s [H((eta - c s) / sqrt(1 - c^2)) / H(eta)] ln H((margin - f) / n)``

    with ``eta = (reference_margin - sqrt(qt) x) / sqrt(1 - qt)``, ``n = sqrt(1 - q)``,
    ``f = t x / sqrt(qt) + sqrt(q - t^2 / qt) s``, ``p = 1 - 2 distance`` and
    ``c = (p - t) / sqrt((1 - qt) (q - t^2 / qt))``. For spherical weights
    ``S = ln(1 - q) / 2 + (q - u) / (2 (1 - q))`` with
    ``u = (p - t) (p + t - 2 qt p) / (1 - qt)^2``. For binary weights it is an average of
    ``ln 2cosh``. Hidden units replace the overlaps in the second term by effective ones
    (arXiv:1907.07578), as in `typical_solutions`.

    Parameters
    ----------
    alpha : float
        Patterns per weight, at most `capacity` of ``reference_margin``. For spherical weights, up
        to 0.9998 of it.
    distance : float or array-like
        Share of weights that differ from the reference, in (0, 0.5). For spherical weights it is
        ``(1 - overlap) / 2``.
    reference_margin : float, default=0.0
        Margin of the reference, in [``margin``, 3]. `max_margin` gives the largest possible one.
    margin : float, default=0.0
        Margin of the solutions that are counted, in [-1, 3]. With spherical weights and a negative
        margin the saddle point is unstable at large loads, see `LocalEntropyCurve.is_stable`.
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee'}, default='binary'
        As in `capacity`.

    Returns
    -------
    local : LocalEntropyCurve
        Distances, entropies, slopes, densities and instabilities, in the shape of ``distance``.
        They are accurate to 1e-7. A distance takes 20 ms, and up to 0.5 s for spherical weights
        near capacity.

    Raises
    ------
    SaddlePointError
        If the solution of the equations at the typical distance cannot be continued to a distance.
        This happens very close to isolated references, for example at ``distance < 0.007`` for
        ``alpha = 0.8``. For spherical weights it happens far from the reference, where there are no
        solutions, and near the typical distance if the saddle point is unstable. The search for the
        end of the curve takes about ten seconds.

    Examples
    --------
    A typical solution is isolated. A solution of large margin has neighbours at every distance:

    >>> from skflat.theory import franz_parisi
    >>> franz_parisi(0.7, [0.01, 0.1]).entropy.round(4)
    array([-0.0275,  0.0641])
    >>> franz_parisi(0.7, [0.01, 0.1], reference_margin=0.13).entropy.round(4)
    array([0.0195, 0.0886])

    Real weights have solutions around every solution, and more of them around one of large margin:

    >>> franz_parisi(0.7, [0.01, 0.1], machine="spherical").density.round(4)
    array([-0.0771, -0.2484])
    >>> franz_parisi(0.7, [0.01, 0.1], reference_margin=0.5, machine="spherical").density.round(4)
    array([-0.001 , -0.1557])
    """
    check_option("machine", machine, SHELLS)
    margin = check_real("margin", margin, *MARGINS)
    reference_margin = check_real("reference_margin", reference_margin, margin, MARGINS[1])
    d = check_reals("distance", distance, 0, 0.5)
    potential = _FranzParisi(alpha, reference_margin, margin, machine)
    entropy, slope, instability = (each.reshape(d.shape) for each in potential.curve(d.ravel()))
    density = np.asarray(entropy - potential.shell.entropy(d))
    instability = np.asarray(np.maximum(instability, potential.reference.instability))
    return LocalEntropyCurve(d, entropy, slope, density, instability)


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
    """Solutions of margin ``margin`` at some distance from a typical solution of margin ``kt``.

    The conjugates ``qh - th^2 / qht``, ``th`` and ``ph`` determine three overlaps: ``q`` of two of
    the solutions, ``t`` with other references and ``p`` with the own reference. The overlaps
    determine new conjugates.
    """

    def __init__(self, alpha, kt, margin, machine="binary"):
        self.alpha, self.is_same = alpha, kt == margin
        self.reference = typical_solutions(alpha, kt, machine=machine)
        self.typical = typical_solutions(alpha, margin, machine=machine)
        self.shell = SHELLS[machine](self.reference)
        self.patterns = StoredPatterns(kt, margin, self.reference.overlap, MACHINES[machine].kernel)

    def curve(self, distances):
        """Entropy, slope and instability, from the typical distance inwards and outwards."""
        x_top, d_top = self._top
        found = np.empty((3, len(distances)))
        order = np.argsort(distances)
        inwards = [i for i in order[::-1] if distances[i] <= d_top]
        outwards = [i for i in order if distances[i] > d_top]
        for way in (inwards, outwards):
            x, here = x_top, np.log(d_top)
            for i in way:
                x, here = self._continued(x, here, distances[i]), np.log(distances[i])
                found[:, i] = self._at(x, distances[i])[1:]
        return found

    def _continued(self, x, here, distance):
        """The unknowns at a distance, from those at the distance of the logarithm ``here``."""
        try:
            # Continuation in the logarithm: steps become smaller as the distance does.
            return follow(self._solve, x, here, np.log(distance))
        except SaddlePointError as error:
            raise SaddlePointError(
                f"The curve ends before distance={distance:g}: {error}"
            ) from None

    @functools.cached_property
    def _top(self):
        """Unknowns and distance at the maximum of the curve, where ``ph = th`` and ``p = t``."""
        qh, qht = self.typical.conjugate, self.reference.conjugate

        def start(th):
            return self.shell.start(qh - th**2 / qht, th)

        if self.is_same:
            return start(qh * (1 - EDGE))
        most = np.sqrt(qh * qht)
        return start(brentq(lambda th: self._at(*start(th))[0][1], min(EDGE, most / 2), most))

    def _solve(self, log_distance, x):
        distance = np.exp(log_distance)
        what = f"solutions at distance {distance:g}"
        x = solve(lambda x: self._at(x, distance)[0], x, what)
        if self.shell.is_empty(x, distance):
            raise SaddlePointError(f"There are no {what}.")
        return x

    def _at(self, x, distance):
        """Residuals of the equations, and entropy, slope and instability."""
        near, alpha = self.shell.at(x, distance), self.alpha
        stored = self.patterns.at(near)
        return (
            self.shell.missing(near, alpha * stored.pull, alpha * stored.pull_reference, distance),
            near.entropy + alpha * stored.energy,
            2 * (near.ph - alpha * stored.pull_own),
            alpha * near.response * stored.response,
        )
