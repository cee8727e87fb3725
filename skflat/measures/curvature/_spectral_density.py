"""The density of all eigenvalues of the Hessian."""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import ndtr

from ..._compat import Interval
from ..._parallel import run
from .._function import function_of
from .._measure import Measure, describe, group_error, of_few_draws, seeds
from .._measurement import Measurement
from ._eigenvalues import HessianProduct
from ._lanczos import lanczos


class SpectralDensity(Measure):
    """Density of the eigenvalues of the Hessian of the mean loss, by stochastic Lanczos quadrature.

    The loss is the unpenalised mean training loss, and a Gaussian smooths the density (Ubaru, Chen
    and Saad, SIAM J. Matrix Anal. Appl. 38, 2017; Ghorbani, Krishnan and Xiao, arXiv:1901.10159).
    The value is the mean of all eigenvalues, that is, the trace divided by the number of
    parameters. Smaller is flatter.

    The measure is invariant under isometries of the parameters only.

    Parameters
    ----------
    n_probes : int, default=10
        Number of random vectors, at least 2. The error bars are those of their mean.
    n_steps : int, default=60
        Number of Lanczos steps, each a Hessian product. All vectors are kept, and every new vector
        is made orthogonal to them. This needs ``n_steps`` times the memory of the parameters.
    n_points : int, default=400
        Number of grid points.
    width : float, default=None
        Standard deviation of the smoothing. None is a hundredth of the range of the spectrum.
    n_jobs : int, default=None
        Number of workers. A task is one probe. The result is equal to the bit for any number.
    random_state : int, RandomState instance or None, default=0

    Notes
    -----
    The table has the columns ``eigenvalue``, ``density`` and ``density_stderr``. The density
    integrates to 1. The standard errors are those of Student's distribution, as the probes are few:
    of 200 small networks three of them covered the mean in 99.5 %. ``samples`` has shape (2,
    n_probes, n_steps): the nodes and the weights of every probe's quadrature. The standard errors
    in the table do not include the sampling of rows. The default width depends on the network, so
    set ``width`` to compare several networks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import SpectralDensity
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((10,), max_iter=2000, random_state=0).fit(X, y)
    >>> spectrum = SpectralDensity().measure(clf, X, y).table
    >>> step = spectrum["eigenvalue"][1] - spectrum["eigenvalue"][0]
    >>> round(float(spectrum["density"].sum() * step), 3)
    1.0
    """

    _parameter_constraints: dict = {
        "n_probes": [Interval(Integral, 2, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "n_points": [Interval(Integral, 2, None, closed="left")],
        "width": [None, Interval(Real, 0, None, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(
        self, n_probes=10, n_steps=60, n_points=400, width=None, n_jobs=None, random_state=0
    ):
        self.n_probes = n_probes
        self.n_steps = n_steps
        self.n_points = n_points
        self.width = width
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _evaluate(self, problem):
        n_steps = min(self.n_steps, len(problem.w))
        tasks = [(problem, n_steps, seed) for seed in seeds(self.random_state, self.n_probes)]
        nodes, weights = np.swapaxes(run(lanczos_quadrature, tasks, self.n_jobs), 0, 1)
        low, high = nodes.min(), nodes.max()
        # The alternatives are for spectra of a single eigenvalue, and of zeros only.
        width = self.width or (high - low) / 100 or abs(high) / 100 or 1.0
        # Beyond 5 standard deviations a Gaussian is below 1e-5 of its peak.
        grid = np.linspace(low - 5 * width, high + 5 * width, self.n_points)
        densities = np.array(
            [
                gaussians(grid, each, width) @ share
                for each, share in zip(nodes, weights, strict=True)
            ]
        )
        means = np.sum(nodes * weights, axis=1)

        def mean_on(batch):
            """The mean eigenvalue on some of the rows, by the same probes."""
            # The mean eigenvalue in direction v is ``v' H v``: one product instead of ``n_steps``.
            times = problem.objective.hessian_products(problem.w, batch)
            probes = (first_vector(seed, problem.w).astype(problem.w.dtype) for _, _, seed in tasks)
            return float(np.mean([v @ times(v) for v in probes]))

        root = np.sqrt(self.n_probes) / of_few_draws(self.n_probes)
        return Measurement(
            value=float(means.mean()),
            stderr=float(np.hypot(means.std(ddof=1) / root, group_error(problem, mean_on))),
            kind="estimate",
            n_evals=2 * n_steps * self.n_probes,
            converged=True,
            samples=np.array([nodes, weights]),
            protocol=describe(
                problem,
                width=float(width),
                samples="nodes and weights of every probe",
                seed=self.random_state,
            ),
            table={
                "eigenvalue": grid,
                "density": densities.mean(axis=0),
                "density_stderr": densities.std(axis=0, ddof=1) / root,
            },
        )


def gaussians(grid, centres, width):
    """Normal densities around the centres, shape (n_grid, n_centres), averaged over grid cells.

    With averages instead of values, a narrow peak cannot fall between the points of a coarse grid.
    """
    step = grid[1] - grid[0]
    edges = np.append(grid - step / 2, grid[-1] + step / 2)
    return np.diff(ndtr((edges[:, None] - centres) / width), axis=0) / step


def first_vector(seed, w):
    """A random sign for every parameter, as a vector of length 1."""
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=len(w)) / np.sqrt(len(w))


def lanczos_quadrature(problem, n_steps, seed):
    """Nodes and weights for functions of the Hessian in one random direction, (2, n_steps).

    The nodes are the eigenvalues of the tridiagonal Lanczos matrix. The weights are the squared
    first components of its eigenvectors (Golub and Welsch). If the Krylov space is exhausted early,
    the remaining weights are 0.
    """
    start = first_vector(seed, problem.w)
    diagonal, beside, _ = lanczos(HessianProduct(problem), start, n_steps)
    nodes, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    padding = (0, n_steps - len(diagonal))
    return np.array([np.pad(nodes, padding, mode="edge"), np.pad(vectors[0] ** 2, padding)])


spectral_density = function_of(SpectralDensity, "spectral_density")
