"""Groups of close solutions of a student on random features."""

from dataclasses import dataclass

import numpy as np

from .._checks import check_real, check_reals
from .._saddle import Branch
from .._student import ALPHA_T, K1, K_NOISE, student_interpolation, student_solutions
from ._clones import MOST_CLONES, first_gap, spread_within
from ._replicas import SHARED, clone_stabilities, clone_weights, teacher_weights

NEAR_ZERO = 0.6  # share of the load of typical solutions, below the zeros of the entropy


@dataclass(frozen=True)
class StudentThreshold:
    """The size at which groups of close solutions appear.

    Attributes
    ----------
    size : float
        ``N / P``. From this size on, groups exist at every overlap.
    overlap : float
        The last overlap at which they appear.
    """

    size: float
    overlap: float


def student_clone_entropy(size, alpha_t, overlap, n_clones):
    """Log-number of groups of solutions of a student at a mutual overlap, per weight and solution.

    This is `clone_entropy` for the student of `student_solutions` (setting of arXiv:2110.00683).

    Parameters
    ----------
    size, alpha_t : float
        As in `student_solutions`.
    overlap, n_clones : float
        As in `clone_entropy`. The overlap may be an array.

    Returns
    -------
    entropy : float or ndarray
        The entropy, in the shape of ``overlap``. If it is negative, there are no such groups. It is
        accurate to 1e-8. An overlap takes 0.05 s, and up to 2 s if it is close to 1.

    Examples
    --------
    >>> from skflat.theory import student_clone_entropy
    >>> student_clone_entropy(0.93, 3, [0.9, 0.98], n_clones=4).round(4)
    array([ 0.0056, -0.0032])
    """
    typical = student_solutions(size, alpha_t)
    m = check_real("n_clones", n_clones, 1, MOST_CLONES)
    q1 = check_reals("overlap", overlap, typical.overlap, 1)
    entropies = [_StudentClones(m, each, alpha_t).entropy(1 / size) for each in q1.ravel()]
    return np.reshape(entropies, q1.shape)[()]


def student_clone_threshold(alpha_t, n_clones):
    """Size ``N / P`` from which on a student has groups of solutions at every mutual overlap.

    This is `clone_threshold` for the student of `student_solutions`. Typical solutions appear at
    the size `student_interpolation`. Dense regions appear only at this larger size
    (arXiv:2110.00683). As a function of ``n_clones`` the size rises and then falls. The fall is an
    artefact of replica symmetry, so take the maximum.

    Parameters
    ----------
    alpha_t : float
        ``P / D``, patterns per weight of the teacher, in [0.001, 20].
    n_clones : float
        ``m``, the number of solutions in a group, in [2, 8].

    Returns
    -------
    threshold : StudentThreshold
        ``size`` accurate to 1e-7, in 0.3 to 2 s.

    Examples
    --------
    >>> from skflat.theory import student_clone_threshold
    >>> round(student_clone_threshold(alpha_t=3, n_clones=4).size, 3)
    0.94
    """
    alpha_t = check_real("alpha_t", alpha_t, *ALPHA_T)
    m = check_real("n_clones", n_clones, 2, MOST_CLONES)
    below = NEAR_ZERO / student_interpolation(alpha_t)
    alpha, overlap = first_gap(lambda q1: _StudentClones(m, q1, alpha_t), below)
    return StudentThreshold(1 / alpha, overlap)


