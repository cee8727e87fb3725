"""The mean over draws from the posterior of a factorization."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from .._compat import Interval
from ..objective import LeastSquares
from ._als import sweeping
from ._solver import Solver


@dataclass
class DrawState:
    """What is left of a chain of draws.

    Attributes
    ----------
    seed : int
        Of all draws.
    ridge : float
        The penalty of factors to which the prior amounts. It is the mean over the draws kept.
    """

    seed: int
    ridge: float = 1.0


class Gibbs(Solver):
    """Gibbs sampling: predicts by the mean over points of the posterior, in place of one point.

    Observations have normal noise, and the factors and the offset of an entity have a normal prior
    with a full covariance. The variance of the noise, and mean and precision of each prior, are
    drawn with the factors (Salakhutdinov and Mnih, ICML 2008, "Bayesian probabilistic matrix
    factorization using Markov chain Monte Carlo"). The prior of the variance counts as one more
    observation, without a residual. ``fit`` uses neither ``alpha`` nor ``alpha_offsets``, because
    the penalties are learnt. A single draw predicts worse than `ALS`, and the mean over many
    predicts better, because it is the mean over the whole valley.

    A draw of one kind of entities is a sweep of `ALS` on targets with new noise, around a prior
    mean with new noise. So it costs as much. ``rho`` is the standard deviation of noise on all
    parameters, as for `ALS`. Then the chain draws from the posterior of the expected loss under
    this noise. ``"auto"`` is 0, because the posterior has a width of its own.

    The fitted factors are those of all draws side by side, divided by the root of their number. So
    the inner products are mean predictions, with ``n_members * n_components`` components. Memory
    and the time of a prediction grow with them.

    Parameters
    ----------
    n_members : int, default=50
        Number of draws that are kept, evenly spaced after the burn-in. There are no more of them
        than sweeps.
    burn_in : float, default=0.2
        Share of the ``max_iter`` sweeps before the first draw is kept.

    Notes
    -----
    All ``max_iter`` sweeps are run. ``tol`` and early stopping are not used. A sweep counts one
    gradient per kind. The losses recorded are those of single draws. If a callback or the user
    stops the chain in the burn-in, the result is its last point.

    Examples
    --------
    >>> from skflat import FlatMatrixFactorization
    >>> from skflat.solvers import Gibbs
    >>> FlatMatrixFactorization(solver=Gibbs(n_members=20), max_iter=100).solver
    Gibbs(n_members=20)
    """

    _parameter_constraints: dict = {
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "burn_in": [Interval(Real, 0, 1, closed="left")],
    }

    default_rho = 0.0
    stochastic = False
    requires = (LeastSquares,)

    def __init__(self, n_members=50, burn_in=0.2):
        self.n_members = n_members
        self.burn_in = burn_in

    def auto_rho(self, objective):
        return self.default_rho

    def init_state(self, objective, w, settings, rng):
        return DrawState(int(rng.integers(2**31)))

    def solve(self, w, state, run):
        closed_form = run.objective.capability(LeastSquares)
        chain = closed_form.draws(run.settings.rho, state.seed, run.settings.n_jobs)
        with sweeping(run):
            self._sweeps(chain, w, run)
        if run.diverged:
            return w
        if not chain.kept:  # stopped in the burn-in
            chain.keep(w)
        w, state.ridge = chain.mean()
        return w

    def _sweeps(self, chain, w, run):
        n_sweeps = run.settings.max_iter
        first = int(self.burn_in * n_sweeps)
        n_members = min(self.n_members, n_sweeps - first)
        # The last ones of equal parts, so that the last draw is one of them.
        kept = set(np.linspace(first, n_sweeps, n_members + 1, dtype=int)[1:].tolist())
        for sweep in range(1, n_sweeps + 1):
            run.hooks.begin_epoch()
            loss = chain.sweep(w)
            run.n_iter += 1
            run.work.rows += chain.n_rows
            if not np.isfinite(loss):
                run.diverged = True
                return
            run.history.add(loss, None, w, run.settings)
            if run.settings.verbose:
                print(f"Iteration {run.n_iter}, loss = {loss:.8f}")
            if sweep in kept:
                chain.keep(w)
            run.interrupted = run.hooks.end_epoch(w)
            if run.interrupted:
                return
