"""Losses, and the contracts that only some of them fulfil.

A loss is a function of the network's raw outputs, the *scores* ``F``. A likelihood has its
canonical link. So the gradient in ``F`` is prediction minus target, and the Hessian depends on the
prediction alone.
"""

from abc import ABC, abstractmethod

import autograd.numpy as anp
import numpy as np
from autograd.scipy.special import logsumexp
from scipy.special import entr, expit, xlogy

from ._capabilities import NotDefinedError


class Loss(ABC):
    """A loss of scores and targets, summed over the outputs of a row.

    In what follows ``F`` are scores and ``P`` predictions, both of shape (n_rows, n_outputs), and
    ``y`` the targets as the loss wants them.
    """

    #: Whether the scores have the unit of the targets, and so the same size.
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

    def unsmoothed(self):
        """The same loss without label smoothing."""
        return self

    def noisy(self, y, rho, rng, n_outputs):
        """Targets with new noise: by default ``y + rho`` or ``y - rho``, with probability 1/2 each.

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

    def targets(self, y, n_outputs, dtype):
        """Targets with one column an output, as the gradient has them."""
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
        outputs themselves. An identity matrix would be large for many outputs.
        """
        return self.curvature(P) if J is None else _product(J * J, self.curvature(P))

    def roots(self, P, J):
        """Arrays ``R_r`` of shape (n_rows, n_units) with ``sum_r R_r^2 = quadratic(P, J)``.

        With ``S = B B'`` they are the columns of ``J B``: a square root of the loss's Hessian,
        which can be carried on through the layers below.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
        J : ndarray of shape (n_units, n_outputs)

        Yields
        ------
        ndarray of shape (n_rows, n_units)
            New memory, one array for every output.
        """
        for root, column in zip(np.sqrt(self.curvature(P)).T, J.T, strict=True):
            yield root[:, None] * column

    def divergence(self, F, G):
        """Divergence of the predictions of ``G`` from those of ``F``, summed over a row's outputs.

        It is the Kullback-Leibler divergence in nats. For half the squared error it is that of
        normal distributions with variance 1.
        """
        # The cross-entropy of G minus the entropy of F.
        P, loss = self.predict(F.copy()), self.unsmoothed()
        return loss.per_sample(G, P) - loss.per_sample(F, P)


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
    found_in = "Classifiers have them, and this is a regression or a completion."

    @abstractmethod
    def margins(self, F, y):
        """The margin of the right label, one number per row and label."""


class RegressionLoss(Loss):
    """Contract of the losses of numbers."""

    what = "a target of numbers"
    found_in = "Regressors have one; this is a problem of classes."

    @abstractmethod
    def link(self, P):
        """Scores of given predictions, the inverse of ``predict``."""


class Smoothing(ClassLoss, Likelihood):
    """A log-loss that may spread a share of every label evenly over all classes.

    The rest stays with the true class, as in PyTorch's ``CrossEntropyLoss`` (Szegedy and others,
    arXiv:1512.00567). Errors and margins use the labels themselves.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        That share, in [0, 1].
    """

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def unsmoothed(self):
        return type(self)() if self.label_smoothing > 0 else self

    def residual(self, P, y):
        P -= self.targets(y, P.shape[1], P.dtype)
        return P


