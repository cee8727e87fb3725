"""The only module that uses scikit-learn's callback protocol (scikit-learn >= 1.9)."""

from collections import deque
from contextlib import nullcontext

try:
    from sklearn.callback import CallbackSupportMixin, ScoringMonitor

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:
        """Below scikit-learn 1.9 there are no callbacks."""

    class ScoringMonitor:
        """Below scikit-learn 1.9 a fit cannot be monitored."""

        def __init__(self, *, scoring):
            raise ImportError("Monitors of a fit need scikit-learn 1.9 or later.")


#: Attributes that the teardown of callbacks needs, also after a fit that failed.
PENDING = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


class EpochMonitor(ScoringMonitor):
    """Records functions ``(estimator, X, y, sample_weight=None) -> float`` during a fit.

    Parameters
    ----------
    scoring : dict of str to callable
        The functions to record, by name.
    every : int
        Number of epochs between two records. The first record is at the end of the first epoch.
    """

    def __init__(self, scoring, every):
        super().__init__(scoring=scoring)
        self.every = every

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None, metadata=None
    ):
        """Record at the end of every ``every``-th epoch."""
        if context.task_name == "epoch" and context.task_id % self.every == 0:
            super().on_fit_task_end(
                estimator,
                context,
                X=X,
                y=y,
                fitted_estimator=fitted_estimator,
                metadata=metadata,
            )

    def epochs(self):
        """The records of the last fit. There is a dict for every recorded epoch.

        ``task_id`` is the number of the epoch.
        """
        return self.get_logs().data

    #: Whether it chooses the parameters that the fit keeps, see `keep` and `chosen`.
    selects = False

    def keep(self, estimator, w):
        """Take note of the parameters at the end of an epoch.

        Parameters
        ----------
        estimator : estimator being fitted
        w : ndarray of shape (n_parameters,)
            The solver updates it in place.
        """

    def chosen(self, estimator, w):
        """The parameters to keep, where ``selects`` is True.

        Parameters
        ----------
        estimator : estimator being fitted
        w : ndarray of shape (n_parameters,)
            What the fit would keep otherwise.

        Returns
        -------
        ndarray of shape (n_parameters,)
        """
        return w


def selecting(estimator):
    """The monitor that chooses an estimator's parameters, or None."""
    callbacks = getattr(estimator, "_skl_callbacks", ())
    found = [each for each in callbacks if getattr(each, "selects", False)]
    if len(found) > 1:
        raise ValueError(f"Only one monitor can select the parameters of a fit, got {len(found)}.")
    return found[0] if found else None


def _refuse_selection(estimator):
    if selecting(estimator) is not None:
        raise ValueError(
            f"A monitor with select= needs a fit of epochs, and {type(estimator).__name__} has "
            "none of its own: it fits several parts."
        )


class EpochHooks:
    """Tells the estimator's callbacks when an epoch begins and ends.

    Parameters
    ----------
    estimator : estimator being fitted
    X, y : the training data, as given to ``fit`` or as validated
    sample_weight : ndarray or None
    max_iter : int
        Largest number of epochs.
    fitted_attributes : callable
        Maps ``w`` to a dict of attributes. With them a copy of the estimator can predict.
    """

    def __init__(self, estimator, X, y, sample_weight, max_iter, fitted_attributes):
        self._estimator = estimator
        self._fitted_attributes = fitted_attributes
        self._data = {"X": X, "y": y}
        # If X has become an array, an estimator that knows the names of the features would warn
        # that X has none. So the copy that callbacks get does not know them.
        lost = hasattr(estimator, "feature_names_in_") and not hasattr(X, "columns")
        self._names = {"feature_names_in_": None} if lost else {}
        if sample_weight is not None:
            self._data["metadata"] = {"sample_weight": sample_weight}
        self._root = self._epoch = None
        self._selecting = selecting(estimator)
        if HAS_CALLBACKS:
            self._root = estimator._init_callback_context(max_subtasks=max_iter)
            self._root.call_on_fit_task_begin(estimator=estimator, **self._data)

    def begin_epoch(self):
        """Report that an epoch begins, or an iteration of a method that owns its loop."""
        if self._root is not None:
            self._epoch = self._root.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end_epoch(self, w):
        """Report that the epoch has ended at ``w``. Return True if a callback asks to stop."""
        stop = self._end(self._epoch, w)
        if self._selecting is not None:
            self._selecting.keep(self._estimator, w)
        return stop

    def chosen(self, w):
        """The parameters that a monitor selects among those of the epochs, or ``w``."""
        return w if self._selecting is None else self._selecting.chosen(self._estimator, w)

    def end_fit(self, w):
        """Report that training has ended at ``w``."""
        self._end(self._root, w)

    def _end(self, context, w):
        if context is None:
            return False
        return context.call_on_fit_task_end(
            estimator=self._estimator,
            # Lazily, because most callbacks need no copy of the estimator. The parameters are
            # copied, because the solver updates them in place.
            reconstruction_attributes=lambda: self._fitted_attributes(w.copy()) | self._names,
            **self._data,
        )


