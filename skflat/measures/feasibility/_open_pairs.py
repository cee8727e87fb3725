"""Decide which outcomes affine readings of features can still give to probes, with proofs."""

from dataclasses import dataclass, field

import numpy as np

from .._budget import Budget
from ._completions import Completions
from ._exact import surely_vanishes, surely_wins
from ._separation import ZERO
from ._two_classes import settle_two_classes
from ._walk import walk
from ._witnesses import Witnesses, with_ones


@dataclass(frozen=True, eq=False)
class OpenPairs:
    """Decisions on (probe, outcome) pairs, each with its proof.

    Attributes
    ----------
    is_open : ndarray of bool of shape (n_probes, n_classes)
        Whether some reading gives the probe the outcome.
    decided : ndarray of bool of shape (n_probes, n_classes)
        Whether there is a proof without rounding, of floats as they are stored. If rounding or the
        budget prevents one, the pair counts as closed.
    witnesses : ndarray of shape (n_witnesses, n_features + 1, n_classes)
        Last layers that give every training row its label. The last row holds the intercepts.
    witness_of : ndarray of int of shape (n_probes, n_classes)
        The witness that gives the probe the outcome, or -1 if the pair is closed.
    refutations : dict of (int, int) to Refutation
        Proofs of the closed pairs, also those that hold except for rounding.
    features, probes : ndarray
        The arrays as they were given.
    completions : Completions
        The maps of the training rows. `extension_size` starts from them.
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
            It matters for closed pairs only. The proof of an open pair is always exact. With False,
            a refutation shows that no reading has a margin above the resolution of 1e-10. With
            True, there must be weights that make the sum exactly 0, in rational arithmetic, on the
            features as they are given. ``decided`` says whether there are. If features depend on
            each other except for rounding, there are mostly none. Centred logits do so if fewer
            units than classes, less one, feed them.

        Returns
        -------
        bool
            Whether the proof is valid.
        """
        rows = with_ones(np.vstack([self.features, self.probes[probe]]))
        labels = np.append(self.completions.labels, outcome)
        if self.is_open[probe, outcome]:
            W = self.witnesses[self.witness_of[probe, outcome]]
            return bool(surely_wins(rows, W, labels).all())
        if (probe, outcome) not in self.refutations:
            return False
        refutation = self.refutations[probe, outcome]
        index, rivals, weights = refutation
        if not (weights > 0).all() or np.any(labels[index] == rivals):
            return False
        if not exactly:
            rows = self.completions.with_intercept(np.vstack([self.features, self.probes[probe]]))
        vectors = refutation.vectors(rows, labels)
        if exactly:
            return surely_vanishes(vectors, weights)
        total = weights @ np.linalg.norm(rows[index], axis=1)
        return bool(np.linalg.norm(weights @ vectors) <= 2 * ZERO * total)


