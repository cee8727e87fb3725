"""Random instances for which theory predicts what can be learned: patterns, labels, teachers.

Every part of an instance is drawn row by row from a stream of its own. So with the same seed, a
larger number of patterns or of random features extends a smaller one.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

__all__ = ["make_perceptron_storage", "make_random_features", "make_teacher_student"]

PATTERNS = ("binary", "normal")
WEIGHTS = ("binary", "spherical")


def make_perceptron_storage(
    n_features=1001, alpha=0.5, *, patterns="binary", dtype=np.float64, random_state=None
):
    """Random patterns with random labels, which a perceptron has to store.

    With many features, weights -1 and +1 can store almost all instances up to ``alpha = 0.833``.
    Real weights can store them up to 2. See `skflat.theory.capacity`.

    Parameters
    ----------
    n_features : int, default=1001
        Number of inputs of the perceptron. If it is odd, binary inputs and binary weights never
        give the field 0.
    alpha : float, default=0.5
        Patterns per feature. Their number is ``round(alpha * n_features)``.
    patterns : {'binary', 'normal'}, default='binary'
        The entries are -1 and +1, or standard normal.
    dtype : dtype, default=np.float64
        Dtype of ``X``.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Patterns.
    y : ndarray of shape (n_samples,)
        Labels -1 and +1.

    Examples
    --------
    >>> from skflat.datasets import make_perceptron_storage
    >>> X, y = make_perceptron_storage(101, alpha=0.5, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((50, 101), [-1, 1])
    """
    n_samples = _n_samples(n_features, alpha)
    _check_option("patterns", patterns, PATTERNS)
    for_patterns, for_labels = _streams(random_state, 2)
    X = _draw(patterns, for_patterns, (n_samples, n_features)).astype(dtype, copy=False)
    return X, _draw("binary", for_labels, n_samples).astype(int)


def make_teacher_student(
    n_features=1001,
    alpha=1.0,
    *,
    weights="binary",
    patterns="binary",
    coef=True,
    dtype=np.float64,
    random_state=None,
):
    """Random patterns labelled by a random perceptron, the teacher.

    `skflat.theory.teacher_student` predicts what can be learned from them, for binary weights.

    Parameters
    ----------
    n_features : int, default=1001
        Number of inputs of the perceptron. It must be odd if patterns and weights are binary, so
        that no field is 0.
    alpha : float, default=1.0
        Patterns per feature. Their number is ``round(alpha * n_features)``.
    weights : {'binary', 'spherical'}, default='binary'
        The weights of the teacher are -1 and +1, or uniform on the sphere of radius
        ``sqrt(n_features)``.
    patterns : {'binary', 'normal'}, default='binary'
        The entries are -1 and +1, or standard normal.
    coef : bool, default=True
        Whether to return the teacher, too.
    dtype : dtype, default=np.float64
        Dtype of ``X``.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Labels -1 and +1.
    coef : ndarray of shape (n_features,)
        The teacher: ``y = sign(X @ coef)``. Only with ``coef=True``.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.datasets import make_teacher_student
    >>> X, y, teacher = make_teacher_student(101, alpha=2, random_state=0)
    >>> bool((y == np.sign(X @ teacher)).all())
    True
    """
    n_samples = _n_samples(n_features, alpha)
    _check_option("patterns", patterns, PATTERNS)
    _check_option("weights", weights, WEIGHTS)
    if patterns == weights == "binary":
        _check_odd("n_features", n_features)
    for_patterns, for_teacher = _streams(random_state, 2)
    X = _draw(patterns, for_patterns, (n_samples, n_features)).astype(dtype, copy=False)
    teacher = _draw_teacher(weights, for_teacher, n_features)
    y = _labels(X, teacher)
    return (X, y, teacher) if coef else (X, y)


def make_random_features(
    n_features=201,
    n_samples=604,
    n_inputs=201,
    *,
    weights="binary",
    coef=True,
    dtype=np.float64,
    random_state=None,
):
    """Random features of normal inputs, labelled by a teacher that sees the inputs themselves.

    The instances are for a student that grows while the data stay the same (arXiv:2110.00683). With
    the same seed and more features, the rows, the labels and the first features do not change.
    `skflat.theory.student_interpolation` predicts the size at which the student can fit the labels.
    To get rows for a test, ask for more samples and split them.

    Parameters
    ----------
    n_features : int, default=201
        Number of features ``sign(F x / sqrt(n_inputs))``, with standard normal ``F``.
    n_samples : int, default=604
        Number of rows.
    n_inputs : int, default=201
        Number of standard normal inputs ``x``. The teacher sees them, and the student does not.
    weights : {'binary', 'spherical'}, default='binary'
        The weights of the teacher are -1 and +1, or uniform on the sphere of radius
        ``sqrt(n_inputs)``.
    coef : bool, default=True
        Whether to return the teacher, too.
    dtype : dtype, default=np.float64
        Dtype of ``X``.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The features, -1 and +1.
    y : ndarray of shape (n_samples,)
        Labels -1 and +1.
    coef : ndarray of shape (n_inputs,)
        The teacher, with one weight per input. Only with ``coef=True``.

    Examples
    --------
    >>> from skflat.datasets import make_random_features
    >>> X, y, teacher = make_random_features(31, n_samples=60, n_inputs=21, random_state=0)
    >>> more, same, teacher = make_random_features(51, n_samples=60, n_inputs=21, random_state=0)
    >>> bool((more[:, :31] == X).all()), bool((same == y).all())
    (True, True)
    """
    sizes = {"n_features": n_features, "n_samples": n_samples, "n_inputs": n_inputs}
    for name, size in sizes.items():
        check_scalar(size, name, Integral, min_val=1)
    _check_option("weights", weights, WEIGHTS)
    for_inputs, for_teacher, for_features = _streams(random_state, 3)
    inputs = for_inputs.standard_normal((n_samples, n_inputs))
    teacher = _draw_teacher(weights, for_teacher, n_inputs)
    F = for_features.standard_normal((n_features, n_inputs))
    # The division by sqrt(n_inputs) would not change any sign.
    X, y = np.where(inputs @ F.T > 0, 1, -1).astype(dtype), _labels(inputs, teacher)
    return (X, y, teacher) if coef else (X, y)


def _n_samples(n_features, alpha):
    check_scalar(n_features, "n_features", Integral, min_val=1)
    check_scalar(alpha, "alpha", Real)
    if not 0.5 < alpha * n_features < np.inf:
        raise ValueError(f"alpha == {alpha}, must give a row at least with {n_features} features.")
    return round(alpha * n_features)


def _check_odd(name, value):
    if value % 2 == 0:
        raise ValueError(f"{name} == {value}, must be odd, or binary weights could give 0.")


def _check_option(name, value, options):
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}; got {value!r}.")


def _streams(random_state, n_streams):
    """Separate generators, so that the size of one part does not change the draws of the others."""
    seeds = check_random_state(random_state).randint(2**32, size=n_streams, dtype=np.uint32)
    return [np.random.RandomState(seed) for seed in seeds]


def _draw(kind, rng, shape):
    """Entries -1 and +1, or standard normal."""
    if kind == "normal":
        return rng.standard_normal(shape)
    return 2 * rng.randint(2, size=shape, dtype=np.int8) - 1


def _draw_teacher(kind, rng, n):
    if kind == "binary":
        return _draw("binary", rng, n).astype(float)
    # The direction of a normal vector is uniform.
    w = rng.standard_normal(n)
    return w * np.sqrt(n) / np.linalg.norm(w)


def _labels(X, teacher):
    return np.where(X @ teacher > 0, 1, -1)
