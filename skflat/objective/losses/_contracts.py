"""What a loss promises: the contracts of all losses, of likelihoods, of classes and of numbers.

A loss is a function of the network's raw outputs, the *scores* ``F``. A likelihood has its
canonical link. So the gradient in ``F`` is prediction minus target, and the Hessian depends on the
prediction alone.
"""

from abc import ABC, abstractmethod

import autograd.numpy as anp
import numpy as np


class Loss(ABC):
    """A loss of scores and targets, summed over the outputs of a row.

    Everywhere below ``F`` are scores and ``P`` are predictions. Both have the shape
    (n_rows, n_outputs). ``y`` are the targets in the form that the loss expects: class codes of
    shape (n_rows,) for `Multinomial`, numbers of shape (n_rows, n_outputs) for all others.
    Log-losses are in nats, the half squared error is in squared units of the target.
    """

    #: Whether the scores have the unit of the targets, and so the same size.
    in_units_of_target = False
    #: Whether the best constant prediction is the mean of the target.
    predicts_mean = True

    @abstractmethod
    def per_sample(self, F, y):
        """Loss of every row. autograd can trace it in ``F``.

        Parameters
        ----------
        F : ndarray of shape (n_rows, n_outputs)
            Scores.
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Targets.

        Returns
        -------
        ndarray of shape (n_rows,)
            The loss, summed over the outputs and not multiplied by weights.
        """

    @abstractmethod
    def predict(self, F):
        """Predictions: probabilities, or means in the unit of the target.

        Parameters
        ----------
        F : ndarray of shape (n_rows, n_outputs)
            Scores. They are overwritten, which saves an array of this size in every step.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The predictions, in the memory of ``F``.
        """

    @abstractmethod
    def residual(self, P, y):
        """Gradient of every row's loss in its scores.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions. They are overwritten.
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Targets.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The gradient, in the memory of ``P``.
        """

    @abstractmethod
    def hvp(self, P, R, y):
        """Product of the loss's Hessian in the scores with a direction ``R`` of the scores."""

    def shown(self, P):
        """Predictions as users see them, from those of ``predict``."""
        return P

    @abstractmethod
    def as_reported(self, P, y):
        """Loss of every row on the scale on which scikit-learn reports it.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions. Probabilities are clipped as in `sklearn.metrics.log_loss`, so the loss is
            finite even if a class has probability 0.
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Targets.

        Returns
        -------
        ndarray of shape (n_rows,)
            For classes the loss is summed over the outputs. For the half squared error it is their
            mean.
        """

    @abstractmethod
    def errors(self, F, y):
        """Error of every row.

        Parameters
        ----------
        F : ndarray of shape (n_rows, n_outputs)
            Scores.
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Targets.

        Returns
        -------
        ndarray of shape (n_rows,)
            The share of wrong labels, or the mean absolute error in the unit of the target.
        """

    @abstractmethod
    def constant_loss(self, batch):
        """Loss of the best constant prediction: a scale for changes of the loss.

        Parameters
        ----------
        batch : Batch
            Rows with targets, and with weights or None.

        Returns
        -------
        float
            The weighted mean over the rows.

        Raises
        ------
        NotDefinedError
            If labels are smoothed and a `Multinomial` does not know its number of classes.
        """

    def unsmoothed(self):
        """The same loss without label smoothing.

        Returns
        -------
        Loss
            The object itself if it does not smooth.
        """
        return self

    # Most losses take any number, so this is no abstract method.
    # Not abstract, though empty: most losses are defined for all targets (B027).
    def check_targets(self, y):  # noqa: B027
        """Raise a ``ValueError`` at targets for which the loss is not defined."""

    def noisy(self, y, rho, rng, n_outputs):
        """Targets with new noise: by default ``y + rho`` or ``y - rho``, with probability 1/2 each.

        Parameters
        ----------
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Targets. They stay as they are.
        rho : float
            Size of the noise, see `skflat.solvers.LabelNoise`: a probability for classes and
            labels, and otherwise a number in the unit of ``y``.
        rng : numpy.random.Generator
            Source of the noise.
        n_outputs : int
            Number of columns of the scores.

        Returns
        -------
        ndarray
            New targets of the shape and the dtype of ``y``.
        """
        return np.where(rng.random(y.shape) < 0.5, y - rho, y + rho).astype(y.dtype, copy=False)


