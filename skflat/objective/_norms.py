"""Norms of a displacement, which weight the parameters against each other.

A norm is ``|h / t|``, with a weight ``t`` for every parameter. If ``t`` is 0, the parameter does
not move. If ``t`` comes from the parameters themselves, the norm is invariant under a rescaling of
one layer that the next layer undoes.
"""

import numpy as np

#: Names of the norms.
NORMS = ("euclidean", "block", "weight")


def norm_weights(norm, w, parts):
    """The weights ``t`` of a norm at ``w``: a vector, or None if all are 1.

    Parameters
    ----------
    norm : {'euclidean', 'block', 'weight'}
        ``'block'`` measures the displacement of every array of parameters (the weights of a layer,
        its intercepts) relative to the array's Euclidean norm. ``'weight'`` measures the
        displacement of every parameter relative to its own size. It is the norm of adaptive
        sharpness.
    w : ndarray of shape (n_parameters,)
    parts : list of slice
        The arrays in ``w``.

    Returns
    -------
    ndarray of shape (n_parameters,) or None

    Raises
    ------
    ValueError
        If the norm is not one of these.
    """
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {NORMS}, got {norm!r}.")
    if norm == "euclidean":
        return None
    if norm == "weight":
        return np.abs(w)
    t = np.empty_like(w)
    for part in parts:
        t[part] = np.linalg.norm(w[part])
    return t
