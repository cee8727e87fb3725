"""Which outcomes an affine reading of some features can still realise."""

import numpy as np
from scipy.optimize import brentq, linprog

# Least margin, of a map of norm 1 on features scaled to 1, that is still told from 0.
NARROW = 1e-9


class Scaling:
    """Columns brought to the unit interval, dead ones dropped, and a column of ones added."""

    def __init__(self, features):
        scale = np.abs(features).max(axis=0, initial=0)
        self.used = scale > 0
        self.scale = scale[self.used]

    def __call__(self, features):
        return np.column_stack([features[:, self.used] / self.scale, np.ones(len(features))])


class Completions:
    """The affine maps of features that give every training row its label.

    A map is a matrix ``U`` of shape (n_features + 1, n_classes - 1), the intercept in the last
    row; the last class scores 0, which is no restriction because only differences count.

    Of the ``n_rows (n_classes - 1)`` inequalities few ever matter. All decisions share a working
    set of rows: what is impossible on some of the rows is impossible on all, and a map found on
    some of them either does for all or names the rows to take in.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    labels : ndarray of int of shape (n_rows,)
    n_classes : int
    """

    def __init__(self, features, labels, n_classes):
        self.with_intercept = Scaling(features)
        self.n_classes = n_classes
        self.labels = labels
        self.rows = self.with_intercept(features)
        n_first = min(len(labels), 4 * self.rows.shape[1])
        self.working = np.linspace(0, len(labels) - 1, n_first).astype(int)
        self.some_map = np.zeros((self.rows.shape[1], n_classes - 1))
        self.some_map = self._complete(self.rows[:0], labels[:0])

    def witness(self, probe, outcome):
        """A map that also gives the probe this outcome, or None where there is none."""
        if self.some_map is None:  # not even the training rows alone can be reproduced
            return None
        return self._complete(self.with_intercept(probe[None]), np.array([outcome]))

    def classify(self, U, features):
        """The outcome that a map gives every row."""
        return with_zero(self.with_intercept(features) @ U).argmax(axis=1)

    def _complete(self, row, label, most=64):
        """A map that also gives these rows these labels, or None."""
        U = self.some_map
        while True:
            rows = np.vstack([self.rows[self.working], row])
            U = separate(rows, np.append(self.labels[self.working], label), U)
            if U is None:
                return None
            worst = margins(with_zero(self.rows @ U), self.labels).min(axis=1, initial=np.inf)
            broken = np.flatnonzero(worst <= 0)
            if not len(broken):
                return U
            hardest = broken[np.argsort(worst[broken], kind="stable")[:most]]
            self.working = np.union1d(self.working, hardest)


def separate(rows, labels, U, max_iter=200):
    """A map under which every row scores highest for its label, or None if there is none.

    Newton's method on the squared hinge ``sum (1 - margin)_+^2 / 2`` of all (row, other class)
    pairs. It decides both ways with a certificate: a map whose margins are all positive, or the
    hinge residuals ``V >= 0``, for which no map of norm 1 can have a least margin above
    ``|sum V g| / sum V``, the ``g`` being the gradients of the margins (Gordan's theorem).

    Raises
    ------
    RuntimeError
        If neither certificate is found, which rounding can bring about where the largest least
        margin is close to `NARROW`.
    """
    loss = np.inf
    for _ in range(max_iter):
        M = margins(with_zero(rows @ U), labels)
        if M.min(initial=np.inf) > 0:
            return U
        V = np.maximum(1 - M, 0)
        gradient = rows.T @ _pull(V, labels)[:, :-1]
        if np.linalg.norm(gradient) <= NARROW * V.sum():
            return None
        step = _newton_step(rows, labels, V > 0, gradient)
        loss = np.sum(V * V)
        U = _line_search(rows, labels, U, step, M, loss)
    raise RuntimeError(f"Separation undecided after {max_iter} Newton steps.")


