"""Losses as functions of scores and targets."""

from ._contracts import (
    ClassLoss,
    HeldSlopes,
    Likelihood,
    Loss,
    RegressionLoss,
    losses_and_residual,
)
from ._custom import CustomClassLoss, CustomLoss
from ._losses import Binary, HalfPoisson, HalfSquared, Multinomial
from ._regression import REGRESSION_LOSSES, Absolute, HalfGamma, Huber, Pinball, regression_loss

__all__ = [
    "REGRESSION_LOSSES",
    "Absolute",
    "Binary",
    "ClassLoss",
    "CustomClassLoss",
    "CustomLoss",
    "HalfGamma",
    "HalfPoisson",
    "HalfSquared",
    "HeldSlopes",
    "Huber",
    "Likelihood",
    "Loss",
    "Multinomial",
    "Pinball",
    "RegressionLoss",
    "losses_and_residual",
    "regression_loss",
]