class NoHooks:
    """Replaces the hooks if a solver runs without an estimator."""

    def begin_epoch(self):
        """Do nothing."""

    def end_epoch(self, w):
        """Never ask to stop."""
        return False


class PartHooks:
    """Tells the callbacks when the parts of a fit begin and end, such as one-vs-rest problems.

    Parts end in the order in which they begin. Several parts may run at the same time. The hooks
    get an estimator that can predict only at the end of the whole fit.

    Parameters
    ----------
    estimator : estimator being fitted
    X, y : the training data
    sample_weight : array or None
    n_parts : int or None
        None if the number is not known beforehand.
    name : str
        The name of a part.
    """

    def __init__(self, estimator, X, y=None, sample_weight=None, n_parts=None, name="problem"):
        self._estimator, self._name, self._data = estimator, name, {"X": X, "y": y}
        if sample_weight is not None:
            self._data["metadata"] = {"sample_weight": sample_weight}
        self._root, self._parts = None, deque()
        _refuse_selection(estimator)
        if HAS_CALLBACKS and hasattr(estimator, "_skl_callbacks"):
            self._root = self._begun(estimator._init_callback_context(max_subtasks=n_parts))

    def begin(self):
        """Begin a part. Return the hooks of its iterations, for a part in this process."""
        if self._root is None:
            return NoHooks()
        part = self._root.subcontext(self._name, max_subtasks=None)
        self._parts.append(self._begun(part))
        return _Iterations(self, part)

    def end(self):
        """The oldest part has ended. True if a callback asks to stop."""
        return self._root is not None and self._ended(self._parts.popleft())

    def end_fit(self):
        """The fit has ended, and the estimator is fitted."""
        if self._root is not None:
            self._ended(self._root, reconstruction_attributes=dict)

    def _begun(self, context):
        context.call_on_fit_task_begin(estimator=self._estimator, **self._data)
        return context

    def _ended(self, context, **more):
        return context.call_on_fit_task_end(estimator=self._estimator, **self._data, **more)


class _Iterations:
    """The hooks of the iterations of a part, with the methods of `NoHooks`."""

    def __init__(self, hooks, part):
        self._hooks, self._part = hooks, part

    def begin_epoch(self):
        """Iterations begin."""
        self._now = self._hooks._begun(self._part.subcontext("iteration"))

    def end_epoch(self, w):
        """They have ended. True if a callback asks to stop."""
        return self._hooks._ended(self._now)


class SearchHooks:
    """Tells the callbacks when the parts of a search begin and end.

    The two parts are the search and the refit. The search consists of rungs, and a rung consists of
    fits. Callbacks that propagate, such as scikit-learn's ``ProgressBar``, are passed on to the
    fits.

    Parameters
    ----------
    estimator : estimator being fitted
    X, y : the training data
    sample_weight : array or None
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator, self._data = estimator, {"X": X, "y": y}
        if sample_weight is not None:
            self._data["metadata"] = {"sample_weight": sample_weight}
        self._root = self._search = self._rung = None
        _refuse_selection(estimator)
        if HAS_CALLBACKS:
            self._root = self._begun(estimator._init_callback_context(max_subtasks=2))
            self._search = self._begun(self._root.subcontext("search", max_subtasks=None))

    def begin_rung(self, n_fits):
        """Report that a rung begins.

        Returns
        -------
        list of callable or None
            One for each fit. It maps a network to the context to fit it in. None without callbacks.
        """
        if self._root is None or not hasattr(self._estimator, "_skl_callbacks"):
            return [None] * n_fits
        self._rung = self._search.subcontext("rung", max_subtasks=n_fits, sequential_subtasks=False)
        self._begun(self._rung)
        fits = [self._rung.subcontext("fit-and-score", task_id=k) for k in range(n_fits)]
        return [fit.propagate_callback_context for fit in fits]

    def end_rung(self):
        """Report that the rung has ended."""
        self._end(self._rung)

    def refit(self, network):
        """Report that the search has ended. Return the context to fit the chosen network in."""
        if self._root is None:
            return nullcontext()
        self._end(self._search)
        return self._root.subcontext("refit").propagate_callback_context(network)

    def end(self):
        """Report that the fit has ended. The estimator is then fitted."""
        self._end(self._root, reconstruction_attributes=dict)

    def _begun(self, context):
        context.call_on_fit_task_begin(estimator=self._estimator, **self._data)
        return context

    def _end(self, context, **more):
        if context is not None:
            context.call_on_fit_task_end(estimator=self._estimator, **self._data, **more)
