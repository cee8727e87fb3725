"""Proofs in exact arithmetic. Floats are fractions, and Python's integers do not round."""

from fractions import Fraction

import numpy as np

from .._budget import factorization_cost

EPS = np.finfo(float).eps
# An integer of Python takes as long as so many multiplications of floats in large products.
INTEGER = 1e4
# Exact proofs that cost more, about a second, are not sought.
LONGEST = 2e10
# A prime below 2^31, so that products of residues fit into 64 bits.
PRIME = 2**31 - 1


def surely_wins(rows, W, outcomes):
    """Whether every row's outcome has the strictly greatest score under a map.

    Floating point decides if the bound on its rounding error allows it. Otherwise exact arithmetic
    decides.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, width)
    W : ndarray of shape (..., width, n_classes)
    outcomes : ndarray of int of shape (..., n_rows)

    Returns
    -------
    ndarray of bool of shape (..., n_rows)
    """
    return wins_within(*with_error(rows, W), rows, W, outcomes)


def with_error(rows, W):
    """Scores of the rows under a map, and a bound on their rounding errors."""
    # The standard bound for an inner product of n terms is ``n eps |x| |w|``. The four further
    # terms cover the rounding of the bound itself.
    return rows @ W, (len(rows[0]) + 4) * EPS * (np.abs(rows) @ np.abs(W))


def wins_within(scores, error, rows, W, outcomes):
    """As `surely_wins`, for known scores with bounds on their errors. ``error`` is overwritten."""
    own = np.broadcast_to(outcomes, scores.shape[:-1])[..., None]
    least = np.take_along_axis(scores, own, -1) - np.take_along_axis(error, own, -1)
    most = np.add(scores, error, out=error)
    np.put_along_axis(most, own, -np.inf, -1)
    wins = least[..., 0] > most.max(axis=-1)
    # Exact arithmetic is much slower, so it runs only for the few close cases.
    for place in zip(*np.nonzero(~wins), strict=True):
        wins[place] = _wins_exactly(rows[place[-1]], W[place[:-1]], own[place][0])
    return wins


def _wins_exactly(row, W, outcome):
    scores = [sum(_product(x, w) for x, w in zip(row, column, strict=True)) for column in W.T]
    return all(scores[outcome] > score for k, score in enumerate(scores) if k != outcome)


def _product(x, w):
    return Fraction(float(x)) * Fraction(float(w))


def surely_refutes(vectors, weights, budget):
    """As `surely_vanishes`, at the price of floating point where that is enough.

    The vectors times their weights sum to a residual, because the weights are rounded. Let the
    smallest singular value of these products exceed the residual. Then some correction, smaller
    than every weight, makes the sum exactly 0, so all weights stay positive. Exact arithmetic
    decides the rest, if it is not too long: vectors that do not span the space, as on the hull of a
    class, and those that hardly do.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, width)
    weights : ndarray of shape (n_vectors,)
        Positive.
    budget : Budget

    Returns
    -------
    bool
        False if it is not certain, too.
    """
    vectors = vectors[:, vectors.any(axis=0)]
    n, width = vectors.shape
    if n > width and budget.spend(factorization_cost(n, width)):
        # Powers of two bring the largest entry of every column to about 1. Entries that underflow
        # then are smaller than the rounding below.
        _, exponent = np.frexp(np.abs(vectors).max(axis=0))
        products = np.ldexp(vectors, -exponent) * weights[:, None]
        rounding = (n + 4) * EPS * np.linalg.norm(np.abs(products).sum(axis=0))
        values = np.linalg.svd(products, compute_uv=False)
        residual = np.linalg.norm(products.sum(axis=0))
        if residual + rounding < values[-1] - n * EPS * values[0]:
            return True
    columns = np.unique(vectors, axis=1)  # features that appear twice
    cost = elimination_cost(*columns.shape)
    if cost > LONGEST or _independent(columns) or not budget.spend(cost):
        return False
    return surely_vanishes(columns, weights)


def _independent(vectors):
    """Whether residues modulo a prime show that the vectors do not depend on each other.

    A determinant that is 0 has residue 0. So this excludes all weights, where rounding alone makes
    the vectors dependent, at a small part of the cost of `surely_vanishes`.
    """
    n, width = vectors.shape
    if n > width:
        return False
    rest = np.array([[entry % PRIME for entry in _integers(row)[0]] for row in vectors])
    for row in range(n):
        pivots = np.flatnonzero(rest[row])
        if not len(pivots):
            return False
        inverse = pow(int(rest[row, pivots[0]]), -1, PRIME)
        factors = rest[row + 1 :, pivots[0]] * inverse % PRIME
        rest[row + 1 :] = (rest[row + 1 :] - factors[:, None] * rest[row] % PRIME) % PRIME
    return True


def elimination_cost(n_rows, n_columns):
    """Approximate cost of exact elimination, in multiplications of floats of equal duration."""
    rank = min(n_rows, n_columns)
    return INTEGER * n_rows * n_columns * rank * (1 + rank / 16)


def surely_vanishes(vectors, weights):
    """Whether some weights >= 0, not all 0, make the sum of the vectors exactly 0.

    The vectors of the free columns keep the given weights. The weights of the pivot columns then
    follow from the equations.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, width)
    weights : ndarray of shape (n_vectors,)
        Positive.
    """
    columns, units = zip(*map(_integers, vectors), strict=True)
    matrix, pivots = _eliminated([list(row) for row in zip(*columns, strict=True)])
    free = set(range(len(columns))) - set(pivots)
    exact = {j: Fraction(float(weights[j])) / units[j] for j in free}
    for row, column in enumerate(pivots):
        exact[column] = -sum(matrix[row][j] * exact[j] for j in free) / matrix[row][column]
    return bool(free) and all(weight >= 0 for weight in exact.values())


def _integers(vector):
    """A vector of floats times the power of two that makes all entries integers, and the power."""
    ratios = [float(entry).as_integer_ratio() for entry in vector]
    unit = max(denominator for _, denominator in ratios)
    return [numerator * (unit // denominator) for numerator, denominator in ratios], unit


def _eliminated(matrix):
    """The matrix after Gauss-Jordan elimination, and the column of every row's pivot.

    By Bareiss's rule every division has remainder 0, and all entries are determinants. So the
    integers grow slowly.
    """
    pivots, before = [], 1
    for column in range(len(matrix[0])):
        at = len(pivots)
        row = next((r for r in range(at, len(matrix)) if matrix[r][column]), None)
        if row is None:
            continue
        matrix[at], matrix[row] = matrix[row], matrix[at]
        pivot_row = matrix[at]
        head = pivot_row[column]
        for r, other in enumerate(matrix):
            if r != at:
                tail = other[column]
                matrix[r] = [
                    (head * a - tail * b) // before for a, b in zip(other, pivot_row, strict=True)
                ]
        before = head
        pivots.append(column)
        if len(pivots) == len(matrix):
            break
    return matrix, pivots
