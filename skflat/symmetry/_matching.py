"""Hidden units in the order of those of another network."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..models.mlp import MLP
from ..objective import NotDefinedError
from ..problems import fitted_model, moved

MOST_CYCLES = 100


def match_units(estimator, other):
    """The same function, with the hidden units in the order of those of another network.

    The order is the one in which the inner product of all parameters of both networks is greatest,
    so that their distance is least (weight matching, Ainsworth, Hayase and Srinivasa,
    arXiv:2209.04836). With one hidden layer it is found exactly. With more, each layer in turn is
    ordered as well as possible while the others stay, until no layer can improve.

    Parameters
    ----------
    estimator, other : fitted estimator
        Two networks of the same shape, ours or scikit-learn's, or Pipelines that end in one. They
        are not changed.

    Returns
    -------
    estimator
        A copy of the first one with equal predictions, up to rounding. It has neither its
        measurements nor the state of an optimizer.

    Raises
    ------
    TypeError
        If one of them is no fitted network.
    ValueError
        If their shapes or activations differ, or some parameters are not finite.

    Notes
    -----
    A layer costs three matrix products and a linear assignment, that is, the cube of its units.
    Scales of relu units are another symmetry. Put both networks at their flattest points before,
    with `flatten`. Signs of odd units are not matched.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import match_units
    >>> X, y = load_iris(return_X_y=True)
    >>> one, two = (
    ...     MLPClassifier((8,), max_iter=2000, random_state=seed).fit(X, y) for seed in range(2)
    ... )
    >>> matched = match_units(two, one)
    >>> before, after = (
    ...     float(((each.coefs_[0] - one.coefs_[0]) ** 2).sum()) for each in (two, matched)
    ... )
    >>> after < before
    True
    """
    (model, w), (model_there, there) = map(fitted_model, (estimator, other))
    check_alike(model, model_there)
    if not (np.isfinite(w).all() and np.isfinite(there).all()):
        raise ValueError("Units cannot be matched: some parameters are not finite.")
    arrays = [_with_intercepts(model, each) for each in (w, there)]
    orders = _orders(*arrays)
    return moved(estimator, lambda model, w: _ordered(model, w, orders))


def check_alike(model, other):
    """Refuse two models that are not networks of one shape and activation."""
    for each in (model, other):
        if not isinstance(each, MLP):
            raise NotDefinedError(
                f"Units of networks can be matched, not of {type(each).__name__}."
            )
    if model.sizes != other.sizes or model.units != other.units:
        raise ValueError(
            "Both networks must have the same shape and activation, got "
            f"{model.sizes} of {model.units} and {other.sizes} of {other.units}."
        )


def _with_intercepts(model, w):
    """The weights of every layer, with the intercepts as the last row."""
    pairs = zip(*model.split(w.astype(float)), strict=True)
    return [np.vstack([weights, intercepts]) for weights, intercepts in pairs]


def _orders(here, there):
    """For each hidden layer, which of its units here goes to the place of each unit there."""
    orders = [np.arange(layer.shape[1]) for layer in here[:-1]]
    for _ in range(MOST_CYCLES):
        improved = False
        for k in range(len(orders)):
            gains = _gains(k, here, there, orders)
            _, best = linear_sum_assignment(gains, maximize=True)
            places = np.arange(len(best))
            # Rounding must not keep the cycles going.
            least = 1e-12 * (np.abs(gains).max() or 1.0) * len(best)
            if gains[places, best].sum() > gains[places, orders[k]].sum() + least:
                orders[k], improved = best, True
        if not improved:
            break
    return orders


def _gains(k, here, there, orders):
    """Inner products of a unit there and a unit here, the other layers being ordered."""
    before = np.arange(len(here[k]) - 1) if k == 0 else orders[k - 1]
    rows = np.append(before, len(here[k]) - 1)  # the intercept stays
    incoming = there[k].T @ here[k][rows]
    n_outputs = here[k + 1].shape[1]
    after = np.arange(n_outputs) if k + 1 == len(orders) else orders[k + 1]
    return incoming + there[k + 1][:-1] @ here[k + 1][:-1, after].T


def _ordered(model, w, orders):
    weights, intercepts = model.split(w)
    for layer, order in enumerate(orders):
        weights[layer][:] = weights[layer][:, order]
        intercepts[layer][:] = intercepts[layer][order]
        weights[layer + 1][:] = weights[layer + 1][order]
    return w
