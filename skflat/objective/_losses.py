"""Losses, and the contracts of what only some of them can do.

A loss sees the network's raw outputs, the *scores* ``F``. A likelihood has its canonical link: the
gradient in ``F`` is prediction minus target, and the Hessian a function of the prediction alone.
"""

from abc import ABC, abstractmethod

import autograd.numpy as anp
import numpy as np
from autograd.scipy.special import logsumexp
from scipy.special import entr, expit, xlogy


class Loss(ABC):
    """A loss of scores and targets, summed over the outputs of a row.

    In what follows ``F`` are scores and ``P`` predictions, both of shape (n_rows, n_outputs), and
    ``y`` the targets as the loss wants them.
    """

    #: Whether the scores have the unit of the targets, so that they are as large.
    in_units_of_target = False

    @abstractmethod
    def per_sample(self, F, y):
        """Loss of every row, shape (n_rows,); traceable by autograd in ``F``."""

    @abstractmethod
    def predict(self, F):
        """Predictions (probabilities, means), in the memory of ``F``."""

    @abstractmethod
    def residual(self, P, y):
        """Gradient in the scores, in the memory of the predictions ``P``."""

    @abstractmethod
    def as_reported(self, P, y):
        """Loss of every row as scikit-learn prints it, from predictions ``P``."""

    @abstractmethod
    def errors(self, F, y):
        """Error of every row: the share of wrong labels, or the mean absolute error."""

    @abstractmethod
    def constant_loss(self, batch):
        """Weighted mean loss of the best constant prediction."""

    def noisy(self, y, rho, rng, n_outputs):
        """Targets with new noise, by default ``rho`` more or less with equal odds.

        Parameters
        ----------
        y : ndarray
        rho : float
            Size of the noise, see `skflat.solvers.LabelNoise`.
        rng : numpy.random.Generator
        n_outputs : int
            Columns of the scores.
        """
        return np.where(rng.random(y.shape) < 0.5, y - rho, y + rho).astype(y.dtype, copy=False)


class Likelihood(Loss):
    """Contract of the losses that are minus a log-likelihood with its canonical link."""

    what = "predictions with a likelihood"
    found_in = "Networks and factorizations have them; perceptrons have stabilities instead."

    @abstractmethod
    def traced_predict(self, F):
        """`predict` for autograd, in new memory."""

    @abstractmethod
    def curvature(self, P):
        """Diagonal of the loss's Hessian in the scores, shape of ``P``; traceable."""

    @abstractmethod
    def quadratic_gradient(self, P, W, inputs, slopes):
        """Gradient, in scores and in ``W``, of a weighted sum of the Hessian's values.

        The sum is ``sum_i inputs_i sum_c curvature_ic + sum_ij slopes_ij quadratic_ij``.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
        W : ndarray of shape (n_units, n_outputs)
        inputs : ndarray of shape (n_rows, 1)
        slopes : ndarray of shape (n_rows, n_units)

        Returns
        -------
        of_scores : ndarray of shape (n_rows, n_outputs)
        of_W : ndarray of shape (n_units, n_outputs)
        """

    def targets(self, P, y):
        """Targets in the shape of the predictions."""
        return y

    def residual(self, P, y):
        P -= y
        return P

    def hvp(self, P, R):
        """Product of the loss's Hessian with a direction ``R`` of the scores."""
        return self.curvature(P) * R

    def quadratic(self, P, J=None):
        """``J_j' S J_j`` for every row and unit, ``S`` the loss's Hessian; traceable.

        ``J`` has shape (n_units, n_outputs), or with one Jacobian a row
        (n_rows, n_units, n_outputs); the result has shape (n_rows, n_units). None is that of the
        outputs themselves, which of many would be a large matrix of zeros.
        """
        return self.curvature(P) if J is None else _product(J * J, self.curvature(P))

    def divergence(self, F, G):
        """Divergence of the predictions of ``G`` from those of ``F``, summed over a row's outputs.

        Kullback and Leibler's, in nats; with half the squared error that of unit normals.
        """
        P = self.predict(F.copy())
        return self.per_sample(G, P) - self.per_sample(F, P)


