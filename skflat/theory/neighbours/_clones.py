"""Groups of solutions that are close to each other: the local entropy of m clones."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit

from .._checks import check_option, check_real, check_reals
from .._kernels import identity
from .._machines import MACHINES
from .._normal import normal_grid
from .._saddle import Branch
from .._storage import capacity, typical_solutions
from .._teacher_student import recovery_threshold, teacher_student
from ._replicas import SHARED, clone_stabilities, clone_weights, teacher_weights

TASKS = ("storage", "teacher_student")
BITS = ("binary", "sign_committee", "relu_committee")  # machines with weights -1 and +1
MOST_CLONES = 8
MOST_LOAD = 1.5  # of spherical weights; beyond it the integrals become steps
NEAR_ZERO = 0.6  # from this load Newton's method finds the zeros of the entropy
OVERLAPS = (0.95, 0.998)  # the first gap opens between these overlaps


@dataclass(frozen=True)
class CloneThreshold:
    """The load at which groups of solutions at some overlap cease to exist.

    Attributes
    ----------
    alpha : float
        The load. Beyond it there are no groups at this overlap.
    overlap : float
        The first overlap at which there are no groups.
    """

    alpha: float
    overlap: float


def clone_entropy(alpha, overlap, n_clones, *, task="storage", machine="binary"):
    """Log-number of groups of solutions at a mutual overlap, per weight and solution.

    This is the local entropy of ``m`` clones. It has one step of replica-symmetry breaking. ``m``
    and ``q1`` are given. The overlap ``q0`` between groups and all conjugates are extremal
    (arXiv:2607.27000, equations 51 and 52). The patterns contribute

    ``(alpha / m) E_z0 ln E_z1 H(-(sqrt(e0) z0 + sqrt(e1 - e0) z1) / sqrt(1 - e1))^m``

    For the perceptron ``e0 = q0`` and ``e1 = q1``. Hidden units turn them into effective overlaps
    (arXiv:1907.07578), as in `typical_solutions`. Spherical weights contribute
    ``ln(1 - q1) / 2 + ln(D / (1 - q1)) / (2 m) + q0 / (2 D)`` with
    ``D = 1 - q1 + m (q1 - q0)``.

    Parameters
    ----------
    alpha : float
        Patterns per weight, above 0 and up to `capacity`. With a teacher, up to
        `recovery_threshold`. For spherical weights, up to 1.5.
    overlap : float or array-like
        ``q1``, the mean product of the weights of two of the solutions. They differ in
        ``(1 - q1) / 2`` of their weights. It is above the overlap of typical solutions and below 1.
    n_clones : float
        ``m``, the number of solutions in a group, in [1, 8]. With 1 the result is the entropy of
        typical solutions, whatever the overlap.
    task : {'storage', 'teacher_student'}, default='storage'
        Whether labels are random or given by a binary teacher.
    machine : {'binary', 'spherical', 'sign_committee', 'relu_committee'}, default='binary'
        As in `capacity`. With a teacher, only ``'binary'``.

    Returns
    -------
    entropy : float or ndarray
        The entropy, in the shape of ``overlap``. For weights of one bit there are no such groups if
        it is negative. For spherical weights it is the logarithm of their share of all groups of
        weights on the sphere. It is accurate to 1e-8 and takes 0.02 s for each overlap. For
        spherical weights it takes 0.3 s, and for overlaps above 0.999 it is accurate to 1e-5.

    Examples
    --------
    >>> from skflat.theory import clone_entropy
    >>> clone_entropy(0.79, [0.95, 0.98], n_clones=2).round(4)
    array([0.0077, 0.0058])
    >>> clone_entropy(0.79, [0.95, 0.98], n_clones=2, machine="relu_committee").round(4)
    array([0.0405, 0.0358])
    """
    clones = _clones_of(task, machine)
    planted = task == "teacher_student"
    most = recovery_threshold() if planted else min(capacity(machine=machine), MOST_LOAD)
    alpha = check_real("alpha", alpha, 0, most, closed="right")
    typical = teacher_student(alpha) if planted else typical_solutions(alpha, machine=machine)
    q1 = check_reals("overlap", overlap, typical.overlap, 1)
    m = check_real("n_clones", n_clones, 1, MOST_CLONES)
    entropies = [clones(m, each).entropy(alpha) for each in q1.ravel()]
    return np.reshape(entropies, q1.shape)[()]


def clone_threshold(n_clones, *, task="storage", machine="binary"):
    """Load up to which groups of solutions exist at every mutual overlap.

    This is the least ``alpha`` at which `clone_entropy` is 0 for some overlap near 1. Beyond it
    there is a gap in the overlaps, and dense regions of solutions break up. As a function of
    ``n_clones`` the threshold falls and then rises. The rise is an artefact of replica symmetry, so
    take the minimum (arXiv:2607.27000).

    Parameters
    ----------
    n_clones : float
        ``m``, the number of solutions in a group, in [2, 8].
    task : {'storage', 'teacher_student'}, default='storage'
        As in `clone_entropy`.
    machine : {'binary', 'sign_committee', 'relu_committee'}, default='binary'
        As in `clone_entropy`. Groups of spherical weights have no threshold: their entropy is that
        of a volume. For sign units the threshold still falls at 8 clones.

    Returns
    -------
    threshold : CloneThreshold
        ``alpha`` accurate to 1e-7, in 0.2 s.

    Examples
    --------
    >>> from skflat.theory import clone_threshold
    >>> round(min(clone_threshold(m).alpha for m in (3, 4, 5)), 4)
    0.7844

    Groups of relu units hold out longer:

    >>> round(min(clone_threshold(m, machine="relu_committee").alpha for m in (4, 5)), 4)
    0.8442
    """
    m = check_real("n_clones", n_clones, 2, MOST_CLONES)
    check_option("machine", machine, BITS)
    clones = _clones_of(task, machine)
    return CloneThreshold(*first_gap(lambda q1: clones(m, q1), NEAR_ZERO))


def _clones_of(task, machine):
    """The functional of a task and a machine, as a function of ``m`` and ``q1``."""
    check_option("machine", machine, (*BITS, "spherical"))
    if check_option("task", task, TASKS) == "teacher_student":
        check_option("machine", machine, ("binary",))
        return functools.partial(_Clones, planted=True)
    if machine == "spherical":
        return _SphericalClones
    return functools.partial(_Clones, kernel=MACHINES[machine].kernel)


def first_gap(clones_at, below):
    """The least load at which the entropy of some clones is 0, and their overlap."""
    warm = None

    def load(q1):
        nonlocal warm
        clones = clones_at(q1)
        # Start at the result for the last overlap. The first one is reached from a smaller load.
        warm = clones.zero_beyond(below) if warm is None else clones.zero(warm)
        return np.exp(warm[-1])

    found = minimize_scalar(load, bounds=OVERLAPS, method="bounded", options={"xatol": 1e-4})
    return float(found.fun), float(found.x)


def spread_within(q1, m):
    """``qh1`` of groups at overlap ``q1`` that share no field."""
    log_spread = brentq(lambda s: clone_weights(0.0, np.exp(s), 0.0, m)[3] - q1, -30, 5)
    return np.exp(log_spread)


class _Clones(Branch):
    """The functional of ``m`` clones at overlap ``q1``.

    Its unknowns are the logarithms of ``qh0``, of ``qh1 - qh0`` and, with a teacher, of ``rh``.
    """

    shared, n_nodes = SHARED, 121

    def __init__(self, m, q1, planted=False, kernel=identity):
        self.m, self.q1, self.planted, self.kernel = m, q1, planted, kernel

    def first(self, alpha):
        qh0, rh = self._first_conjugates(self.BEGIN * alpha)
        return np.log([qh0, spread_within(self.q1, self.m), rh][: 3 if self.planted else 2])

    def _first_conjugates(self, load):
        """``qh0`` and ``rh`` to leading order, at which groups do not overlap."""
        e1, (_, slope, _) = self.kernel(self.q1)[0], self.kernel(0.0)
        variance = 1 - e1
        pull = clone_stabilities(np.zeros(1), e1, variance, self.m)[1][0] / np.sqrt(variance)
        return load * slope * pull**2, load * np.sqrt(2 / np.pi) * pull

    def at(self, x, alpha):
        qh0, spread, rh = np.exp(x) if self.planted else (*np.exp(x), 0.0)
        log_sum, r, q0, q1 = clone_weights(qh0, spread, rh, self.m)
        energy, pull, teacher_pull = self._energy(r, q0, q1)
        missing = [np.log(alpha * pull / qh0), (q1 - self.q1) / (1 - self.q1)]
        if self.planted:
            missing.append(np.log(alpha * teacher_pull / rh))
        qh1 = qh0 + spread
        entropy = log_sum - qh1 * (1 - q1) / 2 + self.m / 2 * (q0 * qh0 - q1 * qh1) - rh * r
        return np.array(missing), entropy + alpha * energy

    def _energy(self, r, q0, q1):
        """The energetic term, and the values of ``qh0`` and ``rh`` for ``alpha = 1``."""
        z0, dz0 = self.shared
        (q0, slope, _), q1 = self.kernel(q0), self.kernel(q1)[0]
        within, variance = q1 - q0, 1 - q1
        fields = np.sqrt(q0) * z0
        log_sum, pull, *_ = clone_stabilities(fields, within, variance, self.m, self.n_nodes)
        if not self.planted:
            return dz0 @ log_sum / self.m, slope * (dz0 @ pull**2 / variance), 0.0
        weights = teacher_weights(r, q0)
        at_border = clone_stabilities(np.sqrt(q0 - r**2) * z0, within, variance, self.m)[1]
        return (
            weights @ log_sum / self.m,
            weights @ pull**2 / variance,
            np.sqrt(2 / np.pi / variance) * (dz0 @ at_border),
        )


class _SphericalClones(_Clones):
    """The same for real weights on the sphere. The unknown is ``ln(q0 / (q1 - q0))``."""

    # Their overlaps may be large. The chance to satisfy a pattern is then a step in both fields.
    shared, n_nodes = normal_grid(9, 301), 361

    def first(self, alpha):
        qh0, _ = self._first_conjugates(self.BEGIN * alpha)
        q0 = qh0 * (1 + (self.m - 1) * self.q1) ** 2
        return np.array([np.log(q0 / self.q1)])

    def at(self, x, alpha):
        m, q1 = self.m, self.q1
        q0 = q1 * expit(x[0])
        # Eigenvalues of the overlaps: within a group, and of its sum.
        within, total = 1 - q1, 1 - q1 + m * (q1 - q0)
        energy, pull, _ = self._energy(0.0, q0, q1)
        missing = np.log([alpha * pull * total**2 / q0])
        entropy = (np.log(within) + np.log(total / within) / m + q0 / total) / 2
        return missing, entropy + alpha * energy
