"""Labels of classes in order."""

import numpy as np


def sorted_labels(y):
    """The labels of ``y``, each once, in order.

    Raises
    ------
    ValueError
        If some are strings and others numbers, which have no order.
    """
    try:
        return np.unique(y)
    except TypeError:
        kinds = sorted({type(each).__name__ for each in np.ravel(y)})
        raise ValueError(f"y must be uniformly strings or numbers, got {kinds}.") from None
