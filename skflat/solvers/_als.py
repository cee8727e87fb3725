"""Alternating least squares for the expected loss under weight noise."""

import warnings
from contextlib import contextmanager
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._compat import Interval, StrOptions
from .._parallel import one_thread, warn_or_raise
from ..objective import LeastSquares
from ._solver import Solver


class ALS(Solver):
    """Alternating least squares: minimises the expected loss under weight noise exactly, by kinds.

    For a factorization the expected loss under Gaussian noise of standard deviation
    ``rho`` on every parameter has a closed form: the mean loss plus ``rho^2 / 2`` times the exact
    trace of its Hessian, plus a constant. A kind of entity is, for example, all rows of a matrix.
    If the factors of all other kinds are fixed, the best factors of one kind solve one ridge
    regression per entity. The weight of the ridge is proportional to the number of the entity's
    observations. A sweep solves for one kind after the other, so the expected loss never rises.

    ``rho`` is that standard deviation. It has the unit of the square root of the targets. Useful
    values are 0.05 to 0.3 times the square root of their standard deviation. ``"auto"`` is 0.2
    times it, ours. At 0 the method is plain alternating least squares. Let ``p`` be the weight of
    an observation. For two kinds with factors ``u`` and ``v`` the method minimises::

        sum p [(y - score)^2 + rho^2 (|u|^2 + |v|^2)] + alpha |F|^2 + beta |b|^2

    So ``rho^2`` is a ridge weighted by counts, as in Zhou and others, 2008, "Large-scale parallel
    collaborative filtering for the Netflix prize". The ridges on all factors ``F`` and offsets
    ``b``, the estimator's ``alpha`` and ``alpha_offsets``, are not weighted by counts. With more
    than two kinds, ``rho^2`` multiplies for each kind the squared norm of the sum of the others'
    factors. The mean objective is half of the formula divided by the sum of the weights.

    Parameters
    ----------
    inner : {'cholesky', 'cg'}, default='cholesky'
        How the equations of an entity are solved with ``feedback='implicit'``: exactly, or by some
        steps of conjugate gradients from the factors before. With ``k`` components and ``n``
        observations of an entity the first costs ``n k^2 + k^3 / 3`` multiplications, and the
        second ``n k + k^2`` for each step. Ratings are always solved exactly.
    n_steps : int, default=3
        Number of steps of conjugate gradients in a sweep.

    Notes
    -----
    The method is for factorizations only, because it needs the closed form of one kind of
    parameters given all others. A sweep counts one gradient per kind. The losses recorded are the
    expected ones. Training ends when a sweep lowers the loss by less than the share ``tol``. With
    implicit feedback it is the share of the difference to the loss of factors of 0. With early
    stopping it ends as with every other solver. ``partial_fit`` solves only for the entities
    that occur in the given observations, from all of their observations. So it needs the
    estimator's ``keep_seen=True``.

    Examples
    --------
    >>> from skflat import FlatMatrixFactorization
    >>> from skflat.solvers import ALS
    >>> FlatMatrixFactorization(solver=ALS(), rho=0.1).solver
    ALS()
    """

    _parameter_constraints: dict = {
        "inner": [StrOptions({"cholesky", "cg"})],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
    }

    default_rho = 0.2
    stochastic = False
    early_stops = True
    requires = (LeastSquares,)

    def __init__(self, inner="cholesky", n_steps=3):
        self.inner = inner
        self.n_steps = n_steps

    def auto_rho(self, objective):
        # The constant loss is half the variance of the targets. A product of two factors has the
        # unit of the target, so a factor has its square root.
        deviation = np.sqrt(2 * objective.constant_loss())
        return float(self.default_rho * np.sqrt(deviation))

    def adopt(self, objective, w, state, settings):
        """Do nothing: there is no state from the call before.

        Parameters
        ----------
        objective : Objective
        w : ndarray of shape (n_parameters,)
        state : None
        settings : Settings
        """

    def solve(self, w, state, run):
        n_steps = self.n_steps if self.inner == "cg" else None
        closed_form = run.objective.capability(LeastSquares)
        alternation = closed_form.alternation(run.settings.rho, n_steps, run.settings.n_jobs)
        with sweeping(run):
            self._sweeps(alternation, w, run)
        return w

    def _sweeps(self, alternation, w, run):
        settings, history = run.settings, run.history
        # After an exact fit only rounding errors are left. They never converge, so stop there.
        nothing = np.finfo(w.dtype).eps ** 2 * run.objective.constant_loss()
        last = np.inf
        n_sweeps = settings.max_iter if run.max_epochs is None else run.max_epochs
        for _ in range(n_sweeps):
            run.hooks.begin_epoch()
            loss = alternation.sweep(w)
            run.n_iter += 1
            run.work.rows += alternation.n_rows
            if not np.isfinite(loss):
                run.diverged = True
                return
            history.add(loss, run.validate(w) if run.validate else None, w, settings)
            if settings.verbose:
                print(f"Iteration {run.n_iter}, loss = {loss:.8f}")
            run.interrupted = run.hooks.end_epoch(w)
            if run.interrupted or loss <= nothing:
                return
            if self._settled(last - loss, alternation.learnt(loss), history, settings):
                return
            last = loss
        if run.max_epochs is not None:
            return
        warnings.warn(
            f"als did not converge within max_iter={settings.max_iter} sweeps: the expected loss "
            f"still fell by more than the share tol={settings.tol}.",
            ConvergenceWarning,
            stacklevel=6,
        )

    def _settled(self, fall, learnt, history, settings):
        if settings.early_stopping:
            return history.n_no_improvement > settings.n_iter_no_change
        return fall <= settings.tol * learnt


@contextmanager
def sweeping(run):
    """A context for sweeps of closed forms. ``run`` is told if they diverge or are interrupted."""
    try:
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            yield
    except np.linalg.LinAlgError:  # the equations have entries that are not finite
        run.diverged = True
    except KeyboardInterrupt:
        run.interrupted = True
        warn_or_raise("Training interrupted by user.", stacklevel=7)
