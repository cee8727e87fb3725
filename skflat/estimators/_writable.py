"""A state that can be written to, even if it was loaded into read-only memory."""

from copy import deepcopy

import numpy as np


def writable(state):
    """The state itself, or a copy if an array in it is read-only, as in a memory-mapped model."""
    return deepcopy(state) if _has_read_only(state) else state


def _has_read_only(value):
    if isinstance(value, np.ndarray):
        return not value.flags.writeable
    if isinstance(value, (list, tuple)):
        return any(map(_has_read_only, value))
    return any(map(_has_read_only, getattr(value, "__dict__", {}).values()))
