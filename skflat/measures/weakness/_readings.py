"""The features that weakness re-reads, and the values that its readings must reproduce."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...objective import HiddenLayer
from ..feasibility import NOTHING, decide_pairs


@dataclass(frozen=True)
class Reading:
    """Features to re-read, and the scores of the network's own reading, which is known.

    Attributes
    ----------
    rows, probes : ndarray of shape (n, n_features)
    labels : ndarray of int of shape (n_rows,)
        The classes that every reading must give to the rows.
    known, known_at_probes : ndarray of shape (n, n_classes)
    """

    rows: np.ndarray
    probes: np.ndarray
    labels: np.ndarray
    known: np.ndarray
    known_at_probes: np.ndarray

    @property
    def n_classes(self):
        """The number of outcomes."""
        return self.known.shape[1]

    def decide(self, budget, asked=None, keep=False):
        """`Witnesses` of the pairs in ``asked``, which belong to the first probes."""
        probes = self.probes if asked is None else self.probes[: len(asked)]
        reading = self.rows, self.labels, probes, self.n_classes, self.known
        return decide_pairs(*reading, budget, asked, keep)


def readings(problem, probes, features, target):
    """The features and the values to reproduce, for every label or for the classes.

    Parameters
    ----------
    problem : Problem
        A problem of classes or labels.
    probes : array-like or sparse matrix of shape (n_probes, n_features)
    features : {'logits', 'hidden'}
    target : {'predictions', 'labels'}

    Returns
    -------
    list of Reading
    """
    objective, w = problem.objective, double(problem.w)
    scores, at_probes = objective.scores(w), objective.scores(w, probes)
    learned = _learned(problem, scores, target)
    if problem.task.greatest_wins:
        rows = _reread(objective, w, probes, features, scores, at_probes)
        means = (each.mean(axis=1, keepdims=True) for each in (scores, at_probes))
        known = (each - mean for each, mean in zip((scores, at_probes), means, strict=True))
        return [Reading(*rows, learned, *known)]
    rows = hidden_layer(objective, w, probes)
    # A binary score z becomes two scores -z/2 and z/2, whose difference is z.
    halves = ([np.column_stack([-z, z]) / 2 for z in each.T] for each in (scores, at_probes))
    return [Reading(*rows, *column) for column in zip(learned.T, *halves, strict=True)]


def _learned(problem, scores, target):
    """The classes, or for every label 0 or 1, that readings reproduce."""
    y = problem.objective.data.y
    if problem.task.greatest_wins:
        return y if target == "labels" else scores.argmax(axis=1)
    return (y > 0.5 if target == "labels" else scores > 0).astype(int)


def _reread(objective, w, probes, features, scores, at_probes):
    """Centred logits or the hidden layer, on the rows and at the probes."""
    if features == "hidden":
        return hidden_layer(objective, w, probes)
    logits = _centred(scores), _centred(at_probes)
    layers = objective.capability(HiddenLayer)
    # Without a hidden layer the inputs take its place, which may be many and sparse.
    if layers is None or sparse.issparse(layers.features(w, objective.data.X[:1])):
        return logits
    hidden = hidden_layer(objective, w, probes)
    # A unit that is the same everywhere is part of the intercept.
    moves = np.any(np.vstack(hidden) != hidden[0][0], axis=0)
    hidden, head = tuple(layer[:, moves] for layer in hidden), layers.head(w)[moves]
    return hidden if _carries(head, hidden, (scores, at_probes)) else logits


def _carries(head, hidden, scores):
    """Whether proofs on the hidden layer hold for the logits of more columns, and vice versa.

    The logits are an affine map of the layer. If the map is injective, every affine function of
    one is an affine function of the other, and both have the same readings. The columns of the
    logits then depend on each other except for rounding, so proofs on them are never exact. And
    fewer columns make every program smaller.
    """
    n_units, n_classes = head.shape
    if not 0 < n_units < n_classes - 1:
        return False
    rest = np.vstack([F - layer @ head for F, layer in zip(scores, hidden, strict=True)])
    size = max(np.abs(F).max() for F in scores)
    if np.abs(_centred(rest - rest[0])).max() > NOTHING * size:
        return False  # the model adds something else to this map
    lengths = np.linalg.norm(_centred(head), axis=1, keepdims=True)
    if not lengths.all():
        return False
    found = np.linalg.svd(_centred(head) / lengths, compute_uv=False)
    return bool(found[-1] > NOTHING * found[0])


def double(w):
    """The parameters in double precision, because rounding must not decide a pair."""
    return w.astype(float)


def _centred(logits):
    """Centred logits without the last column, which is minus the sum of the others."""
    return (logits - logits.mean(axis=1, keepdims=True))[:, :-1]


def hidden_layer(objective, w, probes):
    """Last hidden layer on the rows and at the probes, dense."""
    hidden = objective.capability(HiddenLayer)
    layers = (hidden.features(w, X) for X in (None, probes))
    return tuple(layer.toarray() if sparse.issparse(layer) else layer for layer in layers)
