"""The flattest of the epochs that fit the training rows alike."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Recorded:
    """The parameters at the end of an epoch, with the training loss and the measure there."""

    loss: float
    score: float
    w: np.ndarray


class Candidates:
    """The epochs of a fit that may still turn out to be the flattest of equal loss.

    Parameters
    ----------
    within : float
        Losses are equal up to this difference from the least one.
    """

    def __init__(self, within):
        self._within, self._known, self._least = within, [], np.inf
        #: Loss and score of the epoch that is being recorded.
        self.latest = None

    def add(self, w):
        """Keep a copy of the parameters of the latest record, if they may be the flattest."""
        if self.latest is None:
            return
        loss, score = self.latest
        self.latest, self._least = None, min(self._least, loss)
        latest = [] if np.isnan(score) else [Recorded(loss, score, w)]
        known = front([*self._known, *latest], self._least + self._within)
        # Only what stays is copied: the solver goes on in the same memory.
        self._known = [replace(each, w=w.copy()) if each.w is w else each for each in known]

    def best(self):
        """The parameters of the flattest epoch of equal loss, or None."""
        return self._known[-1].w if self._known else None


def front(records, limit):
    """What may be the flattest, from the least loss to the greatest score.

    A record leaves if its loss exceeds the limit, which can only fall, or if another one has no
    greater loss and at least its score. Of equals the first stays.
    """
    best, kept = -np.inf, []
    for each in sorted(records, key=lambda each: (each.loss, -each.score)):
        if each.loss <= limit and (each.score > best or not kept):
            best = each.score
            kept.append(each)
    return kept


def flattest(losses, scores, within):
    """The place of the greatest score among losses within a difference of the least one, or None.

    Parameters
    ----------
    losses, scores : ndarray of shape (n_epochs,)
    within : float
    """
    equal = ~np.isnan(scores) & (losses <= losses.min() + within)
    if not equal.any():
        return None
    order = np.lexsort((losses, -scores))
    return int(order[equal[order]][0])
