"""Choose the penalty on the factors by predicting entries that are held out."""

import numpy as np

from ..._parallel import one_thread
from ...objective import LeastSquares, Objective

CANDIDATES = 2.0 ** np.arange(5, -8, -2)  # for targets in the unit of `_target_unit.py`
WITHOUT_CHOICE = 1.0  # if there are too few entries to hold some out
HELD_OUT, FEWEST = 0.1, 10  # share of the entries, and the smallest number of observations
WORSE = 1.01  # the path ends if the error is this many times the best
ROUGHLY, MOST_SWEEPS = 1e-3, 20  # tolerance and length of the fits, enough to compare them


def chosen_alpha(objective, rho, alpha_offsets, rng, n_jobs=None):
    """The strength of the penalty on factors that predicts held-out entries best.

    The path goes down from the strongest penalty, at which the factors vanish. It ends when the
    predictions become worse. Every fit consists of a few sweeps of alternating least squares.

    Parameters
    ----------
    objective : Objective
        The objective of a factorization, with targets in units of ``scale_``.
    rho : float
        Standard deviation of the weight noise.
    alpha_offsets : float
    rng : numpy.random.Generator
    n_jobs : int, default=None
        Number of workers, on which the result does not depend.

    Returns
    -------
    float
    """
    model, data = objective.model, objective.data
    held_out = entries_held_out(data.X, model.sizes, rng)
    if model.n_components == 0 or min(held_out.sum(), (~held_out).sum()) < FEWEST:
        return WITHOUT_CHOICE
    seed = rng.integers(2**31)
    kept, asked = (_of_rows(objective, rows) for rows in (~held_out, held_out))
    best, chosen = np.inf, WITHOUT_CHOICE
    alternation = kept.capability(LeastSquares).alternation(rho, n_jobs=n_jobs)
    for alpha in CANDIDATES:
        # Every fit has the same start. So the errors differ by the penalty alone.
        w = model.init(np.random.RandomState(seed), kept.data)
        alternation.alpha = (float(alpha), alpha_offsets)
        with one_thread():
            _settle(alternation, w)
        error = asked.loss(w)
        if error < best:
            best, chosen = error, float(alpha)
        if not error <= WORSE * best:  # true for NaN, too
            break
    return chosen


def entries_held_out(codes, sizes, rng):
    """A mask of the observations whose entry is held out. A tenth of all entries is drawn.

    Every entity draws a number, and the sum of the numbers of its entities decides about an entry.
    So the order of the observations does not matter, and repeated observations stay together.
    """
    draws = (rng.random(size).take(column) for size, column in zip(sizes, codes.T, strict=True))
    return sum(draws) % 1 < HELD_OUT


def _of_rows(objective, rows):
    data = objective.data
    weight = None if data.weight is None else data.weight[rows]
    return Objective(objective.model, objective.loss_function, data.X[rows], data.y[rows], weight)


def _settle(alternation, w):
    """Sweep until the loss hardly falls."""
    last = np.inf
    for _ in range(MOST_SWEEPS):
        loss = alternation.sweep(w)
        if not last - loss > ROUGHLY * loss:
            return
        last = loss
