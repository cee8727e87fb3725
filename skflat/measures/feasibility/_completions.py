"""The affine readings of some features that give every training row its label."""

import copy
from functools import cached_property

import numpy as np

from .._budget import Budget, least_squares_cost
from ._affine import Scaling, reading_of
from ._separation import ZERO, combination, separate

# Up to so many features, it is faster to form all products of a row's entries once for many
# weights.
WIDE = 32
# Number of rows in a metric, per dimension of the features: those nearest to the boundary. With
# many features fewer rows are enough.
NEAREST, NEAREST_OF_MANY = 8, 4
# Largest number of entries of a system of inequalities, 64 MB. A larger one is not formed.
LARGEST = 1 << 23
# Weights of a proof below this share of the greatest one are rounding errors.
ROUNDING = 1e-14


class Completions:
    """The affine maps of features that give every training row its label.

    A map is a matrix ``U`` of shape (n_features + 1, n_classes), in the basis of `Scaling`. Only
    differences of scores matter, so a program has variables for all classes but the last.

    Only few of the ``n_rows (n_classes - 1)`` inequalities matter. All decisions share a working
    set. If a pair is impossible under some inequalities, it is impossible under all. If a map
    satisfies the working set, it either satisfies all inequalities or violates some, and these are
    added.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    labels : ndarray of int of shape (n_rows,)
    n_classes : int
    probes : ndarray of shape (n_probes, n_features), default=None
        Positions of possible further rows. None allows rows anywhere.
    budget : Budget, default=None
        Total budget of the programs. None is unlimited.
    """

    def __init__(self, features, labels, n_classes, probes=None, budget=None):
        self.with_intercept = Scaling(features, probes=probes)
        self.labels, self.n_classes = labels, n_classes
        self.rows = self.normalized(features)
        self.members = _members(labels, n_classes)
        self.budget = Budget() if budget is None else budget
        self.working = None

    def normalized(self, features):
        """Rows of features in the basis, scaled to length 1. The length has no influence."""
        rows = self.with_intercept(features)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @property
    def size(self):
        """The number of variables."""
        return self.rows.shape[1] * (self.n_classes - 1)

    def gaps(self, U):
        """Score of every row's label minus each class's score, (..., n_rows, n_classes)."""
        scores = self.rows @ U
        return scores[..., np.arange(len(self.rows)), self.labels][..., None] - scores

    def margins(self, U):
        """The `gaps`, but infinite for the label itself. So a minimum ignores it."""
        gaps = self.gaps(U)
        gaps[..., np.arange(len(self.rows)), self.labels] = np.inf
        return gaps

    def change_of_gaps(self, columns, d):
        """The change of the gaps if some columns of the maps change.

        Parameters
        ----------
        columns : ndarray of int of shape (n_maps, n_columns)
        d : ndarray of shape (n_maps, n_features + 1, n_columns)

        Returns
        -------
        ndarray of shape (n_maps, n_rows, n_classes)
        """
        each, rows = np.arange(len(columns))[:, None], np.arange(len(self.rows))
        scores = np.zeros((len(columns), len(rows), self.n_classes))
        scores[each, :, columns] = np.swapaxes(self.rows @ d, 1, 2)
        return np.subtract(scores[:, rows, self.labels][..., None], scores, out=scores)

    def realised(self, features, scores):
        """The map that gives the features scores, or None if they are not the labels' by far."""
        U = reading_of(scores, self.with_intercept(features))
        with np.errstate(over="ignore"):  # an infinite norm is no map's
            return U if self.margins(U).min() > ZERO * np.linalg.norm(U) else None

    def curvature(self, margins, columns):
        """Curvature of the logarithmic barrier of maps in some of their columns.

        A row holds the column of its label by all its inequalities, and any other by one.

        Parameters
        ----------
        margins : ndarray of shape (n_maps, n_rows, n_classes)
        columns : ndarray of int of shape (n_maps, n_columns)

        Returns
        -------
        ndarray of shape (n_maps, n_columns (n_features + 1), n_columns (n_features + 1))
        """
        n_maps, n_columns = columns.shape
        weights = 1 / margins
        weights *= weights  # in place: fresh memory costs more than the product
        total = weights @ np.ones(self.n_classes)
        own = self.labels == columns[:, :, None]
        weights = weights[np.arange(n_maps)[:, None], :, columns]
        weights = np.where(own, total[:, None], weights)
        near = self._nearest(weights)
        if near is not None:
            own, weights = (np.take_along_axis(a, near[:, None], axis=2) for a in (own, weights))
        first, second, place = _triangle(n_columns)
        both = np.empty((n_maps, len(first), weights.shape[2]))
        for at, (j, k) in enumerate(zip(first, second, strict=True)):
            between = own[:, j] * weights[:, k] + own[:, k] * weights[:, j]
            both[:, at] = weights[:, j] if j == k else -between
        blocks = np.swapaxes(self._moments(both, near)[:, place], 2, 3)
        return blocks.reshape(n_maps, n_columns * self.rows.shape[1], -1)

    def _nearest(self, weights):
        """The rows of every map that weigh most, in order; None where all are to be used."""
        n_near = n_measured(*self.rows.shape)
        if n_near == len(self.rows):
            return None
        return np.sort(np.argpartition(-weights.sum(axis=1), n_near, axis=1)[:, :n_near], axis=1)

    def _moments(self, weights, near):
        """Second moments of each map's rows under weights of shape (n_maps, n, n_rows)."""
        if near is not None:
            rows = self.rows[near][:, None]
            return (np.swapaxes(rows, 2, 3) * weights[:, :, None]) @ rows
        if self.rows.shape[1] > WIDE:
            each = [(self.rows.T * w) @ self.rows for w in weights.reshape(-1, len(self.rows))]
            return np.reshape(each, (*weights.shape[:-1], *each[0].shape))
        products, place = self._products
        return (weights @ products)[..., place]

    @cached_property
    def _products(self):
        """Products of a row's entries, each once, and where in the matrix they belong."""
        first, second, place = _triangle(self.rows.shape[1])
        return self.rows[:, first] * self.rows[:, second], place

    def decide(self, row=None, outcome=None, least=0.0):
        """A map that also gives a further row this outcome, or a proof that there is none.

        Parameters
        ----------
        row : ndarray, default=None
            As from `normalized`. None considers only the training rows.
        outcome : int
        least : float, default=0
            The margin that all rows must have, as a share of the greatest possible least margin on
            the working set.

        Returns
        -------
        U : ndarray or None
            The map, if there is one.
        terms : tuple of ndarray (rows, rivals, weights)
            If there is no map, inequalities whose weighted sum is 0. Row -1 is the further row.
        certain : bool
            Whether the result does not depend on rounding, and the program was within the budget.
        """
        if self.working is None:
            if not self._allows(self.n_classes**2):
                return None, None, False
            self.working = self._first_inequalities()
        others = np.delete(np.arange(self.n_classes), outcome) if row is not None else []
        further = np.column_stack([np.full(len(others), -1), others]).astype(int)
        while True:
            terms = np.vstack([further, self.working])
            if not self._allows(len(terms)):
                return None, None, False
            system = self._inequalities(terms, row, outcome)
            u, weights, certain = separate(system)
            if u is None:
                return None, _positive(terms, weights), certain
            U = np.column_stack([u.reshape(self.n_classes - 1, -1).T, np.zeros(self.rows.shape[1])])
            broken = self._broken(U, max(least * (system @ u).min(), ZERO))
            if not len(broken):
                return U, None, True
            number = np.array([self.n_classes, 1])
            if np.isin(broken @ number, self.working @ number).all():
                return None, None, False  # their margins are below the rounding errors
            # An inequality of weight 0 does not determine the nearest point of the hull. Without
            # such inequalities the next program is smaller.
            held = self.working[weights[len(further) :] > 0]
            self.working = np.vstack([held, broken])

    def extended(self, row, label):
        """The maps among these that give a further row, as in `normalized`, its label."""
        fewer = copy.copy(self)
        fewer.rows, fewer.labels = np.vstack([self.rows, row]), np.append(self.labels, label)
        fewer.members = _members(fewer.labels, self.n_classes)
        vars(fewer).pop("_products", None)  # cached for the rows before
        return fewer

    def begin_with(self, rows):
        """Make the inequalities of these rows, of two classes, the working set."""
        self.working = np.column_stack([rows, 1 - self.labels[rows]])

    def refute(self, row, outcome, rival, among=None):
        """A proof as from `decide` that uses two classes only, or None if these do not suffice.

        Take the cone of the rival's rows and of the negatives of the outcome's rows. If the row is
        in this cone, every map that separates the two classes scores it higher for the rival.
        ``among`` are the rows to use, by default all rows.
        """
        theirs, own = self.members[rival], self.members[outcome]
        if among is not None:
            theirs, own = np.intersect1d(theirs, among), np.intersect1d(own, among)
        if not self.budget.spend(self.refutation_cost(outcome, rival, among)):
            return None
        weights = combination(np.vstack([self.rows[theirs], -self.rows[own]]), row)
        if weights is None:
            return None
        rivals = np.r_[rival, np.full(len(theirs), outcome), np.full(len(own), rival)]
        terms = np.column_stack([np.r_[-1, theirs, own], rivals])
        return _positive(terms, np.r_[1.0, weights])

    def _allows(self, n_terms):
        """Whether a program with so many inequalities may be solved."""
        too_large = self.size * n_terms > LARGEST
        return self.budget.spend(np.inf if too_large else least_squares_cost(self.size, n_terms))

    def refutation_cost(self, outcome, rival, among=None):
        """Approximate number of multiplications of `refute`."""
        n_rows = len(self.members[rival]) + len(self.members[outcome])
        return least_squares_cost(n_rows if among is None else len(among), self.rows.shape[1])

    def _first_inequalities(self):
        """Those of one row of every class."""
        found, first = np.unique(self.labels, return_index=True)
        terms = np.array([(i, k) for i in first for k in range(self.n_classes)])
        return terms[terms[:, 1] != np.repeat(found, self.n_classes)]

    def _inequalities(self, terms, row, outcome):
        """Coefficients in the variables of ``score of the label > score of the rival``."""
        index, rivals = terms.T
        rows, labels = self.rows[index], self.labels[index]
        if row is not None:
            rows[index < 0], labels[index < 0] = row, outcome
        coefficients = np.zeros((len(rows), self.n_classes, rows.shape[1]))
        each = np.arange(len(rows))
        coefficients[each, labels] += rows
        coefficients[each, rivals] -= rows
        return coefficients[:, :-1].reshape(len(rows), -1)

    def _broken(self, U, least, most=48):
        """The rows that a map gets most wrong, and the class that each is taken for."""
        margins = self.margins(U)
        worst = margins.min(axis=1)
        broken = np.flatnonzero(worst <= least)
        broken = broken[np.argsort(worst[broken], kind="stable")[:most]]
        return np.column_stack([broken, margins[broken].argmin(axis=1)])


def n_measured(n_rows, width):
    """The number of rows by which a metric measures."""
    if width > WIDE:
        return min(n_rows, NEAREST_OF_MANY * width)
    # Of few features the products are shared, so that all rows cost as little.
    return n_rows if 3 * NEAREST * width >= n_rows else NEAREST * width


def _triangle(size):
    """Rows and columns of an upper triangle, and which of them an entry of the matrix is."""
    first, second = np.triu_indices(size)
    place = np.empty((size, size), dtype=int)
    place[first, second] = place[second, first] = np.arange(len(first))
    return first, second, place


def _members(labels, n_classes):
    return [np.flatnonzero(labels == k) for k in range(n_classes)]


def _positive(terms, weights):
    """What has weight, as three arrays; None where there are no weights.

    Weights that are only rounding errors are left out. They would bring classes into a proof that
    it does not need, and then the exact weights would not be unique.
    """
    if weights is None:
        return None
    held = weights > ROUNDING * weights.max()
    return terms[held, 0], terms[held, 1], weights[held]
