"""Perceptrons that learn from a teacher: the Bayes-optimal line and its two thresholds."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ._checks import check_option, check_real
from ._machines import Point
from ._normal import hazard, log_2cosh, log_tail, normal_grid, tail

GRID = normal_grid(10, 401)
BRANCHES = ("optimal", "metastable")


@dataclass(frozen=True)
class BayesOptimal:
    """Properties that almost all solutions of a teacher's examples share.

    Attributes
    ----------
    entropy : float
        Log-number, per weight, of the solutions: binary weights that agree with the teacher on all
        patterns.
    overlap : float
        Overlap of a typical solution with the teacher, which equals its overlap with another one.
    error : float
        Probability that a typical solution and the teacher disagree on a new pattern.
    conjugate : float
        Conjugate of the overlap: mean and variance of the local fields on the weights.
    """

    entropy: float
    overlap: float
    error: float
    conjugate: float


def teacher_student(alpha, *, branch="optimal"):
    """How well a binary perceptron can learn from examples of a binary teacher.

    Solutions drawn at random have the same overlap with the teacher as with each other, ``r = q``
    (Gyorgyi, Phys. Rev. A 41, 7097, 1990; arXiv:2607.27000). The entropy is the extremum over ``q``
    and ``qh`` of

    ``-qh (1 + q) / 2 + E ln 2cosh(sqrt(qh) z + qh) + 2 alpha E H(x) ln H(x)``,
    ``x = -sqrt(q / (1 - q)) z``.

    Parameters
    ----------
    alpha : float
        Patterns per weight, above 0.
    branch : {'optimal', 'metastable'}, default='optimal'
        With ``'optimal'`` the teacher is known exactly from `recovery_threshold` on.
        ``'metastable'`` follows the branch that begins at ``alpha = 0`` to its end,
        `amp_threshold`. Message passing stays on this branch. Its entropy is negative beyond
        `recovery_threshold`.

    Returns
    -------
    solutions : BayesOptimal
        Entropy, overlap and generalisation error ``arccos(overlap) / pi``, accurate to 1e-10, in
        milliseconds.

    Examples
    --------
    >>> from skflat.theory import teacher_student
    >>> round(teacher_student(1.0).error, 4), teacher_student(1.3).error
    (0.3105, 0.0)
    """
    check_option("branch", branch, BRANCHES)
    alpha = check_real("alpha", alpha, 0, float("inf"), closed="neither")
    if alpha > (recovery_threshold() if branch == "optimal" else amp_threshold()):
        return BayesOptimal(0.0, 1.0, 0.0, np.inf)
    qh = brentq(lambda qh: _point(qh).alpha - alpha, 0.0, _turning_point(), xtol=1e-14)
    point = _point(qh)
    error = np.arccos(point.overlap) / np.pi
    return BayesOptimal(float(point.entropy), float(point.overlap), float(error), qh)


@functools.cache
def recovery_threshold():
    """Patterns per weight from which on the teacher is the only solution.

    At this load the entropy of `teacher_student` is 0 (Gyorgyi, Phys. Rev. A 41, 7097, 1990;
    arXiv:2607.27000).

    Returns
    -------
    alpha : float
        Accurate to 1e-10.

    Examples
    --------
    >>> from skflat.theory import recovery_threshold
    >>> round(recovery_threshold(), 4)
    1.2447
    """
    qh = brentq(lambda qh: _point(qh).entropy, 1e-3, _turning_point(), xtol=1e-12)
    return float(_point(qh).alpha)


@functools.cache
def amp_threshold():
    """Patterns per weight from which on message passing finds the teacher.

    At this load the metastable branch of `teacher_student` ends (arXiv:2607.27000).

    Returns
    -------
    alpha : float
        Accurate to 1e-10.

    Examples
    --------
    >>> from skflat.theory import amp_threshold
    >>> round(amp_threshold(), 4)
    1.4926
    """
    return float(_point(_turning_point()).alpha)


def _point(qh):
    """The saddle point with conjugate overlap ``qh``. Both equations are explicit in it."""
    z, dz = GRID
    field = qh + np.sqrt(qh) * z
    q = dz @ np.tanh(field)
    x = -np.sqrt(q / (1 - q)) * z
    # Given the shared field, a label has the probability H. Both labels contribute alike, which
    # gives the factor 2.
    H, log_H = tail(x), log_tail(x)
    alpha = qh * (1 - q) / (2 * (dz @ (H * hazard(x) ** 2)))
    entropy = -qh * (1 + q) / 2 + dz @ log_2cosh(field) + 2 * alpha * (dz @ (H * log_H))
    return Point(alpha, entropy, q, qh)


@functools.cache
def _turning_point():
    """The conjugate where the load is largest: the end of the metastable branch."""
    found = minimize_scalar(
        lambda qh: -_point(qh).alpha, bounds=(1.0, 10.0), method="bounded", options={"xatol": 1e-8}
    )
    return found.x
