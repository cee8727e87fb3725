"""Typical solutions of random instances: their number, and the load up to which they exist."""

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
        Log-number of solutions per weight. For spherical weights it is the logarithm of their share
        of the sphere.
    overlap : float
        Mean product of the weights of two solutions.
    conjugate : float
        Conjugate of the overlap: the variance of the local fields on the weights.
    instability : float
        Below 1 the replica-symmetric saddle point is stable against small changes of single
        overlaps (the condition of de Almeida and Thouless). Above 1 the other numbers are
        approximations. It is ``alpha W (e'^2 B^2 / (1 - e)^2 + e'' P / (1 - e))``. Here ``W`` is
        the mean square response of the weights, ``P`` that of ``G / H`` and ``B^2`` that of its
        derivative. ``e`` is the effective overlap as a function of the overlap.
    """

    entropy: float
    overlap: float
    conjugate: float
    instability: float

    @property
    def is_stable(self):
        """Whether the saddle point is stable: `instability` is at most 1."""
        return self.instability <= 1


def typical_solutions(alpha, margin=0.0, *, machine="binary"):
    """Number and overlap of the solutions of random instances, in the limit of many weights.

    The entropy is the replica-symmetric one (Gardner, J. Phys. A 21, 257, 1988; Krauth and Mezard,
    J. Physique 50, 3057, 1989; arXiv:2607.27000). It is the extremum over ``q`` and ``qh`` of

    ``-qh (1 - q) / 2 + E ln 2cosh(sqrt(qh) z) + alpha E ln H((margin - sqrt(e) z) / sqrt(1 - e))``

    For the perceptron, ``e = q``. For committees, ``e`` is ``(2 / pi) arcsin(q)`` or comes from the
    arc-cosine kernel. For spherical weights the first two terms are
    ``ln(1 - q) / 2 + q / (2 (1 - q))``. For the symmetric machine ``q = 0``, and the entropy is
    ``ln 2 + alpha ln P(|z| <= margin)``.

    Parameters
    ----------
    alpha : float
        Load ``P / N``, above 0 and up to `capacity`. For spherical weights, up to 0.9998 of it.
    margin : float, default=0.0
        As in `capacity`. Spherical weights may have a negative margin, down to -1. The saddle point
        is then unstable at large loads, see `TypicalSolutions.is_stable`.
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee', 'symmetric'}
        As in `capacity`.

    Returns
    -------
    solutions : TypicalSolutions
        Entropy, overlap and its conjugate. They are accurate to 1e-10 (spherical: 1e-8) and take
        milliseconds.

    Raises
    ------
    ValueError
        If the load is above capacity, so that there are no solutions.

    Examples
    --------
    >>> from skflat.theory import typical_solutions
    >>> found = typical_solutions(0.5)
    >>> round(found.entropy, 5), round(found.overlap, 5)
    (0.31439, 0.32239)
    """
    machine = MACHINES[check_option("machine", machine, MACHINES)]
    margin = check_real("margin", margin, *machine.typical_margins)
    alpha = check_real("alpha", alpha, 0, float("inf"), closed="neither")
    end = machine.end(margin)
    last = machine.point(end, margin).alpha
    if alpha > last * (1 + 1e-12):  # the result of `capacity` itself is allowed
        raise ValueError(
            f"alpha == {alpha:g}, must be <= {last:.7g}: the capacity at margin {margin:g} is "
            f"{machine.capacity(margin):.7g}."
        )

    def excess(parameter):
        return machine.point(parameter, margin).alpha - min(alpha, last)

    # Up to ``end`` the load rises along the line of saddle points, so there is exactly one root.
    point = machine.point(brentq(excess, 0.0, end, xtol=1e-14), margin)
    numbers = point.entropy, point.overlap, point.conjugate, point.instability
    return TypicalSolutions(*map(float, numbers))


def capacity(margin=0.0, *, machine="binary"):
    """Load ``alpha = P / N`` up to which random patterns can be stored with a margin.

    For binary weights, the entropy of `typical_solutions` reaches 0 at this load (Krauth and
    Mezard, J. Physique 50, 3057, 1989; arXiv:2607.27000). For spherical weights, the overlap of
    solutions reaches 1, at ``1 / ((1 + k^2) H(-k) + k G(k))`` (Gardner, J. Phys. A 21, 257, 1988).

    Parameters
    ----------
    margin : float, default=0.0
        ``kappa``: every pattern must have a stability ``y w.x / sqrt(N) >= margin``. It is in
        [-1, 4] for binary weights and in [0, 4] for spherical ones. Spherical weights with a
        negative margin need another theory. The symmetric machine has no default, and its margin is
        in [0.1, 4].
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee', 'symmetric'}
        ``'binary'`` is a perceptron with weights -1 and +1. ``'spherical'`` has real weights of
        norm ``sqrt(N)``. The committees are trees with binary weights and very many hidden units,
        half of them with output weight -1. Their ``alpha`` is patterns per weight. ``'symmetric'``
        is a perceptron with weights -1 and +1 that must have ``|w.x| / sqrt(N) <= margin``. Its
        capacity ``ln 2 / -ln P(|z| <= margin)`` grows with the margin (Abbe, Li and Sly,
        arXiv:2102.13069).

    Returns
    -------
    alpha : float
        The load, accurate to 1e-10, in milliseconds.

    See Also
    --------
    max_margin : the inverse function.

    Examples
    --------
    >>> from skflat.theory import capacity
    >>> round(capacity(), 7), round(capacity(machine="spherical"), 7)
    (0.8330786, 2.0)
    """
    machine = MACHINES[check_option("machine", machine, MACHINES)]
    return float(machine.capacity(check_real("margin", margin, *machine.margins)))


def max_margin(alpha, *, machine="binary"):
    """Largest margin with which random patterns can be stored at a load: the inverse of `capacity`.

    Parameters
    ----------
    alpha : float
        Load ``P / N``. It must be the `capacity` of an accepted margin. So it is in [0.0367, 3.79]
        for binary weights and in [0.0588, 2] for spherical ones.
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee', 'symmetric'}
        As in `capacity`. For the symmetric machine the result is the smallest margin.

    Returns
    -------
    margin : float
        The margin, accurate to 1e-10, in about 20 ms.

    Examples
    --------
    >>> from skflat.theory import max_margin
    >>> round(max_margin(0.5), 6)
    0.418062
    """
    machine = MACHINES[check_option("machine", machine, MACHINES)]
    least, most = machine.margins
    alpha = check_real("alpha", alpha, *sorted(map(machine.capacity, (least, most))))
    return brentq(lambda margin: machine.capacity(margin) - alpha, least, most, xtol=1e-12)