class _Separate(Likelihood):
    """A likelihood whose outputs are independent given the scores."""

    @abstractmethod
    def curvature_slope(self, P):
        """Derivative of the curvature in the score, from predictions."""

    def quadratic_gradient(self, P, W, inputs, slopes):
        seen = slopes @ W**2
        of_scores = (inputs + seen) * self.curvature_slope(P)
        return of_scores, 2 * W * (slopes.T @ self.curvature(P))


class ClassLoss(Loss):
    """Contract of the losses of classes and labels."""

    what = "classes"
    found_in = "Classifiers have them, and this is a regression."

    @abstractmethod
    def margins(self, F, y):
        """By how much the right label leads, one number a row and label."""


class RegressionLoss(Loss):
    """Contract of the losses of numbers."""

    what = "a target of numbers"
    found_in = "Regressors have one; this is a problem of classes."

    @abstractmethod
    def link(self, P):
        """Scores of given predictions, the inverse of ``predict``."""


class Multinomial(ClassLoss, Likelihood):
    """Log-loss of a softmax; targets are class codes, shape (n_rows,)."""

    def per_sample(self, F, y):
        return logsumexp(F, axis=1) - F[anp.arange(len(y)), y]

    def predict(self, F):
        F -= F.max(axis=1, keepdims=True)
        np.exp(F, out=F)
        F /= F.sum(axis=1, keepdims=True)
        return F

    def traced_predict(self, F):
        return anp.exp(F - logsumexp(F, axis=1, keepdims=True))

    def targets(self, P, y):
        targets = np.zeros(P.shape, P.dtype)
        targets[np.arange(len(y)), y] = 1
        return targets

    def noisy(self, y, rho, rng, n_outputs):
        """Labels that are another one, all equally likely, with probability ``rho``."""
        flipped = rng.random(y.shape) < rho
        other = (y + rng.integers(1, n_outputs, size=y.shape)) % n_outputs
        return np.where(flipped, other, y)

    def as_reported(self, P, y):
        eps = float(np.finfo(P.dtype).eps)
        return -np.log(P[np.arange(len(y)), y].clip(eps, 1 - eps))

    def errors(self, F, y):
        return F.argmax(axis=1) != y

    def margins(self, F, y):
        rows = np.arange(len(y))
        others = F.copy()
        others[rows, y] = -np.inf
        return F[rows, y] - others.max(axis=1)

    def divergence(self, F, G):
        F, G = (_log_probabilities(each) for each in (F, G))
        return np.sum(np.exp(F) * (F - G), axis=1)

    def residual(self, P, y):
        P[np.arange(len(y)), y] -= 1
        return P

    def curvature(self, P):
        return P * (1 - P)

    def hvp(self, P, R):
        return P * (R - np.sum(P * R, axis=1, keepdims=True))

    def quadratic(self, P, J=None):
        if J is None:
            return P - P**2
        return _product(J * J, P) - _product(J, P) ** 2

    def quadratic_gradient(self, P, W, inputs, slopes):
        seen, mixed = slopes @ W**2, slopes * (P @ W.T)
        by_P = seen - 2 * (mixed @ W) - 2 * P * inputs
        of_scores = P * (by_P - np.sum(P * by_P, axis=1, keepdims=True))
        return of_scores, 2 * (W * (slopes.T @ P) - mixed.T @ P)

    def constant_loss(self, batch):
        counts = np.bincount(batch.y, weights=batch.weight)
        return float(entr(counts / counts.sum()).sum())


