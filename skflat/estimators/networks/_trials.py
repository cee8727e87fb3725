"""The networks of a search: one for every setting and every split."""

import warnings
from contextlib import contextmanager, nullcontext

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ..._compat import accepts_sample_weight, safe_indexing
from ..._parallel import run

INTERRUPTED = "Training interrupted by user"


class Trials:
    """Networks for all settings and splits. Training always continues, and is never repeated.

    Parameters
    ----------
    networks : list of networks, one per setting
        Not fitted, with a seed for ``random_state``.
    data : tuple of X, y and sample_weight
    splits : list of pairs of arrays
        The rows to train on and the rows to score on.
    scorer : callable
    measures : sequence of str or None
        Names of measures. A network is measured on its own training rows when its training has
        ended.
    n_jobs : int or None
    hooks : SearchHooks

    Attributes
    ----------
    scores : ndarray of shape (n_settings, n_splits)
        Scores on the rows to score on, at the point where training was last halted. NaN if
        training diverged.
    levels : ndarray of shape (n_settings,)
        How often the training of a setting was continued.
    """

    def __init__(self, networks, data, splits, scorer, measures, n_jobs, hooks):
        self.fits = [[clone(network) for _ in splits] for network in networks]
        self.scores = np.full((len(networks), len(splits)), np.nan)
        self.levels = np.zeros(len(networks), dtype=int)
        self._data, self._splits, self._scorer = data, splits, scorer
        self._measures, self._n_jobs, self._hooks = measures, n_jobs, hooks

    def train(self, settings, until=None):
        """Continue the training of some settings, to the end of an epoch or to their own end.

        Every fit is one task.
        """
        places = [
            (i, k)
            for i in settings
            for k, network in enumerate(self.fits[i])
            if _is_to_train(network)
        ]
        contexts = self._hooks.begin_rung(len(places))
        tasks = [
            (self.fits[i][k], self._data, self._splits[k], self._scorer, until, self._measures)
            for i, k in places
        ]
        tasks = [(*task, context) for task, context in zip(tasks, contexts, strict=True)]
        # The tasks do this too. But all threads share one list of filters, and the first task that
        # ends would restore it for the others.
        with quiet():
            found = run(train_and_score, tasks, self._n_jobs)
        for (i, k), (network, score) in zip(places, found, strict=True):
            self.fits[i][k], self.scores[i, k] = network, score
        self.levels[settings] += 1
        self._hooks.end_rung()

    def running(self, settings):
        """The settings whose training has not yet ended on all splits."""
        return [i for i in settings if not self.has_ended(i)]

    def has_ended(self, setting):
        """Whether the training of a setting has ended on all splits."""
        return not any(map(_is_to_train, self.fits[setting]))

    def length_of(self, setting):
        """The mean number of epochs of a setting over the splits; ``max_iter`` if it diverged."""
        return np.mean([getattr(each, "n_iter_", each.max_iter) for each in self.fits[setting]])

    def table(self, name):
        """An attribute of all networks, by setting and split. NaN if a network does not have it."""
        return np.array(
            [[getattr(network, name, np.nan) for network in fits] for fits in self.fits], float
        )


def train_and_score(network, data, split, scorer, until, measures, context):
    """One task: continue the training of a network, and score it on its unseen rows."""
    train, test = split
    X, y, weight = rows_of(data, train)
    until = network.max_iter if until is None else min(until, network.max_iter)
    with quiet(), nullcontext() if context is None else context(network):
        try:
            network._fit_until(until, X, y, weight)
        except ValueError as error:
            if "non-finite parameter weights" not in str(error):
                raise
            return network, np.nan  # ``n_iter_`` is set, so `_is_to_train` counts it as ended
        if measures is not None and network._halted is None:
            weight = network._weights(X, y, weight, incremental=False)
            network._measure(measures, X, y, weight, after_fit=True)
        return network, score_of(network, scorer, *rows_of(data, test))


def _is_to_train(network):
    """Whether the training of a network has not begun, or was halted."""
    return network._halted is not None or not hasattr(network, "n_iter_")


def rows_of(data, rows):
    """Some of the rows of every array."""
    return [None if array is None else safe_indexing(array, rows) for array in data]


def score_of(network, scorer, X, y, weight):
    """The score, with weights if there are some and the scorer accepts them."""
    weighted = weight is not None and accepts_sample_weight(scorer)
    more = {"sample_weight": weight} if weighted else {}
    # A score of predictions too large is not finite, which the search tells of.
    with np.errstate(over="ignore", invalid="ignore"):
        return float(scorer(network, X, y, **more))


@contextmanager
def quiet():
    """Silence the warnings of unfinished fits; turn the warning of an interruption into one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("error", INTERRUPTED, UserWarning)
        try:
            yield
        except UserWarning as warning:
            if INTERRUPTED in str(warning):
                raise KeyboardInterrupt from warning
            raise
