"""Sharpness: the trace of the Hessian."""

import numpy as np

from ._base import Measure, describe, generator
from ._measurement import Measurement


class HessianTrace(Measure):
    """Trace of the Hessian of the unpenalised mean training loss; smaller is flatter.

    Exact for networks of relu or identity units of any depth, whose Hessian has the diagonal
    of its Gauss-Newton part, and for smooth units in up to two hidden layers. Otherwise
    estimated by Hutch++ (Meyer, Musco, Musco and Woodruff, arXiv:2010.09649) from Hessian
    products.

    Invariant under isometries of the parameters only: rescaling the layers of a relu network
    against each other, which leaves its predictions alone, changes the trace at will. It is
    linear in the scale of the loss, which is the mean over rows.

    Parameters
    ----------
    n_products : int, default=60
        Hessian products of the estimate, where one is needed; at least 6.
    random_state : int, RandomState instance or None, default=0
        Draws the probes of the estimate.

    Notes
    -----
    The exact trace costs about one forward pass for one hidden layer, and one backward pass
    for every output with more. Among the measures of Ahn, Jadbabaie and Sra
    (arXiv:2305.15659) it is the trace itself; they divide it by the number of parameters.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import HessianTrace
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> trace = HessianTrace().measure(clf, X, y)
    >>> trace.kind, trace.stderr, trace.value > 0
    ('exact', 0.0, True)
    """

    sign = -1

    def __init__(self, n_products=60, random_state=0):
        self.n_products = n_products
        self.random_state = random_state

    def evaluate(self, problem):
        objective, w = problem.objective, problem.w
        by_row = objective.hessian_trace(w)
        if by_row is None:
            return self._estimate(problem)
        layers = np.array([objective.data.mean(column) for column in by_row.T])
        stderr = problem.row_error(by_row.sum(axis=1))
        return Measurement(
            value=float(layers.sum()),
            stderr=stderr,
            kind="exact" if objective.n_rows == problem.sampled_from else "estimate",
            n_evals=1,
            converged=True,
            samples=layers,
            protocol=describe(problem, method="closed form", samples="one a layer"),
        )

    def _estimate(self, problem):
        objective, w = problem.objective, problem.w
        rng = generator(self.random_state)
        value, probes = hutchpp(
            lambda v: objective.hvp(w, v.astype(w.dtype)), len(w), self.n_products, rng
        )
        return Measurement(
            value=value,
            stderr=float(probes.std(ddof=1) / np.sqrt(len(probes))),
            kind="estimate",
            n_evals=2 * self.n_products,
            converged=True,
            samples=probes,
            protocol=describe(
                problem,
                method="Hutch++",
                samples="one a probe of the remainder",
                seed=self.random_state,
                stderr="of the probes; the sampling of rows is not in it",
            ),
        )


def hutchpp(product, size, n_products, rng):
    """Hutch++: the trace on a sketched subspace, plus Hutchinson's mean on the rest.

    Returns
    -------
    value : float
    probes : ndarray of shape (n_products // 3,)
        One unbiased estimate a probe, whose mean is the value.
    """
    k = n_products // 3
    sketch = rng.choice([-1.0, 1.0], size=(size, k))
    probes = rng.choice([-1.0, 1.0], size=(size, k))
    Q, _ = np.linalg.qr(_products(product, sketch))
    top = np.sum(Q * _products(product, Q))
    probes -= Q @ (Q.T @ probes)
    rest = np.sum(probes * _products(product, probes), axis=0)
    return float(top + rest.mean()), top + rest


def _products(product, columns):
    return np.column_stack([product(column) for column in columns.T]).astype(float)


def hessian_trace(estimator, X, y, sample_weight=None, *, n_products=60, random_state=0):
    """Trace of the Hessian of the mean loss of a fitted network; smaller is flatter.

    Parameters
    ----------
    estimator : fitted estimator
        Ours, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, or a Pipeline that ends in
        one of them.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), default=None
    n_products, random_state
        See `HessianTrace`.

    Returns
    -------
    Measurement
        ``samples`` holds the share of every layer.

    Raises
    ------
    TypeError
        If the estimator cannot be measured.
    """
    return HessianTrace(n_products, random_state).measure(estimator, X, y, sample_weight)
