"""Gradient noise: how much the gradients of the rows differ."""

import numpy as np

from .._function import function_of
from .._measure import Measure, describe, exactness, group_error
from .._measurement import Measurement


class GradientNoise(Measure):
    """Trace of the covariance of the rows' gradients; smaller is flatter.

    The value is ``E|g_i|^2 - |E g_i|^2`` over the rows ``i``, where ``g_i`` is the gradient of a
    row's unpenalised loss. It is the variance of a stochastic gradient from one row. Near an
    interpolating minimum of a log-loss with calibrated outputs it is close to the trace of the
    Hessian. The measure is invariant under isometries of the parameters only.

    Notes
    -----
    The value is exact and costs two gradients. ``samples`` holds the squared norm of every row's
    gradient. The table has one row: ``noise`` is the value, ``gradient`` the squared norm of the
    mean gradient, and ``batch_size`` their ratio. In a batch of that size, noise and gradient are
    equally large (McCandlish and others, arXiv:1812.06162).

    A few rows of large loss can make up most of the value. On a sample of few rows the standard
    error is then too small: on 30 of 60 rows, three of them covered the value of all rows for 94 %
    of 200 networks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import GradientNoise
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> GradientNoise().measure(clf, X, y).kind
    'exact'
    """

    sign = -1

    def _evaluate(self, problem):
        objective, w = problem.objective, problem.w
        squares = objective.squared_gradients(w).astype(float, copy=False)
        _, gradient = objective.loss_gradient(w)
        square = float(gradient @ gradient)
        noise = max(0.0, objective.data.mean(squares) - square)  # rounding can make it negative

        def noise_on(batch):
            """The variance on some rows, linearised around the mean gradient of all rows."""
            # The derivative of ``|E g|^2`` is ``2 <E g, .>``. The constant has no influence.
            _, own = objective.loss_gradient(w, batch)
            return batch.mean(objective.squared_gradients(w, batch)) - 2 * float(own @ gradient)

        return Measurement(
            value=noise,
            stderr=group_error(problem, noise_on),
            kind=exactness(problem),
            n_evals=2,
            converged=True,
            samples=squares,
            protocol=describe(problem, samples="squared norm of the gradient, one a row"),
            table={
                "noise": np.array([noise]),
                "gradient": np.array([square]),
                "batch_size": np.array([noise / square if square > 0 else np.inf]),
            },
        )


gradient_noise = function_of(GradientNoise, "gradient_noise")
