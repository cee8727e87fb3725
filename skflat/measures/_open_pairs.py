"""Which outcomes affine readings of some features can still give some probes, with the proofs."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ._completions import Completions
from ._exact import surely_vanishes, surely_wins
from ._separation import ZERO
from ._two_classes import settle_two_classes
from ._walk import walk

# Variables up to which decisions are cheap, and proofs that name two classes cheaper still.
FEW = 100


class Refutation(NamedTuple):
    """Inequalities that no reading satisfies together, for their weighted sum is ``0 > 0``.

    Each says that on ``[features, 1]`` of a row the score of the row's label exceeds that of a
    rival (the theorem of Gordan, a case of Farkas's lemma).

    Attributes
    ----------
    rows : ndarray of int
        Of the training rows; -1 is the probe, whose label is the outcome in question.
    rivals : ndarray of int
        Classes.
    weights : ndarray
        Positive.
    """

    rows: np.ndarray
    rivals: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class OpenPairs:
    """Decisions on (probe, outcome) pairs, each with what proves it.

    Attributes
    ----------
    is_open : ndarray of bool of shape (n_probes, n_classes)
    decided : ndarray of bool of shape (n_probes, n_classes)
        False where rounding kept a pair from a proof; such a pair counts as closed.
    witnesses : ndarray of shape (n_witnesses, n_features + 1, n_classes)
        Last layers that give every training row its label; the last row are the intercepts.
    witness_of : ndarray of int of shape (n_probes, n_classes)
        The witness that gives the probe the outcome; -1 where the pair is closed.
    refutations : dict of (int, int) to Refutation
        Of the closed pairs.
    features, probes : ndarray
        As they were given.
    completions : Completions
        The maps of the training rows, from which `extension_size` goes on.
    """

    is_open: np.ndarray
    decided: np.ndarray
    witnesses: np.ndarray = field(repr=False)
    witness_of: np.ndarray = field(repr=False)
    refutations: dict = field(repr=False)
    features: np.ndarray = field(repr=False)
    probes: np.ndarray = field(repr=False)
    completions: Completions = field(repr=False)

    def proves(self, probe, outcome, exactly=False):
        """Check the proof of one decision.

        Parameters
        ----------
        probe : int
        outcome : int
        exactly : bool, default=False
            What is open is so exactly, whatever this says. A refutation shows by default that no
            reading has a margin above the resolution of 1e-10; True asks for weights that make the
            sum exactly 0, in rational arithmetic, on the features as they are given. Where these
            depend on each other but for rounding, as centred logits may, there are none.

        Returns
        -------
        bool
        """
        rows = _with_ones(np.vstack([self.features, self.probes[probe]]))
        labels = np.append(self.completions.labels, outcome)
        if self.is_open[probe, outcome]:
            W = self.witnesses[self.witness_of[probe, outcome]]
            return bool(surely_wins(rows, W, labels).all())
        if (probe, outcome) not in self.refutations:
            return False
        index, rivals, weights = self.refutations[probe, outcome]
        if not (weights > 0).all() or np.any(labels[index] == rivals):
            return False
        if not exactly:
            rows = self.completions.with_intercept(np.vstack([self.features, self.probes[probe]]))
        classes = np.eye(self.is_open.shape[1])[:, :-1]
        gaps = classes[labels[index]] - classes[rivals]
        vectors = (gaps[:, :, None] * rows[index][:, None, :]).reshape(len(index), -1)
        if exactly:
            return surely_vanishes(vectors, weights)
        total = weights @ np.linalg.norm(rows[index], axis=1)
        return bool(np.linalg.norm(weights @ vectors) <= 2 * ZERO * total)


def open_pairs(features, labels, probes, n_classes=None, scores=None):
    """Decide for every probe and outcome whether some affine map realises the pair.

    The map has one score a class, gives every training row its label, strictly, and the probe the
    outcome: Bennett's feature-classifier vocabulary (arXiv:2605.05209). Every decision has a
    proof. A pair whose best map has a margin below 1e-10 (in a basis in which the rows spread
    evenly, rows and map of length 1) counts as closed.

    Parameters
    ----------
    features : array-like of shape (n_rows, n_features)
    labels : array-like of int of shape (n_rows,)
        Classes 0, 1, ... Where no map gives all rows their labels, every pair is closed.
    probes : array-like of shape (n_probes, n_features)
    n_classes : int, default=None
        At least 2. None is the greatest label plus 1, or 2.
    scores : array-like of shape (n_rows, n_classes), default=None
        Of a map that is known to give the rows their labels, a network's own say: where to begin
        with many features or classes, for which another is not found as soon.

    Returns
    -------
    OpenPairs

    Raises
    ------
    ValueError
        If shapes or labels do not fit.

    Notes
    -----
    Most pairs are settled together. Of two classes every probe asks for one linear program over
    the same band, and a few large products narrow what all of them lie between. Of more classes a
    map with a great least margin is the start of walks inside the cone of all maps, and each map
    met decides a pair at every probe; most closed pairs have a proof that names two classes, a
    problem of one class's size. What remains are least-distance programs on a working set that
    they share. The time is about 0.3 ms a pair for 250 rows, 8 features and 10 classes.

    Examples
    --------
    Two points on a line leave open what lies between them:

    >>> from skflat.measures import open_pairs
    >>> pairs = open_pairs([[-1.0], [1.0]], [0, 1], [[0.0], [2.0]])
    >>> pairs.is_open
    array([[ True,  True],
           [False,  True]])
    >>> pairs.refutations[1, 0]
    Refutation(rows=array([-1,  1,  0]), rivals=array([1, 0, 1]), weights=array([...]))
    >>> pairs.proves(1, 0)
    True
    """
    features, probes = (np.asarray(array, dtype=float) for array in (features, probes))
    labels = np.asarray(labels)
    n_classes = _checked(features, labels, probes, n_classes)
    completions = Completions(features, labels, n_classes)
    narrow, start = completions.size <= FEW, None
    if scores is not None:
        scores = _checked_scores(scores, (len(features), n_classes))
        start = None if narrow else completions.realised(features, scores)
    if start is None:
        start, terms, certain = completions.decide(least=0.5)
    witnesses = Witnesses(completions, features, probes)
    if start is None:
        return witnesses.closed_by(terms, certain)
    witnesses.add(start[None])
    if n_classes == 2:
        settle_two_classes(completions, start, witnesses)
        return witnesses.result()
    ranking = np.argsort(witnesses.rows @ start, axis=1)[:, ::-1]
    if narrow:
        _refute(completions, witnesses, ranking[:, :1])
    walk(completions, start, witnesses.rows, witnesses.undecided(), witnesses)
    if narrow:
        _refute(completions, witnesses, ranking[:, 1:])
    for probe, outcome in witnesses.undecided():
        if witnesses.index[probe, outcome] < 0:  # a map for another pair may have settled it
            witnesses.settle(probe, outcome, *completions.decide(witnesses.rows[probe], outcome))
    return witnesses.result()


def _refute(completions, witnesses, rivals):
    """Close pairs by proofs that name two classes: the outcome and one of the probe's rivals."""
    for probe, outcome in witnesses.undecided():
        for rival in rivals[probe][rivals[probe] != outcome]:
            terms = completions.refute(witnesses.rows[probe], outcome, rival)
            if terms is not None:
                witnesses.refute(probe, outcome, terms)
                break


class Witnesses:
    """The maps found so far, what they decide, and the refutations.

    Parameters
    ----------
    completions : Completions
    features, probes : ndarray of shape (n_rows, n_features), (n_probes, n_features)
    """

    def __init__(self, completions, features, probes):
        self.completions, self.features, self.probes = completions, features, probes
        self.rows = completions.normalized(probes)
        self.index = np.full((len(probes), completions.n_classes), -1)
        self.maps, self.refutations = [], {}

    def undecided(self):
        """The pairs without a proof, of shape (n, 2)."""
        pairs = np.argwhere(self.index < 0)
        known = [tuple(pair) in self.refutations for pair in pairs]
        return pairs[~np.array(known, dtype=bool)]

    def closed(self, pairs):
        """Which of some pairs have no witness yet."""
        return self.index[pairs[:, 0], pairs[:, 1]] < 0

    def still_closed(self, pairs):
        """Those of some pairs that have no witness yet."""
        return pairs[self.closed(pairs)]

    def add(self, maps):
        """Take over what maps decide by margins above the resolution and beyond all rounding."""
        scores = self.rows @ maps
        outcomes = scores.argmax(axis=2)
        b, probe = np.nonzero(self.index[np.arange(len(self.rows)), outcomes] < 0)
        used, position = np.unique(b, return_inverse=True)
        first, second = np.sort(scores[b, probe], axis=1)[:, :-3:-1].T
        least = ZERO * np.linalg.norm(maps[used], axis=(1, 2))
        sound = self.completions.margins(maps[used]).min(axis=(1, 2)) > least
        W = self.completions.with_intercept.in_features(maps[used])
        sound &= surely_wins(_with_ones(self.features), W, self.completions.labels).all(axis=1)
        wins = surely_wins(_with_ones(self.probes), W, outcomes[used])[position, probe]
        certain = sound[position] & wins & (first - second > least[position])
        place = probe[certain], outcomes[b, probe][certain]
        self.index[place] = len(self.maps) + position[certain]
        self.maps.extend(W)

    def refute(self, probe, outcome, terms):
        """Note a refutation, its weights those of the rows as they were given."""
        rows, rivals, weights = terms
        given = np.vstack([self.features, self.probes[probe]])[rows]
        lengths = np.linalg.norm(self.completions.with_intercept(given), axis=1)
        weights = weights / lengths
        self.refutations[probe, outcome] = Refutation(rows, rivals, weights / weights.max())

    def settle(self, probe, outcome, U, terms, certain):
        """Note what `Completions.decide` found."""
        if U is not None:
            self.add(U[None])
        elif certain:
            self.refute(probe, outcome, terms)

    def closed_by(self, terms, certain):
        """The result where the training rows alone leave no map."""
        for pair in self.undecided() if certain else ():
            self.refute(*pair, terms)
        return self.result()

    def result(self):
        """All of it, as `OpenPairs`."""
        is_open = self.index >= 0
        decided = is_open.copy()
        for pair in self.refutations:
            decided[pair] = True
        shape = (-1, self.features.shape[1] + 1, self.index.shape[1])
        return OpenPairs(
            is_open,
            decided,
            np.reshape(self.maps, shape),
            self.index,
            {
                (int(p), int(c)): each
                for (p, c), each in self.refutations.items()
                if not is_open[p, c]
            },
            self.features,
            self.probes,
            self.completions,
        )


def _with_ones(features):
    return np.column_stack([features, np.ones(len(features))])


def _checked(features, labels, probes, n_classes):
    """The number of classes, if everything fits."""
    if features.ndim != 2 or probes.ndim != 2 or features.shape[1] != probes.shape[1]:
        raise ValueError(
            "features and probes must be 2d with equally many columns, got shapes "
            f"{features.shape} and {probes.shape}."
        )
    if labels.shape != (len(features),) or not len(labels):
        raise ValueError(f"Expected one label a row, got {labels.shape} for {len(features)} rows.")
    if not len(probes):
        raise ValueError(f"probes must have at least one row, got shape {probes.shape}.")
    if n_classes is None:
        n_classes = max(2, int(labels.max()) + 1)
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2, got {n_classes}.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels must be integers from 0 to {n_classes - 1}.")
    if not (np.isfinite(features).all() and np.isfinite(probes).all()):
        raise ValueError("features and probes must be finite.")
    return n_classes


def _checked_scores(scores, shape):
    scores = np.asarray(scores, dtype=float)
    if scores.shape != shape:
        raise ValueError(f"scores must have shape {shape}, got {scores.shape}.")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite.")
    return scores
