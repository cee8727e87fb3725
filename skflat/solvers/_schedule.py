"""The cosine schedule of the learning rate, with warm-up."""

import math


def cosine(step, n_steps, warmup):
    """Share of ``learning_rate_init`` at step number ``step`` of ``n_steps``, counted from 0.

    The share rises linearly over the first ``warmup n_steps`` steps. Then it falls along half a
    cosine (Loshchilov and Hutter, arXiv:1608.03983), which would be 0 at step ``n_steps``. From
    that step on the share keeps its last value. With ``k`` steps of warm-up the schedule equals
    PyTorch's ``LinearLR`` from ``1 / (k + 1)`` in ``k`` steps, followed by its
    ``CosineAnnealingLR`` for the remaining steps.
    """
    # At least one step is left for the cosine, so its length is never 0.
    n_warm = min(round(warmup * n_steps), n_steps - 1)
    step = min(step, n_steps - 1)
    if step < n_warm:
        return (step + 1) / (n_warm + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - n_warm) / (n_steps - n_warm)))
