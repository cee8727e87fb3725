"""Whether training has learnt more than a constant."""

import numpy as np

ROUNDING = float(np.sqrt(np.finfo(float).eps))


def no_better_than_constant(loss, constant_loss):
    """Whether a mean training loss is not below the baseline loss, up to rounding.

    The baseline loss is the loss of the best constant. With a constant target there is nothing to
    learn, and the answer is False.
    """
    return bool(constant_loss > 0 and loss >= (1 - ROUNDING) * constant_loss)
