"""Losses that a user wrote as one function, differentiated by autograd."""

import warnings
from copy import copy

import autograd.numpy as anp
import numpy as np
from autograd import grad
from scipy.optimize import minimize

from .._model import ONE_AT_A_TIME
from ._contracts import ClassLoss, Loss


class CustomLoss(Loss):
    """A user's function of scores and targets, one value a row.

    Parameters
    ----------
    function : callable
        ``function(F, y)`` with ``F`` of shape (n_rows, n_scores) and ``y`` of shape
        (n_rows, n_outputs), written with ``autograd.numpy``. It returns an array of shape
        (n_rows,) or (n_rows, 1).
    prediction : callable, default=None
        From scores to predictions; None is the scores themselves.
    n_scores : int, default=1
        Number of scores of a row.

    Notes
    -----
    ``predict`` of the loss gives the scores, because a derivative cannot be had from predictions
    alone. Users see what ``shown`` makes of them. The error of a row is the mean absolute one, if
    the predictions have as many columns as the target, and else the loss.
    """

    predicts_mean = False

    def __init__(self, function, prediction=None, n_scores=1):
        self.function, self.prediction, self.n_scores = function, prediction, n_scores

    def per_sample(self, F, y):
        values = self.function(F, y)
        shape = anp.shape(values)
        if shape not in ((len(y),), (len(y), 1)):
            raise ValueError(
                f"loss must return one value a row, an array of shape ({len(y)},); got one of "
                f"shape {shape}. The raw prediction has shape {F.shape}, and y has shape {y.shape}."
            )
        return anp.reshape(values, (len(y),))

    def predict(self, F):
        return F

    def of_scores(self, n_scores):
        """The same loss, of that many scores a row."""
        loss = copy(self)
        loss.n_scores = n_scores
        return loss

    def shown(self, P):
        if self.prediction is None:
            return P
        shown = np.asarray(self.prediction(P))
        if shown.ndim not in (1, 2) or len(shown) != len(P):
            raise ValueError(
                f"prediction must return one row for every row of the raw prediction, whose shape "
                f"is {P.shape}; got an array of shape {shown.shape}."
            )
        return shown[:, None] if shown.ndim == 1 else shown

    def residual(self, P, y):
        P[...] = _slopes(self, y)(P)
        return P

    def hvp(self, P, R, y):
        slopes = _slopes(self, y)
        with ONE_AT_A_TIME, warnings.catch_warnings():
            # Of a piecewise-linear loss the slopes do not depend on the scores.
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            return grad(lambda F: anp.sum(slopes(F) * R))(P)

    def as_reported(self, P, y):
        return self.per_sample(P, y)

    def errors(self, F, y):
        shown = self.shown(F)
        if shown.shape != y.shape:
            return self.per_sample(F, y)
        return np.mean(np.abs(shown - y), axis=1)

    def constant_loss(self, batch):
        rows = np.zeros((len(batch), self.n_scores))

        def mean(F):
            return batch.mean(self.per_sample(rows + F, batch.y))

        # The simplex method needs no derivative, which a loss with a kink has not everywhere.
        settings = {"maxiter": 500 * self.n_scores, "xatol": 1e-9, "fatol": 1e-12}
        with np.errstate(over="ignore", invalid="ignore"):
            return float(minimize(mean, rows[0], method="Nelder-Mead", options=settings).fun)


class CustomClassLoss(CustomLoss, ClassLoss):
    """The same for classes, with errors and margins of the scores as the log-loss has them.

    Parameters
    ----------
    function, prediction : callable
        As in `CustomLoss`; the predictions are probabilities.
    like : Smoothing
        The log-loss of the same scores, for errors, margins and probabilities.
    n_scores : int
        Number of scores of a row.
    """

    def __init__(self, function, prediction, like, n_scores):
        super().__init__(function, prediction, n_scores)
        self.like = like

    def shown(self, P):
        return self.like.predict(P.copy()) if self.prediction is None else super().shown(P)

    def noisy(self, y, rho, rng, n_outputs):
        return self.like.noisy(y, rho, rng, n_outputs)

    def errors(self, F, y):
        return self.like.errors(F, y)

    def margins(self, F, y):
        return self.like.margins(F, y)


def _slopes(loss, y):
    """The derivative of every row's loss in its scores, as a function of them."""
    slopes = grad(lambda F: anp.sum(loss.per_sample(F, y)))

    def locked(F):
        with ONE_AT_A_TIME:
            return slopes(F)

    return locked
