"""Sharpness: the trace of the Hessian."""

from numbers import Integral

import numpy as np

from ..._compat import Interval
from ...objective import ExactTrace, capability
from .._function import function_of
from .._measure import (
    Measure,
    describe,
    exactness,
    generator,
    group_error,
    of_few_draws,
)
from .._measurement import Measurement
from ._eigenvalues import HessianProduct
from ._xtrace import xtrace


class HessianTrace(Measure):
    """Trace of the Hessian of the unpenalised mean training loss; smaller is flatter.

    The value is exact for networks of relu or identity units of any depth and for factorizations,
    because the diagonal of their Hessian is that of its Gauss-Newton part. It is also exact for
    smooth units in up to two hidden layers. Otherwise XTrace (Epperly, Tropp and Webber,
    arXiv:2301.07825) estimates it from Hessian products.

    The measure is invariant under isometries of the parameters only. A rescaling of the layers of a
    relu network against each other does not change its predictions, but changes the trace
    arbitrarily. The trace is linear in the scale of the loss, which is the mean over rows.

    Parameters
    ----------
    n_products : int, default=60
        Number of Hessian products of an estimate, at least 18. If there are no more parameters than
        products, the diagonal is computed instead, and the value is exact.
    random_state : int, RandomState instance or None, default=0
        Draws the test vectors of the estimate.

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
        value, estimates, vectors = xtrace(product, len(w), self.n_products, rng)

        def trace_on(batch):
            """The same estimate, with the same vectors, on some of the rows."""
            times = objective.hessian_products(w, batch)
            columns = (column.astype(w.dtype) for column in vectors)
            return float(sum(column @ times(column) for column in columns))

        # The errors due to the test vectors and to the sampling of rows are independent.
        stderr = estimates.std(ddof=1) / np.sqrt(len(estimates)) * of_few_draws(len(estimates))
        return Measurement(
            value=value,
            stderr=float(np.hypot(stderr, group_error(problem, trace_on))),
            kind="estimate",
            n_evals=2 * product.n_products + (2 * len(vectors) if problem.sampled else 0),
            converged=True,
            samples=estimates,
            protocol=describe(
                problem,
                method="XTrace",
                samples="one a test vector",
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


hessian_trace = function_of(HessianTrace, "hessian_trace")
