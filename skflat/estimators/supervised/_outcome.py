"""Whether a network has learnt more than the best constant prediction; a warning if not."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...objective import target_deviations
from ._advice import advice

MOST_ROWS = 10_000  # rows to predict, so that the check takes a small part of an epoch
MOST_NAMED = 5  # outputs that the message lists
ROUNDING = 1e-10  # a coefficient of determination up to this is 0


def warn_unless_better(estimator, objective, w, task):
    """Warn if a fitted network is no better than a constant on its training rows.

    The criterion is that of ``score``: the accuracy, or the coefficient of determination of every
    output. If the loss does not ask for means, the criterion is the loss. There is no warning for a
    constant target, because a constant is right there. If there are many rows, some of them are
    drawn. The seed for it is not taken from the user's random state.
    """
    rows = _some_rows(objective, estimator._measure_seed)
    with np.errstate(over="ignore", invalid="ignore"):
        F = objective.scores(w, rows.X)
        found = _judged(estimator, objective.loss_function, F, rows, task)
    if found is not None:
        warnings.warn(
            f"Training ended no better than the best constant prediction: {found}. "
            f"To learn more, {advice(estimator, objective, F, rows, task)}.",
            ConvergenceWarning,
            stacklevel=5,
        )


def _some_rows(objective, seed):
    """At most `MOST_ROWS` of the rows with a positive weight."""
    if objective.n_rows <= MOST_ROWS:
        return objective.batch()
    weight = objective.data.weight
    rows = np.arange(objective.n_rows) if weight is None else np.flatnonzero(weight)
    rng = np.random.default_rng(seed)
    return objective.batch(np.sort(rng.permutation(rows)[:MOST_ROWS]))


def _judged(estimator, loss, F, rows, task):
    """What is wrong with the predictions, or None."""
    if not task.has_classes and not loss.predicts_mean:
        return _loss(loss, F, rows)
    P = loss.shown(loss.predict(F.copy()))
    return _classes(estimator, P, rows) if task.has_classes else _regression(P, rows)


def _loss(loss, F, rows):
    """What is wrong with the loss, or None."""
    value, constant = rows.mean(loss.per_sample(F.astype(float), rows.y)), loss.constant_loss(rows)
    if value < constant or not target_deviations(rows).any():
        return None
    return f"on the training rows the loss is {value:.3g}, and that of the constant {constant:.3g}"


def _classes(estimator, P, rows):
    """How the predicted probabilities fail, or None."""
    # A class here is a row of ``y``: for a multilabel target it is a set of labels.
    _, places = np.unique(rows.y, axis=0, return_inverse=True)
    places = places.ravel()
    counts = np.bincount(places, rows.weight)
    if np.count_nonzero(counts) < 2:
        return None
    accuracy, constant = estimator._score_of(P, rows), rows.mean(places == counts.argmax())
    if accuracy > constant:
        return None
    target = "class" if rows.y.shape[1:] in ((), (1,)) else "set of labels"
    return (
        f"on the training rows the accuracy is {accuracy:.3g}, and that of the most frequent "
        f"{target} is {constant:.3g}"
    )


def _regression(P, rows):
    """How the predictions fail, or None."""
    deviations = target_deviations(rows)
    # In double precision, because float32 squares of large targets overflow.
    squares = np.average((P.astype(float) - rows.y) ** 2, axis=0, weights=rows.weight)
    r2 = 1 - squares / np.where(deviations > 0, deviations, 1) ** 2
    failed = np.flatnonzero((deviations > 0) & ~(r2 > ROUNDING))
    if not len(failed):
        return None
    named, n_more = failed[:MOST_NAMED], len(failed[MOST_NAMED:])
    which = f" of output {', '.join(map(str, named))}" if len(r2) > 1 else ""
    values = ", ".join(f"{value:.3g}" for value in r2[named])
    more = f", and {n_more} more are like it" if n_more else ""
    return f"on the training rows R2{which} is {values}{more}"
