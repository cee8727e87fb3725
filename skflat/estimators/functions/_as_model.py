"""A function with parameters that were fitted elsewhere, as what the measures take."""

import numpy as np
from sklearn.utils.multiclass import type_of_target

from ._functions import FlatFunctionClassifier, FlatFunctionRegressor


def as_model(
    params,
    forward,
    X,
    y,
    *,
    loss=None,
    predict=None,
    features=None,
    penalized=None,
    classes=None,
    **numbers,
):
    """Take a function and its fitted parameters as a fitted estimator, which all measures take.

    Nothing is trained. It costs one pass and one gradient of three rows, to see that autograd can
    differentiate the function.

    Parameters
    ----------
    params : dict of str to array-like
        The fitted arrays.
    forward : callable
        ``forward(params, X)``, written with ``autograd.numpy``, see `FlatFunctionClassifier`. For
        two classes it may also return two columns.
    X : array-like of shape (n_samples, n_features)
        Rows by which columns and targets are known. None of them is kept.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or numbers.
    loss : str or callable, default=None
        As in `FlatFunctionClassifier` and `FlatFunctionRegressor`. None is ``'log_loss'`` if ``y``
        holds labels, that is strings, booleans or whole numbers, and else ``'squared_error'``. A
        loss of numbers named makes a regressor of whole numbers.
    predict : callable, default=None
        What the raw predictions mean, for a ``loss`` that is a function: there the parameter
        ``prediction``.
    features : callable, default=None
        What the last affine map reads.
    penalized : sequence of str, default=None
        Names of arrays. The measures look at the loss without a penalty, so it only counts if the
        training goes on.
    classes : array-like, default=None
        All classes, in the order of the columns, which is the rising one. None is those in ``y``.
    **numbers
        Other parameters of the estimator, for training that goes on by ``partial_fit``.

    Returns
    -------
    FlatFunctionClassifier or FlatFunctionRegressor
        Fitted, with ``params`` as its parameters.

    Raises
    ------
    ValueError
        If the function cannot be differentiated, or returns another shape than ``y`` needs.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skflat import as_model
    >>> from skflat.measures import hessian_eigenvalues
    >>> X, y = load_iris(return_X_y=True)
    >>> lr = LogisticRegression(max_iter=1000).fit(X, y)
    >>> def forward(params, X):
    ...     return X @ params["W"] + params["b"]
    >>> model = as_model({"W": lr.coef_.T, "b": lr.intercept_}, forward, X, y)
    >>> model.score(X, y) == lr.score(X, y)
    True
    >>> hessian_eigenvalues(model, X, y).value > 0
    True
    """
    of_classes = classes is not None or loss == "log_loss"
    if loss is None or callable(loss):
        of_classes = of_classes or _holds_labels(y)
    if loss is None:
        loss = "log_loss" if of_classes else "squared_error"
    kind = FlatFunctionClassifier if of_classes else FlatFunctionRegressor
    given = {"features": features, "penalized": penalized, "loss": loss, "prediction": predict}
    # Arrays, because a tuple of whole numbers would be a shape.
    arrays = {name: np.asarray(array).astype(float) for name, array in dict(params).items()}
    model = kind(forward, arrays, **given | numbers)
    if of_classes and len(np.unique(y if classes is None else classes)) == 2:
        model._two_scores = _n_columns(forward, arrays, X) == 2
    return model._adopt(X, y, classes)


def _holds_labels(y):
    return type_of_target(y) in ("binary", "multiclass", "multilabel-indicator") and (
        np.asarray(y).dtype.kind != "f"
    )


def _n_columns(forward, arrays, X):
    try:
        return np.shape(forward(arrays, np.asarray(X)[:1]))[-1]
    except Exception:  # whatever it is, the trial of the function explains it
        return None