class Likelihood(Loss):
    """Contract of the losses that are minus a log-likelihood with its canonical link.

    The canonical link makes two quantities simple. The gradient in the scores is ``P - y``. The
    Hessian ``S`` in the scores depends on the prediction alone, so ``S`` is also the Fisher
    information (McCullagh and Nelder, Generalized Linear Models, 1989).
    """

    what = "predictions with a likelihood"
    found_in = "Networks and factorizations have them; perceptrons have stabilities instead."

    @abstractmethod
    def traced_predict(self, F):
        """`predict` in a form that autograd can trace.

        Parameters
        ----------
        F : ndarray of shape (n_rows, n_outputs)
            Scores. They stay as they are, because autograd does not allow a change in place.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The predictions.
        """

    @abstractmethod
    def curvature(self, P):
        """Diagonal of the Hessian of every row's loss in its scores. autograd can trace it.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The second derivatives, in units of the loss.
        """

    @abstractmethod
    def quadratic_gradient(self, P, W, inputs, slopes):
        """Gradient, in scores and in ``W``, of a weighted sum of entries of the Hessian.

        The sum is ``sum_i inputs_i sum_c curvature_ic + sum_ij slopes_ij quadratic_ij``. With the
        right weights it is the exact trace of the Hessian of a network with one piecewise linear
        hidden layer.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions.
        W : ndarray of shape (n_units, n_outputs)
            Weights of the output layer, the Jacobian of the scores in the hidden units.
        inputs : ndarray of shape (n_rows, 1)
            Weights of the ``curvature``.
        slopes : ndarray of shape (n_rows, n_units)
            Weights of the ``quadratic`` forms.

        Returns
        -------
        of_scores : ndarray of shape (n_rows, n_outputs)
            Gradient in the scores.
        of_W : ndarray of shape (n_units, n_outputs)
            Gradient in ``W``, at fixed scores.
        """

    def targets(self, y, n_outputs, dtype):
        """Targets with one column for each output, as the gradient uses them.

        Parameters
        ----------
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Targets.
        n_outputs : int
            Number of columns of the scores.
        dtype : dtype
            Type of the result, if it is a new array.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The targets after label smoothing. Without smoothing this may be ``y`` itself.
        """
        return y

    def residual(self, P, y):
        P -= y
        return P

    def hvp(self, P, R, y=None):
        """Product of the Hessian of every row's loss with a direction of its scores.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions.
        R : ndarray of shape (n_rows, n_outputs)
            Directions.
        y : ndarray, default=None
            Targets. The Hessian does not depend on them.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The products, in new memory.
        """
        return self.curvature(P) * R

    def quadratic(self, P, J=None):
        """``J_j' S J_j`` for every row and unit. autograd can trace it.

        ``S`` is the Hessian of the row's loss in its scores.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions.
        J : ndarray of shape (n_units, n_outputs) or (n_rows, n_units, n_outputs), default=None
            Jacobian of the scores in the units, one for all rows or one for each row. None takes
            the outputs as the units. An identity matrix would be large for many outputs.

        Returns
        -------
        ndarray of shape (n_rows, n_units)
            The quadratic forms.
        """
        return self.curvature(P) if J is None else product(J * J, self.curvature(P))

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
        """Kullback-Leibler divergence between the predictions at ``F`` and at ``G``.

        The half squared error stands for normal distributions with variance 1.

        Parameters
        ----------
        F, G : ndarray of shape (n_rows, n_outputs)
            Scores. The expectation is under the predictions at ``F``.

        Returns
        -------
        ndarray of shape (n_rows,)
            The divergence in nats, summed over the outputs of a row.
        """
        # The cross-entropy of G minus the entropy of F.
        P, loss = self.predict(F.copy()), self.unsmoothed()
        return loss.per_sample(G, P) - loss.per_sample(F, P)


class Separate(Likelihood):
    """A likelihood whose outputs are independent given the scores."""

    @abstractmethod
    def curvature_slope(self, P):
        """Derivative of the curvature in the score, from predictions."""

    def quadratic_gradient(self, P, W, inputs, slopes):
        # The Hessian is diagonal, so each output adds its curvature times one weight.
        seen = slopes @ W**2
        of_scores = (inputs + seen) * self.curvature_slope(P)
        return of_scores, 2 * W * (slopes.T @ self.curvature(P))


class ClassLoss(Loss):
    """Contract of the losses whose targets are classes or labels."""

    what = "classes"
    found_in = "Classifiers have them, and this is a regression or a completion."

    @abstractmethod
    def margins(self, F, y):
        """Margins: how far the score of the right answer is above its best rival.

        A margin is negative if the prediction is wrong.

        Parameters
        ----------
        F : ndarray of shape (n_rows, n_outputs)
            Scores.
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Class codes, or labels 0 and 1.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows * n_outputs,)
            The margins in units of the scores. There is one for each row, and one for each row and
            label if every output is a label of its own.
        """


class RegressionLoss(Loss):
    """Contract of the losses whose targets are numbers."""

    what = "a target of numbers"
    found_in = "Regressors have one; this is a problem of classes."

    @abstractmethod
    def link(self, P):
        """Scores that give the predictions ``P``, the inverse of ``predict``.

        Parameters
        ----------
        P : ndarray of shape (n_rows, n_outputs)
            Predictions in the unit of the target.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            The scores. With a log link a prediction of 0 or less has the score minus infinity.
        """


class HeldSlopes:
    """The linear function ``y @ F`` of every row's scores, with slopes ``y`` instead of targets.

    Its gradient in the parameters is a product with the Jacobian of the scores. No fit and no
    measure takes it as its loss.
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


def losses_and_residual(loss, F, y, reported):
    """Loss of every row and its gradient in the scores, in the memory of ``F``.

    Parameters
    ----------
    loss : Loss
    F : ndarray of shape (n_rows, n_outputs)
        Scores; the gradient overwrites them.
    y : ndarray
        Targets.
    reported : bool
        Whether the losses are on the scale that scikit-learn reports.

    Returns
    -------
    losses : ndarray of shape (n_rows,)
    residual : ndarray of shape (n_rows, n_outputs)
    """
    # The order matters: ``predict`` overwrites the scores that ``per_sample`` needs.
    values = None if reported else loss.per_sample(F, y)
    P = loss.predict(F)
    if reported:
        values = loss.as_reported(P, y)
    return values, loss.residual(P, y)


def product(A, P):
    """``A @ p`` for every row ``p`` of P; A is one matrix, or one a row."""
    return anp.dot(P, A.T) if A.ndim == 2 else anp.matmul(A, P[:, :, None])[:, :, 0]
