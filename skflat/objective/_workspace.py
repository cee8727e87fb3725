"""Scratch memory for one training loop or one worker, and its odometer."""

import numpy as np


class Workspace:
    """Reusable buffers by name, and the number of rows differentiated with them.

    An objective holds no scratch of its own, so that two workers can share it;
    whoever loops over it brings a workspace instead.

    Attributes
    ----------
    rows : int
        Rows differentiated so far: a gradient of ``n`` rows counts ``n``, a Hessian
        product ``2 n``, a loss nothing.
    """

    def __init__(self):
        self.rows = 0
        self._buffers = {}

    def array(self, name, shape, dtype):
        """An uninitialised array; asking for the same name again returns its memory."""
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < shape[0] or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(shape, dtype)
        return buffer if len(buffer) == shape[0] else buffer[: shape[0]]
