"""Limited-memory BFGS on the whole training set, by scipy."""

import warnings

import numpy as np
from scipy.optimize import minimize as scipy_minimize
from sklearn.exceptions import ConvergenceWarning

from .._parallel import warn_or_raise
from ._solver import Solver


class LBFGS(Solver):
    """Limited-memory BFGS (scipy's L-BFGS-B) on all rows at once.

    The estimator's ``max_iter``, ``max_fun`` and ``tol`` apply; ``tol`` bounds the projected
    gradient. A function call costs one gradient. ``rho`` is not used, and there is no
    ``partial_fit``.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import LBFGS
    >>> FlatMLPClassifier(solver=LBFGS(), max_iter=500).solver
    LBFGS()
    """

    stochastic = False

    def solve(self, w, state, run):
        settings, dtype = run.settings, w.dtype
        gradient, last = np.empty_like(w), w

        def loss_gradient(point):
            point = point.astype(dtype, copy=False)
            loss, _ = run.objective.loss_gradient(point, None, gradient, run.work)
            # scipy keeps the gradient it gets, so it needs a copy of the buffer.
            return loss, gradient.astype(np.float64)

        def after_iteration(intermediate_result):
            nonlocal last
            point = last = intermediate_result.x.astype(dtype)
            run.n_iter += 1
            validation = run.validate(point) if run.validate else None
            run.history.add(intermediate_result.fun, validation, point, settings)
            if settings.verbose:
                print(f"Iteration {run.n_iter}, loss = {intermediate_result.fun:.8f}")
            run.interrupted = run.hooks.end_epoch(point)
            if run.interrupted:
                raise StopIteration
            if run.n_iter < settings.max_iter:
                run.hooks.begin_epoch()

        limits = {"maxiter": settings.max_iter, "maxfun": settings.max_fun, "gtol": settings.tol}
        run.hooks.begin_epoch()
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                result = scipy_minimize(
                    loss_gradient,
                    w.astype(np.float64),  # scipy's routine works in double precision only
                    method="L-BFGS-B",
                    jac=True,
                    callback=after_iteration,
                    options=limits,
                )
        except KeyboardInterrupt:
            run.interrupted = True
            warn_or_raise("Training interrupted by user.", stacklevel=5)
            return last
        run.n_iter = min(result.nit, settings.max_iter)
        run.history.last_loss = result.fun
        run.diverged = not (np.isfinite(result.fun) and np.isfinite(result.x).all())
        if result.status not in (0, 99) and not run.diverged:  # 99: a callback asked to stop
            _warn_of_no_convergence(result.message, run)
        return result.x.astype(dtype)


def _warn_of_no_convergence(message, run):
    settings = run.settings
    warnings.warn(
        f"lbfgs failed to converge after {run.n_iter} iteration(s): {message}. Increase "
        f"max_iter={settings.max_iter} or max_fun={settings.max_fun}, or scale the data.",
        ConvergenceWarning,
        stacklevel=6,
    )
