"""The observations that an estimator keeps, by users."""

from dataclasses import dataclass

import numpy as np

from ....models.factorization import rows_by_code


@dataclass
class Observed:
    """Observations of two kinds of entities, in the order of the first kind.

    An observation takes 4 bytes for its item, 4 or 8 for its value, and the same for its weight if
    there are weights. A user takes 8 bytes.

    Attributes
    ----------
    starts : ndarray of int of shape (n_users + 1,)
        Where the observations of every user start.
    items : ndarray of int32 of shape (n_observations,)
    values : ndarray of shape (n_observations,)
    weight : ndarray of shape (n_observations,) or None
    """

    starts: np.ndarray
    items: np.ndarray
    values: np.ndarray
    weight: np.ndarray | None = None

    @classmethod
    def of(cls, codes, values, weight, n_users):
        """Sort observations by users. Those of one user keep their order."""
        order = rows_by_code(codes[:, 0], n_users)
        starts = np.append(0, np.cumsum(np.bincount(codes[:, 0], minlength=n_users)))
        items = codes[order, 1].astype(np.int32)
        return cls(starts, items, values[order], None if weight is None else weight[order])

    def and_more(self, codes, values, weight, n_users, places):
        """These observations and more. ``places`` are the new codes of known users and items."""
        own = np.column_stack(
            [place[column] for place, column in zip(places, self.codes.T, strict=True)]
        )
        if self.weight is not None or weight is not None:
            ones = (np.ones_like(each) for each in (self.values, values))
            pairs = zip((self.weight, weight), ones, strict=True)
            weight = np.concatenate([one if w is None else w for w, one in pairs])
        both = np.concatenate([own, codes]), np.concatenate([self.values, values])
        return Observed.of(*both, weight, n_users)

    @property
    def codes(self):
        """Codes of users and items, shape (n_observations, 2)."""
        users = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return np.column_stack([users, self.items])

    def seen_by(self, users):
        """The items seen by some users.

        Parameters
        ----------
        users : ndarray of int of shape (n_users,)
            Codes. -1 is a user who has seen nothing.

        Returns
        -------
        positions, items : ndarray of int of shape (n_seen,)
            Positions in ``users``, in ascending order, and codes of items.
        """
        first = np.where(users < 0, 0, self.starts[users])
        counts = np.where(users < 0, 0, self.starts[users + 1] - first)
        positions = np.repeat(np.arange(len(users)), counts)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts)
        return positions, self.items[first[positions] + within]
