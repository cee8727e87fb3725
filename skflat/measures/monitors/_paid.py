"""The base of monitors that cost at most a share of the fit."""

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np

from ..._callbacks import EpochMonitor
from ..._compat import num_samples
from .._frames import pandas_for


class PaidMonitor(EpochMonitor):
    """Base of monitors whose records wait until the epochs before have paid for them.

    A subclass says what a record costs and what it is. See `StabilityMonitor` for the parameters.
    """

    #: The columns of the table, beside ``fit`` and ``epoch``.
    columns: tuple = ()

    def __init__(self, share, max_samples):
        if not (isinstance(share, Real) and not isinstance(share, bool) and 0 < share < np.inf):
            raise ValueError(f"share must be a number > 0, got {share!r}.")
        whole = isinstance(max_samples, Integral) and not isinstance(max_samples, bool)
        if not (whole and max_samples >= 1):
            raise ValueError(f"max_samples must be an integer >= 1, got {max_samples!r}.")
        self.share, self.max_samples = share, max_samples
        #: What is known of every fit under way, by the number of its estimator.
        self._running = {}
        super().__init__(self._record, every=1)

    @abstractmethod
    def _begun(self):
        """What is known of a fit at its start. Its ``n_products`` are those of the next record."""

    @abstractmethod
    def _record(self, estimator, X, y, sample_weight=None, known=None):
        """The record of an epoch, a dict with ``columns``."""

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
        known = self._running.setdefault(id(estimator), self._begun())
        n_rows = num_samples(X)
        known.rows += self.share * n_rows
        cost = 2 * min(self.max_samples, n_rows) * known.n_products
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

    def table(self):
        """The records of the last fit.

        Returns
        -------
        dict of str to ndarray
            ``fit``, the number of the network if one call fits several; ``epoch``; and the columns
            that the class describes. ``pandas.DataFrame`` accepts this dict.
        """
        rows = self.epochs()
        fits = list(dict.fromkeys(row["parent_task_id_path"] for row in rows))
        return {
            "fit": np.array([fits.index(row["parent_task_id_path"]) for row in rows]),
            "epoch": np.array([row["task_id"] + 1 for row in rows]),
            **{name: np.array([row[name] for row in rows]) for name in self.columns},
        }

    def to_frame(self):
        """The records of the last fit as a pandas DataFrame, see `table`.

        Returns
        -------
        pandas.DataFrame
        """
        return pandas_for("to_frame").DataFrame(self.table())
