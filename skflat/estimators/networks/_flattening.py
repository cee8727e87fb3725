"""Moves to the flattest point of the orbit, after a fit and during it."""

from ...objective import Orbit, require


def last_step(estimator, objective, complete):
    """From the parameters where training ended to those that are kept."""
    criterion = estimator.flatten
    if criterion is None or not complete:
        return lambda w: w
    orbit = _orbit(estimator, objective, "flatten")

    def finish(w):
        found = orbit.flattest(w, criterion)
        found.warn()
        return found.w

    return finish


def between_epochs(estimator, objective):
    """``(w, n_epochs) -> w`` or None for the training loop, or None if nothing is to be moved."""
    every = estimator.flatten_every
    if every is None:
        return None
    if not estimator._solver().stochastic:
        raise ValueError(
            f"flatten_every={every} needs a solver with epochs, got solver={estimator.solver!r}."
        )
    orbit = _orbit(estimator, objective, "flatten_every")
    criterion = estimator.flatten or "trace"
    return lambda w, epochs: None if epochs % every else orbit.flattest(w, criterion).w


def _orbit(estimator, objective, parameter):
    """What knows the flattest point, of the loss without penalty and label smoothing."""
    who = f"{type(estimator).__name__}({parameter}={getattr(estimator, parameter)!r})"
    return require(objective.unpenalized(), Orbit, who)
