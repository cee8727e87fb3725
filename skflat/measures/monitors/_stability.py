"""A callback that watches how near a fit is to the edge of stability."""

import numpy as np

from ...problems import as_problem
from .._measure import sample_rows
from ..curvature import HessianProduct, largest_ritz
from ._paid import PaidMonitor

#: Lanczos steps of the first record, which begins at a random vector, and of the later ones.
FIRST, LATER = 10, 4


class StabilityMonitor(PaidMonitor):
    """A scikit-learn callback that records the edge of stability, within a tenth of the fit's cost.

    Full-batch gradient descent with the rate ``r`` is stable along directions of curvature below
    ``2 / r``. Training raises the largest curvature until it is there, and then hovers around it
    (Cohen and others, arXiv:2103.00065). With Adam the same holds for the curvature in units of its
    step sizes (arXiv:2207.14484). In small batches the largest curvature stays below.

    The record is the largest eigenvalue of the Hessian of the unpenalised mean training loss, with
    rows and columns multiplied by the roots of the optimizer's step sizes. Beside it is the limit
    for this optimizer, see ``step_sizes`` of the estimators.

    It needs scikit-learn 1.9 or later and a solver that takes steps. The result of the fit is equal
    to the bit with and without the callback.

    Parameters
    ----------
    share : float, default=0.1
        The largest share of the fit's cost, counted in rows differentiated; a Hessian product
        counts 2. A record is taken as soon as what earlier epochs have left pays for it.
    max_samples : int, default=500
        Number of training rows for the Hessian, the same ones for every record. Fewer rows allow
        more records.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    In the table ``sharpness`` is the largest eigenvalue in units of the step sizes, and ``limit``
    is where steps begin to grow. Lanczos' method begins at the last record's eigenvector, so four
    products suffice; the first record takes ten. The value is at most the largest eigenvalue.
    ``residual`` says how far from an eigenvalue it can be.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from skflat import FlatMLPClassifier, StabilityMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = StabilityMonitor(max_samples=30)
    >>> clf = FlatMLPClassifier((8,), "tanh", solver="sgd", momentum=0.0, measures=None, tol=0.001)
    >>> clf = clf.set_params(max_iter=300, random_state=0).set_callbacks(monitor).fit(scale(X), y)
    >>> monitor.table()["limit"][:2].tolist()
    [2.0, 2.0]
    """

    columns = ("sharpness", "limit", "residual")

    def __init__(self, share=0.1, *, max_samples=500):
        super().__init__(share, max_samples)

    def _begun(self):
        return Running()

    def _record(self, estimator, X, y, sample_weight=None, known=None):
        sizes, limit = estimator.step_sizes()
        rows = sample_rows(X, y, sample_weight, self.max_samples, random_state=0)
        product = HessianProduct(as_problem(estimator, *rows), np.sqrt(sizes))
        start = known.vector
        if start is None:
            start = np.random.default_rng(0).normal(size=len(sizes))
        n_steps = min(known.n_products, len(sizes))
        value, residual, known.vector = largest_ritz(product, start, n_steps)
        return {"sharpness": value, "limit": float(limit), "residual": residual}

    def plot(self, ax=None):
        """Draw the records over the epochs, and the limit as a dashed line.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.

        Returns
        -------
        matplotlib.axes.Axes
        """
        import matplotlib.pyplot as plt

        ax, table = plt.subplots()[1] if ax is None else ax, self.table()
        for fit in np.unique(table["fit"]):
            rows = table["fit"] == fit
            ax.plot(table["epoch"][rows], table["sharpness"][rows], marker=".")
        ax.plot(table["epoch"], table["limit"], "k--", label="limit of stable steps")
        ax.set(xlabel="epoch", ylabel="largest curvature, in units of the step sizes")
        ax.legend()
        return ax


class Running:
    """What is known of a fit under way."""

    def __init__(self):
        self.rows, self.vector = 0.0, None

    @property
    def n_products(self):
        """Lanczos steps of the next record, each a Hessian product."""
        return FIRST if self.vector is None else LATER