class _StudentClones(Branch):
    """The functional of ``m`` clones of students at overlap ``q1``.

    ``q`` are overlaps of weights. ``p`` are overlaps of the functions of the teacher's input. The
    index is 0 for clones of different groups, 1 for clones of the same group, and d for a clone
    with itself. ``r`` is the overlap with the teacher. The unknowns are the logarithms of ``qh0``,
    ``qh1 - qh0``, ``ph0``, ``ph1`` and ``rh``, and ``phd - ph1``.
    """

    def __init__(self, m, q1, alpha_t):
        self.m, self.q1, self.alpha_t = m, q1, alpha_t

    def part(self, share):
        return _StudentClones(self.m, self.q1, share * self.alpha_t)

    def first(self, alpha):
        """The leading order, at which groups do not overlap."""
        variance, scale = 1 - self.q1, self.BEGIN * self.alpha_t * K1**2
        _, *means = clone_stabilities(np.zeros(1), self.q1, variance, self.m)
        pull, square, product = np.ravel(means)
        ph0, ph1, phd = scale / variance * np.array([pull**2, square, product])
        rh = scale * pull / np.sqrt(variance)
        qh0 = alpha / self.alpha_t * (ph0 / K1**2 + rh**2)
        spread = spread_within(self.q1, self.m)
        return np.append(np.log([qh0, spread, ph0, ph1, rh]), phd - ph1)

    def at(self, x, alpha):
        m, ratio = self.m, alpha / self.alpha_t
        (qh0, spread, ph0, ph1, rh), a0 = np.exp(x[:-1]), x[-1]
        log_sum, _, q0, q1 = clone_weights(qh0, spread, 0.0, m)
        # Eigenvalues of the overlaps and of their conjugates: within a group, and of its sum.
        l0, l1, a1 = 1 - q1, 1 - q1 + m * (q1 - q0), a0 + m * (ph1 - ph0)
        L0, L1 = 1 - l0 * a0, 1 - l1 * a1
        p0 = (q0 + l1**2 * (ph0 + rh**2)) / L1**2
        p1 = p0 + (l1 / L1 - l0 / L0) / m
        pd, r = p1 + l0 / L0, rh * l1 / L1
        energy, *new = self._stabilities(
            K1**2 * pd + K_NOISE, K1**2 * p1 + K_NOISE * q1, K1**2 * p0 + K_NOISE * q0, K1 * r
        )
        missing = self._missing(x, q0, q1, ratio, *new)
        inputs = (
            (m * ph0 * p0 - (m - 1) * ph1 * p1 - (a0 + ph1) * pd) / 2
            - rh * r
            - ((m - 1) * np.log(L0) + np.log(L1)) / (2 * m)
            + (q0 * a1 + l1 * (ph0 + rh**2)) / (2 * L1)
        )
        qh1 = qh0 + spread
        entropy = log_sum - qh1 * (1 - q1) / 2 + m / 2 * (q0 * qh0 - q1 * qh1)
        return missing, entropy + alpha * energy + ratio * inputs

    def _missing(self, x, q0, q1, ratio, ph0, ph1, phd, rh):
        a0 = phd - ph1
        a1, l1 = a0 + self.m * (ph1 - ph0), 1 - q1 + self.m * (q1 - q0)
        qh0 = ratio * ((ph0 + q0 * a1**2 + rh**2) / (1 - l1 * a1) ** 2 + K_NOISE / K1**2 * ph0)
        new = np.append(np.log([qh0, 1.0, ph0, ph1, rh]), a0)
        missing = new - x
        # ``q1`` is given. So the equation for ``qh1 - qh0`` is that ``q1`` has this value.
        missing[1] = (q1 - self.q1) / (1 - self.q1)
        return missing

    def _stabilities(self, itself, within, between, teacher):
        """The energetic term, and new values of ``ph0``, ``ph1``, ``phd`` and ``rh``."""
        z0, dz0 = SHARED
        spread, variance = within - between, itself - within
        weights = teacher_weights(teacher, between)
        shared = np.sqrt(between) * z0
        log_sum, pull, square, product = clone_stabilities(shared, spread, variance, self.m)
        unknown = np.sqrt(between - teacher**2) * z0
        at_border = clone_stabilities(unknown, spread, variance, self.m)[1]
        scale = self.alpha_t * K1**2 / variance
        return (
            weights @ log_sum / self.m,
            scale * (weights @ pull**2),
            scale * (weights @ square),
            scale * (weights @ product),
            scale * np.sqrt(variance) * (dz0 @ at_border),
        )
