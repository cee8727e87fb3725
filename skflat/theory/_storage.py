"""Typical solutions of random instances: how many there are, and up to which load."""

from dataclasses import dataclass

from scipy.optimize import brentq

from ._checks import check_option, check_real
from ._machines import MACHINES


@dataclass(frozen=True)
class TypicalSolutions:
    """Properties that almost all solutions of a random instance share.

    Attributes
    ----------
    entropy : float
        Log-number of solutions per weight; for spherical weights the log of the share of the sphere
        that they take up.
    overlap : float
        Mean product of the weights of two solutions.
    conjugate : float
        Its conjugate: the variance of the local fields on the weights.
    """

    entropy: float
    overlap: float
    conjugate: float


def typical_solutions(alpha, margin=0.0, *, machine="binary"):
    """Number and overlap of the solutions of random instances, in the limit of many weights.

    The replica-symmetric entropy (Gardner, J. Phys. A 21, 257, 1988; Krauth and Mezard, J. Physique
    50, 3057, 1989; arXiv:2607.27000): the extremum over ``q`` and ``qh`` of

    ``-qh (1 - q) / 2 + E ln 2cosh(sqrt(qh) z) + alpha E ln H((margin - sqrt(e) z) / sqrt(1 - e))``

    with ``e = q`` for the perceptron; committees have ``e = (2 / pi) arcsin(q)`` or that of the
    arc-cosine kernel. For spherical weights the first two terms are ``ln(1 - q) / 2 + q / (2 (1 -
    q))``.

    Parameters
    ----------
    alpha : float
        Load, ``P / N``: above 0 and up to `capacity`, for spherical weights up to 0.9998 of it.
    margin : float, default=0.0
        As in `capacity`.
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee'}, default='binary'
        As in `capacity`.

    Returns
    -------
    solutions : TypicalSolutions
        Entropy, overlap and its conjugate, accurate to 1e-10 (spherical: 1e-8), in milliseconds.

    Raises
    ------
    ValueError
        Above capacity, where there are no solutions.

    Examples
    --------
    >>> from skflat.theory import typical_solutions
    >>> found = typical_solutions(0.5)
    >>> round(found.entropy, 5), round(found.overlap, 5)
    (0.31439, 0.32239)
    """
    machine, margin = _checked(machine, margin)
    alpha = check_real("alpha", alpha, 0, float("inf"), closed="neither")
    end = machine.end(margin)
    last = machine.point(end, margin).alpha
    if alpha > last * (1 + 1e-12):  # what `capacity` returns is allowed
        raise ValueError(
            f"alpha == {alpha:g}, must be <= {last:.7g}: the capacity at margin {margin:g} is "
            f"{machine.capacity(margin):.7g}."
        )

    def excess(parameter):
        return machine.point(parameter, margin).alpha - min(alpha, last)

    point = machine.point(brentq(excess, 0.0, end, xtol=1e-14), margin)
    return TypicalSolutions(float(point.entropy), float(point.overlap), float(point.conjugate))


def capacity(margin=0.0, *, machine="binary"):
    """Load ``alpha = P / N`` up to which random patterns can be stored with a margin.

    Binary weights: where the entropy of `typical_solutions` reaches 0 (Krauth and Mezard, J.
    Physique 50, 3057, 1989; arXiv:2607.27000). Spherical weights: where the overlap of solutions
    reaches 1, ``1 / ((1 + k^2) H(-k) + k G(k))`` (Gardner, J. Phys. A 21, 257, 1988).

    Parameters
    ----------
    margin : float, default=0.0
        ``kappa``: every pattern has to have a stability ``y w.x / sqrt(N) >= margin``. In [-1, 4]
        for binary weights, in [0, 4] for spherical ones: below 0 theirs is another theory.
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee'}, default='binary'
        ``'binary'``: a perceptron with weights -1 and +1. ``'spherical'``: real weights of norm
        ``sqrt(N)``. The committees are trees with binary weights and very many hidden units, half
        of them with output weight -1; ``alpha`` is patterns per weight.

    Returns
    -------
    alpha : float
        Accurate to 1e-10, in milliseconds.

    See Also
    --------
    max_margin : the inverse function.

    Examples
    --------
    >>> from skflat.theory import capacity
    >>> round(capacity(), 7), round(capacity(machine="spherical"), 7)
    (0.8330786, 2.0)
    """
    machine, margin = _checked(machine, margin)
    return float(machine.capacity(margin))


def max_margin(alpha, *, machine="binary"):
    """Largest margin with which random patterns can be stored at a load: the inverse of `capacity`.

    Parameters
    ----------
    alpha : float
        Load, ``P / N``, within the capacities of the margins that `capacity` accepts: for binary
        weights in [0.0367, 3.79], for spherical ones in [0.0588, 2].
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee'}, default='binary'
        As in `capacity`.

    Returns
    -------
    margin : float
        Accurate to 1e-10, in about 20 ms.

    Examples
    --------
    >>> from skflat.theory import max_margin
    >>> round(max_margin(0.5), 6)
    0.418062
    """
    machine = MACHINES[check_option("machine", machine, MACHINES)]
    least, most = machine.margins
    alpha = check_real("alpha", alpha, machine.capacity(most), machine.capacity(least))
    return brentq(lambda margin: machine.capacity(margin) - alpha, least, most, xtol=1e-12)


def _checked(machine, margin):
    machine = MACHINES[check_option("machine", machine, MACHINES)]
    return machine, check_real("margin", margin, *machine.margins)
