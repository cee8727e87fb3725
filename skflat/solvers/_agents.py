"""Decentralised training by agents on a graph. Each agent has its share of the rows."""

import math
from itertools import pairwise
from numbers import Integral

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices
from ._replicated_sgd import Ensemble, centre_of

# Parameters per block. A block of all agents, usually 8 rows of 32 KB, stays in the cache.
COLUMNS = 1 << 12


class _Network(Ensemble):
    """Agents on a graph. A subclass says when they step and when they mix."""

    _parameter_constraints: dict = {
        "n_agents": [Interval(Integral, 1, None, closed="left")],
        "graph": [StrOptions({"ring", "complete"}), "array-like"],
    }

    def __init__(self, n_agents=8, *, graph="ring"):
        self.n_agents = n_agents
        self.graph = graph

    def n_points(self):
        return self.n_agents

    def init_state(self, objective, w, settings, rng):
        state = super().init_state(objective, w, settings, rng)
        self._connect(w, state)
        return state

    def adopt(self, objective, w, state, settings):
        super().adopt(objective, w, state, settings)
        self._connect(w, state)

    def _connect(self, w, state):
        state.memory.weights = _combination(self.graph, self.n_agents).astype(w.dtype)

    def step(self, objective, w, batch, state):
        agents, loss = state.memory.points, 0.0
        moves = state.work.array("moves of agents", agents.shape, w.dtype)
        parts, total = _parts(batch, self.n_agents), batch.total_weight
        if len(parts) < self.n_agents:
            moves[:] = 0
        # If the batch has fewer rows than there are agents, the agents take turns.
        first = state.step if len(parts) < self.n_agents else 0
        for k, part in enumerate(parts, start=first):
            move = moves[k % self.n_agents]
            share = part.total_weight / total if total > 0 else 0.0
            agent = agents[k % self.n_agents]
            loss += share * objective.loss_gradient(agent, part, move, state.work)[0]
            # With this rate the centre moves by the learning rate times the weighted mean of the
            # gradients, that is, by the gradient of the batch.
            rate = self.n_agents * share * state.base.learning_rate
            for block in cache_slices(w):
                move[block] *= rate
        if math.isfinite(loss):
            for agent in agents:
                state.base.decay(agent)
            for start in range(0, len(w), COLUMNS):
                block = slice(start, start + COLUMNS)
                self._advance(agents[:, block], moves[:, block], state.memory.weights)
            centre_of(agents, out=w)
        return loss

    def _advance(self, agents, moves, weights):
        raise NotImplementedError


class Diffusion(_Network):
    """Decentralised descent by diffusion (Cao, Wu, Yuan and Sayed, arXiv:2406.20006).

    Each agent on a graph takes a step of gradient descent on its share of the batch. Then each
    agent takes the weighted mean of its neighbours: ``w_k <- sum_l a_lk (w_l - rate g_l)``. The
    mean of the agents is evaluated and returned. The agents disagree slightly. This noise lets them
    leave narrow minima sooner than the centralised solver does. `Consensus` has more of this noise.

    There is no ``rho``. A step of all agents together costs one gradient of the batch. The solver
    converges where gradient descent does. For small rates the excess risk increases in the order
    centralised, diffusion, consensus. On a complete graph the method is gradient descent.

    Parameters
    ----------
    n_agents : int, default=8
        Number of agents. One agent is gradient descent.
    graph : {'ring', 'complete'} or array-like of shape (n_agents, n_agents), default='ring'
        The weights ``a_lk`` of the graph. An array must be symmetric and not negative, and its rows
        must sum to 1. In a ring the weights of an agent and its two neighbours are 1/3 each.

    Notes
    -----
    Every batch is cut into consecutive parts of nearly equal size, one for each agent. So batches
    should have at least ``n_agents`` rows. Agents without rows only average. As the rows are
    shuffled, all agents see the same distribution. A part counts by its weight, so the centre
    follows the gradient of the batch.

    The steps have no momentum. ``learning_rate`` and ``learning_rate_init`` apply. The loss
    reported is the mean over the agents, each at its own point.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import Diffusion
    >>> FlatMLPClassifier(solver=Diffusion(4, graph="complete"), learning_rate_init=0.1).solver
    Diffusion(graph='complete', n_agents=4)
    """

    def _advance(self, agents, moves, weights):
        np.subtract(agents, moves, out=moves)
        _mix(moves, weights, out=agents)


class Consensus(_Network):
    """Decentralised descent by consensus (Cao, Wu, Yuan and Sayed, arXiv:2406.20006).

    This is like `Diffusion`, but each agent adds its own step to the weighted mean of its
    neighbours: ``w_k <- sum_l a_lk w_l - rate g_k``, with ``g_k`` the gradient at the old ``w_k``.
    The agents disagree more than with diffusion. The excess risk is higher, and the agents leave
    narrow minima sooner.

    There is no ``rho``. A step of all agents together costs one gradient of the batch. The solver
    converges where gradient descent does, at rates below ``(1 + a) / lam``. Here ``lam`` is the
    largest curvature and ``a`` the smallest eigenvalue of the weights. In a ring of even size ``a``
    is -1/3.

    Parameters
    ----------
    n_agents, graph
        As in `Diffusion`, and so are the notes there.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import Consensus
    >>> FlatMLPClassifier(solver=Consensus(4), learning_rate_init=0.1).solver
    Consensus(n_agents=4)
    """

    def _advance(self, agents, moves, weights):
        # ``_mix`` overwrites its first argument, and a product must not write into its own input.
        _mix(agents.copy(), weights, out=agents)
        agents -= moves


def _combination(graph, n_agents):
    """The matrix of weights with which the agents average each other."""
    if isinstance(graph, str):
        if graph == "complete":
            return np.full((n_agents, n_agents), 1 / n_agents)
        alone = np.eye(n_agents)
        return (alone + np.roll(alone, 1, axis=0) + np.roll(alone, -1, axis=0)) / 3
    weights = np.asarray(graph, dtype=np.float64)
    if (
        weights.shape != (n_agents, n_agents)
        or not (weights >= 0).all()
        or not np.allclose(weights, weights.T)
        or not np.allclose(weights.sum(axis=0), 1)
    ):
        raise ValueError(
            f"graph must be 'ring', 'complete' or a symmetric array of shape {(n_agents,) * 2} "
            f"without negative weights whose rows sum to 1, got {graph!r}."
        )
    return weights


def _mix(heard, weights, out):
    """Write each agent's weighted mean to ``out``. If all agents are equal, it is exact."""
    # The product is taken of differences to the first agent, because weights such as 1/3 do not
    # sum to exactly 1 in floating point.
    first = heard[0].copy()
    heard -= first
    np.matmul(weights, heard, out=out)
    out += first


def _parts(batch, n_parts):
    """The batch in consecutive parts, whose sizes differ by at most one row."""
    n_parts = min(n_parts, len(batch))
    ends = np.arange(n_parts + 1) * len(batch) // n_parts
    return [batch.part(slice(start, stop)) for start, stop in pairwise(ends.tolist())]
