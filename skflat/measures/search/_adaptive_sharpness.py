"""Adaptive sharpness: the rise of the loss under changes relative to every parameter's size."""

from numbers import Integral, Real

from ..._compat import Interval
from .._function import function_of
from .._measure import Measure
from ..noise import LocalEnergy
from ._maximal_variation import MaximalVariation


class AdaptiveSharpness(Measure):
    """Worst or average rise of the loss under relative changes of parameters; smaller is flatter.

    The worst case is ``max { f(w + h) - f(w) : |h / w| <= rho }``. It is the adaptive sharpness of
    Kwon and others (arXiv:2102.11600), with their ``T_w = |w|`` for all parameters, intercepts
    included. A search finds it, so the value is a lower bound. The average case is
    ``E[f(w (1 + rho z))] - f(w)`` with ``z`` standard normal (Andriushchenko and others,
    arXiv:2302.07011). That value is an estimate.

    The measure is invariant under rescaling of layers and of single units against each other. So it
    cannot rank points that differ only by such a rescaling.

    Parameters
    ----------
    rho : float, default=0.5
        Radius of the worst case, or standard deviation of the average case.
    average : bool, default=False
        Whether to measure the average case.
    n_draws : int, default=100
        Number of perturbations in the average case.
    n_starts : int, default=3
        Number of random starts in the worst case; see `MaximalVariation`.
    n_jobs : int, default=None
        Number of workers in the average case.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    `MaximalVariation` and `LocalEnergy` compute the value and have more parameters. Table and
    samples are theirs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import AdaptiveSharpness
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> worst = AdaptiveSharpness().measure(clf, X, y)
    >>> average = AdaptiveSharpness(rho=0.05, average=True).measure(clf, X, y)
    >>> worst.kind, average.kind
    ('lower_bound', 'estimate')
    """

    _parameter_constraints: dict = {
        "rho": [Interval(Real, 0, None, closed="neither")],
        "average": ["boolean"],
        "n_draws": [Interval(Integral, 2, None, closed="left")],
        "n_starts": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(
        self, rho=0.5, average=False, n_draws=100, n_starts=3, n_jobs=None, random_state=0
    ):
        self.rho = rho
        self.average = average
        self.n_draws = n_draws
        self.n_starts = n_starts
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        if self.average:
            measure = LocalEnergy(
                self.rho,
                "weight",
                self.n_draws,
                n_jobs=self.n_jobs,
                random_state=self.random_state,
            )
        else:
            measure = MaximalVariation(
                self.rho,
                "weight",
                rise_only=True,
                n_starts=self.n_starts,
                random_state=self.random_state,
            )
        return measure.evaluate(problem)


adaptive_sharpness = function_of(AdaptiveSharpness, "adaptive_sharpness")
