"""The penalty of the factors, chosen by what is predicted of entries held out."""

import numpy as np

from ...objective import LeastSquares, Objective

CANDIDATES = 2.0 ** np.arange(5, -8, -2)  # in units of what offsets leave over
WITHOUT_CHOICE = 1.0  # where there are too few entries to hold some out
HELD_OUT, FEWEST = 0.1, 10  # share of the entries, and the least number of observations
WORSE = 1.01  # the path ends where the error is so many times the best
ROUGHLY, MOST_SWEEPS = 1e-3, 20  # of the fits, enough to compare them


def chosen_alpha(objective, rho, alpha_offsets, rng):
    """The strength of the penalty on factors with which entries held out are predicted best.

    Goes down from the strongest, at which factors vanish, as long as that helps. Every fit is a few
    sweeps of alternating least squares.

    Parameters
    ----------
    objective : Objective
        Of a factorization; the targets are in units of what offsets leave over.
    rho : float
        Standard deviation of the weight noise.
    alpha_offsets : float
    rng : numpy.random.Generator

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
    alternation = kept.capability(LeastSquares).alternation(rho)
    for alpha in CANDIDATES:
        w = model.init(np.random.RandomState(seed), kept.data)
        alternation.alpha = (float(alpha), alpha_offsets)
        _settle(alternation, w)
        error = asked.loss(w)
        if error < best:
            best, chosen = error, float(alpha)
        if not error <= WORSE * best:
            break
    return chosen


def entries_held_out(codes, sizes, rng):
    """Which observations are of a tenth of all entries, drawn at random.

    Every entity draws a number, and an entry is held out by the sum of those of its entities. So
    neither the order nor the repetition of observations matters.
    """
    draws = (rng.random(size).take(column) for size, column in zip(sizes, codes.T, strict=True))
    return sum(draws) % 1 < HELD_OUT


def _of_rows(objective, rows):
    data = objective.data
    weight = None if data.weight is None else data.weight[rows]
    return Objective(objective.model, objective.loss_function, data.X[rows], data.y[rows], weight)


def _settle(alternation, w):
    """Sweeps until the loss hardly falls."""
    last = np.inf
    for _ in range(MOST_SWEEPS):
        loss = alternation.sweep(w)
        if not last - loss > ROUGHLY * loss:
            return
        last = loss
