"""Whether training has found more than a constant."""

import numpy as np

ROUNDING = float(np.sqrt(np.finfo(float).eps))


def no_better_than_constant(loss, constant_loss):
    """Whether a mean training loss is, up to rounding, not below that of the best constant.

    Of a constant target nothing is to be learnt, and the answer is False.
    """
    return bool(constant_loss > 0 and loss >= (1 - ROUNDING) * constant_loss)
