"""Function-preserving rescalings of the units of a network."""

import numpy as np

from ..models.mlp import LinearMaps, PositiveScaling
from ..objective import NotDefinedError
from ..problems import moved


def rescale(estimator, factors):
    """The same function with other parameters, by rescaling hidden units.

    If the incoming weights and the intercept of a relu or identity unit are multiplied by
    ``c > 0``, its output is ``c`` times as large. Dividing its outgoing weights by ``c``
    compensates for that. Predictions do not change. They are equal to the bit if all factors are
    powers of two and nothing over- or underflows. But the Hessian can become arbitrarily large
    (Dinh and others, arXiv:1703.04933). With one hidden layer the blocks of its trace are
    multiplied by ``c ** -2`` (incoming weights and intercepts) and ``c ** 2`` (outgoing weights).

    Parameters
    ----------
    estimator : fitted estimator
        Ours, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, or a Pipeline that ends in
        one of them, with relu or identity units. It is not changed.
    factors : float or sequence
        One entry per hidden layer: the factor of its activations. An entry is a number for the
        whole layer, or an array with one number per unit. A single number applies to every hidden
        layer. Factors must be positive. For identity units they must only differ from 0.

    Returns
    -------
    estimator
        A copy with the new parameters. It has neither the measurements of the old parameters nor
        the state of an optimizer.

    Raises
    ------
    TypeError
        If the estimator is no fitted network, or its units are neither relu nor identity.
    ValueError
        If the factors do not fit the hidden layers, are of a wrong sign, or take a parameter
        beyond the greatest number of its dtype.

    Notes
    -----
    It costs one copy of the estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import hessian_trace, weakness
    >>> from skflat.symmetry import rescale
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y)
    >>> inflated = rescale(clf, [16.0])
    >>> np.array_equal(inflated.predict_proba(X), clf.predict_proba(X))
    True
    >>> hessian_trace(inflated, X, y).value > 50 * hessian_trace(clf, X, y).value
    True
    >>> weakness(inflated, X, y).value == weakness(clf, X, y).value
    True
    """
    return moved(estimator, lambda model, w: _rescaled(model, w, factors))


def _rescaled(model, w, factors):
    symmetry = model.symmetry
    if not isinstance(symmetry, PositiveScaling | LinearMaps):
        raise NotDefinedError(
            f"Rescaling keeps the function of relu and identity units only, not of {model.units}."
        )
    weights, intercepts = model.split(w)
    scales = _scales(factors, model.sizes[1:-1], isinstance(symmetry, PositiveScaling))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for layer, scale in enumerate(scales):
            scale = scale.astype(w.dtype)
            weights[layer] *= scale
            intercepts[layer] *= scale
            weights[layer + 1] /= scale[:, None]
    if not np.isfinite(w).all():
        raise ValueError(f"factors take the parameters beyond {w.dtype}, got {factors!r}.")
    return w


def _scales(factors, widths, positive):
    """One array of factors for each hidden layer."""
    several = isinstance(factors, list | tuple) or np.ndim(factors) > 0
    factors = list(factors) if several else [factors] * len(widths)
    if len(factors) != len(widths):
        raise ValueError(
            f"factors must have one entry for each of the {len(widths)} hidden layers, "
            f"got {len(factors)}."
        )
    return [_scale(each, width, positive) for each, width in zip(factors, widths, strict=True)]


def _scale(factor, width, positive):
    scale = np.asarray(factor, dtype=float)
    if scale.shape not in ((), (width,)):
        raise ValueError(
            f"factors must be a number or {width} numbers for a layer of {width} units, got an "
            f"array of shape {scale.shape}."
        )
    good = np.isfinite(scale) & ((scale > 0) if positive else (scale != 0))
    if not good.all():
        kind = "positive for relu units" if positive else "not 0"
        raise ValueError(f"factors must be finite and {kind}, got {factor!r}.")
    return np.broadcast_to(scale, width)
