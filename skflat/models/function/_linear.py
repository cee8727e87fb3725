"""The linear model as a function: the default, and the shortest example."""


def linear(params, X):
    """``X W + b``.

    Parameters
    ----------
    params : dict of str to ndarray
        ``W`` and ``b``.
    X : ndarray or CSR of shape (n_rows, n_features)

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
    """
    return X @ params["W"] + params["b"]


def linear_features(params, X):
    """What ``W`` reads: the inputs.

    Parameters
    ----------
    params : dict of str to ndarray
    X : ndarray or CSR of shape (n_rows, n_features)

    Returns
    -------
    ndarray or CSR of shape (n_rows, n_features)
    """
    return X


def linear_shapes(rng, n_features, n_outputs):
    """One weight for every feature and output, and an intercept for every output.

    Parameters
    ----------
    rng : RandomState
        Not used.
    n_features, n_outputs : int

    Returns
    -------
    dict of str to tuple
    """
    return {"W": (n_features, n_outputs), "b": (n_outputs,)}
