"""One network of the grid: its parameters, its rows, and training to a given loss."""

import numpy as np
from sklearn.base import clone, is_classifier

from ..._compat import num_samples, safe_indexing
from ...problems import as_problem
from .._fits import fit_or_none, seeded, trained_or_none

#: Axes of a grid that are no parameters of the estimator but shares of the training rows.
OF_DATA = ("rows", "label_noise")


def prepared(estimator, values, seed):
    """A clone with the values of its setting, seeds, and no measures of its own."""
    params = {name: value for name, value in values.items() if name not in OF_DATA}
    estimator = seeded(clone(estimator).set_params(**params), seed)
    network = last_step(estimator)
    if "measures" in network.get_params():
        network.set_params(measures=None)
    return estimator


def last_step(estimator):
    """The network at the end of a Pipeline, or the network."""
    return last_step(estimator[-1]) if hasattr(estimator, "steps") else estimator


def training_rows(estimator, X, y, values, seed):
    """The rows of a setting, and their targets with its noise.

    The draws depend on the seed only, so of two settings that differ in one of these shares the
    smaller set is a part of the larger one.
    """
    n = num_samples(X)
    order, mixed, chance = np.random.default_rng([seed, 17]).random((3, n))
    n_kept = max(1, round(values.get("rows", 1.0) * n))
    kept = np.sort(np.argsort(order)[:n_kept])
    if n_kept < n:
        X, y = safe_indexing(X, kept), safe_indexing(y, kept)
    n_wrong = round(values.get("label_noise", 0.0) * n_kept)
    if not n_wrong:
        return X, y
    wrong = np.argsort(mixed[kept])[:n_wrong]
    return X, _with_noise(estimator, np.array(y), wrong, chance[kept[wrong]])


def _with_noise(estimator, y, wrong, chance):
    """Targets of some rows replaced: by another class, or by those of another of these rows."""
    if is_classifier(estimator):
        classes, index = np.unique(y, return_inverse=True)
        away = 1 + np.floor(chance * (len(classes) - 1)).astype(int)
        y[wrong] = classes[(index[wrong] + away) % len(classes)]
    else:
        y[wrong[np.argsort(chance)]] = y[wrong]
    return y


def trained(estimator, X, y, classes, until):
    """Train in place.

    Parameters
    ----------
    estimator : estimator
    X, y : array-like
    classes : ndarray or None
        All classes, for ``partial_fit`` of a classifier.
    until : float or None
        The unpenalised mean training loss at which training ends, looked at after every epoch. None
        is the estimator's own ``fit``.

    Returns
    -------
    estimator : estimator or None
        With the ``seconds`` of the training. None if it diverged.
    epochs : int or float
        NaN if the estimator does not count them.
    loss : float
        The training loss. NaN for an estimator that `skflat.problems.as_problem` does not know.
    """
    if until is None:
        fitted = fit_or_none(estimator, X, y)
        loss = np.nan if fitted is None else _loss(fitted, X, y)
        return fitted, getattr(last_step(estimator), "n_iter_", np.nan), loss
    losses = []

    def train():
        inputs = _fit_transformers(estimator, X, y)
        losses.extend(_epochs(last_step(estimator), inputs, y, classes, until))

    fitted = trained_or_none(estimator, train)
    return fitted, len(losses), losses[-1] if losses else np.nan


def _fit_transformers(estimator, X, y):
    """What the last step of a Pipeline sees."""
    if not hasattr(estimator, "steps"):
        return X
    if len(estimator) > 1:
        head = estimator[:-1]
        X = head.fit_transform(X, y)
        estimator.steps[:-1] = head.steps  # with a memory these are other objects
    return _fit_transformers(estimator[-1], X, y)


def _epochs(network, X, y, classes, until):
    """Train by epochs, and yield the loss after each, until it is low enough."""
    given = {} if classes is None else {"classes": classes}
    for _ in range(network.max_iter):
        network.partial_fit(X, y, **given)
        loss = as_problem(network, X, y).loss
        yield loss
        if loss <= until:
            return


def _loss(fitted, X, y):
    try:
        return as_problem(fitted, X, y).loss
    except TypeError:  # a model that `as_problem` does not know
        return np.nan
