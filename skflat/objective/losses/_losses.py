"""The losses with a canonical link: log-loss of classes and labels, squared and Poisson losses."""

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval
from scipy.special import entr, expit, xlogy

from .._capabilities import NotDefinedError
from ._contracts import ClassLoss, Likelihood, RegressionLoss, Separate, product


class Smoothing(ClassLoss, Likelihood):
    """A log-loss that may spread a share of every label evenly over all classes.

    The rest stays with the true class, as in PyTorch's ``CrossEntropyLoss`` (Szegedy and others,
    arXiv:1512.00567). Errors and margins use the labels themselves.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The share that is spread, in [0, 1].
    """

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = label_smoothing

    def unsmoothed(self):
        return type(self)() if self.label_smoothing > 0 else self

    def residual(self, P, y):
        P -= self.targets(y, P.shape[1], P.dtype)
        return P


class Multinomial(Smoothing):
    """Log-loss of a softmax. Targets are class codes of shape (n_rows,).

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
        return _log_total(F)[:, 0] - right

    def predict(self, F):
        # Softmax in place. After the subtraction no exponential overflows.
        F -= F.max(axis=1, keepdims=True)
        np.exp(F, out=F)
        F /= F.sum(axis=1, keepdims=True)
        return F

    def traced_predict(self, F):
        return anp.exp(F - _log_total(F))

    def noisy(self, y, rho, rng, n_outputs):
        """Labels of which a share of about ``rho`` is replaced.

        All other classes are equally likely.
        """
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
        # The right class must not be its own rival.
        others[rows, y] = -np.inf
        return F[rows, y] - others.max(axis=1)

    def divergence(self, F, G):
        # Logarithms of the probabilities stay finite where a probability underflows to 0.
        F, G = (_log_probabilities(each) for each in (F, G))
        return np.sum(np.exp(F) * (F - G), axis=1)

    def targets(self, y, n_outputs, dtype):
        targets = np.full((len(y), n_outputs), self.label_smoothing / n_outputs, dtype)
        targets[np.arange(len(y)), y] += 1 - self.label_smoothing
        return targets

    def residual(self, P, y):
        if self.label_smoothing > 0:
            return super().residual(P, y)
        # A matrix of one-hot targets would double the memory for one entry in each row.
        P[np.arange(len(y)), y] -= 1
        return P

    def curvature(self, P):
        return P * (1 - P)

    def hvp(self, P, R, y=None):
        # The Hessian in the scores is ``diag(p) - p p'``.
        return P * (R - np.sum(P * R, axis=1, keepdims=True))

    def quadratic(self, P, J=None):
        if J is None:
            return P - P**2
        return product(J * J, P) - product(J, P) ** 2

    def roots(self, P, J):
        mean = P @ J.T
        for root, column in zip(np.sqrt(P).T, J.T, strict=True):
            yield root[:, None] * (column - mean)

    def quadratic_gradient(self, P, W, inputs, slopes):
        seen, mixed = slopes @ W**2, slopes * (P @ W.T)
        # The derivative in p. The constant ``inputs`` of ``inputs (1 - 2 p)`` is left out, because
        # the derivative of the softmax removes every constant.
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


class Binary(Smoothing, Separate):
    """Log-loss of independent labels. Targets are 0 or 1, of shape (n_rows, n_outputs).

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of every label that is spread over yes and no.
    """

    def targets(self, y, n_outputs, dtype):
        return y + self.label_smoothing * (0.5 - y) if self.label_smoothing > 0 else y

    def per_sample(self, F, y):
        y = self.targets(y, F.shape[1], F.dtype)
        return anp.sum(anp.logaddexp(0.0, F) - y * F, axis=1)

    def predict(self, F):
        return expit(F, out=F)

    def traced_predict(self, F):
        # The logistic function. ``tanh`` does not overflow and ``exp(-F)`` would.
        return 0.5 * (anp.tanh(0.5 * F) + 1.0)

    def noisy(self, y, rho, rng, n_outputs):
        """Labels, each of which is flipped with probability ``rho``, independently."""
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


class HalfSquared(RegressionLoss, Separate):
    """Half the squared error. The reported value is the mean over the outputs."""

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


class HalfPoisson(RegressionLoss, Separate):
    """Half the Poisson deviance with a log link. Targets are not negative."""

    def check_targets(self, y):
        if y.min() < 0:
            raise ValueError(f"y must not be negative for the Poisson loss, got {y.min()}.")

    def per_sample(self, F, y):
        # The terms in y alone make the loss 0 at a perfect prediction. xlogy(0, 0) is 0.
        return anp.sum(anp.exp(F) - y * F + (xlogy(y, y) - y), axis=1)

    def predict(self, F):
        return np.exp(F, out=F)

    def traced_predict(self, F):
        return anp.exp(F)

    def noisy(self, y, rho, rng, n_outputs):
        """Counts ``y + rho`` or ``y - rho``, with probability 1/2 each, but never below 0."""
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


def _log_total(F):
    """Logarithm of the sum of the exponentials of each row, of shape (n_rows, 1).

    SciPy's ``logsumexp`` takes two to twenty times as long.
    """
    # The result does not depend on what is subtracted, so its derivative is left out.
    top = getval(F).max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    return anp.log(anp.sum(anp.exp(F - top), axis=1, keepdims=True)) + top


def _log_probabilities(F):
    F = F - F.max(axis=1, keepdims=True)
    return F - np.log(np.exp(F).sum(axis=1, keepdims=True))
