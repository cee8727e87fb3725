"""A student on random features of the teacher's inputs: the size from which it has solutions."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ._checks import check_real
from ._normal import hazard, log_2cosh, log_tail, normal_grid, tail
from ._saddle import Branch
from ._storage import capacity

GRID = normal_grid(10, 401)
# Gaussian equivalence: the feature sign(f.x) acts like K1 times f.x plus independent noise of
# variance K_NOISE.
K1 = np.sqrt(2 / np.pi)
K_NOISE = 1 - K1**2
ALPHA_T = (1e-3, 20.0)
SIZES = (0.05, 100.0)
MARGINS = (0.0, 2.0)


@dataclass(frozen=True)
class StudentSolutions:
    """Properties that almost all solutions of the student share.

    Attributes
    ----------
    entropy : float
        Log-number of solutions per weight.
    error : float
        Probability that such a solution and the teacher disagree on a new pattern.
    overlap : float
        Mean product of the weights of two solutions.
    """

    entropy: float
    error: float
    overlap: float


def student_solutions(size, alpha_t, margin=0.0):
    """Typical solutions of a student with binary weights on random features.

    This is the setting of arXiv:2110.00683. The teacher is a perceptron of ``D`` weights -1 and +1.
    It labels ``P`` normal inputs ``x``. The student has ``N`` binary weights on the features
    ``sign(F x / sqrt(D))`` with normal ``F``. The entropy is replica symmetric, for normal features
    with the same covariances.

    Parameters
    ----------
    size : float
        ``N / P``, weights of the student per pattern, from `student_interpolation` up to 100.
    alpha_t : float
        ``P / D``, patterns per weight of the teacher, in [0.001, 20].
    margin : float, default=0.0
        Margin that every pattern must have, in [0, 2].

    Returns
    -------
    solutions : StudentSolutions
        Entropy, generalisation error and overlap, accurate to 1e-8, in 10 ms.

    Raises
    ------
    ValueError
        If the student is too small for solutions to exist.

    Examples
    --------
    >>> from skflat.theory import student_solutions
    >>> found = student_solutions(1.5, alpha_t=3)
    >>> round(found.entropy, 4), round(found.error, 4)
    (0.3246, 0.3058)
    """
    size = check_real("size", size, *SIZES)
    student = _student(alpha_t, margin)
    _, entropy, error, overlap = student.at(student.unknowns(1 / size), 1 / size)
    if entropy < -1e-9:  # the result of `student_interpolation` itself is allowed
        least = student_interpolation(alpha_t, margin)
        raise ValueError(f"size == {size:g}, must be >= {least:.6g}: there are no solutions.")
    return StudentSolutions(float(entropy), float(error), float(overlap))


def student_interpolation(alpha_t, margin=0.0):
    """Size ``N / P`` from which on a student on random features has solutions.

    At this size the entropy of `student_solutions` is 0. As ``alpha_t`` goes to 0 the size tends to
    ``1 / capacity(margin)``, because a teacher's labels of few patterns look random.

    Parameters
    ----------
    alpha_t, margin : float
        As in `student_solutions`.

    Returns
    -------
    size : float
        Accurate to 1e-8, in 10 ms.

    Examples
    --------
    >>> from skflat.theory import student_interpolation
    >>> round(student_interpolation(alpha_t=3), 5)
    0.87748
    """
    found = _student(alpha_t, margin).zero_beyond(0.7 * capacity(margin))
    return float(np.exp(-found[-1]))


def student_max_margin(size, alpha_t):
    """Largest margin of a student on random features: the inverse of `student_interpolation`.

    Parameters
    ----------
    size, alpha_t : float
        As in `student_solutions`. The size is at most `student_interpolation` at margin 2.

    Returns
    -------
    margin : float
        Accurate to 1e-8, in 0.1 s.

    Examples
    --------
    >>> from skflat.theory import student_max_margin
    >>> round(student_max_margin(1.5, alpha_t=3), 4)
    0.409
    """
    least, most = MARGINS
    size = check_real(
        "size", size, student_interpolation(alpha_t, least), student_interpolation(alpha_t, most)
    )
    return brentq(
        lambda margin: student_interpolation(alpha_t, margin) - size, least, most, xtol=1e-10
    )


def _student(alpha_t, margin):
    alpha_t = check_real("alpha_t", alpha_t, *ALPHA_T)
    return _Student(alpha_t, check_real("margin", margin, *MARGINS))


class _Student(Branch):
    """The replica-symmetric functional at given ``alpha_t``.

    ``q`` is the overlap of the weights of two solutions. A solution is also a function of the
    teacher's input. As functions, ``p`` is the overlap of two solutions, ``pd`` the overlap of a
    solution with itself, and ``r`` the overlap with the teacher. The unknowns are ``ln qh``,
    ``ln ph``, ``ln rh`` and ``pdh - ph``.
    """

    def __init__(self, alpha_t, margin):
        self.alpha_t, self.margin = alpha_t, margin

    def part(self, share):
        return _Student(share * self.alpha_t, self.margin)

    def first(self, alpha):
        """The leading order, at which solutions do not overlap."""
        pull, scale = hazard(self.margin), self.BEGIN * self.alpha_t * K1**2
        ph, pdh, rh = scale * pull * np.array([pull, self.margin, 1])
        qh = alpha / self.alpha_t * (ph / K1**2 + rh**2)
        return np.append(np.log([qh, ph, rh]), pdh - ph)

    def at(self, x, alpha):
        """As in `Branch`. The further results are the generalisation error and ``q``."""
        (qh, ph, rh), a = np.exp(x[:-1]), x[-1]
        z, dz = GRID
        field = np.sqrt(qh) * z
        q = dz @ np.tanh(field) ** 2
        stiffness = 1 - (1 - q) * a
        r = rh * (1 - q) / stiffness
        p = (q + (1 - q) ** 2 * (ph + rh**2)) / stiffness**2
        pd = p + (1 - q) / stiffness
        # Overlaps of outputs: of one solution with itself, with another, and with the teacher.
        itself, other, teacher = K1**2 * pd + K_NOISE, K1**2 * p + K_NOISE * q, K1 * r
        energy, *new = self._stabilities(itself, other, teacher)
        ratio = alpha / self.alpha_t
        missing = self._missing(x, q, ratio, *new)
        inputs = (
            (ph * p - (a + ph) * pd) / 2
            - rh * r
            - np.log(stiffness) / 2
            + (q * a + (1 - q) * (ph + rh**2)) / (2 * stiffness)
        )
        entropy = -qh * (1 - q) / 2 + dz @ log_2cosh(field) + alpha * energy + ratio * inputs
        return missing, entropy, np.arccos(teacher / np.sqrt(itself)) / np.pi, q

    @staticmethod
    def _missing(x, q, ratio, ph, pdh, rh):
        a = pdh - ph
        qh = ratio * ((ph + q * a**2 + rh**2) / (1 - (1 - q) * a) ** 2 + K_NOISE / K1**2 * ph)
        return np.append(np.log([qh, ph, rh]), a) - x

    def _stabilities(self, itself, other, teacher):
        """The energetic term, and new values of ``ph``, ``pdh`` and ``rh``."""
        z, dz = GRID
        variance, unknown = itself - other, other - teacher**2
        # The teacher's label has the sign of its field, so each z has the weight ``2 H(-...)``.
        weights = 2 * dz * tail(-teacher * z / np.sqrt(unknown))
        lacking = (self.margin - np.sqrt(other) * z) / np.sqrt(variance)
        pull = hazard(lacking) / np.sqrt(variance)
        at_border = hazard((self.margin - np.sqrt(unknown) * z) / np.sqrt(variance))
        scale = self.alpha_t * K1**2
        return (
            weights @ log_tail(lacking),
            scale * (weights @ pull**2),
            scale * (weights @ (lacking * pull)) / np.sqrt(variance),
            scale * (dz @ at_border) / np.sqrt(variance),
        )
