"""Stabilities of the patterns under a typical solution, and under a perturbed one."""

import numpy as np

from ._checks import check_real, check_reals
from ._machines import standardized
from ._normal import log_tail, normal_grid, tail
from ._storage import typical_solutions

GRID = normal_grid(10, 401)
# Distances above the margin. Stabilities of about sqrt(flips) matter most, so the nodes cover all
# scales: they are evenly spaced in the logarithm.
LOG_NODES, STEP = np.linspace(-30, np.log(12), 241, retstep=True)


def typical_stabilities(stability, alpha, margin=0.0):
    """Density of the stabilities of the patterns under a typical solution with binary weights.

    For ``s > margin`` the density is
    ``E G((s - sqrt(q) z) / sqrt(1 - q)) / sqrt(1 - q) / H((margin - sqrt(q) z) / sqrt(1 - q))``
    with the ``q`` of `typical_solutions` (arXiv:2607.27000). Below the margin it is 0.

    Parameters
    ----------
    stability : float or array-like
        Stabilities ``y w.x / sqrt(N)``.
    alpha, margin : float
        As in `typical_solutions`.

    Returns
    -------
    density : float or ndarray
        The density, in the shape of ``stability``. It is accurate to 1e-10.

    Examples
    --------
    >>> from skflat.theory import typical_stabilities
    >>> typical_stabilities([-0.1, 0.1], 0.5).round(4)
    array([0.    , 0.9851])
    """
    z, dz = GRID
    s = check_reals("stability", stability, -np.inf, np.inf, closed="both")
    q = typical_solutions(alpha, margin).overlap
    x = (s[..., None] - np.sqrt(q) * z) / np.sqrt(1 - q)
    log_density = -(x**2) / 2 - np.log(2 * np.pi * (1 - q)) / 2
    density = np.exp(log_density - log_tail(standardized(margin, q, z))) @ dz
    return np.where(s > margin, density, 0.0)[()]


def typical_local_energy(flips, alpha, margin=0.0):
    """Expected training error after some weights of a typical binary solution are flipped.

    This is ``E H((1 - 2 d) s / sqrt(4 d (1 - d)))`` over the `typical_stabilities` ``s``, with
    ``d`` the share of flipped weights. It is the local energy of arXiv:2006.07897 for weights -1
    and +1.

    Parameters
    ----------
    flips : float or array-like
        Share of weights that change sign, in [0, 1].
    alpha : float
        As in `typical_solutions`.
    margin : float, default=0.0
        As in `typical_solutions`, but at least 0.

    Returns
    -------
    energy : float or ndarray
        Share of patterns with negative stability, in the shape of ``flips``. It is accurate to 1e-9
        and takes milliseconds.

    Examples
    --------
    >>> from skflat.theory import typical_local_energy
    >>> typical_local_energy([0, 0.02, 0.5], 0.5).round(4)
    array([0.   , 0.109, 0.5  ])
    """
    d = check_reals("flips", flips, 0, 1, closed="both")
    check_real("margin", margin, 0, np.inf, closed="left")
    above = np.exp(LOG_NODES)
    mass = typical_stabilities(margin + above, alpha, margin) * above * STEP
    with np.errstate(divide="ignore"):
        slope = (1 - 2 * d) / np.sqrt(4 * d * (1 - d))  # infinite if no or all weights are flipped
    return (tail(slope[..., None] * (margin + above)) @ mass)[()]
