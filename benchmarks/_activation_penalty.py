"""Penalties on the last hidden layer and on the weights that read it: a rival of flatness.

Baek, Kolter and Raghunathan (arXiv:2405.03676) find that the two together recover most of what SAM
gains under label noise, for the price of one gradient.
"""

from skflat.solvers._gradient import Based


class ActivationPenalty(Based):
    """Minimises ``loss + activations / 2 * mean |a|^2 + last / 2 * |V|^2``.

    ``a`` is the hidden layer of a relu network with one of them, ``V`` holds the weights that read
    it. A step costs one gradient, and one product more of the size of the first layer.
    """

    _parameter_constraints: dict = {}

    def __init__(self, activations=0.0, last=0.0, *, base="adam"):
        self.activations = activations
        self.last = last
        self.base = base

    def direction(self, objective, w, batch, state):
        loss, out = super().direction(objective, w, batch, state)
        params, slopes = objective.layout.views(w), objective.layout.views(out)
        hidden = (batch.X @ params["W0"] + params["b0"]).clip(0)
        strength = self.activations / len(batch)
        # The slope of relu is 1 where the unit is not 0, so the chain rule leaves ``a`` as it is.
        slopes["W0"] += strength * (batch.X.T @ hidden)
        slopes["b0"] += strength * hidden.sum(axis=0)
        slopes["W1"] += self.last * params["W1"]
        return loss, out
