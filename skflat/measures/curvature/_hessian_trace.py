"""Sharpness: the trace of the Hessian."""

from numbers import Integral

import numpy as np

from ..._compat import Interval
from ...objective import ExactTrace, capability
from .._function import function_of
from .._measure import Measure, describe, exactness, generator, group_error
from .._measurement import Measurement
from ._eigenvalues import HessianProduct, products


class HessianTrace(Measure):
    """Trace of the Hessian of the unpenalised mean training loss; smaller is flatter.

    The value is exact for networks of relu or identity units of any depth and for factorizations,
    because the diagonal of their Hessian is that of its Gauss-Newton part. It is also exact for
    smooth units in up to two hidden layers. Otherwise Hutch++ (Meyer, Musco, Musco and Woodruff,
    arXiv:2010.09649) estimates it from Hessian products.

    The measure is invariant under isometries of the parameters only. A rescaling of the layers of a
    relu network against each other does not change its predictions, but changes the trace
    arbitrarily. The trace is linear in the scale of the loss, which is the mean over rows.

    Parameters
    ----------
    n_products : int, default=60
        Number of Hessian products of an estimate, at least 18. If there are no more parameters than
        products, the diagonal is computed instead, and the value is exact.
    random_state : int, RandomState instance or None, default=0
        Draws the probes of the estimate.

    Notes
    -----
    With one hidden layer the exact trace costs about one forward pass. With more it costs one
    backward pass per output. ``samples`` then holds the share of every layer, weights and
    intercepts together. Ahn, Jadbabaie and Sra (arXiv:2305.15659) divide the trace by the number of
    parameters.

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

    _parameter_constraints: dict = {
        "n_products": [Interval(Integral, 18, None, closed="left")],
        "random_state": ["random_state"],
    }

    sign = -1

    def __init__(self, n_products=60, random_state=0):
        self.n_products = n_products
        self.random_state = random_state

    def _evaluate(self, problem):
        objective, w = problem.objective, problem.w
        exact = capability(objective, ExactTrace)
        if exact is None:
            return self._estimate(problem)
        by_row = exact.of_rows(w)
        layers = np.array([objective.data.mean(column) for column in by_row.T])
        stderr = problem.row_error(by_row.sum(axis=1))
        return Measurement(
            value=float(layers.sum()),
            stderr=stderr,
            kind=exactness(problem),
            n_evals=1,
            converged=True,
            samples=layers,
            protocol=describe(problem, method="closed form", samples="one a layer"),
        )

    def _estimate(self, problem):
        objective, w = problem.objective, problem.w
        rng = generator(self.random_state)
        product = HessianProduct(problem)
        if len(w) <= self.n_products:
            return self._diagonal(problem, product)
        value, probes, vectors = hutchpp(product, len(w), self.n_products, rng)

        def trace_on(batch):
            """The same estimate, with the same vectors, on some of the rows."""
            times = objective.hessian_products(w, batch)
            columns = (column.astype(w.dtype) for column in vectors)
            return float(sum(column @ times(column) for column in columns))

        # The errors due to the probes and to the sampling of rows are independent.
        stderr = probes.std(ddof=1) / np.sqrt(len(probes))
        return Measurement(
            value=value,
            stderr=float(np.hypot(stderr, group_error(problem, trace_on))),
            kind="estimate",
            n_evals=2 * product.n_products + (2 * len(vectors) if problem.sampled else 0),
            converged=True,
            samples=probes,
            protocol=describe(
                problem,
                method="Hutch++",
                samples="one a probe of the remainder",
                seed=self.random_state,
            ),
        )

    def _diagonal(self, problem, product):
        """The exact diagonal, which costs no more if there are few parameters."""
        diagonal = np.array([product(unit)[k] for k, unit in enumerate(np.eye(len(problem.w)))])

        def trace_on(batch):
            times = problem.objective.hessian_products(problem.w, batch)
            units = np.eye(len(problem.w), dtype=problem.w.dtype)
            return float(sum(times(unit)[k] for k, unit in enumerate(units)))

        return Measurement(
            value=float(diagonal.sum()),
            stderr=group_error(problem, trace_on),
            kind=exactness(problem),
            n_evals=2 * product.n_products,
            converged=True,
            samples=diagonal,
            protocol=describe(problem, method="diagonal", samples="one a parameter"),
        )


def hutchpp(product, size, n_products, rng):
    """Hutch++: the exact trace on a sketched subspace, plus Hutchinson's estimate of the rest.

    With ``Q`` an orthonormal basis of ``A S`` for random signs ``S``, the value is
    ``tr(Q' A Q) + mean_g g' (I - QQ') A (I - QQ') g``.

    Returns
    -------
    value : float
    probes : ndarray of shape (n_products // 3,)
        One unbiased estimate per probe. Their mean is the value.
    vectors : list of ndarray of shape (size,)
        The value is the sum of ``v' A v`` over these vectors.
    """
    # A third of the products each for the sketch, for the trace on it, and for the rest. All
    # products overwrite their input, so at most three matrices of k vectors exist.
    k = n_products // 3
    Q = rng.choice([-1.0, 1.0], size=(size, k))
    Q, _ = np.linalg.qr(products(product, Q, out=Q))
    probes = rng.choice([-1.0, 1.0], size=(size, k))
    images = products(product, Q)
    images *= Q
    top = np.sum(images)
    probes -= Q @ (Q.T @ probes)  # (I - QQ') g: only the rest of the trace is left to estimate
    products(product, probes, out=images)
    images *= probes
    rest = np.sum(images, axis=0)
    probes /= np.sqrt(k)
    return float(top + rest.mean()), top + rest, [*Q.T, *probes.T]


hessian_trace = function_of(HessianTrace, "hessian_trace")
