"""Scratch memory for one training loop or one worker, with a count of its cost."""

import numpy as np


class Workspace:
    """Reusable buffers by name, and the number of rows differentiated with them.

    An objective holds no scratch memory of its own, so two workers can share it. Each training
    loop and each worker has a workspace instead.

    Attributes
    ----------
    rows : int
        Number of rows differentiated so far. A gradient of ``n`` rows counts ``n``, a Hessian
        product ``2 n``, and a loss nothing.
    """

    def __init__(self):
        self.rows = 0
        self._buffers = {}

    def array(self, name, shape, dtype):
        """An uninitialised array; asking for the same name again returns its memory."""
        buffer = self._buffers.get(name)
        # A longer buffer serves a shorter last batch, so memory is allocated once and not per step.
        if buffer is None or len(buffer) < shape[0] or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(shape, dtype)
        return buffer if len(buffer) == shape[0] else buffer[: shape[0]]
