"""Local entropy: the number of solutions near the one that was found."""

import warnings
from functools import partial

import numpy as np
from scipy.optimize import brentq

from ..._compat import StrOptions
from ...models.threshold import BeliefPropagation
from ...objective import BinaryMachines
from ...problems import as_problem
from .._function import function_of
from .._measure import Measure, describe, generator
from .._measurement import Measurement
from ..noise import LocalEnergy, counts_by_distance, log_binomial, sampled_log_count
from ._flip_energy import checked_distances, is_binary

MAX_ENUMERATED, MAX_SAMPLED = 24, 200  # largest number of weights to enumerate, and to sample
# Belief propagation: most sweeps, and largest change of a mean at convergence.
MAX_SWEEPS, TOL = 500, 1e-5


class LocalEntropy(Measure):
    """Logarithm of the number of solutions at a distance, per weight; greater is flatter.

    The measure is for perceptrons and committees with weights in {-1, +1}. The value is
    ``ln N(d) / n`` (Baldassi and others, arXiv:1605.06444). About ``exp(n H(d))`` weight vectors
    differ from the fitted one in a share ``d`` of the ``n`` weights; ``N(d)`` of them have no error
    on the rows. Several one-vs-rest problems are averaged. For real weights the counterpart is
    `LocalEnergy` with its default parameters, where smaller is flatter.

    Binary weights have no scale, so the value cannot be changed by rescaling. The measure is
    invariant under permutations of features and of units, and under flips of a feature's sign
    together with its weight.

    Parameters
    ----------
    distance : float or array-like, default=(0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
        Shares of weights that differ, at most 1/2. The value belongs to the last one.
    method : {'auto', 'exact', 'sample', 'bethe'}, default='auto'
        ``'exact'`` enumerates all weight vectors, for at most 24 weights. ``'sample'`` anneals 200
        chains at every distance; its estimate of the number of solutions is unbiased. ``'bethe'``
        is the Bethe entropy at the fixed point of belief propagation. A field along the fitted
        weights sets the mean distance. This is asymptotically exact for independent patterns.
        ``'auto'`` enumerates up to 24 weights, samples up to 200, and uses the Bethe entropy for
        more, and always for committees.
    random_state : int, RandomState instance or None, default=0
        Draws chains, and the order of the rows in belief propagation.

    Notes
    -----
    The table has the columns ``distance``, ``entropy``, ``entropy_stderr`` and ``shell``, the
    entropy of all weights at that distance. ``'exact'`` and ``'sample'`` use whole numbers of
    flips, at least 1; the column has the distances used. Minus infinity means that no solution was
    found. The Bethe entropy takes about 20 sweeps per distance. A sweep costs 40 passes over the
    rows, and memory for as many messages as ``X`` has entries. The standard error of the Bethe
    entropy is 0, because it involves no random sampling. It is infinite, with a warning, if belief
    propagation does not converge. Its bias in the logarithm of the number is of the order of 1. On
    a sample of the training rows the value is an upper bound, because fewer rows leave more
    solutions. Rows of weight 0 are left out; other weights of rows have no influence.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat import FlatPerceptronClassifier
    >>> from skflat.measures import LocalEntropy
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.choice([-1.0, 1.0], (10, 21)), np.arange(10) % 2
    >>> clf = FlatPerceptronClassifier(scale=False, fit_intercept=False, random_state=0).fit(X, y)
    >>> entropy = LocalEntropy([0.05, 0.1]).measure(clf, X, y)
    >>> entropy.kind, bool((entropy.table["entropy"] < entropy.table["shell"]).all())
    ('exact', True)
    """

    _parameter_constraints: dict = {
        "distance": ["array-like", float],
        "method": [StrOptions({"auto", "exact", "sample", "bethe"})],
        "random_state": ["random_state"],
    }

    requires = (BinaryMachines,)

    def __init__(self, distance=(0.01, 0.02, 0.03, 0.05, 0.07, 0.1), method="auto", random_state=0):
        self.distance = distance
        self.method = method
        self.random_state = random_state

    def measure(self, estimator, X, y, sample_weight=None):
        self._validate_params()
        problem = as_problem(estimator, X, y, sample_weight)
        if is_binary(problem):
            return self.evaluate(problem)
        return LocalEnergy(random_state=self.random_state).evaluate(problem)

    def __call__(self, estimator, X, y, sample_weight=None):
        """Score for ``scoring=``: greater is flatter, also for the energy of real weights."""
        found = self.measure(estimator, X, y, sample_weight)
        return found.value if "entropy" in found.table else -found.value

    def _evaluate(self, problem):
        machines = _counting(self._machines(problem), problem.objective.data.weight)
        method, rng = self._method(machines), generator(self.random_state)
        curve = {"exact": _counted, "sample": _sampled, "bethe": _bethe}[method]
        distances = checked_distances(self.distance)
        curves = [curve(patterns, np.ravel(w), distances, rng) for patterns, w in machines]
        at, entropy, stderr, shell = np.mean(curves, axis=0)
        stderr = np.sqrt(np.sum([each[2] ** 2 for each in curves], axis=0)) / len(curves)
        exact = method == "exact"
        return Measurement(
            value=float(entropy[-1]),
            stderr=float(stderr[-1]),
            kind="upper_bound" if problem.sampled else "exact" if exact else "estimate",
            n_evals=1,
            converged=bool(np.isfinite(stderr).all()),
            samples=np.array([each[1][-1] for each in curves]),
            protocol=describe(
                problem,
                method=method,
                samples="entropy at the last distance, one a one-vs-rest problem",
                seed=self.random_state,
            ),
            table={
                "distance": at,
                "entropy": entropy,
                "entropy_stderr": stderr,
                "shell": shell,
            },
        )

    def _machines(self, problem):
        return list(problem.objective.capability(BinaryMachines).machines(problem.w))

    def _method(self, machines):
        """What ``method`` means for these machines."""
        n_units, n_inputs = machines[0][0].shape
        if n_units > 1:
            if self.method in ("exact", "sample"):
                raise ValueError(f"method={self.method!r} is for perceptrons, not for committees.")
            return "bethe"
        if self.method == "exact" and n_inputs > MAX_ENUMERATED:
            raise ValueError(
                f"method='exact' enumerates at most {MAX_ENUMERATED} weights, got {n_inputs}."
            )
        if self.method != "auto":
            return self.method
        if n_inputs <= MAX_ENUMERATED:
            return "exact"
        return "sample" if n_inputs <= MAX_SAMPLED else "bethe"


