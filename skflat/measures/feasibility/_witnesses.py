"""The maps that decide pairs, verified against all rounding errors, and the refutations."""

from typing import NamedTuple

import numpy as np

from ._exact import surely_refutes, surely_wins, wins_within, with_error
from ._separation import ZERO

# With so many classes or more, only the columns that differ from the first map are verified.
MANY = 32


class Refutation(NamedTuple):
    """Inequalities that no reading satisfies together, because their weighted sum is ``0 > 0``.

    Each inequality states that on ``[features, 1]`` of a row, the score of the row's label exceeds
    the score of a rival. (Gordan's theorem, a case of Farkas's lemma.)

    Attributes
    ----------
    rows : ndarray of int
        Indices of training rows. -1 is the probe, whose label is the outcome in question.
    rivals : ndarray of int
        The class of each rival.
    weights : ndarray
        Positive weights of the inequalities.
    """

    rows: np.ndarray
    rivals: np.ndarray
    weights: np.ndarray

    def vectors(self, rows, labels):
        """Coefficients of the inequalities, one column per feature and class involved but one.

        Parameters
        ----------
        rows : ndarray of shape (n_rows + 1, width)
            The training rows, and the probe as the last one.
        labels : ndarray of int of shape (n_rows + 1,)
            Their labels, and the outcome in question.

        Returns
        -------
        ndarray of shape (n_inequalities, (n_involved - 1) width)
        """
        own = labels[self.rows]
        # The scores of all classes may be shifted alike, so those of one class are 0.
        involved = np.unique([own, self.rivals])[:-1]
        gaps = (own[:, None] == involved) - (self.rivals[:, None] == involved).astype(float)
        return (gaps[:, :, None] * rows[self.rows][:, None, :]).reshape(len(own), -1)


