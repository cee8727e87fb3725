"""Where the training of a user's function starts."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np

from ...objective import glorot


def start(init, random_state, n_features, n_outputs):
    """The arrays to start from; those of which only the shape is given are drawn.

    Parameters
    ----------
    init : dict of str to array or shape, or callable
        A tuple of int, or an int, is a shape, and everything else an array. A callable gets
        ``(random_state, n_features, n_outputs)`` and returns such a dict.
    random_state : RandomState
    n_features, n_outputs : int

    Returns
    -------
    dict of str to ndarray
        Weights first, that is arrays of two axes or more, then vectors and numbers, as
        scikit-learn's networks have them.

    Raises
    ------
    ValueError
        If ``init`` is not that, or an array has no entries or some that are not finite.
    """
    found = init(random_state, n_features, n_outputs) if callable(init) else init
    if not isinstance(found, Mapping) or not found or not all(isinstance(n, str) for n in found):
        raise ValueError(
            "init must be, or return, a dict from names to arrays or shapes, which is not empty; "
            f"got {found!r}."
        )
    shapes = {name: _shape(name, value) for name, value in found.items() if _is_shape(value)}
    drawn = glorot(shapes, random_state)
    arrays = {name: drawn[name] if name in drawn else _array(name, found[name]) for name in found}
    return dict(sorted(arrays.items(), key=lambda item: item[1].ndim < 2))


def _is_shape(value):
    sizes = value if isinstance(value, tuple) else (value,)
    return all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)


def _shape(name, value):
    shape = value if isinstance(value, tuple) else (value,)
    if any(size < 1 for size in shape):
        raise ValueError(f"init[{name!r}] must be a shape of integers > 0, got {value!r}.")
    return tuple(int(size) for size in shape)


def _array(name, value):
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"init[{name!r}] must be an array of numbers, got {value!r}.") from error
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"init[{name!r}] must hold finite numbers, got {value!r}.")
    return array
