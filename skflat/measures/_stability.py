"""A callback that watches how near a fit is to the edge of stability."""

from numbers import Integral, Real

import numpy as np

from .._callbacks import EpochMonitor
from .._compat import num_samples
from ..problems import as_problem
from ._measure import sample_rows
from .curvature import HessianProduct, largest_ritz

#: Lanczos steps of the first record, which begins at a random vector, and of the later ones.
FIRST, LATER = 10, 4


class StabilityMonitor(EpochMonitor):
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
    Lanczos' method begins at the last record's eigenvector, so four products suffice; the first
    record takes ten. The value is at most the largest eigenvalue. ``residual`` says how far from an
    eigenvalue it can be.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier, StabilityMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = StabilityMonitor(max_samples=30)
    >>> clf = FlatMLPClassifier((8,), "tanh", solver="sgd", momentum=0.0, measures=None)
    >>> clf = clf.set_params(max_iter=3000, random_state=0).set_callbacks(monitor).fit(X, y)
    >>> monitor.table()["limit"][:2].tolist()
    [2.0, 2.0]
    """

    def __init__(self, share=0.1, *, max_samples=500):
        if not (isinstance(share, Real) and not isinstance(share, bool) and 0 < share < np.inf):
            raise ValueError(f"share must be a number > 0, got {share!r}.")
        whole = isinstance(max_samples, Integral) and not isinstance(max_samples, bool)
        if not (whole and max_samples >= 1):
            raise ValueError(f"max_samples must be an integer >= 1, got {max_samples!r}.")
        self.share, self.max_samples = share, max_samples
        #: By the number of an estimator that is being fitted: rows that may be spent, and the
        #: last eigenvector.
        self._running = {}
        super().__init__(self._record, every=1)

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None, metadata=None
    ):
        """Record at the end of an epoch, if the epochs since the last record pay for it.

        Parameters
        ----------
        estimator : estimator object
        context : CallbackContext
            Of scikit-learn.
        X, y : array-like, default=None
            The training rows.
        fitted_estimator : callable, default=None
            It returns the estimator as it is now.
        metadata : dict, default=None
        """
        if context.task_name != "epoch" or fitted_estimator is None:
            return
        known = self._running.setdefault(id(estimator), Running())
        n_rows = num_samples(X)
        known.rows += self.share * n_rows
        cost = 2 * min(self.max_samples, n_rows) * known.n_steps
        if known.rows < cost:
            return
        known.rows -= cost
        super().on_fit_task_end(
            estimator,
            context,
            X=X,
            y=y,
            fitted_estimator=fitted_estimator,
            metadata={**(metadata or {}), "known": known},
        )

    def teardown(self, estimator, context):
        """Forget what belongs to this fit only.

        Parameters
        ----------
        estimator : estimator object
        context : CallbackContext
        """
        self._running.pop(id(estimator), None)
        super().teardown(estimator, context)

    def _record(self, estimator, X, y, sample_weight=None, known=None):
        sizes, limit = estimator.step_sizes()
        rows = sample_rows(X, y, sample_weight, self.max_samples, random_state=0)
        product = HessianProduct(as_problem(estimator, *rows), np.sqrt(sizes))
        start = known.vector
        if start is None:
            start = np.random.default_rng(0).normal(size=len(sizes))
        n_steps = min(known.n_steps, len(sizes))
        value, residual, known.vector = largest_ritz(product, start, n_steps)
        return {"sharpness": value, "limit": float(limit), "residual": residual}

    def table(self):
        """The records of the last fit.

        Returns
        -------
        dict of str to ndarray
            ``fit``, the number of the network if one call fits several; ``epoch``; ``sharpness``,
            the largest eigenvalue in units of the step sizes; ``limit``, beyond which steps grow;
            and ``residual``. ``pandas.DataFrame`` accepts this dict.
        """
        rows = self.epochs()
        fits = list(dict.fromkeys(row["parent_task_id_path"] for row in rows))
        return {
            "fit": np.array([fits.index(row["parent_task_id_path"]) for row in rows]),
            "epoch": np.array([row["task_id"] + 1 for row in rows]),
            **{
                name: np.array([row[name] for row in rows])
                for name in ("sharpness", "limit", "residual")
            },
        }

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
    def n_steps(self):
        """Lanczos steps of the next record."""
        return FIRST if self.vector is None else LATER
