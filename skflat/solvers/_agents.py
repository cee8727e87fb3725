"""Decentralised training: agents on a graph, each with its share of the rows."""

import math
from itertools import pairwise
from numbers import Integral

import numpy as np

from .._compat import Interval, StrOptions
from ..objective import cache_slices
from ._replicated_sgd import Ensemble, centre_of

COLUMNS = 1 << 12  # parameters at a time, so that those of all agents stay in the cache


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
        # A batch smaller than the network goes to some agents, to others in the next step.
        first = state.step if len(parts) < self.n_agents else 0
        for k, part in enumerate(parts, start=first):
            move = moves[k % self.n_agents]
            share = part.total_weight / total if total > 0 else 0.0
            agent = agents[k % self.n_agents]
            loss += share * objective.loss_gradient(agent, part, move, state.work)[0]
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

    Agents on a graph each take a step of gradient descent on their share of the batch, then each
    takes the weighted mean of its neighbours: ``w_k <- sum_l a_lk (w_l - rate g_l)``. The mean of
    the agents is what is evaluated and returned. They do not quite agree, and this noise lets them
    leave narrow minima sooner than the centralised solver would; `Consensus` has more of it.

    There is no ``rho``. A step costs one gradient of the batch, all agents together. It converges
    where gradient descent does, with an excess risk that small rates order: centralised,
    diffusion, consensus. On a complete graph it is gradient descent.

    Parameters
    ----------
    n_agents : int, default=8
        One agent is gradient descent.
    graph : {'ring', 'complete'} or array-like of shape (n_agents, n_agents), default='ring'
        Who hears whom: the weights ``a_lk``, symmetric and not negative, with rows that sum to 1.
        In a ring every agent weighs itself and both neighbours by 1/3.

    Notes
    -----
    Every batch is cut into consecutive parts as equal as can be, one for each agent in turn, so
    that batches should have ``n_agents`` rows or more; agents without rows only listen. As the rows
    are shuffled, all agents see the same distribution. A part counts by its weight, so that the
    centre follows the gradient of the batch.

    The steps are plain ones, without the estimator's momentum; ``learning_rate`` and
    ``learning_rate_init`` apply. The loss reported is the mean over the agents, where they are.

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

    As `Diffusion`, but each agent adds its own step to the weighted mean of its neighbours:
    ``w_k <- sum_l a_lk w_l - rate g_k``, with ``g_k`` the gradient at the old ``w_k``. The agents
    disagree more: excess risk is higher than with diffusion, and narrow minima are left sooner.

    There is no ``rho``. A step costs one gradient of the batch, all agents together. It converges
    where gradient descent does, at rates below ``(1 + a) / lam``, with ``lam`` the largest
    curvature and ``a`` the smallest eigenvalue of the weights; that is -1/3 in a ring of even size.

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
        _mix(agents.copy(), weights, out=agents)
        agents -= moves


def _combination(graph, n_agents):
    """The weights with which the agents hear each other."""
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
    """Write the mean that every agent hears; where all agree it is that, to the bit."""
    first = heard[0].copy()
    heard -= first
    np.matmul(weights, heard, out=out)
    out += first


def _parts(batch, n_parts):
    """The batch in consecutive parts that differ by one row at most."""
    n_parts = min(n_parts, len(batch))
    ends = np.arange(n_parts + 1) * len(batch) // n_parts
    return [batch.part(slice(start, stop)) for start, stop in pairwise(ends.tolist())]
