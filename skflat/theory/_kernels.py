"""Hidden units of tree committees: what a layer of very many of them does to an overlap.

A kernel turns the overlap ``q`` of the weights of two machines into the overlap of the fields on
their outputs. It returns this effective overlap and its first two derivatives. A perceptron has no
hidden units, and its kernel is the identity.
"""

import numpy as np


def identity(q):
    """No hidden layer."""
    return q, 1.0, 0.0


def sign_units(q):
    """Units of output -1 or +1: ``(2 / pi) arcsin(q)``."""
    slope = 2 / np.pi / np.sqrt(1 - q**2)
    return 2 / np.pi * np.arcsin(q), slope, slope * q / (1 - q**2)


def relu_units(q):
    """Rectified linear units, half of them with output weight -1: the arc-cosine kernel."""
    angle = np.pi - np.arccos(q)
    above = np.sqrt(1 - q**2) + q * angle - 1  # 2 pi (f(q) - f(0)) of the arc-cosine kernel f
    scale = np.pi - 1
    return above / scale, angle / scale, 1 / np.sqrt(1 - q**2) / scale
