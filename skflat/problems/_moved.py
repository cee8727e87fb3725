"""A fitted estimator with other parameters."""

import copy

from sklearn.pipeline import Pipeline

from ._factorization import factorization, factorized
from ._network import NETWORK, network

#: Attributes that are results for the parameters at which they were taken.
OF_OLD_PARAMETERS = (
    "measurements_",
    "_optimizer",
    "_solver_state",
    "_rule",
    "_trained",
    "flattening_",
)


def fitted_model(estimator):
    """The model and flat vector of a fitted network or factorization, or of a Pipeline's last step.

    Parameters
    ----------
    estimator : fitted estimator

    Returns
    -------
    model : Model
    w : ndarray of shape (n_parameters,)
        A copy.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    last = _last(estimator)
    return _kind(last)[0](last)


def moved(estimator, change):
    """A copy of a fitted estimator, or Pipeline, whose flat vector is ``change(model, w)``.

    Results for the old parameters are removed: measurements and the state of an optimizer.

    Parameters
    ----------
    estimator : fitted estimator
    change : callable
        From model and flat vector to another flat vector.

    Returns
    -------
    estimator object
    """
    moved = copy.deepcopy(estimator)
    last = _last(moved)
    read, attributes = _kind(last)
    model, w = read(last)
    vars(last).update(attributes(model, change(model, w)))
    measured = [f"{name}_" for name in getattr(last, "measurements_", ())]
    for name in (*OF_OLD_PARAMETERS, *measured):
        vars(last).pop(name, None)
    return moved


def _last(estimator):
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def _networks(model, w):
    return dict(zip(("coefs_", "intercepts_"), model.split(w), strict=True))


#: For each kind: its fitted attributes, how they are read, and how they are made of a flat vector.
KINDS = [
    (NETWORK, network, _networks),
    (("factors_", "offsets_"), factorization, factorized),
]


def _kind(estimator):
    for names, read, attributes in KINDS:
        if all(hasattr(estimator, name) for name in names):
            return read, attributes
    raise TypeError(
        f"Cannot change {type(estimator).__name__}: expected a fitted FlatMLPClassifier or "
        "FlatMLPRegressor, scikit-learn's MLPClassifier or MLPRegressor, a "
        "FlatMatrixFactorization, or a Pipeline that ends in one of them."
    )