class Multinomial(Smoothing):
    """Log-loss of a softmax; targets are class codes, shape (n_rows,).

    Parameters
    ----------
    label_smoothing : float, default=0.0
        As in `Smoothing`.
    n_classes : int, default=None
        Number of classes. Labels may not contain all of them. Only the constant loss of smoothed
        labels depends on it.
    """

    def __init__(self, label_smoothing=0.0, n_classes=None):
        super().__init__(label_smoothing)
        self.n_classes = n_classes

    def per_sample(self, F, y):
        right, share = F[anp.arange(len(y)), y], self.label_smoothing
        if share > 0:
            right = (1 - share) * right + share * anp.mean(F, axis=1)
        return logsumexp(F, axis=1) - right

    def predict(self, F):
        # Softmax in place. After the subtraction no exponential overflows.
        F -= F.max(axis=1, keepdims=True)
        np.exp(F, out=F)
        F /= F.sum(axis=1, keepdims=True)
        return F

    def traced_predict(self, F):
        return anp.exp(F - logsumexp(F, axis=1, keepdims=True))

    def noisy(self, y, rho, rng, n_outputs):
        """Labels that are another one, all equally likely, with probability ``rho``."""
        flipped = rng.random(y.shape) < rho
        # A shift by 1 to n - 1 classes never gives the label itself.
        other = (y + rng.integers(1, n_outputs, size=y.shape)) % n_outputs
        return np.where(flipped, other, y)

    def as_reported(self, P, y):
        eps, share = float(np.finfo(P.dtype).eps), self.label_smoothing
        losses = -np.log(P[np.arange(len(y)), y].clip(eps, 1 - eps))
        if share > 0:
            losses = (1 - share) * losses - share * np.log(P.clip(eps, 1 - eps)).mean(axis=1)
        return losses

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

    def targets(self, y, n_outputs, dtype):
        targets = np.full((len(y), n_outputs), self.label_smoothing / n_outputs, dtype)
        targets[np.arange(len(y)), y] += 1 - self.label_smoothing
        return targets

    def residual(self, P, y):
        if self.label_smoothing > 0:
            return super().residual(P, y)
        P[np.arange(len(y)), y] -= 1
        return P

    def curvature(self, P):
        return P * (1 - P)

    def hvp(self, P, R):
        # The Hessian in the scores is ``diag(p) - p p'``.
        return P * (R - np.sum(P * R, axis=1, keepdims=True))

    def quadratic(self, P, J=None):
        if J is None:
            return P - P**2
        return _product(J * J, P) - _product(J, P) ** 2

    def roots(self, P, J):
        mean = P @ J.T
        for root, column in zip(np.sqrt(P).T, J.T, strict=True):
            yield root[:, None] * (column - mean)

    def quadratic_gradient(self, P, W, inputs, slopes):
        seen, mixed = slopes @ W**2, slopes * (P @ W.T)
        by_P = seen - 2 * (mixed @ W) - 2 * P * inputs
        of_scores = P * (by_P - np.sum(P * by_P, axis=1, keepdims=True))
        return of_scores, 2 * (W * (slopes.T @ P) - mixed.T @ P)

    def constant_loss(self, batch):
        n_classes, share = self.n_classes, self.label_smoothing
        if share > 0 and n_classes is None:
            raise NotDefinedError(
                "The best constant prediction of smoothed labels depends on the number of classes: "
                "give Multinomial n_classes, got None."
            )
        counts = np.bincount(batch.y, batch.weight, n_classes if share > 0 else 0)
        p = counts / counts.sum()
        if share > 0:
            p = (1 - share) * p + share / n_classes
        return float(entr(p).sum())


class Binary(Smoothing, _Separate):
    """Log-loss of independent yes-no outputs, shape (n_rows, n_outputs), 0 or 1."""

    def targets(self, y, n_outputs, dtype):
        return y + self.label_smoothing * (0.5 - y) if self.label_smoothing > 0 else y

    def per_sample(self, F, y):
        y = self.targets(y, F.shape[1], F.dtype)
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
        P, share = P.clip(eps, 1 - eps), self.label_smoothing
        losses = -np.log(np.where(y > 0, P, 1 - P))
        if share > 0:
            losses = (1 - share / 2) * losses - share / 2 * np.log(np.where(y > 0, 1 - P, P))
        return losses.sum(axis=1)

    def errors(self, F, y):
        return np.mean((F > 0) != (y > 0), axis=1)

    def margins(self, F, y):
        return np.ravel((2 * y - 1) * F)

    def curvature(self, P):
        return P * (1 - P)

    def curvature_slope(self, P):
        return P * (1 - P) * (1 - 2 * P)

    def constant_loss(self, batch):
        p = self.targets(np.average(batch.y, axis=0, weights=batch.weight), None, None)
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
