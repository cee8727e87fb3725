"""Replicated gradient descent for binary weights."""

from numbers import Real

import numpy as np

from ..._compat import Interval, StrOptions
from ._binary_solver import COUNT, POSITIVE, OnlineSolver, best_of, signs


class BinaryReplicatedSGD(OnlineSolver):
    """Several replicas that correct their errors and are coupled to their mean.

    Every weight of a replica is the sign of a hidden state. On each batch the states move along the
    rows that the replica violates. Then a kick moves them towards the mean weights of all replicas,
    with growing strength. If noisy replicas stay together, solutions are dense there (Baldassi and
    others, arXiv:1605.06444). In a committee only as many units as necessary are corrected: those
    closest to their threshold.

    An iteration is a pass of all replicas over all rows. The candidates are the replicas and the
    sign of their mean. All replicas begin at the same random signs, or at the weights to start
    from.

    Parameters
    ----------
    kick : {'corrected', 'simple', 'hard', 'continuous'}, default='corrected'
        With the replica's weights ``w``, the mean ``m`` over replicas and ``s = gamma n_replicas``:
        strength times ``tanh(s m) - tanh(s) w``; ``tanh(s m) - w``; ``s m`` clipped to
        [-1, 1], less ``w``; or ``m - w``, which is the fastest where there are few rows.
    n_replicas : int, default=7
    strength : float, default=0.75
        Strength of the kick.
    gamma : float, default=0.05
        Coupling in the first epoch; ``'continuous'`` does without.
    gamma_step : float, default=0.001
        Growth of ``gamma`` per epoch.
    rate : float, default=2.0
        Step size of the correction.
    batch_size : int, default=80

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.models.threshold import Patterns
    >>> from skflat.solvers.binary import BinaryReplicatedSGD
    >>> rng = np.random.default_rng(0)
    >>> patterns = Patterns(rng.choice([-1.0, 1.0], (1, 60, 201)))
    >>> BinaryReplicatedSGD().solve(patterns, rng).n_violated
    0
    """

    _parameter_constraints: dict = {
        "kick": [StrOptions({"corrected", "simple", "hard", "continuous"})],
        "n_replicas": [COUNT],
        "strength": [Interval(Real, 0, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "gamma_step": [Interval(Real, 0, None, closed="left")],
        "rate": [POSITIVE],
        "batch_size": [COUNT],
    }

    max_iter = 500
    committees = together = True

    def __init__(
        self,
        kick="corrected",
        n_replicas=7,
        strength=0.75,
        gamma=0.05,
        gamma_step=0.001,
        rate=2.0,
        batch_size=80,
    ):
        self.kick = kick
        self.n_replicas = n_replicas
        self.strength = strength
        self.gamma = gamma
        self.gamma_step = gamma_step
        self.rate = rate
        self.batch_size = batch_size

    def begin(self, patterns, rng, start=None):
        drawn = rng.choice([-1.0, 1.0], patterns.shape).astype(patterns.xi.dtype)
        start = patterns.repeated(drawn) if start is None else start
        return {"h": np.repeat(start[None], self.n_replicas, axis=0), "gamma": self.gamma}

    def advance(self, patterns, state, rng):
        h, gamma, n_rows = state["h"], state["gamma"], patterns.n_rows
        w = signs(h)
        orders = [rng.permutation(n_rows) for _ in h]
        mean = w.mean(axis=0)
        for start in range(0, n_rows, self.batch_size):
            for replica in rng.permutation(len(h)):
                rows = orders[replica][start : start + self.batch_size]
                h[replica] += self.rate * correction(patterns, w[replica], rows)
                before, w[replica] = w[replica].copy(), signs(h[replica])
                h[replica] += self.strength * self._pull(mean, w[replica], gamma)
                w[replica] = signs(h[replica])
                # An update of the mean costs one vector, and a new mean costs all replicas.
                mean += (w[replica] - before) / len(h)
        state["gamma"] = gamma + self.gamma_step
        return best_of(patterns, [signs(w.mean(axis=0)), *w])

    def _pull(self, mean, w, gamma):
        if self.kick == "continuous":
            return mean - w
        s = gamma * self.n_replicas
        if self.kick == "hard":
            return np.clip(s * mean, -1, 1) - w
        return np.tanh(s * mean) - (np.tanh(s) * w if self.kick == "corrected" else w)


def correction(patterns, w, rows):
    """Sum of the violated rows, for every unit that should correct them."""
    batch = patterns.take(rows)
    fields = batch.fields(w)
    violated = ~batch.satisfied(fields)
    if patterns.n_units == 1:
        return batch.columns(batch.weighted(violated.astype(w.dtype)))[..., None, :]
    # The units with the least negative fields, as many as the majority lacks.
    lacking = patterns.n_units // 2 + 1 - np.count_nonzero(fields > 0, axis=-2, keepdims=True)
    cost = np.where(fields > 0, np.inf, -fields)
    rank = cost.argsort(axis=-2).argsort(axis=-2)
    to_mend = violated[..., None, :] & (rank < lacking)
    return batch.columns_of_units(batch.weighted(to_mend.astype(w.dtype)))
