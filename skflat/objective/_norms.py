"""How parameters are weighed against each other: norms of a displacement, and random ones.

A norm is ``|h / t|``, with ``t`` a positive weight for every parameter. Where ``t`` is 0 the
parameter stays where it is. With ``t`` taken from the parameters themselves, the norm does not
notice when a layer is rescaled and the next one undoes it.
"""

import numpy as np

#: Name to what a unit of displacement means.
NORMS = ("euclidean", "block", "weight")


def norm_weights(norm, w, parts):
    """The weights ``t`` of a norm at ``w``: a vector, or None where all are 1.

    Parameters
    ----------
    norm : {'euclidean', 'block', 'weight'}
        ``'block'`` measures the displacement of every array of parameters (the weights of a
        layer, its intercepts) by that array's Euclidean norm, ``'weight'`` that of every single
        parameter by its own size: the norm of adaptive sharpness.
    w : ndarray of shape (n_parameters,)
    parts : list of slice
        The arrays in ``w``.
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
