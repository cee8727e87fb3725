"""Gradient noise: how much the gradients of the rows differ."""

import numpy as np

from .._function import function_of
from .._measure import Measure, describe, exactness, group_error
from .._measurement import Measurement


class GradientNoise(Measure):
    """Trace of the covariance of the rows' gradients; smaller is flatter.

    ``E|g_i|^2 - |E g_i|^2`` over the rows ``i``, with ``g_i`` the gradient of a row's unpenalised
    loss: the variance of a stochastic gradient of one row. Near an interpolating minimum of a
    log-loss with calibrated outputs it is close to the trace of the Hessian. Invariant under
    isometries of the parameters only.

    Notes
    -----
    Exact, at the cost of two gradients. ``samples`` holds the squared norm of every row's gradient.
    The table's one row has ``noise``, the value; ``gradient``, the squared norm of the mean
    gradient; and ``batch_size``, their ratio, at which noise and gradient of a batch are equally
    large (McCandlish and others, arXiv:1812.06162).

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
        noise = max(0.0, objective.data.mean(squares) - square)  # rounding may go below

        def noise_on(batch):
            """What some of the rows add, with the mean gradient of all."""
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
