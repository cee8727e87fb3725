"""Splitters that hold out some entries of every user."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from ._entries import entries_of


class LeaveKOut(BaseCrossValidator):
    """Holds out ``k`` random entries of every user.

    A user with at most ``k`` entries stays whole in the training part. So every user of the test
    part is known.

    Parameters
    ----------
    k : int, default=1
        Number of entries of a user to hold out.
    n_splits : int, default=5
        Number of splits. Each draws anew, so an entry may be held out several times.
    random_state : int, RandomState instance or None, default=None

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.model_selection import LeaveKOut
    >>> X = np.array([["ann", 1], ["ann", 2], ["bob", 1], ["cid", 1], ["cid", 3]], dtype=object)
    >>> train, test = next(LeaveKOut(random_state=0).split(X))
    >>> len(train), X[test, 0].tolist()
    (3, ['ann', 'cid'])
    """

    def __init__(self, k=1, *, n_splits=5, random_state=None):
        self.k = k
        self.n_splits = n_splits
        self.random_state = random_state

    def split(self, X, y=None, groups=None):
        """Positions of the training and of the test entries, for every split.

        Parameters
        ----------
        X : array-like of shape (n_observations, n_kinds)
            Users are in the first column.
        y, groups : ignored

        Yields
        ------
        train, test : ndarray of int
            In ascending order.
        """
        _check_counts(k=self.k, n_splits=self.n_splits)
        users = _codes(X)
        rng = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            rank, count = _ranks(users, rng.permutation(len(users)))
            yield _parts((rank < self.k) & (count > self.k), np.ones(len(users), bool), self.k)

    def get_n_splits(self, X=None, y=None, groups=None):
        """``n_splits``.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return self.n_splits


class LeaveLastOut(BaseCrossValidator):
    """Holds out the ``k`` latest entries of every user; more splits go back in time.

    Split number ``s``, from 0, leaves out the ``s k`` latest entries of every user, holds out the
    ``k`` before them, and trains on the rest. If a user has too few entries for this, none is held
    out. So every user of the test part is known.

    The times are given as ``groups``, as in ``cross_val_score(..., groups=timestamps)`` and
    ``GridSearchCV.fit(X, y, groups=timestamps)``. Among equal times, a later row is later.

    Parameters
    ----------
    k : int, default=1
        Number of entries of a user to hold out.
    n_splits : int, default=1
        Number of splits.

    Notes
    -----
    The training part has entries of other users that are later than a held-out entry.

    Examples
    --------
    >>> import numpy as np
    >>> from skflat.model_selection import LeaveLastOut
    >>> X = np.array([["ann", 1], ["ann", 2], ["bob", 1], ["cid", 1], ["cid", 3]], dtype=object)
    >>> train, test = next(LeaveLastOut().split(X, groups=[5, 3, 1, 2, 4]))
    >>> train.tolist(), test.tolist()
    ([1, 2, 3], [0, 4])
    """

    # Where scikit-learn routes metadata, the times are routed without a request of the user.
    __metadata_request__split = {"groups": True}

    def __init__(self, k=1, *, n_splits=1):
        self.k = k
        self.n_splits = n_splits

    def split(self, X, y=None, groups=None):
        """Positions of the training and of the test entries, for every split.

        Parameters
        ----------
        X : array-like of shape (n_observations, n_kinds)
            Users are in the first column.
        y : ignored
        groups : array-like of shape (n_observations,)
            The times: numbers or dates.

        Yields
        ------
        train, test : ndarray of int
            In ascending order.
        """
        _check_counts(k=self.k, n_splits=self.n_splits)
        users, times = _codes(X), _checked_times(groups)
        if len(times) != len(users):
            raise ValueError(f"There are {len(users)} entries and {len(times)} times in groups.")
        # Ranks of the times from the latest, and among equal times from the last row.
        order = np.lexsort((np.arange(len(times)), times))[::-1]
        latest = np.empty(len(times), int)
        latest[order] = np.arange(len(times))
        rank, count = _ranks(users, latest)
        for s in range(self.n_splits):
            held_out = (rank >= s * self.k) & (rank < (s + 1) * self.k)
            yield _parts(held_out & (count > (s + 1) * self.k), rank >= s * self.k, self.k)

    def get_n_splits(self, X=None, y=None, groups=None):
        """``n_splits``.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return self.n_splits


def _check_counts(**counts):
    for name, value in counts.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be a positive whole number, got {value!r}.")


def _codes(X):
    return np.unique(entries_of(X)[0], return_inverse=True)[1]


def _checked_times(times):
    if times is None:
        raise ValueError("LeaveLastOut needs the times of all entries as groups, got None.")
    times = np.asarray(times)
    # Only what is not a number or not a date differs from itself.
    if times.ndim != 1 or (times != times).any():
        raise ValueError("groups must hold one time for every entry, and none may be missing.")
    return times


def _ranks(users, priority):
    """Each entry's rank among those of its user, by priority, and their number."""
    order = np.lexsort((priority, users))
    counts = np.bincount(users)
    rank = np.empty(len(users), int)
    rank[order] = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank, counts[users]


def _parts(held_out, kept, k):
    if not held_out.any():
        raise ValueError(f"No user has enough entries to hold out {k} and to train on others.")
    return np.flatnonzero(kept & ~held_out), np.flatnonzero(held_out)
