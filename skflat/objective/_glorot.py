"""Glorot and Bengio's uniform start, for arrays of any shape."""

from math import prod, sqrt

FACTOR = 6.0  # the bound is sqrt(factor / (fan_in + fan_out))


def glorot(shapes, random_state):
    """Arrays drawn between ``-b`` and ``b`` with ``b = sqrt(6 / (fan_in + fan_out))``.

    The last axis of an array counts the outputs, the one before it the inputs, and the others the
    places of a kernel. A vector has the bound of the array before it, as the intercepts of
    scikit-learn's networks have. If there is none before it, it counts as one column.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        The arrays in the order in which they are drawn.
    random_state : RandomState or Generator

    Returns
    -------
    dict of str to ndarray
    """
    arrays, before = {}, None
    for name, shape in shapes.items():
        if len(shape) >= 2:
            before = _bound(shape)
        bound = before or _bound((*shape, 1) if shape else (1, 1))
        arrays[name] = random_state.uniform(-bound, bound, shape)
    return arrays


def _bound(shape):
    *places, n_in, n_out = shape
    return sqrt(FACTOR / (prod(places) * (n_in + n_out)))