def open_pairs(features, labels, probes, n_classes=None, scores=None, budget=np.inf):
    """Decide for every probe and outcome whether some affine map realises the pair.

    The map has one score per class. It gives every training row its label, strictly, and the probe
    the outcome. This is Bennett's feature-classifier vocabulary (arXiv:2605.05209). Open pairs are
    exact. The search for them has a resolution: a pair counts as closed if its best map has a
    margin below 1e-10, for rows and map of length 1 in a basis with equal spread of the rows.
    Directions with less than 1e-6 of the largest spread keep their smaller size, and features below
    1e-290 count as 0. Within this resolution a pair that is closed in exact arithmetic, too, has
    ``decided``, and any other one has not: its features are collinear up to 1e-11 or so, its probe
    is on the hull of a class up to rounding, or its rows differ in size by many orders.

    Parameters
    ----------
    features : array-like of shape (n_rows, n_features)
    labels : array-like of int of shape (n_rows,)
        Classes 0, 1, ... If no map gives all rows their labels, every pair is closed.
    probes : array-like of shape (n_probes, n_features)
    n_classes : int, default=None
        At least 2. None is the greatest label plus 1, or 2.
    scores : array-like of shape (n_rows, n_classes), default=None
        Scores of a map that gives the rows their labels, for example the network's own. The search
        begins there.
    budget : float, default=np.inf
        Approximate number of multiplications of all decisions together. Pairs left after that stay
        undecided and count as closed. A program of more than 8 million coefficients (a thousand
        variables) is never solved.

    Returns
    -------
    OpenPairs

    Raises
    ------
    ValueError
        If shapes or labels do not fit.

    Notes
    -----
    Most pairs are decided together. With two classes, each probe needs one linear program over the
    same band, and a few large matrix products bound all of them. With more classes, walks inside
    the cone of all maps start at a map with a large least margin. Each map on the way decides one
    pair at every probe. Most closed pairs have a proof that uses two classes only, which is a small
    program. All other pairs need least-distance programs on a shared working set.
    A pair takes about 0.3 ms for 250 rows, 8 features and 10 classes. It takes 4 ms for 2,000 rows,
    25 features and 26 classes, if the network separates the classes well. If it does not, a third
    of those pairs need a program, which takes 2 s.

    A witness has one weight per feature and class. With 200 classes a witness takes 0.3 MB.

    Examples
    --------
    Two points on a line leave the interval between them open:

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
    if scores is not None:
        scores = _checked_scores(scores, (len(features), n_classes))
    return result_of(decide_pairs(features, labels, probes, n_classes, scores, Budget(budget)))


def decide_pairs(features, labels, probes, n_classes, scores, budget, asked=None, keep=True):
    """Decide the pairs in ``asked``, until the budget is spent.

    Parameters
    ----------
    features, labels, probes, n_classes, scores
        As in `open_pairs`, checked.
    budget : Budget
    asked : ndarray of bool of shape (n_probes, n_classes), default=None
        The pairs to decide. None takes all pairs.
    keep : bool, default=True
        Whether to keep the maps.

    Returns
    -------
    Witnesses
    """
    completions = Completions(features, labels, n_classes, probes, budget)
    witnesses = Witnesses(completions, features, probes, asked, keep)
    start, terms = _first_map(completions, features, scores)
    if start is None:
        if terms is not None:
            witnesses.refute_all(terms)
        return witnesses
    witnesses.add(start[None])
    if n_classes == 2:
        settle_two_classes(completions, start, witnesses)
        return witnesses
    # From cheap to expensive: a proof against the probe's best class decides most closed pairs, and
    # walks decide most open ones. Only the rest needs the other rivals, and at last a full program.
    ranking = np.argsort(witnesses.rows @ start, axis=1)[:, ::-1]
    _refute(completions, witnesses, ranking[:, :1])
    walk(completions, start, witnesses.rows, witnesses.undecided(), witnesses)
    _refute(completions, witnesses, ranking[:, 1:])
    for probe, outcome in witnesses.undecided():
        if witnesses.index[probe, outcome] < 0:  # a map for another pair may have decided it
            witnesses.settle(probe, outcome, *completions.decide(witnesses.rows[probe], outcome))
    return witnesses


def result_of(witnesses):
    """All decisions as `OpenPairs`.

    Parameters
    ----------
    witnesses : Witnesses

    Returns
    -------
    OpenPairs
    """
    is_open = witnesses.index >= 0
    n_features, n_classes = witnesses.features.shape[1], is_open.shape[1]
    return OpenPairs(
        is_open,
        witnesses.decided(),
        np.reshape(witnesses.maps, (-1, n_features + 1, n_classes)),
        witnesses.index,
        {
            (int(p), int(c)): each
            for (p, c), each in witnesses.refutations.items()
            if not is_open[p, c]
        },
        witnesses.features,
        witnesses.probes,
        witnesses.completions,
    )


def _first_map(completions, features, scores):
    """A map that gives the rows their labels and None, or None and the terms that refute it."""
    start = None if scores is None else completions.realised(features, scores)
    if start is not None:
        return start, None
    # Half of the greatest margin leaves room for walks, and needs fewer programs than all of it.
    start, terms, certain = completions.decide(least=0.5)
    return start, terms if certain and start is None else None


def _refute(completions, witnesses, rivals):
    """Close pairs by proofs that use two classes: the outcome and one of the probe's rivals."""
    for probe, outcome in witnesses.undecided():
        for rival in rivals[probe][rivals[probe] != outcome]:
            terms = completions.refute(witnesses.rows[probe], outcome, rival)
            if terms is not None:
                witnesses.refute(probe, outcome, terms)
                break


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
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers 0, 1, ..., got the dtype {labels.dtype}.")
    if n_classes is None:
        n_classes = max(2, int(labels.max()) + 1)
    if n_classes < 2:
        raise ValueError(f"n_classes must be at least 2, got {n_classes}.")
    if labels.min() < 0 or labels.max() >= n_classes:
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
