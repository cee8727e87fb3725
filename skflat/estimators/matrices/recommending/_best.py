"""The columns with the largest inner products, for every row, in blocks of limited size."""

import numpy as np

ENTRIES = 1 << 21  # of a block of inner products
TILE = 1 << 13  # columns of a block


def best(rows, columns, n, exact, slack, banned):
    """The ``n`` best columns of every row, the best first. Equal values are in order of columns.

    Products of matrices only preselect, because their last bits depend on the shapes. The
    preselected pairs are ordered by their values from ``exact``. So the result for a row does not
    depend on the other rows and on the blocks.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, k)
    columns : ndarray of shape (n_columns, k)
    n : int
        At most ``n_columns``.
    exact : callable
        Maps positions of rows and of columns, one pair each, to values. These are the inner
        products, up to a constant of the row.
    slack : ndarray of shape (n_rows,)
        Bounds of the rounding errors of the differences between two values of a row.
    banned : tuple of two ndarray of int of shape (n_pairs,)
        Positions of rows, in ascending order, and of columns, one pair each, to be left out.

    Returns
    -------
    places : ndarray of int of shape (n_rows, n)
        Positions of columns. -1 if no column is left.
    values : ndarray of shape (n_rows, n)
        NaN if no column is left.
    """
    places = np.full((len(rows), n), -1)
    values = np.full((len(rows), n), np.nan, np.result_type(rows, columns))
    step = max(1, ENTRIES // min(TILE, len(columns)))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        first, last = np.searchsorted(banned[0], (start, start + step))
        pairs = banned[0][first:last] - start, banned[1][first:last]
        block = _Block(rows[part], slack[part], places[part], values[part])
        block.fill(columns, pairs, lambda i, j, start=start: exact(i + start, j))
    return places, values


class _Block:
    """Some rows with the best columns found so far, which are views of the result."""

    def __init__(self, rows, slack, places, values):
        self.rows, self.slack, self.places, self.values = rows, slack, places, values

    def fill(self, columns, banned, exact):
        for start in range(0, len(columns), TILE):
            products = self.rows @ columns[start : start + TILE].T
            here = (banned[1] >= start) & (banned[1] < start + TILE)
            products[banned[0][here], banned[1][here] - start] = -np.inf
            i, j = self._candidates(products)
            self._merge(i, j + start, exact(i, j + start))

    def _candidates(self, products):
        """Pairs that may be among the best of their row."""
        n = min(self.places.shape[1], products.shape[1])
        bar = np.partition(products, -n, axis=1)[:, -n] - self.slack
        return np.nonzero((products >= bar[:, None]) & (products > -np.inf))

    def _merge(self, i, j, values):
        old = np.nonzero(self.places >= 0)
        i = np.concatenate([old[0], i])
        j = np.concatenate([self.places[old], j])
        values = np.concatenate([self.values[old], values])
        order = np.lexsort((j, -values, i))
        i, j, values = i[order], j[order], values[order]
        rank = np.arange(len(i)) - np.searchsorted(i, i)
        kept = rank < self.places.shape[1]
        self.places[i[kept], rank[kept]] = j[kept]
        self.values[i[kept], rank[kept]] = values[kept]
