"""The only training loop: batches, schedule, stopping, callbacks, counting."""

import math
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches, shuffle

from .._parallel import warn_or_raise


def run_epochs(rule, w, state, run):
    """Take a rule's steps for some epochs and return the parameters it ends with."""
    state.work = run.work
    rule.resume(w, state)
    try:
        # An overflow makes the loss or ``w`` infinite. The check after each epoch finds that and
        # the estimator raises one clear error, so numpy's warnings would only be noise.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            _run_epochs(rule, w, state, run)
    except KeyboardInterrupt:
        run.interrupted = True
        warn_or_raise("Training interrupted by user.", stacklevel=5)
    finally:
        state.work = None  # scratch memory must not be pickled with the estimator
    return rule.finalize(w, state)


def _run_epochs(rule, w, state, run):
    settings, history, n_rows = run.settings, run.history, run.objective.n_rows
    batch_size = _batch_size(settings.batch_size, n_rows)
    order = np.arange(n_rows) if run.order is None else run.order
    for _ in range(run.max_epochs or settings.max_iter):
        run.hooks.begin_epoch()
        if settings.shuffle:
            order = run.order = shuffle(order, random_state=run.random_state)
        loss = _epoch(rule, w, state, run, order, batch_size)
        run.n_iter += 1
        state.epoch += 1
        history.n_rows_seen += n_rows
        # The last step of the epoch may overflow after its loss was computed, so ``w`` counts, too.
        if not math.isfinite(loss) or not math.isfinite(float(w @ w)):
            run.diverged = True
            return
        history.add(loss, run.validate(w) if run.validate else None, w, settings)
        _move(rule, w, state, run)
        _report(run, loss)
        state.base.end_epoch(history.n_rows_seen)
        run.interrupted = run.hooks.end_epoch(w)
        run.settled = not run.interrupted and _no_longer_improves(state, run)
        if run.interrupted or run.settled:
            return
    # A planned schedule is meant to end at ``max_iter``, and ``partial_fit`` runs one epoch only.
    # Neither is a failure to converge.
    if run.max_epochs is None and not state.base.planned:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({settings.max_iter}) "
            "reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=7,
        )


def _move(rule, w, state, run):
    """Go to another point of the same function, where that is asked for."""
    moved = None if run.between is None else run.between(w, state.epoch)
    if moved is not None:
        w[:] = moved
        rule.leap(w, state)


def _epoch(rule, w, state, run, order, batch_size):
    """One pass over the rows; the mean loss, or NaN as soon as a loss is not finite."""
    total, n_rows = 0.0, len(order)
    n_batches = math.ceil(n_rows / batch_size)
    for k, rows in enumerate(gen_batches(n_rows, batch_size)):
        # Without shuffling the slice itself selects the rows: a view instead of a copy.
        chosen = order[rows] if run.settings.shuffle else rows
        batch = run.objective.batch(chosen, run.work)
        state.place = state.epoch * n_batches + k, run.settings.max_iter * n_batches
        state.base.begin_step(*state.place)
        loss = rule.step(run.objective, w, batch, state)
        if not math.isfinite(loss):
            return math.nan
        state.step += 1
        # The last batch may be smaller, so each batch counts by its number of rows.
        total += loss * (rows.stop - rows.start)
    return total / n_rows


def _batch_size(batch_size, n_rows):
    if batch_size == "auto":
        return min(200, n_rows)
    if batch_size > n_rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be "
            f"clipped: batch_size={batch_size}, sample size {n_rows}.",
            stacklevel=8,
        )
    return min(batch_size, n_rows)


def _report(run, loss):
    if run.settings.verbose:
        print(f"Iteration {run.n_iter}, loss = {loss:.8f}")
        if run.settings.early_stopping:
            print(f"Validation score: {run.history.validation_scores[-1]:f}")


def _no_longer_improves(state, run):
    """Whether to stop. The base optimizer may lower its rate instead."""
    settings, history = run.settings, run.history
    if history.n_no_improvement <= settings.n_iter_no_change:
        return False
    stop, consequence = state.base.on_plateau()
    # With a lower rate the count starts again. Otherwise the next epoch would lower it once more.
    history.n_no_improvement = history.n_no_improvement if stop else 0
    if settings.verbose:
        what = "Validation score" if settings.early_stopping else "Training loss"
        print(
            f"{what} did not improve more than tol={settings.tol:f} for "
            f"{settings.n_iter_no_change} consecutive epochs. {consequence}"
        )
    return stop
