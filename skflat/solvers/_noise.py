"""Noise stability optimisation."""

from numbers import Integral, Real

from .._compat import Interval, StrOptions
from ..objective import PERTURBATIONS, rounded_normals, windowed_normals
from ._gradient import Based
from ._perturbed import sum_around


class Noise(Based):
    """Noise stability optimisation (Zhang, Li and Ju, arXiv:2306.08553).

    A step follows the mean of the gradients at ``w + u`` and ``w - u``, averaged over some draws of
    the noise ``u``. For isotropic noise this is descent on ``E loss(w + u)``, which equals the loss
    plus ``rho^2 / 2`` times the trace of its Hessian, up to the order ``rho^4``.

    ``rho`` is the standard deviation of every parameter's noise. Useful values are 0.005 to 0.1.
    ``"auto"`` is the published 0.01.

    Parameters
    ----------
    base : {'adam', 'sgd'}, default='adam'
        The optimizer that takes the step; its numbers are the estimator's.
    noise : {'isotropic', 'block', 'weight', 'sphere'}, default='isotropic'
        ``'isotropic'`` is normal noise. ``'block'`` multiplies it by the root mean square of the
        parameter's own array, ``'weight'`` by the parameter itself; with both, ``rho`` is relative
        to that size, and 0.01 to 0.3 is useful. ``'sphere'`` is uniform on the sphere of radius
        ``rho``. Only ``'isotropic'`` is the paper's.
    n_draws : int, default=1
        Draws whose gradients are averaged.
    two_point : bool, default=True
        False uses ``w + u`` alone, for half the gradients, see `OneSidedNoise`. With two points the
        noise of size ``rho`` in the step cancels, and noise of size ``rho^2`` remains.
    weight : float, default=0.0
        Share of the plain gradient in the step, below 1.

    Notes
    -----
    A step costs ``2 n_draws`` gradients, or ``n_draws`` without ``two_point``. It costs one more if
    ``weight > 0``. The solver converges to a minimum of the averaged loss, which is a flat minimum
    of the loss up to a shift of the order ``rho^2``. The losses recorded are those at the perturbed
    points, averaged like the gradients, so they estimate the averaged loss.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import Noise
    >>> FlatMLPClassifier(solver=Noise(noise="block"), rho=0.05).solver
    Noise(noise='block')
    """

    default_rho = 0.01
    _parameter_constraints: dict = {
        "base": [StrOptions({"adam", "sgd"})],
        "noise": [StrOptions(set(PERTURBATIONS))],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "two_point": ["boolean"],
        "weight": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, base="adam", *, noise="isotropic", n_draws=1, two_point=True, weight=0.0):
        self.base = base
        self.noise = noise
        self.n_draws = n_draws
        self.two_point = two_point
        self.weight = weight

    def direction(self, objective, w, batch, state):
        total = state.scratch("direction", w)
        # With only one gradient per draw, exact draws would take a quarter of the time.
        normals = rounded_normals if self.two_point else windowed_normals
        noise = PERTURBATIONS[self.noise](w, objective.layout.parts, normals)
        around = noise, self.n_draws, self.two_point
        loss, n_summed = sum_around(*around, objective, w, batch, state, total)
        share = (1 - self.weight) / n_summed
        loss *= share
        if share != 1:  # saves a pass over the vector
            total *= share
        if self.weight > 0:
            plain = state.scratch("piece", w)
            loss += self.weight * objective.loss_gradient(w, batch, plain, state.work)[0]
            plain *= self.weight
            total += plain
        return loss, total


class OneSidedNoise(Noise):
    """`Noise` at ``w + u`` alone: descent on ``E loss(w + u)`` at the price of one gradient.

    ``rho`` is the standard deviation of the noise, as in `Noise`. The random error of the step is
    of the same size. Useful values are 0.005 to 0.1. ``"auto"`` is 0.01.

    Parameters
    ----------
    base, noise, n_draws, weight
        As in `Noise`.

    Notes
    -----
    A step costs ``n_draws`` gradients, and one more if ``weight > 0``. The normal numbers come from
    `skflat.objective.windowed_normals`, because exact ones take as long as a gradient.

    Examples
    --------
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.solvers import OneSidedNoise
    >>> FlatMLPClassifier(solver=OneSidedNoise(), rho=0.05).solver
    OneSidedNoise()
    """

    def __init__(self, base="adam", *, noise="isotropic", n_draws=1, weight=0.0):
        super().__init__(base, noise=noise, n_draws=n_draws, weight=weight)
        self.two_point = False
