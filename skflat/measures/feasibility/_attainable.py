"""Which values an affine reading of some features can still give a probe."""

import numpy as np
from scipy.optimize import linprog

from .._budget import Budget
from ._affine import NOTHING, Scaling, extent, reading_of
from ._brackets import Brackets, in_chunks

# Average number of Newton steps of the interior-point method.
N_STEPS = 25


def attainable(features, low, high, learned, probes, intercept=True, edges=(), budget=None):
    """Intervals of values that affine readings of the features can give the probes.

    The readings are those that keep every row's value between ``low`` and ``high``.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    low, high : ndarray of shape (n_rows,)
        May be infinite.
    learned : ndarray of shape (n_rows,)
        Values strictly between the two that some reading gives the rows.
    probes : ndarray of shape (n_probes, n_features)
    intercept : bool, default=True
        Whether readings are affine; linear otherwise.
    edges : array-like of shape (n_edges,), default=()
        In ascending order. If there are any, only the two edges around each end matter. The result
        is then an attained value between the same edges, at a tenth of the cost.
    budget : float, default=None
        Number of multiplications; None is without a limit.

    Returns
    -------
    ends : ndarray of shape (n_probes, 2)
        Infinite if no row constrains the readings.
    decided : ndarray of bool of shape (n_probes,)
        False if the budget or rounding prevents an answer. If the values to keep round by more than
        the distance to ``low`` and ``high``, no probe is decided, and both ends are the value that
        is known.
    """
    budget = Budget() if budget is None else budget
    binding = np.isfinite(low) | np.isfinite(high)
    features, low, high, learned = (each[binding] for each in (features, low, high, learned))
    if not len(features):
        bound = 0.0 if not intercept else np.inf
        infinite = np.where(np.any(probes != 0, axis=1), np.inf, bound)
        return np.column_stack([-infinite, infinite]), np.ones(len(probes), dtype=bool)
    scaled = Scaling(features, intercept)
    rows, goals = scaled(features), scaled(probes)
    held = extent(rows)
    free = np.any(np.abs(goals[:, ~held]) > NOTHING, axis=1)
    rows, goals = rows[:, held], goals[:, held]
    start = reading_of(learned, rows)
    band = rows, low - rows @ start, high - rows @ start
    with np.errstate(over="ignore"):  # a value beyond all floats is infinite
        known = goals @ start
    if not (np.all(band[1] < 0) and np.all(band[2] > 0)):
        return np.repeat(known[:, None], 2, axis=1), np.zeros(len(goals), dtype=bool)
    ends = np.where(free[:, None], [-np.inf, np.inf], 0.0)
    decided = np.ones(len(ends), dtype=bool)
    sought = np.flatnonzero(~free & goals.any(axis=1))  # a goal of zeros has no other value
    for chunk in in_chunks(len(sought), len(rows)):
        part = sought[chunk]
        ends[part], decided[part] = _spread(goals[part], known[part], *band, edges, budget)
    return ends, decided


def _spread(goals, centres, rows, low, high, edges, budget):
    """Intervals of the goals around their values at ``x = 0``, and which intervals are decided."""
    # The programs are in a unit of the band, a power of two, so that nothing in them overflows.
    bounds = np.abs(np.concatenate([low, high]))
    unit = np.ldexp(1.0, np.frexp(bounds[np.isfinite(bounds)].max())[1] - 1)
    low, high = low / unit, high / unit

    def least_values(goals, *sides):
        def places(ends):
            return np.searchsorted(edges, centres + np.outer(sides, unit * ends))

        def is_settled(lower, upper):
            return np.all(places(lower) == places(upper), axis=0)

        settled_by = is_settled if len(edges) else None
        return _least_values(goals, rows, low, high, settled_by, budget)

    if np.isfinite(high - low).all() and np.all(np.abs(high + low) <= 1e-12 * (high - low)):
        # The band is symmetric, so the greatest value is minus the least one.
        below, decided = least_values(goals, 1, -1)
        above = below
    else:
        (below, first), (above, second) = least_values(goals, 1), least_values(-goals, -1)
        decided = first & second
    with np.errstate(over="ignore"):
        return centres[:, None] + unit * np.column_stack([below, -above]), decided