def _counting(machines, weight):
    """The machines on the rows that count: those with a weight."""
    if weight is None:
        return machines
    rows = np.flatnonzero(weight)
    return [(patterns.take(rows), w) for patterns, w in machines]


def _whole(distances, n):
    """Distances as whole numbers of flips, at least 1 and none twice."""
    return np.unique(np.maximum(1, np.round(distances * n).astype(int)))


def _counted(patterns, w, distances, rng):
    """Distances, entropies, their errors, and entropies of the whole shells."""
    n = len(w)
    flips = _whole(distances, n)
    with np.errstate(divide="ignore"):  # without a solution the logarithm is minus infinity
        entropy = np.log(counts_by_distance(patterns, w)[flips]) / n
    return np.array([flips / n, entropy, np.zeros(len(flips)), log_binomial(n, flips) / n])


def _sampled(patterns, w, distances, rng):
    n = len(w)
    flips = _whole(distances, n)
    found = np.array([sampled_log_count(patterns, w, k, rng) for k in flips])
    return np.array([flips / n, *found.T / n, log_binomial(n, flips) / n])


def _bethe(patterns, w, distances, rng):
    n, messages = len(w), BeliefPropagation(patterns, rng)
    w = np.reshape(w, patterns.shape)
    entropy, stderr = np.empty(len(distances)), np.zeros(len(distances))
    # From large to small distances, each from the messages of the last one: far away the field is
    # weak and belief propagation converges easily.
    for index in reversed(range(len(distances))):
        change, respond = np.inf, partial(_field, w=w, overlap=1 - 2 * distances[index])
        for _ in range(MAX_SWEEPS):
            change = messages.sweep(rng, respond)
            if change < TOL:
                break
        else:
            stderr[index] = np.inf
            warnings.warn(
                f"Belief propagation at the distance {distances[index]:.3g} still changes by "
                f"{change:.2g} after {MAX_SWEEPS} sweeps: its entropy is not to be trusted.",
                stacklevel=5,
            )
        # The free entropy minus the work of the external field is the entropy (Legendre transform).
        aligned = float((messages.external * np.tanh(messages.total)).sum(dtype=float))
        entropy[index] = (messages.log_partition() - aligned) / n
    d = distances
    shell = -d * np.log(d) - (1 - d) * np.log1p(-d)
    return np.array([d, entropy, stderr, shell])


def _field(messages, w, overlap):
    """The field along ``w`` that makes the mean weights overlap with it as they should."""
    # The overlap increases with the field, so the root is unique and within these bounds.
    aligned = (messages.total - messages.external) * w
    bound = np.abs(aligned).max() + np.arctanh(overlap) + 1
    strength = brentq(lambda field: np.tanh(aligned + field).mean() - overlap, -bound, bound)
    return strength * w


local_entropy = function_of(LocalEntropy, "local_entropy")
