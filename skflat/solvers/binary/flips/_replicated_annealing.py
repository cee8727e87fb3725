"""Simulated annealing of replicas that attract each other."""

from numbers import Real

import numpy as np

from ...._compat import StrOptions
from .._binary_solver import COUNT, POSITIVE, OnlineSolver, best_of, signs


class ReplicatedAnnealing(OnlineSolver):
    """Simulated annealing of several replicas that attract each other: the robust ensemble.

    All replicas are tied with the strength ``gamma`` to a centre with weights -1 and +1, and the
    sum over all centres is taken exactly. So replicas ``w^a`` have a probability proportional to
    ``exp(-beta sum_a E(w^a)) prod_i 2 cosh(gamma sum_a w^a_i)``, where ``E`` is the energy. It is
    high where solutions are dense, so annealing goes there, while a single replica gets stuck
    (Baldassi and others, arXiv:1605.06444). With one replica, or with ``gamma = 0``, this is
    simulated annealing.

    An iteration is a sweep: every weight of every replica is proposed to flip once, in random
    order, and flips with the probability of Metropolis. A proposal costs one column of the matrix
    of patterns, so a sweep costs as much as ``n_replicas`` products with the matrix. But it
    consists of many small steps and takes some tens of times as long, with few rows hundreds of
    times. In a schedule of ``n_sweeps`` iterations ``beta`` and ``gamma`` grow evenly, and then
    they stay. The search ends 100 iterations after that. The candidates are the replicas and the
    sign of their mean. All replicas begin at random, or at the weights to start from.

    Parameters
    ----------
    energy : {'flips', 'rows', 'cross_entropy'}, default='flips'
        Of each violated row: half of what its field lacks, which is the number of flips that it
        needs if entries are -1 and +1; or 1. ``'cross_entropy'`` is
        ``log(1 + exp(-2 gain stability))`` of every row, and the stability is the field divided by
        the square root of the number of weights. Fields are in units of the root mean square entry.
    n_replicas : int, default=7
    n_sweeps : int, default=300
        Length of the schedule. Longer is stronger.
    beta : tuple (first, last), default=(0.5, 3.0)
        Inverse temperature.
    gamma : tuple (first, last), default=(0.0, 1.0)
        Strength of the ties to the centre.
    gain : float, default=1.0
        Steepness of the cross-entropy.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import ReplicatedAnnealing
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 60, 201)))
    >>> ReplicatedAnnealing().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {
        "energy": [StrOptions({"flips", "rows", "cross_entropy"})],
        "n_replicas": [COUNT],
        "n_sweeps": [COUNT],
        "beta": [tuple, list],
        "gamma": [tuple, list],
        "gain": [POSITIVE],
    }

    together = True

    def __init__(
        self,
        energy="flips",
        n_replicas=7,
        n_sweeps=300,
        beta=(0.5, 3.0),
        gamma=(0.0, 1.0),
        gain=1.0,
    ):
        self.energy = energy
        self.n_replicas = n_replicas
        self.n_sweeps = n_sweeps
        self.beta = beta
        self.gamma = gamma
        self.gain = gain

    @property
    def max_iter(self):
        """The value of ``max_iter="auto"`` of the estimators."""
        return self.n_sweeps + 100

    def _validate_params(self):
        super()._validate_params()
        for name in ("beta", "gamma"):
            ends = getattr(self, name)
            if len(ends) != 2 or not all(isinstance(x, Real) and 0 <= x < np.inf for x in ends):
                raise ValueError(f"{name} must be two finite numbers of at least 0; got {ends!r}.")

    def begin(self, patterns, rng, start=None):
        shape, dtype = (self.n_replicas, *patterns.shape), patterns.xi.dtype
        drawn = rng.choice([-1.0, 1.0], shape).astype(dtype)
        if start is None:
            w = np.stack([patterns.repeated(each) for each in drawn])
        else:
            w = np.repeat(start[None], self.n_replicas, axis=0).astype(dtype)
        return {"w": w, "n_sweeps": 0}

    def advance(self, patterns, state, rng):
        share = min(state["n_sweeps"] / max(self.n_sweeps - 1, 1), 1.0)
        beta, gamma = (first + share * (last - first) for first, last in (self.beta, self.gamma))
        state["n_sweeps"] += 1
        w = state["w"]
        walk = Walk(patterns, w, self._energies(patterns), beta, gamma)
        walk.sweep(rng)
        return best_of(patterns, [signs(w.mean(axis=0)), *w])

    def _energies(self, patterns):
        """The energy of rows as a function of their fields less the bar."""
        unit = root_mean_square(patterns.matrix)
        if self.energy == "rows":
            return lambda leads: patterns.are_short(leads).astype(unit.dtype)
        if self.energy == "flips":
            needed = unit if patterns.bar == 0 else 0 * unit  # a field must be greater than 0
            return lambda leads: np.maximum(needed - leads, 0) / (2 * unit)
        spread = (unit * np.sqrt(patterns.shape[1])).astype(unit.dtype)
        return lambda leads: np.logaddexp(0, -2 * self.gain * (leads / spread))


def root_mean_square(X):
    """Of all entries, however large or small; 1 if all are 0."""
    largest = np.abs(X).max()
    return largest * np.sqrt(np.mean((X / largest) ** 2)) if largest > 0 else X.dtype.type(1)


class Walk:
    """Metropolis' walk of all replicas of one or several problems.

    Parameters
    ----------
    patterns : skflat.models.threshold.Patterns or Problems
    w : ndarray of shape (n_replicas, ..., 1, n_inputs)
        The weights, which the walk changes.
    energies : callable
        Of rows, from their fields less the bar.
    beta, gamma : float
    """

    def __init__(self, patterns, w, energies, beta, gamma):
        n_replicas, n = len(w), w.shape[-1]
        self.patterns, self.energies, self.beta = patterns, energies, beta
        self.w = w.reshape(n_replicas, -1, n)  # replicas of each problem; a view
        fields = np.stack([patterns.fields(each) for each in w])
        self.leads = fields.reshape(*self.w.shape[:2], -1) - patterns.bar
        self.total = self.energy(self.leads)
        # Of the labels only problems have some: otherwise they are part of the rows.
        self.labels = getattr(patterns, "signs", np.ones(1, w.dtype))
        self.columns = np.ascontiguousarray(patterns.matrix.T)
        self.sums = self.w.sum(axis=0)
        # log 2 cosh(gamma s) for all sums s of replicas; negative sums count from the end.
        s = gamma * np.r_[0 : n_replicas + 1, -n_replicas:0]
        self.pulls = np.logaddexp(s, -s)

    def energy(self, leads):
        """Of every replica of every problem."""
        return self.patterns.weighted(self.energies(leads)).sum(axis=-1)

    def sweep(self, rng):
        """Propose every flip once."""
        n_replicas, _, n = self.w.shape
        order, bars = rng.permutation(n), rng.exponential(size=(n, n_replicas, 1))
        # Replicas only interact at equal weights. So replicas at different places of the order may
        # flip together, which is as good as one after the other.
        for some in np.array_split(np.arange(n_replicas), -(-n_replicas // n)):
            places = np.arange(len(some)) * n // len(some)
            for step in range(n):
                self.flip(some, order[(step + places) % n], bars[step, some])

    def flip(self, replicas, i, bars):
        """Flip weight ``i[k]`` of the k-th of these replicas where Metropolis accepts."""
        w, sums = self.w[replicas, :, i], self.sums[:, i].T
        leads = self.leads[replicas] - 2 * w[..., None] * (self.labels * self.columns[i, None])
        total = self.energy(leads)
        costs = self.costs(total - self.total[replicas], w, sums)
        taken = np.nonzero(costs < bars)
        if len(taken[0]):
            at = replicas[taken[0]], taken[1]
            self.leads[at], self.total[at] = leads[taken], total[taken]
            self.w[(*at, i[taken[0]])] = -w[taken]
            self.sums[taken[1], i[taken[0]]] -= 2 * w[taken]

    def costs(self, rise, w, sums):
        """What flips of ``w`` take from the log-probability, given that the energy rises so much.

        ``sums`` are those over all replicas.
        """
        sums, after = sums.astype(int), (sums - 2 * w).astype(int)
        return self.beta * rise - (self.pulls[after] - self.pulls[sums])
