"""The cosine schedule of the learning rate, with warm-up."""

import math


def cosine(step, n_steps, warmup):
    """Share of ``learning_rate_init`` at a step of so many, both counted from the first of all.

    It rises linearly over the share ``warmup`` of the steps and then falls along half a cosine
    (Loshchilov and Hutter, arXiv:1608.03983), which would be 0 at step ``n_steps``. From there on
    it stays as it was before. With ``k`` steps of warm-up it is PyTorch's ``LinearLR`` from
    ``1 / (k + 1)`` in ``k`` steps, and then its ``CosineAnnealingLR`` of the others.
    """
    n_warm = min(round(warmup * n_steps), n_steps - 1)
    step = min(step, n_steps - 1)
    if step < n_warm:
        return (step + 1) / (n_warm + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - n_warm) / (n_steps - n_warm)))