def margins(scores, labels):
    """Score of the label minus that of every class; infinite for the label itself."""
    index = np.arange(len(scores))
    M = scores[index, labels][:, None] - scores
    M[index, labels] = np.inf
    return M


def with_zero(scores):
    """Scores with the column of the last class, which is 0."""
    return np.column_stack([scores, np.zeros(len(scores))])


def _pull(V, labels):
    """Derivative of half the squared residuals in the scores."""
    pull = V.copy()
    pull[np.arange(len(V)), labels] = -V.sum(axis=1)
    return pull


def _newton_step(rows, labels, active, gradient):
    """Minimiser of the quadratic of the active pairs, barely damped."""
    index, others = np.nonzero(active)
    n_features, n_free = gradient.shape
    pairs = np.zeros((len(index), n_free + 1, n_features))
    at = np.arange(len(index))
    pairs[at, labels[index]] += rows[index]
    pairs[at, others] -= rows[index]
    pairs = pairs[:, :n_free].reshape(len(index), -1)
    hessian = pairs.T @ pairs
    hessian.flat[:: len(hessian) + 1] += 1e-12 * (1 + hessian.trace() / len(hessian))
    step = np.linalg.solve(hessian, -gradient.T.ravel())
    return step.reshape(n_free, n_features).T


def _line_search(rows, labels, U, step, M, loss):
    """Follow the step as far as the piecewise quadratic falls along it."""
    index = np.arange(len(labels))
    change = with_zero(rows @ step)
    change = change[index, labels][:, None] - change
    M = np.where(np.isfinite(M), M, 1.0)

    def slope(t):
        return -float(np.sum(np.maximum(1 - M - t * change, 0) * change))

    steepest, far = slope(0.0), 1.0
    if abs(slope(1.0)) <= 0.1 * abs(steepest):
        return U + step  # whole Newton steps are what ends the iteration exactly
    while slope(far) < 0 and far < 1e6:
        far *= 4
    return U + (brentq(slope, 0, far, xtol=1e-9, rtol=1e-2) if slope(far) > 0 else far) * step


def attainable(features, low, high, probe, most=64):
    """Interval of values that affine readings of the features can give a probe.

    The readings are those that keep every row's value between ``low`` and ``high``. The
    linear programs share a working set of rows, to which they add those that they break.

    Returns
    -------
    low, high : float
        Infinite where nothing holds the reading back.
    """
    with_intercept = Scaling(features)
    rows, goal = with_intercept(features), with_intercept(probe[None])[0]
    n_first = min(len(rows), 2 * rows.shape[1])
    working = set(np.linspace(0, len(rows) - 1, n_first).astype(int).tolist())
    ends = []
    for sign in (1.0, -1.0):
        while True:
            kept = sorted(working)
            reading = _extreme(rows[kept], low[kept], high[kept], sign * goal)
            if reading is None and len(kept) == len(rows):
                ends.append(-sign * np.inf)
                break
            if reading is None:  # unbounded on these rows: take in twice as many
                missing = np.setdiff1d(np.arange(len(rows)), kept)
                working.update(missing[: len(kept)].tolist())
                continue
            values = rows @ reading
            excess = np.maximum(values - high, low - values)
            broken = np.flatnonzero(excess > 1e-6 * (1 + np.abs(values)))
            broken = broken[np.argsort(-excess[broken], kind="stable")[:most]]
            if working.issuperset(broken.tolist()):
                ends.append(float(reading @ goal))
                break
            working.update(broken.tolist())
    return tuple(ends)


def _extreme(rows, low, high, goal):
    """The reading with the least value at ``goal``; None where there is no least one."""
    above, below = np.isfinite(high), np.isfinite(low)
    result = linprog(
        c=goal,
        A_ub=np.vstack([rows[above], -rows[below]]),
        b_ub=np.concatenate([high[above], -low[below]]),
        bounds=(None, None),
        method="highs",
    )
    return result.x