class Witnesses:
    """The maps found so far, what they decide, and the refutations.

    Parameters
    ----------
    completions : Completions
    features, probes : ndarray of shape (n_rows, n_features), (n_probes, n_features)
    asked : ndarray of bool of shape (n_probes, n_classes), default=None
        The pairs to decide. None takes all pairs.
    keep : bool, default=True
        Whether to keep the maps themselves, besides their decisions.
    """

    def __init__(self, completions, features, probes, asked=None, keep=True):
        self.completions, self.features, self.probes = completions, features, probes
        self.rows = completions.normalized(probes)
        self.index = np.full((len(probes), completions.n_classes), -1)
        self.asked = np.ones(self.index.shape, dtype=bool) if asked is None else asked
        self.maps, self.n_maps, self.keep = [], 0, keep
        self.refutations, self.certain = {}, set()
        self.given = with_ones(np.vstack([features, probes]))
        self.first = None

    def undecided(self):
        """The pairs that still have no proof, an array of shape (n, 2)."""
        pairs = np.argwhere((self.index < 0) & self.asked)
        known = [tuple(pair) in self.refutations for pair in pairs]
        return pairs[~np.array(known, dtype=bool)]

    def closed(self, pairs):
        """Whether each of some pairs has no witness yet."""
        return self.index[pairs[:, 0], pairs[:, 1]] < 0

    def still_closed(self, pairs):
        """The pairs, among the given ones, that have no witness yet."""
        return pairs[self.closed(pairs)]

    def add(self, maps):
        """Record the decisions of maps whose margins exceed the resolution and all rounding."""
        scores = self.rows @ maps
        outcomes = scores.argmax(axis=2)
        new = (self.index < 0) & self.asked
        b, probe = np.nonzero(new[np.arange(len(self.rows)), outcomes])
        used, position = np.unique(b, return_inverse=True)
        if not len(used):
            return
        # A probe's margin is its best score minus its second best.
        first, second = np.sort(scores[b, probe], axis=1)[:, :-3:-1].T
        least = ZERO * np.linalg.norm(maps[used], axis=(1, 2))
        W, margins, wins = self._verified(maps[used], outcomes[used])
        sound = (margins > least) & wins[:, : len(self.features)].all(axis=1)
        wins = wins[position, len(self.features) + probe]
        certain = sound[position] & wins & (first - second > least[position])
        place = probe[certain], outcomes[b, probe][certain]
        self.index[place] = self.n_maps + position[certain]
        self.n_maps += len(W)
        self.maps.extend(W if self.keep else ())

    def _verified(self, maps, outcomes):
        """Maps in the features as given, their least margins, and which rows surely win."""
        if self.completions.n_classes < MANY:
            return self._verified_whole(maps, outcomes)
        if self.first is None:
            self.first = _FirstMap(self, maps[0])
        each = [self.first.verified(*pair) for pair in zip(maps, outcomes, strict=True)]
        return tuple(np.array(part) for part in zip(*each, strict=True))

    def _verified_whole(self, maps, outcomes):
        margins = self.completions.margins(maps).min(axis=(1, 2))
        W = self.completions.with_intercept.in_features(maps)
        return W, margins, surely_wins(self.given, W, self.labels_with(outcomes))

    def labels_with(self, outcomes):
        """The labels of the rows and, for every map, outcomes of the probes."""
        shape = *outcomes.shape[:-1], len(self.features)
        labels = np.broadcast_to(self.completions.labels, shape)
        return np.concatenate([labels, outcomes], axis=-1)

    def refute(self, probe, outcome, terms):
        """Record a refutation, with weights that refer to the rows as they were given.

        Whether it also holds in exact arithmetic decides whether the pair counts as decided.
        """
        self.refutations[probe, outcome] = refutation = self._refutation(probe, terms)
        if self._holds(refutation, probe, outcome):
            self.certain.add((probe, outcome))

    def refute_all(self, terms):
        """Record that no map gives the training rows their labels."""
        refutation = self._refutation(0, terms)
        holds = self._holds(refutation, 0, 0)
        for probe, outcome in self.undecided():
            self.refutations[probe, outcome] = refutation
            if holds:
                self.certain.add((probe, outcome))

    def _refutation(self, probe, terms):
        rows, rivals, weights = terms
        given = np.vstack([self.features, self.probes[probe]])[rows]
        # The proof was found for rows scaled to length 1.
        lengths = np.linalg.norm(self.completions.with_intercept(given), axis=1)
        weights = weights / lengths
        return Refutation(rows, rivals, weights / weights.max())

    def _holds(self, refutation, probe, outcome):
        n_rows, rows = len(self.features), refutation.rows
        used, place = np.unique(np.where(rows < 0, n_rows, rows), return_inverse=True)
        given = self.given[np.where(used == n_rows, n_rows + probe, used)]
        labels = np.append(self.completions.labels, outcome)[used]
        vectors = refutation._replace(rows=place).vectors(given, labels)
        return surely_refutes(vectors, refutation.weights, self.completions.budget)

    def settle(self, probe, outcome, U, terms, certain):
        """Record the result of `Completions.decide`."""
        if U is not None:
            self.add(U[None])
        elif certain:
            self.refute(probe, outcome, terms)

    def decided(self):
        """Whether each pair has an exact proof, a witness or a refutation without rounding."""
        decided = self.index >= 0
        for pair in self.certain:
            decided[pair] = True
        return decided


class _FirstMap:
    """Verifies maps by the columns in which they differ from the first map. Mostly these are few.

    Parameters
    ----------
    witnesses : Witnesses
    U : ndarray of shape (n_features + 1, n_classes)
    """

    def __init__(self, witnesses, U):
        self.witnesses, self.completions, self.U = witnesses, witnesses.completions, U
        self.scores = self.completions.rows @ U
        self.W = self.completions.with_intercept.in_features(U)
        self.bounds = with_error(witnesses.given, self.W)

    def verified(self, U, outcomes):
        """The results of `Witnesses._verified` for one map."""
        columns = np.flatnonzero(np.any(U != self.U, axis=0))
        W, rows = self.W.copy(), self.completions.rows
        W[:, columns] = self.completions.with_intercept.in_features(U[:, columns])
        margin = self._least_margin(columns, rows @ U[:, columns])
        scores, error = (array.copy() for array in self.bounds)
        scores[:, columns], error[:, columns] = with_error(self.witnesses.given, W[:, columns])
        labels = self.witnesses.labels_with(outcomes)
        return W, margin, wins_within(scores, error, self.witnesses.given, W, labels)

    def _least_margin(self, columns, changed):
        scores, labels = self.scores.copy(), self.completions.labels[:, None]
        scores[:, columns] = changed
        own = np.take_along_axis(scores, labels, axis=1)
        np.put_along_axis(scores, labels, -np.inf, axis=1)
        return float((own[:, 0] - scores.max(axis=1)).min())


def with_ones(features):
    """Features and a column of ones."""
    return np.column_stack([features, np.ones(len(features))])