class Binary(ClassLoss, _Separate):
    """Log-loss of independent yes-no outputs, shape (n_rows, n_outputs), 0 or 1."""

    def per_sample(self, F, y):
        return anp.sum(anp.logaddexp(0.0, F) - y * F, axis=1)

    def predict(self, F):
        return expit(F, out=F)

    def traced_predict(self, F):
        return 0.5 * (anp.tanh(0.5 * F) + 1.0)

    def noisy(self, y, rho, rng, n_outputs):
        """Labels turned round with probability ``rho``, each by itself."""
        return np.where(rng.random(y.shape) < rho, 1 - y, y)

    def as_reported(self, P, y):
        eps = float(np.finfo(P.dtype).eps)
        P = P.clip(eps, 1 - eps)
        return -np.log(np.where(y > 0, P, 1 - P)).sum(axis=1)

    def errors(self, F, y):
        return np.mean((F > 0) != (y > 0), axis=1)

    def margins(self, F, y):
        return np.ravel((2 * y - 1) * F)

    def curvature(self, P):
        return P * (1 - P)

    def curvature_slope(self, P):
        return P * (1 - P) * (1 - 2 * P)

    def constant_loss(self, batch):
        p = np.average(batch.y, axis=0, weights=batch.weight)
        return float((entr(p) + entr(1 - p)).sum())


class HalfSquared(RegressionLoss, _Separate):
    """Half the squared error; its reported value is the mean over the outputs."""

    in_units_of_target = True

    def per_sample(self, F, y):
        return 0.5 * anp.sum((F - y) ** 2, axis=1)

    def predict(self, F):
        return F

    def traced_predict(self, F):
        return F

    def link(self, P):
        return P

    def as_reported(self, P, y):
        return self.per_sample(P, y) / P.shape[1]

    def errors(self, F, y):
        return np.mean(np.abs(F - y), axis=1)

    def curvature(self, P):
        return anp.ones_like(P)

    def curvature_slope(self, P):
        return np.zeros_like(P)

    def constant_loss(self, batch):
        mean = np.average(batch.y, axis=0, weights=batch.weight)
        return batch.mean(self.per_sample(mean[None], batch.y))


class HalfPoisson(RegressionLoss, _Separate):
    """Half the Poisson deviance with a log link; targets are not negative."""

    def per_sample(self, F, y):
        return anp.sum(anp.exp(F) - y * F + (xlogy(y, y) - y), axis=1)

    def predict(self, F):
        return np.exp(F, out=F)

    def traced_predict(self, F):
        return anp.exp(F)

    def noisy(self, y, rho, rng, n_outputs):
        """Counts ``rho`` more or less, with equal odds, but never below 0."""
        return np.maximum(super().noisy(y, rho, rng, n_outputs), 0)

    def link(self, P):
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(P, 0))

    def as_reported(self, P, y):
        return (xlogy(y, y / P) - y + P).sum(axis=1)

    def errors(self, F, y):
        return np.mean(np.abs(np.exp(F) - y), axis=1)

    def curvature(self, P):
        return P

    def curvature_slope(self, P):
        return P

    def constant_loss(self, batch):
        mean = np.average(batch.y, axis=0, weights=batch.weight)
        ratio = batch.y / np.where(mean > 0, mean, 1.0)  # a mean of 0: all targets are 0
        return batch.mean((xlogy(batch.y, ratio) - batch.y + mean).sum(axis=1))


class HeldSlopes:
    """``y . F`` for every row: linear, with slopes in the scores in the place of targets.

    Its gradient is that of the scores alone. Fits and measures have no use for it.
    """

    in_units_of_target = False

    def per_sample(self, F, y):
        """Value of every row, shape (n_rows,)."""
        return anp.sum(F * y, axis=1)

    def predict(self, F):
        """The scores themselves."""
        return F

    def residual(self, P, y):
        """The slopes, in the memory of the predictions ``P``."""
        P[...] = y
        return P

    def slopes(self, F, y):
        """First and second derivative in every score."""
        return y, np.zeros_like(y)


def _log_probabilities(F):
    F = F - F.max(axis=1, keepdims=True)
    return F - np.log(np.exp(F).sum(axis=1, keepdims=True))


def _product(A, P):
    """``A @ p`` for every row ``p`` of P; A is one matrix, or one a row."""
    return anp.dot(P, A.T) if A.ndim == 2 else anp.matmul(A, P[:, :, None])[:, :, 0]
