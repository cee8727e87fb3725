"""Recommend items to users, and find similar items and users."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._identifier_columns import columns_apart, of_one_kind
from .._identifiers import check_alike, codes_of, distinct
from ._best import best
from ._observed import Observed

NO_DIRECTION = 1e-7  # below this share of the largest norm, a direction is rounding
ROUNDINGS = 16  # bound of the rounding errors of a sum, in units of its length times eps


class Recommendations(NamedTuple):
    """Items for some users, the best first.

    Attributes
    ----------
    ids : masked array of shape (n_users, n)
        Identifiers of the items. An entry is masked if the user has seen all other candidates.
    scores : ndarray of shape (n_users, n)
        Predictions of `FlatMatrixFactorization.predict` without ``clip``. NaN if ``ids`` is masked.
    known : ndarray of bool of shape (n_users,)
        Whether the user was seen in ``fit`` or is in its table of features. The others get the
        items with the largest offsets.
    """

    ids: np.ma.MaskedArray
    scores: np.ndarray
    known: np.ndarray


class Recommending:
    """Mixin of a factorization of users and items, which are the rows and columns of a matrix."""

    def recommend(self, users=None, n=10, exclude_seen=True, items=None, seen=None):
        """Recommend to every user the items with the largest predictions.

        Items with equal predictions are in the order of their identifiers. The result for one user
        does not depend on the others. Users and items are taken in blocks, so memory does not grow
        with the product of their numbers. The cost is ``n_components`` multiplications for every
        pair. Identifiers that only have features are treated as those seen in ``fit``. If offsets
        drift, predictions are for the last bin of time.

        Parameters
        ----------
        users : array-like of shape (n_users,), default=None
            Identifiers of the first kind (the rows of a matrix). A user who was not seen in ``fit``
            has factors and offset 0, and gets the items with the largest offsets. Without offsets,
            as with implicit feedback, all items are equal then, and the order is that of their
            identifiers. None stands for all users seen in ``fit``, in the order of
            ``identifiers_``.
        n : int, default=10
            Number of items for every user. At most the number of candidates is returned.
        exclude_seen : bool, default=True
            Whether to leave out the items that the user has seen. Then either ``seen`` is given, or
            the estimator was fitted with ``keep_seen=True``. What both say is left out.
        items : array-like of shape (n_items,), default=None
            The candidates. All must have been seen in ``fit``. None stands for all that were.
        seen : array-like of shape (n_pairs, 2), default=None
            Pairs of a user and an item that is left out. There may be none. Unknown identifiers
            have no effect on others. A user who was not seen in ``fit`` may occur. With
            ``timestamps`` the columns are those of ``X``, and the times have no effect.

        Returns
        -------
        ids : masked array of shape (n_users, n)
            Identifiers of items, the best first. An entry is masked if no candidate is left.
        scores : ndarray of shape (n_users, n)
            Predictions as from `predict`, without ``clip``. NaN if no candidate is left.
        known : ndarray of bool of shape (n_users,)
            Whether the user was seen in ``fit`` or is in its table of features.

        Raises
        ------
        ValueError
            If ``items`` holds unknown identifiers, if there are no users or no candidates, or if it
            is not known what users have seen.

        Examples
        --------
        >>> import numpy as np
        >>> from skflat import FlatMatrixFactorization
        >>> X = [["ann", 1], ["ann", 2], ["bob", 1], ["bob", 2], ["bob", 3], ["cid", 3]]
        >>> model = FlatMatrixFactorization(1, alpha=1, keep_seen=True, measures=None)
        >>> ids, scores, known = model.fit(X, [5, 1, 4, 1, 4, 3]).recommend(["ann", "eve"], 2)
        >>> ids.tolist()
        [[3, None], [1, 3]]
        >>> known.tolist()
        [True, False]
        """
        check_is_fitted(self)
        n = _checked_number(n)
        factors = self._of_two("factors_")
        names = self.identifiers_[0] if users is None else self._column(users, 0, "users")
        rows = codes_of(names, self.identifiers_[0])
        candidates = np.arange(len(factors[1]))
        if items is not None:
            candidates = np.unique(self._known(items, 1, "items"))
        banned = self._banned(names, rows, candidates, seen) if exclude_seen else _nothing()
        score, (left, right) = self._scorer(), self._with_offsets(rows, candidates)
        places, scores = best(
            left,
            right,
            min(n, len(candidates)),
            lambda i, j: score(np.column_stack([rows[i], candidates[j]])),
            self._slack(rows, left, right),
            banned,
        )
        ids = np.ma.masked_array(self.identifiers_[1][candidates[places]], places < 0)
        return Recommendations(ids, scores, rows >= 0)

    def similar_items(self, items, n=10):
        """Find the items with the most similar predictions over all known users.

        The similarity of two items is the cosine between the products of their factors with the
        factors of all users. So it is the same for all factors with the same predictions. Offsets
        do not matter. It is 0 for an item without factors.

        Parameters
        ----------
        items : array-like of shape (n_items,)
            Identifiers of the second kind (the columns of a matrix), all seen in ``fit``.
        n : int, default=10
            Number of similar items. An item itself is left out.

        Returns
        -------
        ids : ndarray of shape (n_items, n)
            Identifiers, the most similar first. Equally similar ones are in their order.
        scores : ndarray of shape (n_items, n)
            Similarities in [-1, 1].

        Raises
        ------
        ValueError
            If an identifier is unknown.
        """
        return self._similar(items, 1, n, "items")

    def similar_users(self, users, n=10):
        """Find the users with the most similar predictions over all known items.

        Parameters
        ----------
        users : array-like of shape (n_users,)
            Identifiers of the first kind (the rows of a matrix), all seen in ``fit``.
        n : int, default=10
            Number of similar users. A user itself is left out.

        Returns
        -------
        ids : ndarray of shape (n_users, n)
            Identifiers, the most similar first. Equally similar ones are in their order.
        scores : ndarray of shape (n_users, n)
            Similarities in [-1, 1], as in `similar_items`.

        Raises
        ------
        ValueError
            If an identifier is unknown.
        """
        return self._similar(users, 0, n, "users")

    def _similar(self, asked, kind, n, label):
        check_is_fitted(self)
        n = _checked_number(n)
        own, other = (self._of_two("factors_")[c] for c in (kind, 1 - kind))
        codes = self._known(asked, kind, label)
        units = _directions(own, other)
        k, eps = units.shape[1], np.finfo(units.dtype).eps
        places, scores = best(
            units[codes],
            units,
            min(n, len(units) - 1),
            lambda i, j: np.einsum("ik,ik->i", units[codes[i]], units[j]),
            np.full(len(codes), ROUNDINGS * (k + 1) * eps, units.dtype),
            (np.arange(len(codes)), codes),
        )
        return self.identifiers_[kind][places], scores

    # --- the parts of a recommendation ---

    def _column(self, values, kind, label):
        """The identifiers of one kind in a sequence, validated."""
        is_array = hasattr(values, "__array__")
        is_list = isinstance(values, (list, tuple, range))
        if not (np.ndim(values) == 1 if is_array else is_list) or len(values) == 0:
            raise ValueError(f"{label} must be a sequence of at least one identifier.")
        if is_list:
            apart = columns_apart([[value] for value in values])
            values = values if apart is None else apart[0]
        column = of_one_kind(np.asarray(values), label)
        check_alike([column], [self.identifiers_[kind]], [label])
        return column

    def _known(self, values, kind, label):
        """The codes of identifiers that must have been seen in ``fit``."""
        column = self._column(values, kind, label)
        codes = codes_of(column, self.identifiers_[kind])
        if (codes < 0).any():
            unknown = column[codes < 0]
            raise ValueError(
                f"{label} must have been seen in fit, but {len(unknown)} of {len(column)} were "
                f"not, such as {unknown[:1].tolist()[0]!r}."
            )
        return codes

    def _with_offsets(self, rows, columns):
        """Rows and columns whose inner products are the scores up to a constant of the row."""
        X, Y = self._of_two("factors_")
        X = np.where((rows >= 0)[:, None], X[rows], 0)
        if self.offsets_ is None:
            return X, Y[columns]
        offsets = self._last_offsets(1)[columns]
        return np.insert(X, 0, 1, axis=1), np.insert(Y[columns], 0, offsets, 1)

    def _last_offsets(self, kind):
        """The offsets of one kind, at the last time if they drift."""
        if self._times is None:
            return self.offsets_[kind]
        return self.offsets_[kind] + (self.user_drift_, self.item_drift_)[kind][:, -1]

    def _slack(self, rows, left, right):
        """Bounds of the rounding errors of the scores of every row."""
        size = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1).max()
        if self.offsets_ is not None:
            own = np.where(rows < 0, 0, self._last_offsets(0)[rows])
            size += np.abs(self.intercept_) + np.abs(own)
        return ROUNDINGS * (left.shape[1] + 2) * np.finfo(left.dtype).eps * size

    def _banned(self, names, rows, candidates, seen):
        """Positions of users, in ascending order, and of the candidates that they have seen."""
        observed = getattr(self, "_seen", None)
        if seen is None and observed is None:
            raise ValueError(
                "exclude_seen=True needs to know what users have seen: fit with keep_seen=True, "
                "give pairs of users and items as seen=, or set exclude_seen=False."
            )
        users, items = _nothing() if observed is None else observed.seen_by(rows)
        if seen is not None:
            more = self._pairs(seen, names)
            users, items = (np.concatenate(both) for both in zip((users, items), more, strict=True))
        place = np.full(len(self.identifiers_[1]), -1)
        place[candidates] = np.arange(len(candidates))
        kept = place[items] >= 0
        order = np.argsort(users[kept], kind="stable")
        return users[kept][order], place[items[kept]][order]

    def _pairs(self, seen, names):
        """Positions in ``names`` and codes of items of the pairs in ``seen``."""
        if hasattr(seen, "__len__") and len(seen) == 0:
            return _nothing()
        columns, labels = self._without_times(self._identified(seen))
        check_alike(columns, self.identifiers_, labels)
        # Users may be unknown and may occur several times, so each is compared by its name.
        asked = distinct(names)
        user, items = codes_of(columns[0], asked), codes_of(columns[1], self.identifiers_[1])
        useful = (user >= 0) & (items >= 0)
        n_users = len(asked)
        by_user = Observed.of(
            np.column_stack([user, items])[useful], np.zeros(useful.sum()), None, n_users
        )
        return by_user.seen_by(codes_of(names, asked))


def _checked_number(n):
    if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be a positive whole number, got {n!r}.")
    return int(n)


def _nothing():
    return np.zeros(0, int), np.zeros(0, int)


def _directions(own, other):
    """Vectors of length 1 whose inner products are the similarities. 0 for factors of 0."""
    squares, V = np.linalg.eigh(np.einsum("ik,il->kl", other, other, dtype=float))
    # Inner products of these are the inner products of the rows of ``own @ other.T``.
    products = own @ (V * np.sqrt(squares.clip(min=0))).astype(own.dtype)
    norms = np.linalg.norm(products, axis=1, keepdims=True)
    tiny = NO_DIRECTION * norms.max(initial=0)
    return np.divide(products, norms, out=np.zeros_like(products), where=norms > tiny)
