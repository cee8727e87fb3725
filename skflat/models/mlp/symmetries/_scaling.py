"""Positively homogeneous units: each can be multiplied by a positive number."""

import numpy as np

from ..._symmetry import Flattest, Symmetry
from ._balancing import ScaledEntries, balanced
from ._entries import trace_chain
from ._largest import least_largest


class PositiveScaling(Symmetry):
    """Scales ``s > 0`` of relu, leaky relu and all units with ``f(s z) = s f(z)``.

    A unit's incoming weights and intercept are multiplied by ``s``, its outgoing weights divided
    by it. The network has one such number for every hidden unit. The trace over the orbit is a sum
    of ``E_ij s_i^2 / s_j^2``, the squared norm one of ``W_ij^2 s_j^2 / s_i^2``: both are convex in
    ``log s``, see `_balancing.py`, and their minima are those of balancing.

    Parameters
    ----------
    model : MLP
    """

    group = "positive scales of hidden units"

    def conserved(self, w):
        """``|w_in|^2 + b^2 - |w_out|^2`` of every unit, by hidden layer."""
        weights, intercepts = self.model.split(w.astype(float, copy=False))
        rows = [np.sum(W**2, axis=0) + b**2 for W, b in zip(weights, intercepts, strict=True)]
        return {
            f"layer {k}": rows[k - 1] - np.sum(weights[k] ** 2, axis=1)
            for k in range(1, self.model.n_layers)
        }

    def flattest(self, objective, w, criterion="trace"):
        self.check(criterion)
        if self.model.n_layers == 1:
            return Flattest(w.copy())
        if criterion == "norm":
            found = balanced(norm_chain(self.model, w))
            w = self.scaled(w, [-each for each in found.t])
            return Flattest(w, found.converged, "exact", _details(found))
        chain = self._trace_chain(objective, w)
        found = balanced(chain)
        w = self.scaled(w, self._with_the_dead(w, chain, found))
        trace = Flattest(w, found.converged, "exact", _details(found))
        return trace if criterion == "trace" else least_largest(self, objective, trace)

    def flow(self, objective, w, criterion="trace"):
        """Every step goes half the way that balances each unit if its neighbours rest.

        It is a descent of the criterion: in ``log s`` along the gradient, divided for each unit by
        its own curvature. Units that `flattest` leaves stay.
        """
        self.check(criterion)
        while self.model.n_layers == 1:
            yield w.copy()
        of_norm = criterion == "norm"
        chain = norm_chain(self.model, w) if of_norm else self._trace_chain(objective, w)
        t = chain.start()
        while True:
            yield self.scaled(w, [-each if of_norm else each for each in t])
            for place, into, out in zip(t, *chain.scaled(t).flows(), strict=True):
                good = (into > 0) & (out > 0)
                place[good] += (np.log(into[good]) - np.log(out[good])) / 8

    def scaled(self, w, t):
        """The parameters whose hidden units are ``exp(t)`` times as large, a new vector."""
        out = w.copy()
        weights, intercepts = self.model.split(out)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for layer, each in enumerate(t):
                scale = np.exp(each).astype(w.dtype)
                weights[layer] *= scale
                intercepts[layer] *= scale
                weights[layer + 1] /= scale[:, None]
        if not np.isfinite(out).all():
            raise ValueError(
                f"The scales of the units take the parameters beyond {w.dtype}: the curvature of "
                "the loss, or the parameters, are too uneven."
            )
        return out

    def n_coordinates(self):
        return sum(self.model.sizes[1:-1])

    def shrinking(self):
        return -(np.arange(self.n_coordinates()) < self.model.sizes[1]).astype(float)

    def moved(self, w, coordinates):
        """The coordinates are ``log s``, of all units of a layer after the other."""
        widths = self.model.sizes[1:-1]
        t = np.split(coordinates, np.cumsum(widths)[:-1])
        return self.scaled(w, t[: len(widths)])

    def _trace_chain(self, objective, w):
        with np.errstate(over="ignore", invalid="ignore"):
            chain = trace_chain(self.model, objective.loss_function, w, objective.data)
            total = chain.total()
        if not np.isfinite(total):
            raise ValueError(
                f"The trace of the Hessian is {total}, so no scales make it least. Large values of "
                "X need to be preprocessed."
            )
        return chain

    def _with_the_dead(self, w, chain, found):
        """The scales, those of dead units chosen by their norms.

        The loss curves in no weight of a dead unit, so all its scales have the same trace. With
        balanced norms the end is one point of the orbit.
        """
        dead = [(into == 0) & (out == 0) for into, out in zip(*chain.flows(), strict=True)]
        inner = norm_chain(self.model, w).part(dead, [-each for each in found.t])
        t = [each.copy() for each in found.t]
        for place, chosen, each in zip(t, dead, balanced(inner).t, strict=True):
            place[chosen] = -each
        return t


def norm_chain(model, w):
    """The squared norm of the parameters as a `ScaledEntries`, of the inverse scales."""
    weights, intercepts = model.split(w.astype(float))
    source = [b**2 for b in intercepts[:-1]]
    source[0] += np.sum(weights[0] ** 2, axis=0)
    sink = [np.zeros(len(each)) for each in source]
    sink[-1] = np.sum(weights[-1] ** 2, axis=1)
    return ScaledEntries(source, sink, [W**2 for W in weights[1:-1]])


def _details(found):
    """What `Flattest` reports of a balanced chain."""
    return {
        "imbalance": found.imbalance,
        "sweeps": found.n_sweeps,
        "newton_steps": found.n_newton,
        "unattained": found.n_one_sided,
    }