def _least_values(goals, rows, low, high, is_settled, budget):
    """Least values of the goals, and which are decided.

    If brackets settle a goal, its value is the upper bound, which is attained.
    """
    values, settled = np.zeros(len(goals)), np.zeros(len(goals), dtype=bool)
    if is_settled is not None:
        brackets = Brackets(goals, rows, low, high)
        brackets.narrow(is_settled, budget)
        values, settled = brackets.upper, is_settled(brackets.lower, brackets.upper)
        values = np.minimum(values, 0.0)  # what is attained without a change
    origin = np.zeros(rows.shape[1])
    for k in np.flatnonzero(~settled):
        if budget.spend(N_STEPS * rows.size * rows.shape[1]):
            found = least(goals[k], rows, low, high, origin)
            if found is not None:
                values[k], settled[k] = found, True
    return values, settled


def within(features, low, high):
    """Values of an affine reading strictly between ``low`` and ``high`` on all rows, or None.

    A linear program finds the reading that stays the farthest away from both.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    low, high : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows,), or None
    """
    rows = Scaling(features)(features)
    above, below = np.isfinite(high), np.isfinite(low)
    A = np.vstack([rows[above], -rows[below]])
    b = np.concatenate([high[above], -low[below]])
    unit = np.abs(b).max()
    room = np.append(np.zeros(A.shape[1]), -1.0)
    inequalities = np.column_stack([A, np.ones(len(A))])
    bounds = [(None, None)] * A.shape[1] + [(None, 1.0)]
    found = linprog(room, inequalities, b / unit, bounds=bounds, method="highs")
    values = rows @ found.x[:-1] * unit
    return values if np.all((values < high) & (values > low)) else None


def least(c, rows, low, high, x, tol=1e-9, max_iter=100):
    """Least ``c @ x`` over ``low <= rows @ x <= high``, or minus infinity if it is unbounded.

    The result is None if rounding errors prevent an answer.

    This is a primal-dual path-following method. The problems have many rows and few, dense columns,
    for which a general simplex method takes ten times as long. ``x`` must satisfy the inequalities
    strictly, and all later points do. The distance to the least value is at most the duality gap
    ``s @ z`` plus the residual of ``c + A.T @ z = 0`` times ``|x|``. If rounding errors keep these
    from vanishing, a simplex method follows.
    """
    above, below = np.flatnonzero(np.isfinite(high)), np.flatnonzero(np.isfinite(low))
    A, of_row = np.vstack([rows[above], -rows[below]]), np.concatenate([above, below])
    b = np.concatenate([high[above], -low[below]])
    s = b - A @ x
    z = np.full(len(s), np.abs(c).sum() / len(s)) / s
    unit, start = s.max(), c @ x
    for _ in range(max_iter):
        gap, value = s @ z, c @ x
        slack = np.abs(c + A.T @ z).max() * np.abs(x).sum()
        if gap <= tol * unit and slack <= 100 * tol * unit:
            return value
        # So far below the start, the program counts as unbounded.
        if value < start - 1e9 * unit:
            return -np.inf
        # Centring: aim at a tenth of the present gap, with equal products ``s z``.
        target = 0.1 * max(gap, tol * unit) / len(s)
        # Both bounds of a row at once; a matrix times itself takes half the time of a product.
        root = rows * np.sqrt(np.bincount(of_row, z / s, len(rows)))[:, None]
        hessian = root.T @ root
        # A multiple of the identity, of the size of rounding errors, keeps it invertible.
        hessian.flat[:: len(hessian) + 1] += 1e-14 * np.trace(hessian)
        try:
            dx = np.linalg.solve(hessian, -c - A.T @ (target / s))
        except np.linalg.LinAlgError:  # singular up to rounding
            break
        ds = -(A @ dx)
        dz = target / s - z - z * ds / s
        reach = _room(s, ds)
        x, s, z = x + reach * dx, s + reach * ds, z + _room(z, dz) * dz
    found = _by_simplex(c, A, b / unit)
    return None if found is None else found * unit


def _by_simplex(c, A, b):
    """Least ``c @ x`` over ``A @ x <= b``, or None if HiGHS finds no answer."""
    if not (np.isfinite(A).all() and np.isfinite(b).all()):
        return None
    found = linprog(c, A, b, bounds=(None, None), method="highs")
    return {0: found.fun, 3: -np.inf}.get(found.status)


def _room(values, change):
    """How far along the change the values stay positive, up to a whole step."""
    shrinks = change < 0
    return min(1.0, 0.99 * np.min(-values[shrinks] / change[shrinks], initial=np.inf))
